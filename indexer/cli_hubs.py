"""Verbs about what hubs publish. Thin; ``indexer.cli`` mounts them."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.settings import read_settings

__all__ = ["app"]

app = typer.Typer()


@app.command("import", epilog="Example: pinakes import models.jsonl.xz")
def import_(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="JSON lines, an array or pages; plain, .gz, .xz or .zst.",
            show_default=False,
        ),
    ] = None,
    refused: Annotated[
        bool, typer.Option("--refused", help="List the items refused so far, with reasons.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Read dumps of Civitai's API (v1, models) and make them searchable. Importing again changes nothing.

    Stop it at any time: what was read is kept. Exit status 2 when a file is missing, or damaged: then all
    items before the damage are kept.
    """
    from indexer import console_hubs

    console = Console(json)
    if refused == bool(files):
        raise UsageError("import", "Name dumps to import, or ask for --refused; not both.")
    settings = read_settings(home)
    if refused:
        console_hubs.show_refused(console, settings)
    elif not console_hubs.show_import(console, settings, files or []):
        raise typer.Exit(2)
