"""``pinakes comfyui-paths``. Thin; ``search.cli`` mounts it."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.settings import read_settings

__all__ = ["EXAMPLE", "comfyui_paths"]

EXAMPLE = "Example: pinakes comfyui-paths --out ~/ComfyUI/extra_model_paths.yaml"


def comfyui_paths(
    out: Annotated[
        Path | None, typer.Option(help="Write it here; a file that is there stays.", show_default=False)
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over the file of --out.")] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """The library's folders as ComfyUI's extra_model_paths.yaml, on standard output.

    Folders of other tools come under ComfyUI's names for them, so that ComfyUI loads what lies there.
    """
    from search import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        found = pinakes.comfyui_paths()
    if out is not None:
        _write(out, found.to_yaml(), replace)
        console.note(f"Written: {out}")
    if out is None or json:
        console.answer(found.to_json(), lambda: typer.echo(found.to_yaml(), nl=False))


def _write(out: Path, text: str, replace: bool) -> None:
    try:
        with out.open("w" if replace else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            "out", f"{str(out)!r} is there already. Give another name, or --replace to write over it."
        ) from None
    except OSError as error:
        raise UsageError("out", f"{str(out)!r} cannot be written ({error.strerror}).") from error
