"""``pinakes plan``: what happens to each model when the library moves to another base. Thin; ``search.cli``
mounts it."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.settings import read_settings
from search.cli_query import query_text

__all__ = ["plan"]


def plan(
    query: Annotated[
        list[str] | None,
        typer.Argument(help="Words and filters that narrow the library; see: pinakes fields"),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Base to move to, such as flux2-klein-9b or illustrious.")
    ] = "",
    source: Annotated[
        str | None, typer.Option("--from", help="Only what works with this base.", show_default=False)
    ] = None,
    stack: Annotated[
        Path | None,
        typer.Option(
            help="An image, a ComfyUI workflow, A1111's text, or a stack as JSON: plan the models it names.",
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="An earlier plan (JSON): tell what changed.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a report: .html, .csv or .json.", show_default=False)
    ] = None,
    price_per_hour: Annotated[
        float | None,
        typer.Option(min=0, help="What an hour of a graphics card costs you.", show_default=False),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of that price. Default: EUR.", show_default=False)
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Plan a move to another base: what to keep, convert, update, replace or retrain. A report; no file is
    touched."""
    from search.plan_cost import Price
    from search.plan_diff import read_plan
    from search.plan_make import PlanRequest, make_plan
    from search.plan_report import FORMATS
    from search.service import Pinakes
    from search.terminal_plan import show_plan

    if out is not None and out.suffix.lower() not in FORMATS:
        raise UsageError(
            "out", f"A plan cannot be written as {out.suffix!r}. End the name in {', '.join(FORMATS)}."
        )
    console = Console(json)
    request = PlanRequest(
        to,
        source,
        query_text(query),
        stack,
        read_plan(against) if against is not None else None,
        Price(price_per_hour, currency),
    )
    with Pinakes(read_settings(home)) as pinakes:
        made = make_plan(pinakes, request, console)
        if out is not None:
            from search.web.plan import write_plan

            write_plan(pinakes, made, out)
            console.note(f"{len(made.items)} models planned: {out}")
    if json or out is None:
        console.answer(made.to_json(), lambda: show_plan(console, made))
