"""What a person at a terminal sees of what lies several times."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from indexer.console import Console, printable
from indexer.console_words import size_told
from search.duplicates import Duplicates

__all__ = ["SORT_TITLES", "show_duplicates"]

SORT_TITLES = {
    "copies": "The same bytes in several places",
    "tensors": "The same tensors under other metadata",
    "weights": "Adapters with the same weights",
}
"""Sort of a group -> what it means to a person."""


def show_duplicates(console: Console, report: Duplicates) -> None:
    """The groups one below the other, the file to keep first, and what all of them take."""
    for group in report.groups:
        head = Text(SORT_TITLES[group["sort"]], style="bold")
        head.append(f"  {size_told(group['bytes'])} to win", style="not bold dim")
        console.out.print(head, soft_wrap=True)
        for file in group["files"]:
            console.out.print(_file(file), soft_wrap=True)
    kept = f"{report.hidden} {'group' if report.hidden == 1 else 'groups'}"
    hidden = f"; {kept} hidden, as search hides them" if report.hidden else ""
    if not report.total:
        console.line(f"Nothing lies here twice, as far as it was measured{hidden}.")
        return
    groups = f"{report.total} {'group' if report.total == 1 else 'groups'}"
    free = f"One file of each would leave {size_told(report.bytes)} free; nothing is deleted here."
    console.line(f"{len(report.groups)} of {groups}{hidden}. {free}")


def _file(file: Mapping[str, Any]) -> Text:
    text = Text()
    for place, path in enumerate(file["paths"]):
        text.append("\n  " if place else "  ").append(printable(path))
    text.append(f"  {size_told(file['size'])}", style="dim")
    if file["why"]:
        text.append(f"  {file['why']}", style="yellow")
    return text
