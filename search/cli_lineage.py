"""``pinakes lineage``. Thin; ``search.cli`` mounts it."""

from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["EXAMPLE", "lineage"]

EXAMPLE = "Example: pinakes lineage 12"


def lineage(
    what: Annotated[str, typer.Argument(help="A model by id, name, file name or hash.")],
    depth: Annotated[int, typer.Option(min=1, max=6, help="Generations up and down.")] = 3,
    json: Json = False,
    home: Home = None,
) -> None:
    """Where a model comes from: what it was trained on or merged from, what was made from it, who is like it.

    Each fact with its source. Ancestors that the library lacks are named by what is known of them.
    """
    from search import Pinakes
    from search.terminal_lineage import show_lineage

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        found = pinakes.lineage(what, depth=depth)
    console.answer(found.to_json(), lambda: show_lineage(console, found))
