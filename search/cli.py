"""The one command, ``pinakes``: verbs that read, and the verbs of ``indexer.cli`` mounted beside them.

Heavy modules are imported inside the verbs, so that ``pinakes --help`` answers at once.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli import Home, Json
from indexer.cli import app as indexer_app
from indexer.console import Console
from indexer.errors import PinakesError
from indexer.settings import read_settings
from indexer.sources.local import MODEL_SUFFIXES

if TYPE_CHECKING:
    from search.answers import Answer

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


@app.command(epilog='Example: pinakes search "watercolour type:lora arch:sdxl"')
def search(
    query: Annotated[list[str] | None, typer.Argument(help="Words and filters; see: pinakes fields")] = None,
    image: Annotated[
        Path | None, typer.Option(help="A picture to look for as well.", show_default=False)
    ] = None,
    base: Base = None,
    sort: Annotated[
        str, typer.Option(help="relevance, newest, rating, downloads, size or name.")
    ] = "relevance",
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(help="Skip so many entries.")] = 0,
    explain: Explain = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Find models by words, filters, and a picture."""
    from search.service import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        answer = pinakes.search(
            " ".join(query or []), image=image, base=base, sort=sort, limit=limit, offset=offset
        )
    console.answer(answer.to_json(), lambda: _show_hits(console, answer, explain))


@app.command(epilog="Example: pinakes similar picture.png --by style --base sdxl")
def similar(
    what: Annotated[str, typer.Argument(help="A picture file, or a model by id or name.")],
    query: Annotated[list[str] | None, typer.Argument(help="Filters to narrow the answer.")] = None,
    by: Annotated[str, typer.Option(help="style: how it is drawn; content: what is in it.")] = "style",
    base: Base = None,
    limit: Limit = 20,
    explain: Explain = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Find models that look like a picture or like another model."""
    from search.service import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        answer = pinakes.similar(
            _picture_or_model(what), by=by, base=base, query=" ".join(query or []), limit=limit
        )
    console.answer(answer.to_json(), lambda: _show_hits(console, answer, explain))


@app.command(epilog="Example: pinakes show 12")
def show(
    what: Annotated[str, typer.Argument(help="A model by id, name, file name or hash.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Everything known of one model: files, verdict with evidence, claims by source, previews."""
    from search.service import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        details = pinakes.show(pinakes.find(what).id)
    assert details is not None  # find answers entries only
    console.answer(details.to_json(), lambda: _show_details(console, details.to_json()))


@app.command(epilog="Example: pinakes stats")
def stats(json: Json = False, home: Home = None) -> None:
    """Counts over the library."""
    from search.service import Pinakes

    console = Console(json)
    with Pinakes(read_settings(home)) as pinakes:
        counts = pinakes.stats()
    console.answer(counts, lambda: _show_counts(console, counts))


@app.command(epilog="Example: pinakes fields")
def fields(json: Json = False, home: Home = None) -> None:
    """The fields that a query may use, each with an example."""
    from indexer.domain.fields import FIELDS

    console = Console(json)
    rows = [[f.name, f.type.value, f.help, f.example] for f in FIELDS.values()]
    names = ("name", "type", "help", "example")
    console.answer(
        [dict(zip(names, row, strict=True)) for row in rows], lambda: console.table("", list(names), rows)
    )


@app.command(epilog="Example: pinakes serve --port 7870")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind to.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.", show_default=False)] = None,
    home: Home = None,
) -> None:
    """Serve the page and the API on this machine."""
    from search.api.serve import serve as run

    settings = read_settings(home)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    run(settings.model_copy(update=changes), Console().line)


def _picture_or_model(what: str) -> Path | str:
    """A file is a picture, unless its name says that it is a model: then the model of that name is meant."""
    path = Path(what)
    is_model = path.suffix.lower().encode() in MODEL_SUFFIXES
    return path if path.is_file() and not is_model else what


def _show_hits(console: Console, answer: "Answer", explain: bool) -> None:
    rows = [
        [
            str(hit.document.id),
            hit.document.name,
            hit.document.kind,
            hit.document.architecture or "?",
            hit.document.family or "",
            "" if hit.document.rating is None else f"{hit.document.rating:.1f}",
            f"{hit.score.value:.2f}",
        ]
        for hit in answer.hits
    ]
    if rows:
        console.table("", ["id", "name", "type", "architecture", "family", "rating", "score"], rows)
    if explain:
        for hit in answer.hits:
            console.line(f"{hit.document.name}: {hit.score.explain()}")
    hidden = f"; {answer.hidden} hidden (add is:adult, is:real_person to see them)" if answer.hidden else ""
    console.line(f"{len(answer.hits)} of {answer.total} in {answer.took_ms:.0f} ms{hidden}")


def _show_details(console: Console, details: dict[str, object]) -> None:
    for name in (
        "name",
        "version",
        "kind",
        "adapter",
        "architecture",
        "family",
        "base_label",
        "creator",
        "licence",
    ):
        if details.get(name):
            console.line(f"{name.replace('_', ' '):14}{details[name]}")
    for name in ("tags", "trigger_words"):
        words = details.get(name)
        if isinstance(words, list | tuple) and words:
            console.line(f"{name.replace('_', ' '):14}{', '.join(map(str, words))}")
    files = details["files"]
    assert isinstance(files, list)
    for file in files:
        for place in file["places"]:
            console.line(f"{'file':14}{place['path']}{'  (missing)' if place['missing'] else ''}")
        verdict = file["verdict"] or {}
        for row in verdict.get("evidence", []):
            console.line(f"{'evidence':14}{row['rule']}: {row['detail']}")
        for row in verdict.get("conflicts", []):
            console.line(f"{'conflict':14}{row['source']} says {row['claim']}, but {row['found']}")


def _show_counts(console: Console, counts: dict[str, object]) -> None:
    for name in ("entries", "files", "bytes", "missing"):
        console.line(f"{name:14}{counts[name]:,}")
    for name in ("kinds", "architectures", "previews", "vectors", "quarantined"):
        table = counts[name]
        if isinstance(table, dict) and table:
            console.table(name, ["", ""], [[key, f"{value:,}"] for key, value in table.items()])


app.registered_commands = [*indexer_app.registered_commands, *app.registered_commands]


class Stopped(BaseException):
    """Ctrl-C. Not KeyboardInterrupt, which the command's framework would turn into a silent exit."""


def _stop(_signal: int, _frame: object) -> None:
    raise Stopped


def main() -> None:
    """Run the command. Exit status: 0 fine, 1 a negative answer, 2 wrong usage or input, 130 stopped."""
    # A pipe that closes early (| head) is no error worth a traceback.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _stop)
    try:
        app(standalone_mode=True)
    except PinakesError as error:
        Console().note(f"pinakes: {error}")
        sys.exit(2)
    except Stopped:
        Console().note("Stopped. What was done is kept; run the same command again to go on.")
        sys.exit(130)
