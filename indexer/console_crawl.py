"""What the command tells of crawls and updates."""

from collections.abc import Iterable
from dataclasses import asdict

from indexer.catalog.updates import NewerVersion, Update
from indexer.console import Console
from indexer.console_hubs import show_report
from indexer.hub_run import HubRun
from indexer.settings import Settings

__all__ = ["show_run", "show_updates"]

_SHOWN = 20


def show_run(console: Console, run: HubRun) -> bool:
    """Tell what a crawl did; False when the hub ended it."""
    console.answer(run.to_json(), lambda: _show_run(console, run))
    crawl = run.crawl
    if crawl.detail:
        again = " The same command goes on." if crawl.state == "waiting" else ""
        console.note(f"{crawl.detail}{again}")
    return crawl.state == "done"


def _show_run(console: Console, run: HubRun) -> None:
    crawl = run.crawl
    if crawl.resumed:
        console.line("Went on where an earlier run stopped.")
    if run.asked:
        console.line(f"{run.asked:,} files asked for by hash")
    show_report(console, crawl.taken)
    for name, words in crawl.taken.unknown_words.items():
        console.line(f"{name}: no table of Pinakes has {', '.join(words)}; kept all the same")
    if crawl.unchanged:
        console.line(f"{crawl.unchanged:,} models unchanged since the last time")
    if crawl.gone:
        console.line(f"{crawl.gone:,} models are not shown there any more; what was known of them is kept")
    if crawl.absent:
        rest = len(crawl.absent) - _SHOWN
        more = f" and {rest:,} more" if rest > 0 else ""
        console.line(f"Not there: {', '.join(crawl.absent[:_SHOWN])}{more}")
    if (got := run.previews) is not None:
        console.line(
            f"{got.fetched:,} previews fetched ({got.bytes / 1e6:,.1f} MB), {run.embedded:,} looked at, "
            f"{got.refused:,} refused, {got.postponed:,} put off"
        )
        if got.full:
            console.line("No more previews fit: raise PINAKES_PREVIEW_BUDGET (bytes) to fetch more.")
    console.line(f"{run.published:,} entries published.")


def show_updates(console: Console, settings: Settings, found: Iterable[Update]) -> None:
    """List newer releases, as JSON lines' one object or as text; what is hidden by default is counted."""
    shown: list[Update] = []
    hidden = 0
    for update in found:
        if _is_hidden(update, settings):
            hidden += 1
        else:
            shown.append(update)
    data = {"total": len(shown), "hidden": hidden, "items": [asdict(update) for update in shown]}
    console.answer(data, lambda: _show_updates(console, shown, hidden))


def _is_hidden(update: Update, settings: Settings) -> bool:
    allowed: set[str] = {"adult"} if settings.show_adult else set()
    allowed |= {"real_person", "minor"} if settings.show_people else set()
    return bool(set(update.hidden) - allowed)


def _show_updates(console: Console, shown: list[Update], hidden: int) -> None:
    for update in shown:
        base = f" [{update.base_label}]" if update.base_label else ""
        console.line(f"{update.name} {update.version}{base}  {update.path or ''}")
        for newer in update.newer:
            console.line(f"    {_told(newer)}")
    more = f"; {hidden:,} hidden (adult or real persons)" if hidden else ""
    console.line(f"{len(shown):,} of my models have newer releases{more}.")


def _told(newer: NewerVersion) -> str:
    base = f" [{newer.base_label}]" if newer.base_label else ""
    day = f" of {newer.published_at[:10]}" if newer.published_at else ""
    early = ""
    if newer.early_access:
        until = f" until {newer.early_access_until[:10]}" if newer.early_access_until else ""
        early = f"  (early access{until}: to be paid for)"
    return f"{newer.version}{base}{day}{early}  {newer.url or ''}"
