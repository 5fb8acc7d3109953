"""Verbs that write: index, demo, rebuild. Thin; ``search.cli`` mounts them into the one command."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["app"]

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Pure JSON on standard output.")]
Home = Annotated[
    Path | None, typer.Option("--home", help="Where Pinakes keeps its catalog.", show_default=False)
]


@app.command(epilog="Example: pinakes index ~/ComfyUI/models")
def index(
    folders: Annotated[list[Path] | None, typer.Argument(help="Folders to read; none: all known.")] = None,
    hash_all: Annotated[
        bool, typer.Option("--hash", help="Hash every file in full, not only copies.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Read model folders, look at their previews, and make all of it searchable. Run it again at any time."""
    from dataclasses import asdict

    from indexer.pipeline import index_folders

    console = Console(json)
    report = index_folders(folders or [], read_settings(home), console, hash_all=hash_all)
    console.answer(asdict(report), lambda: console.index_report(report))


@app.command(epilog="Example: pinakes inspect model.safetensors --json")
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Model files or folders.")],
    hashes: Annotated[bool, typer.Option("--hashes", help="Measure hashes too; reads whole files.")] = False,
    json: Json = False,
) -> None:
    """What is this file? Reads headers only and needs no catalog."""
    from indexer.inspecting import inspect_paths

    console = Console(json)
    for told in inspect_paths(paths, hashes=hashes):
        console.answer(told, lambda told=told: console.inspected(told))  # type: ignore[misc]


@app.command(epilog="Example: pinakes demo ~/pinakes-demo && pinakes index ~/pinakes-demo")
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to write; must be new, empty or an earlier demo.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Write a small synthetic library (real header layouts, drawn previews) to try everything on."""
    from dataclasses import asdict

    from indexer.demo import write_demo

    console = Console(json)
    with console.stage("Drawing the demo library", "files", None) as stage:
        report = write_demo(folder, progress=lambda done, total, what: stage.advance())
    console.answer(asdict(report), lambda: console.line(f"{len(report.models)} model files in {folder}"))


@app.command(epilog="Example: pinakes rebuild")
def rebuild(json: Json = False, home: Home = None) -> None:
    """Throw the search indexes away and build them anew from the catalog, which is the truth."""
    from dataclasses import asdict

    from indexer.pipeline import rebuild_indexes

    console = Console(json)
    report = rebuild_indexes(read_settings(home), console)
    console.answer(
        asdict(report),
        lambda: console.line(f"{report.published} entries and {report.vectors} vectors published"),
    )
