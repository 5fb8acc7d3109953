"""``pinakes doctor``. Thin; ``search.cli`` mounts it."""

from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["EXAMPLE", "doctor"]

EXAMPLE = "Example: pinakes doctor --repair"


def doctor(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with status 1 when something needs repair.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make again whatever can be made from the catalog.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Is everything in order? Catalog, indexes, thumbnails, disk, folders and settings, byte by byte.

    Nothing is changed without --repair, and model folders never are. A repair may be stopped with Ctrl-C and
    run again. With --repair, exit status 1 tells that something is left.
    """
    from indexer.console_doctor import show_health
    from indexer.doctor import examine, mend

    console = Console(json)
    settings = read_settings(home)
    report = examine(settings, console)
    if repair:
        report = mend(settings, console, report)
    console.answer(report.to_json(), lambda: show_health(console, report))
    if (check or repair) and report.state == "fault":
        raise typer.Exit(1)
