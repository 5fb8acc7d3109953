"""How the command talks: answers on standard output, progress and notes on standard error."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from indexer.pipeline import IndexReport
    from indexer.progress import Stage

__all__ = ["Console", "printable"]


def printable(text: str) -> str:
    """Text from strangers made fit for a terminal: control characters shown, not sent."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class _Bar:
    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def advance(self, count: int = 1) -> None:
        """See ``indexer.progress.Stage``."""
        self._progress.advance(self._task, count)


class _Rate(ProgressColumn):
    """How many a second, once that can be said."""

    def render(self, task: Task) -> Text:
        """See ``ProgressColumn.render``."""
        return Text("" if task.speed is None else f"{task.speed:,.1f}/s")


class Console:
    """A person at a terminal, or a program that wants JSON. It is a ``progress.Progress``."""

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self.out = RichConsole(highlight=False, soft_wrap=False)
        self.err = RichConsole(stderr=True, highlight=False)

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator["Stage"]:
        """A progress bar on standard error while the stage lasts; it only counts while the end is unknown."""
        count = (
            (DownloadColumn(), TransferSpeedColumn())
            if unit == "bytes"
            else (MofNCompleteColumn(), TextColumn(unit), _Rate())
        )
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            *count,
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, disable=not self.err.is_terminal) as progress:
            yield _Bar(progress, progress.add_task(escape(printable(title)), total=total))

    def note(self, text: str) -> None:
        """A sentence on standard error."""
        self.err.print(escape(printable(text)), style="yellow", soft_wrap=True)

    def line(self, text: str) -> None:
        """A line of the answer."""
        self.out.print(escape(printable(text)), soft_wrap=True)

    def answer(self, data: Any, show: Callable[[], None]) -> None:
        """The answer: JSON for programs, whatever ``show`` prints for people."""
        if self.json:
            self.write_json(data)
        else:
            show()

    def write_json(self, data: Any) -> None:
        """One JSON value on one line of standard output."""
        sys.stdout.buffer.write(orjson.dumps(data, default=str, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.flush()

    def write_stream(self, head: Mapping[str, Any], name: str, items: Iterable[Any]) -> None:
        """One JSON object on one line: ``head`` and, under ``name``, a list written as its items come."""
        out = sys.stdout.buffer
        out.write(orjson.dumps(head)[:-1] + b"," + orjson.dumps(name) + b":[")
        for place, item in enumerate(items):
            out.write((b"," if place else b"") + orjson.dumps(item, default=str))
        out.write(b"]}\n")
        sys.stdout.flush()

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """A table of strings."""
        table = Table(title=escape(title) or None, title_justify="left", box=None, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(escape(printable(cell)) for cell in row))
        self.out.print(table)

    def index_report(self, report: "IndexReport") -> None:
        """What an index run did, folder by folder."""
        rows = [
            [path, *map(str, (s.read, s.unchanged, s.moved, s.quarantined, s.postponed, s.missing))]
            for path, s in report.scans.items()
        ]
        self.table("", ["folder", "read", "unchanged", "moved", "quarantined", "postponed", "missing"], rows)
        self.line(
            f"{report.pictures.embedded} pictures looked at, {report.pictures.broken} broken; "
            f"{report.published} entries published."
        )
        if report.adapters.measured:
            broken = report.adapters.nonfunctional
            told = f"; {broken} cannot work (see is:nonfunctional)" if broken else ""
            self.line(f"{report.adapters.measured} adapters measured{told}.")
