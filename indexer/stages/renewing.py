"""After an upgrade: entries that were made by an older Pinakes are made anew, once."""

from indexer.catalog import entries, renewal
from indexer.catalog.database import Catalog
from indexer.domain.vocabulary import architecture_path
from indexer.progress import Progress

__all__ = ["renew_entries"]

_PAGE = 500


def renew_entries(catalog: Catalog, progress: Progress) -> int:
    """Recompute all entries where a migration asked for it; answers how many changed. In small transactions:
    what is stopped goes on at the next run."""
    with catalog.read() as session:
        total = renewal.count_to_renew(session)
    if not total:
        return 0
    changed = 0
    with progress.stage("Making entries anew after the upgrade", "entries", total) as stage:
        while True:
            with catalog.write() as session:
                page = renewal.entries_to_renew(session, _PAGE)
                changed += entries.refresh_entries(session, page, architecture_path)
                renewal.note_renewed(session, page)
            if not page:
                return changed
            stage.advance(len(page))
