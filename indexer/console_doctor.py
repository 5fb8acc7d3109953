"""What a person at a terminal sees of a home's health: a line a check, and what to do."""

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import Console, printable
from indexer.console_inspect import show_block
from indexer.doctor import Report
from indexer.domain.health import Finding

__all__ = ["show_health"]

_STATES = {"ok": ("✓", "green"), "note": ("!", "yellow"), "fault": ("✗", "red")}
_WHOLE = {
    "ok": "All is well.",
    "note": "Nothing is broken; some things are worth a look.",
    "fault": "Something needs to be mended.",
}


def show_health(console: Console, report: Report) -> None:
    """The whole report."""
    out, colour = console.out, _STATES[report.state][1]
    out.print(Text(_WHOLE[report.state], style=f"bold {colour}"), soft_wrap=True)
    out.print(Text(printable(report.home), style="dim"), soft_wrap=True)
    if report.mended:
        told = printable(", ".join(report.mended))
        out.print(Text(f"Mended: {told}", style="green"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False, expand=True)
    for ratio in (None, None, 1):
        table.add_column(ratio=ratio, overflow="fold", no_wrap=ratio is None)
    for finding in report.findings:
        table.add_row(*_row(finding))
    show_block(out, Padding(table, (1, 0, 0, 0)))


def _row(finding: Finding) -> tuple[Text, Text, Text]:
    mark, colour = _STATES[finding.state]
    said = Text(printable(finding.detail), style="" if finding.state == "ok" else colour)
    if finding.advice:
        said.append(f"\n{printable(finding.advice)}", style="not bold dim")
    return Text(mark, style=f"bold {colour}"), Text(finding.check, style="bold"), said
