"""The one command, ``pinakes``: verbs that read, and the verbs of ``indexer.cli`` mounted beside them.

Heavy modules are imported inside the verbs, so that ``pinakes --help`` answers at once.
"""

import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import app as indexer_app
from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import PinakesError
from indexer.progress import Noted
from indexer.settings import read_settings
from indexer.sources.local import MODEL_SUFFIXES
from search import cli_lineage
from search.cli_check import EXAMPLE, check
from search.cli_comfyui import EXAMPLE as COMFYUI_EXAMPLE
from search.cli_comfyui import comfyui_paths
from search.cli_mcp import EXAMPLE as MCP_EXAMPLE
from search.cli_mcp import mcp
from search.cli_personal import mark, marks_app, saved_app
from search.cli_plan import plan
from search.cli_query import QueryCommand, query_text

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # their frames show local variables, secrets among them
    help="Index and search generative-image models: by words, by visual style, by what really fits.",
)

Limit = Annotated[int, typer.Option("--limit", "-n", help="How many entries to show.")]
Base = Annotated[
    str | None, typer.Option("--base", help="Architecture you use, such as sdxl.", show_default=False)
]
Explain = Annotated[bool, typer.Option("--explain", help="Say why each entry stands where it stands.")]

Versions = Annotated[
    bool, typer.Option("--versions", help="Show each version of a model, instead of the best one.")
]


@app.command(cls=QueryCommand, epilog='Example: pinakes search "watercolour type:lora arch:sdxl"')
def search(
    query: Annotated[list[str] | None, typer.Argument(help="Words and filters; see: pinakes fields")] = None,
    image: Annotated[
        Path | None, typer.Option(help="A picture to look for as well.", show_default=False)
    ] = None,
    base: Base = None,
    sort: Annotated[
        str, typer.Option(help="relevance, newest, updated, rating, downloads, size, name or random.")
    ] = "relevance",
    seed: Annotated[int, typer.Option(help="Another number gives another random order.")] = 0,
    versions: Versions = False,
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(help="Skip so many entries.")] = 0,
    explain: Explain = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Find models by words, filters, and a picture."""
    from search import Pinakes
    from search.terminal_hits import show_hits

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        answer = pinakes.search(
            query_text(query),
            image=image,
            base=base,
            sort=sort,
            limit=limit,
            offset=offset,
            seed=seed,
            versions=versions,
        )
    console.answer(answer.to_json(), lambda: show_hits(console, answer, explain=explain))


@saved_app.command("run", epilog="Example: pinakes saved run new")
def run_saved(
    name: Annotated[str, typer.Argument(help="The search's name.")],
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(help="Skip so many entries.")] = 0,
    explain: Explain = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Search again as it was kept."""
    from indexer.saved import saved_search

    saved = saved_search(read_settings(home), name)
    search(
        query=[saved.query],
        base=saved.base,
        sort=saved.sort,
        limit=limit,
        offset=offset,
        explain=explain,
        json=json,
        home=home,
    )


@app.command(cls=QueryCommand, epilog="Example: pinakes similar picture.png --by style --base sdxl")
def similar(
    what: Annotated[str, typer.Argument(help="A picture file, or a model by id or name.")],
    query: Annotated[list[str] | None, typer.Argument(help="Filters to narrow the answer.")] = None,
    by: Annotated[
        str, typer.Option(help="style: how it is drawn; content: what is in it; mix; weights: of LoRAs.")
    ] = "style",
    base: Base = None,
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(help="Skip so many entries.")] = 0,
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Call nothing similar below this, 0 to 1. Default: a measured cut-off.", show_default=False
        ),
    ] = None,
    versions: Versions = False,
    explain: Explain = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Find models that look like a picture or like another model."""
    from search import Pinakes
    from search.terminal_hits import show_hits

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        answer = pinakes.similar(
            _picture_or_model(what),
            by=by,
            base=base,
            query=query_text(query),
            limit=limit,
            offset=offset,
            min_score=min_score,
            versions=versions,
        )
    console.answer(answer.to_json(), lambda: show_hits(console, answer, explain=explain))


@app.command(epilog="Example: pinakes show 12")
def show(
    what: Annotated[str, typer.Argument(help="A model by id, name, file name or hash.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Everything known of one model: files, verdict with evidence, your overrides, training, claims."""
    from search import Pinakes
    from search.terminal import show_details

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        details = pinakes.show(what)
    console.answer(details.to_json(), lambda: show_details(console, details.to_json()))


