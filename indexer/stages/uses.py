"""How often pictures use a model: entries tell it, so those whose count grew are made anew, once a run."""

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.catalog.resources import used_versions
from indexer.catalog.upsert import pieces
from indexer.domain.vocabulary import architecture_path

__all__ = ["count_uses"]

_PAGE = 10_000
_VERSIONS = 500
_WATERMARK = "uses"


def count_uses(catalog: Catalog) -> int:
    """Recompute the entries of models that pictures read since the last time use; answers how many changed.

    Small transactions; what is stopped in between is done again at the next run.
    """
    with catalog.read() as session:
        last, _ = changes.read_watermark(session, _WATERMARK)
        first, used = last, set[int]()
        while page := used_versions(session, last, _PAGE):
            used.update(page)
            last = max(page.values())
    changed = 0
    for piece in pieces(sorted(used), _VERSIONS):
        with catalog.write() as session:
            changed += entries.refresh_entries(session, piece, architecture_path)
    if last != first:
        with catalog.write() as session:
            changes.write_watermark(session, _WATERMARK, last, {})
    return changed
