"""``pinakes check``. Thin; ``search.cli`` mounts it."""

from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["EXAMPLE", "check"]

EXAMPLE = "Example: pinakes check sdxl ink.safetensors:0.8 watercolour"


def check(
    base: Annotated[
        str, typer.Argument(help="A base by id, name, path or hash; or an architecture such as sdxl.")
    ],
    addons: Annotated[
        list[str] | None,
        typer.Argument(help="What is used with it, each by id, name, path or hash; NAME:0.8 gives a weight."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the adapters' weights: who pulls with whom, block by block.")
    ] = False,
    precision: Annotated[
        str, typer.Option(help="How weights are loaded, for the size: fp16, bf16 or fp8.")
    ] = "fp16",
    export: Annotated[
        str | None,
        typer.Option(
            help="Write the stack for another tool: comfyui, comfyui-api, a1111 or json.", show_default=False
        ),
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Does this stack load and fit? Every addon against the base, and the addons against each other.

    Told from tensors: which modules fit, what is missing, words that clash, size and licence of the whole.
    Exit status 1 when it does not fit or could not be compared. With --export the output is what the other
    tool opens: a ComfyUI workflow with its loaders wired, A1111's prompt and settings, or JSON.
    """
    from search.checking import check_stack
    from search.exporting import export_stack
    from search.service import Pinakes
    from search.terminal_check import show_stack
    from search.terminal_export import write_export

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        stack = check_stack(pinakes, base, addons or [], precision=precision, deep=deep)
        if export is not None:
            write_export(console, export_stack(pinakes, stack, export))
    if export is None:
        console.answer(stack.to_json(), lambda: show_stack(console, stack))
    if not stack.loads:
        raise typer.Exit(1)
