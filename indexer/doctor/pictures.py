"""Thumbnails against the catalog's rows, and vectors that are not whole."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import health_pictures as rows
from indexer.catalog.database import Catalog
from indexer.domain.health import Finding, fault, note, sound
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.thumbnails import is_whole, stored_thumbnails

__all__ = ["Shelf", "look_at_pictures", "shelf_of", "to_make_again"]

Keys = NDArray[np.uint64]
"""First 64 bits of names: a million of them are 8 MB, and two alike are less likely than a broken disk."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The store of thumbnails beside the catalog. ``missing`` are wanted and not there (or damaged, and then
    removed by a repair); ``damaged`` and ``spare`` are paths."""

    wanted: Keys
    missing: Keys
    damaged: tuple[str, ...]
    spare: tuple[str, ...]


def shelf_of(catalog: Catalog, settings: Settings, progress: Progress) -> Shelf:
    """Compare the store with the catalog; every file is read."""
    with catalog.read() as session:
        total = rows.count_thumbnails(session)
        names = [_keys(page[1]) for page in rows.thumbnails(session)]
    wanted: Keys = np.unique(np.concatenate(names)) if names else np.zeros(0, np.uint64)
    sound_keys: list[int] = []
    damaged: list[str] = []
    spare: list[str] = []
    with progress.stage("Reading thumbnails", "pictures", total) as stage:
        for path in stored_thumbnails(settings.thumbnail_folder):
            key = _key(path.stem) if path.suffix == ".webp" else None
            if key is None or not _among(wanted, key):
                spare.append(str(path))
                continue
            try:
                whole = is_whole(path)
            except OSError:
                whole = False
            if whole:
                sound_keys.append(key)
            else:
                damaged.append(str(path))
            stage.advance()
    missing = np.setdiff1d(wanted, np.array(sound_keys, np.uint64))
    return Shelf(wanted, missing, tuple(damaged), tuple(spare))


def _key(name: str) -> int | None:
    try:
        return int(name[:16], 16) if len(name) == 64 else None
    except ValueError:
        return None


def _keys(names: list[str]) -> Keys:
    return np.array([_key(name) or 0 for name in names], np.uint64)


def _among(keys: Keys, key: int) -> bool:
    place = int(np.searchsorted(keys, np.uint64(key)))
    return place < len(keys) and int(keys[place]) == key


def to_make_again(catalog: Catalog, settings: Settings, shelf: Shelf) -> tuple[list[int], list[int]]:
    """Ids of the pictures whose thumbnail is missing; and of those whose fetched file is away too."""
    ids: list[int] = []
    unfetched: list[int] = []
    if not len(shelf.missing):
        return ids, unfetched
    with catalog.read() as session:
        for numbers, names, originals in rows.thumbnails(session):
            for place in np.flatnonzero(np.isin(_keys(names), shelf.missing)).tolist():
                original = originals[place]
                ids.append(int(numbers[place]))
                if original is not None and not (settings.fetched_folder / original).exists():
                    unfetched.append(int(numbers[place]))
    return ids, unfetched


def look_at_pictures(
    catalog: Catalog, settings: Settings, progress: Progress, *, writing: bool
) -> Iterator[Finding]:
    """Thumbnails and the rows of vectors. ``writing``: another program adds to the store just now."""
    shelf = shelf_of(catalog, settings, progress)
    lost = len(shelf.missing)
    if lost:
        broken = f", {len(shelf.damaged):,} of them damaged" if shelf.damaged else ""
        yield fault(
            "thumbnails",
            f"{lost:,} of {len(shelf.wanted):,} thumbnails are missing{broken}.",
            repair="thumbnails",
        )
    else:
        yield sound("thumbnails", f"{len(shelf.wanted):,} thumbnails, each as it was written")
    if shelf.spare and not writing:
        yield note("spare", f"{len(shelf.spare):,} files in the store belong to no picture.", "", "spare")
    with catalog.read() as session:
        damaged = rows.damaged_vectors(session)
    if damaged:
        yield fault("vectors", f"{damaged:,} vectors are cut off.", repair="vectors")
