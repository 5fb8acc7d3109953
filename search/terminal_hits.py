"""What a person at a terminal sees of an answer: a table of hits, why they stand there, what was left out."""

from rich.table import Table
from rich.text import Text

from indexer.console import Console, printable
from search.answers import Answer, Hit, hidden_told

__all__ = ["show_hits"]

_NAME = 46
_WHY = 60
_ROOMY = 120
"""Columns from which the reasons of each hit have room in the table."""


def show_hits(console: Console, answer: Answer, *, explain: bool) -> None:
    """The page of hits, then how many there are, what is hidden, and notes on the query."""
    if answer.hits:
        console.out.print(_table(answer, reasons=console.out.width >= _ROOMY))
    if explain:
        for hit in answer.hits:
            console.out.print(
                Text(printable(hit.document.name), style="bold").append(
                    f"  {hit.explain()}", style="not bold"
                ),
                soft_wrap=True,
            )
    for note in answer.notes:
        console.line(note)
    console.line(_count(answer))


def _table(answer: Answer, *, reasons: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    right = ("id", "rating", "score")
    for title in ("id", "name", "type", "architecture", "rating", "score", *(["why"] if reasons else [])):
        table.add_column(title, justify="right" if title in right else "left", overflow="fold")
    ranked = any(hit.score.value for hit in answer.hits)
    for hit in answer.hits:
        doc = hit.document
        why = [Text(_shortened(hit.short(), _WHY), style="dim")] if reasons else []
        table.add_row(
            Text(str(doc.id), style="dim"),
            _name(hit),
            Text(doc.kind),
            _base(hit),
            Text("" if doc.rating is None else f"{doc.rating:.1f}"),
            Text(f"{hit.score.value:.2f}" if ranked else ""),
            *why,
        )
    return table


def _name(hit: Hit) -> Text:
    doc = hit.document
    text = Text(_shortened(printable(doc.name), _NAME), style="bold")
    if hit.also:
        text.append(f" +{len(hit.also)}", style="not bold dim")
    if "mislabelled" in doc.flags:
        text.append(" mislabelled", style="not bold red")
    if "nonfunctional" in doc.flags:
        text.append(" cannot work", style="not bold red")
    return text


def _base(hit: Hit) -> Text:
    doc = hit.document
    text = Text(doc.architecture or "?")
    return text.append(f" {doc.family}", style="dim") if doc.family else text


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _count(answer: Answer) -> str:
    about = "about " if answer.estimated else ""
    versions = f" ({answer.matches:,} versions)" if answer.matches > answer.total else ""
    shown = f"{len(answer.hits)} of {about}{answer.total:,}{versions}" if answer.total else "Nothing matches"
    told = f"{shown} in {answer.took_ms:.0f} ms"
    hidden = hidden_told(answer.hidden, answer.hidden_by)
    return f"{told}; {hidden}" if hidden else told
