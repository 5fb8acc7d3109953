"""Full hashes, where they are needed: content that lies in several places, or everything when asked for."""

import os
from pathlib import Path

from indexer.catalog import entries, hashes
from indexer.catalog.database import Catalog
from indexer.catalog.roots import place_path
from indexer.domain.bundles import is_bundle
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.hashing import data_start, hash_file
from indexer.progress import Progress, Stage

__all__ = ["hash_places"]


def hash_places(catalog: Catalog, progress: Progress, *, everything: bool) -> int:
    """Hash what needs it, one transaction a file; answers how many. A stop loses the file under way only."""
    done, last = 0, 0
    with catalog.read() as session:
        total = hashes.unhashed_bytes(session, everything=everything)
    if not total:
        return done
    with progress.stage("Hashing", "bytes", total) as stage:
        while True:
            with catalog.read() as session:
                batch = hashes.unhashed_places(session, everything=everything, after=last)
            if not batch:
                return done
            last = batch[-1].id
            for place in batch:
                done += _hash(catalog, progress, place, stage)


def _hash(catalog: Catalog, progress: Progress, place: hashes.Unhashed, stage: Stage) -> bool:
    if is_bundle(place.name):
        stage.advance(place.size)
        return False  # several files have no hash of their own; copies are known by their fingerprint
    path = place_path(place.root, place.directory, place.name)
    try:
        before = Path(os.fsdecode(path)).stat()
        start = data_start(path) if place.container == "safetensors" else None
        found = hash_file(path, start, stage.advance)
    except OSError as error:
        progress.note(f"{os.fsdecode(path)!r} could not be hashed: {error.strerror}.")
        return False
    if (before.st_size, before.st_mtime_ns) != (place.size, place.mtime_ns):
        return False  # changed since the scan: the next run reads it anew
    with catalog.write() as session:
        touched = hashes.record_hashes(session, [(place, found)])
        entries.refresh_entries(session, touched, architecture_path)
    return True
