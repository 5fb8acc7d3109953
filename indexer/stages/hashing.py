"""Full hashes, where they are needed: content that lies in several places, or everything when asked for."""

import os
from pathlib import Path

from indexer.catalog import entries, hashes
from indexer.catalog.database import Catalog
from indexer.catalog.roots import place_path
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.fingerprint import sha256_of
from indexer.progress import Progress

__all__ = ["hash_places"]


def hash_places(catalog: Catalog, progress: Progress, *, everything: bool) -> int:
    """Hash what needs it, one transaction a file; answers how many. A stop loses the file under way only."""
    done, last = 0, 0
    while True:
        with catalog.read() as session:
            batch = hashes.unhashed_places(session, everything=everything, after=last)
        if not batch:
            return done
        last = batch[-1].id
        with progress.stage("Hashing", "files", len(batch)) as stage:
            for place in batch:
                done += _hash(catalog, progress, place)
                stage.advance()


def _hash(catalog: Catalog, progress: Progress, place: hashes.Unhashed) -> bool:
    path = place_path(place.root, place.directory, place.name)
    try:
        before = Path(os.fsdecode(path)).stat()
        digest = sha256_of(path)
    except OSError as error:
        progress.note(f"{os.fsdecode(path)!r} could not be hashed: {error.strerror}.")
        return False
    if (before.st_size, before.st_mtime_ns) != (place.size, place.mtime_ns):
        return False  # changed since the scan: the next run reads it anew
    with catalog.write() as session:
        touched = hashes.record_hashes(session, [(place, digest)])
        entries.refresh_entries(session, touched, architecture_path)
    return True
