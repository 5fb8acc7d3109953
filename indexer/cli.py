"""Verbs that write: index, import, demo, rebuild … Thin; ``search.cli`` mounts them into the one command."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from indexer.cli_crawl import app as crawl_app
from indexer.cli_crawl import crawl
from indexer.cli_doctor import EXAMPLE, doctor
from indexer.cli_hubs import app as hubs_app
from indexer.cli_options import Home, Json
from indexer.cli_schedule import app as schedule_app
from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["app"]

_PAGES = 3
"""So many files are still shown as a page each."""

app = typer.Typer()
app.add_typer(schedule_app, name="schedule")
app.add_typer(crawl, name="crawl")


@app.command(epilog="Example: pinakes index ~/ComfyUI/models")
def index(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders to read; none: all known ones.")
    ] = None,
    hash_all: Annotated[
        bool, typer.Option("--hash", help="Hash every file in full, not only copies.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and pick up what changes within seconds; Ctrl-C ends it.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Read model folders, look at their previews, and make all of it searchable. Run it again at any time.

    Folders that ComfyUI, SwarmUI, SD.Next and the like are told to look into are read too; without FOLDERS
    also those that SD_MODELSDIR, HF_HOME, INVOKEAI_ROOT, COMFYUI_PATH and the like name.
    """
    from dataclasses import asdict

    from indexer.pipeline import index_folders

    console = Console(json)
    if watch:
        from indexer.watching import watch_folders

        watch_folders(
            folders or [],
            read_settings(home),
            console,
            lambda told: console.answer(asdict(told), lambda: console.index_report(told)),
            hash_all=hash_all,
        )
        return
    report = index_folders(folders or [], read_settings(home), console, hash_all=hash_all)
    console.answer(asdict(report), lambda: console.index_report(report))


@app.command(epilog="Example: pinakes inspect model.safetensors --json")
def inspect(
    paths: Annotated[list[str], typer.Argument(help="Model files, folders, or addresses of files.")],
    hashes: Annotated[bool, typer.Option("--hashes", help="Measure hashes too; reads whole files.")] = False,
    weights: Annotated[
        bool, typer.Option("--weights", help="Read adapters' weights too: are they broken or empty?")
    ] = False,
    long: Annotated[
        bool, typer.Option("--long", help="A page a file, also for folders and many files.")
    ] = False,
    json: Json = False,
) -> None:
    """What is this file? Reads headers only and needs no catalog.

    A few files are shown in full; folders and many files as one line each. Of a file behind an address
    (https://…) only the header is fetched.
    """
    from indexer.inspecting import inspect_paths, is_url

    console = Console(json)
    if any(map(is_url, paths)):
        from indexer.inspecting_remote import inspect_targets

        told = inspect_targets(paths, read_settings(), hashes=hashes)
    else:
        told = inspect_paths([Path(path) for path in paths], hashes=hashes, weights=weights)
    if json:
        for data in told:
            console.write_json(data)
    else:
        few = len(paths) <= _PAGES and not any(Path(path).is_dir() for path in paths)
        _show_inspected(console, told, pages=long or few)


def _show_inspected(console: Console, told: Iterable[Mapping[str, Any]], *, pages: bool) -> None:
    from indexer.console_inspect import show_file
    from indexer.console_lines import FileLines

    if pages:
        for data in told:
            show_file(console.out, data)
        return
    lines = FileLines(console.out)
    for data in told:
        lines.add(data)
    lines.finish()


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


@app.command(epilog="Example: pinakes override ink.safetensors --architecture sdxl --category style")
def override(
    what: Annotated[
        str | None, typer.Argument(help="A file, a hash (8 digits or more), or a model by id or name.")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option(help="What loads it, such as sdxl.", show_default=False)
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Such as lora or vae.", show_default=False)] = None,
    category: Annotated[str | None, typer.Option(help="Such as style.", show_default=False)] = None,
    family: Annotated[str | None, typer.Option(help="Such as pony.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="What it is called.", show_default=False)] = None,
    withdraw: Annotated[
        list[str] | None, typer.Option(help="Take a decision back: its name, or all.", show_default=False)
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="What was decided, of one model or of all.")] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Say what a model is: your word wins everywhere, is kept apart from findings, and can be withdrawn."""
    from indexer.console_override import show_decisions

    given = {
        "architecture": architecture,
        "kind": kind,
        "category": category,
        "family": family,
        "name": name,
    }
    values = {option: value for option, value in given.items() if value is not None}
    show_decisions(Console(json), what, values, withdraw or [], listed, read_settings(home))


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


app.registered_commands += [*hubs_app.registered_commands, *crawl_app.registered_commands]
app.command(epilog=EXAMPLE)(doctor)
