"""The catalog itself."""

from collections.abc import Iterator

from indexer.catalog import health
from indexer.catalog.database import Catalog, sqlite_driver
from indexer.catalog.lock import writer_at_work
from indexer.domain.health import Finding, fault, note, sound
from indexer.errors import CatalogError
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["books", "tables"]


def tables(catalog: Catalog) -> Finding:
    """Are the tables those of this Pinakes? Raises ``CatalogError``."""
    current, newest, known = health.table_revisions(catalog)
    if current == newest:
        engine = "SQLite " + str(sqlite_driver().sqlite_version) if catalog.is_sqlite else "PostgreSQL"
        return sound("tables", f"{engine}, tables at revision {current}")
    if not known:
        detail = f"The tables are at revision {current}, which a newer Pinakes made."
        return fault("tables", detail, "Update Pinakes, or name another home with --home.")
    if current is None:
        return fault("tables", "There are no tables yet.", repair="upgrade")
    return fault("tables", f"The tables are at revision {current}; {newest} is needed.", repair="upgrade")


def books(catalog: Catalog, settings: Settings, progress: Progress) -> Iterator[Finding]:
    """Everything about a catalog whose tables are the newest. Raises ``CatalogError``."""
    with progress.stage("Reading the catalog", "steps", None) as stage:
        yield _pages(catalog)
        stage.advance()
        with catalog.read() as session:
            broken = health.broken_references(session, stage.advance)
    yield _references(broken)
    yield from _entries(catalog)
    yield from _held(catalog, settings)


def _pages(catalog: Catalog) -> Finding:
    faults = health.integrity_faults(catalog)
    if not faults:
        return sound(
            "integrity", "every page of the database is whole" if catalog.is_sqlite else "it answers"
        )
    return fault(
        "integrity",
        f"The database is damaged: {'; '.join(faults)[:400]}",
        "Run: pinakes doctor --repair, which makes its indexes anew. If this stays, put a copy of "
        "catalog.sqlite3 back, or move the file away and index again.",
        "reindex",
    )


def _references(broken: list[health.BrokenReference]) -> Finding:
    if not broken:
        return sound("references", "every row refers to rows that are there")
    told = ", ".join(f"{one.rows:,} of {one.table} to {one.target}" for one in broken[:5])
    more = f" and {len(broken) - 5} sorts more" if len(broken) > 5 else ""
    return fault("references", f"Rows refer to others that are gone: {told}{more}.", repair="references")


def _entries(catalog: Catalog) -> Iterator[Finding]:
    with catalog.read() as session:
        without, shown = len(health.versions_without_entry(session)), health.count_shown(session)
        behind, forgotten = health.behind_counters(session), health.forgotten_places(session)
        refused = health.count_quarantined(session)
    if without:
        detail = f"{without:,} models have no entry, so no search finds them."
        yield fault("entries", detail, repair="entries")
    else:
        yield sound("entries", f"{shown:,} entries")
    if behind:
        names = " and ".join(sorted(behind))
        yield fault("counters", f"The counter of {names} stands below numbers in use.", repair="counters")
    if forgotten:
        detail = f"{forgotten:,} files are noted without their content."
        yield fault("files", detail, "Run: pinakes doctor --repair, then: pinakes index", repair="forgotten")
    elif refused:
        total, first = sum(refused.values()), list(refused.items())[:4]
        told = ", ".join(f"{count:,} {code}" for code, count in first)
        yield note("files", f"{total:,} files could not be read: {told}.", "See the health page for each.")
    else:
        yield sound("files", "no file is in quarantine")


def _held(catalog: Catalog, settings: Settings) -> Iterator[Finding]:
    with catalog.read() as session:
        dead = health.stale_leases(session)
    if dead:
        told = ", ".join(dead[:5])
        yield note("leases", f"The runner of {told} died at work.", "It is taken over when due.", "leases")
    try:
        writer = writer_at_work(catalog, settings)
    except (CatalogError, OSError) as error:
        yield fault("writer", f"The lock cannot be looked at: {error}", "Check the home's permissions.")
        return
    if writer is not None:
        detail = "Another program writes the catalog just now; indexes may be behind it for a while."
        yield note("writer", detail, "Look again when it has finished.")
