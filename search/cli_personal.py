"""``pinakes mark``, ``marks`` and ``saved``: the user's own layer. Thin; ``search.cli`` mounts them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.settings import read_settings
from search.cli_query import QueryCommand, query_text

__all__ = ["mark", "marks_app", "saved_app"]

marks_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Take your favourites, ratings, notes, tags and saved searches to another catalog.",
    epilog="Example: pinakes marks export marks.json",
)
saved_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Searches under a name.",
    epilog='Example: pinakes saved add new "is:unseen type:lora" --sort newest',
)

Name = Annotated[str, typer.Argument(help="The search's name.")]


def mark(
    models: Annotated[list[str], typer.Argument(help="Models by id, path, hash or name.")],
    favourite: Annotated[
        bool | None,
        typer.Option(
            "--favourite/--no-favourite",
            "--favorite/--no-favorite",
            help="Is it one of your favourites?",
            show_default=False,
        ),
    ] = None,
    rating: Annotated[
        float | None, typer.Option(help="Your stars, 0 to 5 in halves.", show_default=False)
    ] = None,
    unrate: Annotated[bool, typer.Option("--unrate", help="Take your stars away.")] = False,
    purpose: Annotated[
        str,
        typer.Option("--for", help="What stars and note are about, such as portrait.", show_default=False),
    ] = "",
    note: Annotated[
        str | None, typer.Option(help='A note of your own; "" takes it away.', show_default=False)
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Give it a tag of your own; may be repeated.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag away; may be repeated.")] = None,
    seen: Annotated[
        bool | None, typer.Option("--seen/--unseen", help="Have you looked at it?", show_default=False)
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Note what you think of models; without options: show what is noted. Their files stay as they are.

    Find them again with is:favourite, is:unseen, is:rated, mine:>=4, mytag:comic or note:word.
    """
    from indexer import personal

    console, settings = Console(json), read_settings(home)
    change = personal.wanted_change(
        favourite=favourite,
        seen=seen,
        rating=rating,
        unrate=unrate,
        note=note,
        purpose=purpose,
        tag=tag,
        untag=untag,
    )
    if purpose and rating is None and note is None and not unrate:
        raise UsageError("mark", "--for goes with --rating, --unrate or --note. Add one of them.")
    found = personal.entries_meant(settings, models)
    ids = [document.id for document in found]
    told = personal.mark(settings, ids, change, console)
    marks = personal.read_marked(settings, ids)
    rows = [{"id": document.id, "name": document.name, **marks[document.id]} for document in found]
    console.answer(
        {"changed": len(told.changed), "published": told.published, "entries": rows},
        lambda: _show_marked(console, rows, published=told.published),
    )


def _show_marked(console: Console, rows: Sequence[Mapping[str, Any]], *, published: bool) -> None:
    from indexer.domain.marks import marks_told

    for row in rows:
        console.line(f"{row['id']}  {row['name']}: {marks_told(row)}")
    if not published:
        console.note("Another program is writing the catalog; search sees this when it has finished.")


@marks_app.command(epilog="Example: pinakes marks export marks.json")
def export(
    file: Annotated[Path, typer.Argument(help="JSON file to write.")], json: Json = False, home: Home = None
) -> None:
    """Write all that you noted, and your saved searches, to a file."""
    from indexer.personal_files import export_marks

    console = Console(json)
    told = export_marks(read_settings(home), file)
    waiting = f", {told.pending} of them of models that are not known yet" if told.pending else ""
    console.answer(
        asdict(told),
        lambda: console.line(f"{told.marks} marked models{waiting} and {told.saved} searches in {told.path}"),
    )


@marks_app.command("import", epilog="Example: pinakes marks import marks.json")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON file that pinakes marks export wrote.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Add what was noted elsewhere. Later words win; notes and tags are kept from both sides.

    Marks on models that are not known yet wait for them.
    """
    from indexer.personal_files import import_marks

    console = Console(json)
    told = import_marks(read_settings(home), file, console)

    def show() -> None:
        console.line(
            f"{told.changed} models marked, {told.known} were so already, {told.pending} wait for their "
            f"model; {told.saved} searches kept."
        )
        for reason in told.reasons:
            console.note(f"Left out: {reason}.")
        if told.refused > len(told.reasons):
            console.note(f"{told.refused - len(told.reasons)} more were left out.")

    console.answer(asdict(told), show)


@saved_app.command(
    cls=QueryCommand, epilog='Example: pinakes saved add new "is:unseen type:lora" --sort newest'
)
def add(
    name: Name,
    query: Annotated[list[str], typer.Argument(help="Words and filters; see: pinakes fields")],
    sort: Annotated[str, typer.Option(help="An order, as pinakes search has it.")] = "relevance",
    base: Annotated[
        str | None, typer.Option("--base", help="Architecture you use, such as sdxl.", show_default=False)
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Keep a search, in place of the one of that name. It must be one that can be understood."""
    from indexer.saved import save_search
    from search.service import Pinakes

    console, settings, text = Console(json), read_settings(home), query_text(query)
    with Pinakes(settings) as pinakes:
        total = pinakes.search(text, sort=sort, base=base, limit=1).total
    saved = save_search(settings, name, text, sort=sort, base=base)
    console.answer(
        asdict(saved),
        lambda: console.line(
            f"{saved.name}: {saved.query} ({total:,} now). Run it: pinakes saved run {name}"
        ),
    )


@saved_app.command("list", epilog="Example: pinakes saved list")
def list_(json: Json = False, home: Home = None) -> None:
    """All searches that are kept."""
    from indexer.saved import saved_searches_of

    console = Console(json)
    found = saved_searches_of(read_settings(home))

    def show() -> None:
        if not found:
            console.line("No search is kept yet. Keep one: pinakes saved add NAME QUERY")
            return
        rows = [[one.name, one.query, one.sort, one.base or "", f"{one.made_at:%Y-%m-%d}"] for one in found]
        console.table("", ["name", "query", "sort", "base", "made"], rows)

    console.answer([asdict(one) for one in found], show)


@saved_app.command(epilog="Example: pinakes saved remove new")
def remove(name: Name, json: Json = False, home: Home = None) -> None:
    """Forget a search."""
    from indexer.saved import remove_saved

    console = Console(json)
    remove_saved(read_settings(home), name)
    console.answer({"removed": name}, lambda: console.line(f"{name} is forgotten."))


@saved_app.command(epilog="Example: pinakes saved rename new fresh")
def rename(
    name: Name,
    to: Annotated[str, typer.Argument(help="Its new name.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Give a search another name."""
    from indexer.saved import rename_saved

    console = Console(json)
    saved = rename_saved(read_settings(home), name, to)
    console.answer(asdict(saved), lambda: console.line(f"{name} is now {saved.name}: {saved.query}"))
