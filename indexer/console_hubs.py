"""What the command tells of dumps and hubs."""

from collections.abc import Sequence
from pathlib import Path

from indexer.catalog.database import opened_catalog
from indexer.catalog.hubs import refused_items
from indexer.console import Console
from indexer.importing import import_dumps
from indexer.settings import Settings
from indexer.stages.importing import HubReport

__all__ = ["show_import", "show_refused", "show_report"]


def show_import(console: Console, settings: Settings, files: Sequence[Path]) -> bool:
    """Import dumps and tell what came of it; False when one could not be read to its end."""
    report = import_dumps(files, settings, console)
    console.answer(report.to_json(), lambda: show_report(console, report))
    for problem in report.problems.values():
        console.note(problem)
    return not report.problems


def show_report(console: Console, report: HubReport) -> None:
    """Counts, reasons of refusals, unknown base labels."""
    linked = f"; {report.linked:,} local files found their version" if report.linked else ""
    odd = f"; {report.warnings:,} fields left out with a warning" if report.warnings else ""
    taken = f"{report.models:,} models, {report.versions:,} versions"
    if report.images or report.words:
        taken = f"{report.images:,} images" if report.images else f"{report.words:,} words"
    console.line(f"{report.items:,} items: {taken}, {report.refused:,} refused{linked}{odd}")
    for reason in report.reasons:
        console.line(f"  refused: {reason}")
    if report.refused:
        console.line("All refused items, with reasons: pinakes import --refused")
    if report.unknown_labels:
        console.line("Base labels that no table maps; they are kept and reported, never dropped:")
        told = report.unknown_labels.most_common()
        console.table("", ["label", "versions"], [[label, f"{count:,}"] for label, count in told])


def show_refused(console: Console, settings: Settings) -> None:
    """One line an item that was refused."""
    with opened_catalog(settings) as catalog, catalog.read() as session:
        count = 0
        for item in refused_items(session):
            count += 1
            if console.json:
                told = {"source": item.source, "key": item.key, "code": item.code, "detail": item.detail}
                console.write_json(told)
            else:
                console.line(f"{item.source}:{item.key} [{item.code}] {item.detail}")
    if not count and not console.json:
        console.line("No item was refused.")