@app.command(cls=QueryCommand, epilog='Example: pinakes mislabelled "type:lora"')
def mislabelled(
    query: Annotated[list[str] | None, typer.Argument(help="Words and filters to narrow the report.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="At most so many models.", show_default=False)
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Skip so many models.")] = 0,
    json: Json = False,
    home: Home = None,
) -> None:
    """Files that are said to be one thing and found to be another: claims against tensors."""
    from search import Pinakes
    from search.terminal import show_mislabelled

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        report = pinakes.mislabelled(query_text(query), limit=limit, offset=offset)
        if json:
            head = {"total": report.total, "hidden": report.hidden, "offset": report.offset}
            console.write_stream(head, "items", report.items)
        else:
            show_mislabelled(console, report)


@app.command(epilog="Example: pinakes duplicates --limit 20")
def duplicates(
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="At most so many groups.", show_default=False)
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Skip so many groups.")] = 0,
    json: Json = False,
    home: Home = None,
) -> None:
    """What lies several times: copies, the same tensors under other metadata, LoRAs with the same weights.

    Renamed, re-uploaded, converted to other names, merged at another strength. Nothing is deleted.
    """
    from search import Pinakes
    from search.terminal_duplicates import show_duplicates

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        report = pinakes.duplicates(limit=limit, offset=offset)
    console.answer(report.to_json(), lambda: show_duplicates(console, report))


@app.command("map", cls=QueryCommand, epilog="Example: pinakes map type:lora --out map.html")
def style_map(
    query: Annotated[list[str] | None, typer.Argument(help="Words and filters to narrow the map.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the map into this .html or .svg file.", show_default=False)
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """The library's styles laid out side by side, in neighbourhoods named by their common words."""
    from search import Pinakes
    from search.terminal_map import show_map
    from search.web.map import write_map

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        drawn = pinakes.map(query_text(query))
        if out is not None:
            write_map(pinakes.service, drawn, out)
            console.note(f"Written: {out}")
    console.answer(drawn.to_json(), lambda: show_map(console, drawn))


@app.command(epilog="Example: pinakes stats")
def stats(json: Json = False, home: Home = None) -> None:
    """Counts over the library."""
    from search import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        counts = pinakes.stats()
    console.answer(counts, lambda: _show_counts(console, counts))


@app.command(epilog="Example: pinakes fields is")
def fields(
    name: Annotated[
        str | None, typer.Argument(help="One field, with all the values it knows.", show_default=False)
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """The fields that a query may use, what each takes, and an example.

    Join filters with AND, OR, NOT, - and ( ); quote what has blanks. Dates may be ages: created:<30d is
    younger than 30 days, created:>2w older than two weeks.
    """
    from search.terminal_fields import asked_fields, show_fields

    console = Console(json)
    rows = asked_fields(name)
    console.answer([asdict(row) for row in rows], lambda: show_fields(console, rows, values=name is not None))


@app.command(epilog="Example: pinakes serve --port 7870")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind to.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.", show_default=False)] = None,
    schedules: Annotated[
        bool, typer.Option("--schedules/--no-schedules", help="Run scheduled jobs too.")
    ] = True,
    home: Home = None,
) -> None:
    """Serve the page and the API on this machine, and run what is scheduled."""
    from indexer.schedule import Scheduler
    from search.api.serve import serve as run

    console = Console()
    settings = read_settings(home)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=changes)
    signal.signal(signal.SIGTERM, _end)
    run(settings, console.line, Scheduler(settings, Noted(console.note)) if schedules else None)


def _picture_or_model(what: str) -> Path | str:
    """A file is a picture, unless its name says that it is a model: then the model of that name is meant."""
    path = Path(what)
    is_model = path.suffix.lower().encode() in MODEL_SUFFIXES
    return path if path.is_file() and not is_model else what


def _show_counts(console: Console, counts: dict[str, object]) -> None:
    for name in ("entries", "files", "bytes", "missing"):
        console.line(f"{name:14}{counts[name]:,}")
    for name in ("kinds", "architectures", "previews", "vectors", "quarantined"):
        table = counts[name]
        if isinstance(table, dict) and table:
            console.table(name, ["", ""], [[key, f"{value:,}"] for key, value in table.items()])


app.registered_commands = [*indexer_app.registered_commands, *app.registered_commands]
app.registered_groups = [*indexer_app.registered_groups]
app.command(epilog="Example: pinakes mark 12 --favourite --rating 4.5 --for portrait --tag comic")(mark)
app.command(cls=QueryCommand, epilog="Example: pinakes plan --to flux2-klein-9b --out plan.html")(plan)
app.command(epilog=EXAMPLE)(check)
app.command(epilog=cli_lineage.EXAMPLE)(cli_lineage.lineage)
app.command(epilog=COMFYUI_EXAMPLE)(comfyui_paths)
app.command(epilog=MCP_EXAMPLE)(mcp)
app.add_typer(marks_app, name="marks")
app.add_typer(saved_app, name="saved")


_AGAIN = 0.02
"""Seconds: by then the callback is left."""


class Stopped(BaseException):
    """Ctrl-C. Not KeyboardInterrupt, which the command's framework would turn into a silent exit."""


class Ended(BaseException):
    """SIGTERM: a server's usual end."""


def _stop(_signal: int, _frame: object) -> None:
    raise Stopped


def _end(_signal: int, _frame: object) -> None:
    raise Ended


def _heed(lost: "sys.UnraisableHookArgs") -> None:
    """A stop that fell into a callback of the collector was swallowed there: it is sent once more."""
    if lost.exc_type not in (Stopped, Ended):
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGALRM, _stop if lost.exc_type is Stopped else _end)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def main() -> None:
    """Run the command. Exit status: 0 fine, 1 a negative answer, 2 wrong usage or input, 130 stopped."""
    # A pipe that closes early (| head) is no error worth a traceback.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _stop)
    sys.unraisablehook = _heed
    try:
        app(standalone_mode=True)
    except PinakesError as error:
        # Only a query's error has lines of its own: the caret must stand under the fault.
        for line in str(error).split("\n") if error.code == "query" else (str(error),):
            Console().note(line if line.startswith(" ") else f"pinakes: {line}")
        sys.exit(2)
    except Ended:
        sys.exit(0)
    except Stopped:
        Console().note("Stopped. What was done is kept; run the same command again to go on.")
        sys.exit(130)
