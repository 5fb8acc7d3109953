"""The state of the library: one value to compare, that differs once any answer may differ."""

import os
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.settings import Settings

__all__ = ["library_state"]


def library_state(catalog: Catalog, settings: Settings) -> Hashable:
    """Commits of the catalog, of whichever process; the indexes beside it, which follow a moment later; and
    the day, by which what is fresh is weighed. Takes some microseconds."""
    return catalog.state(), tuple(_indexes(settings)), datetime.now(UTC).date()


def _indexes(settings: Settings) -> Iterator[Hashable]:
    yield _stamp(settings.text_folder / "meta.json")
    yield _stamp(settings.vector_folder)
    try:
        with os.scandir(settings.vector_folder) as found:
            yield from sorted((entry.name, entry.stat().st_mtime_ns) for entry in found)
    except OSError:  # there are none yet, or they are being put in place
        yield None


def _stamp(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
