"""Which files a person means: a path, a hash or the beginning of one, an entry's id."""

import os
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from indexer.catalog.roots import known_roots
from indexer.catalog.schema import Entry, File, Location, Quarantine

__all__ = ["entries_of_files", "files_at", "files_by_hash", "files_of_entry", "refusal_at"]

_SHORTEST_HASH = 8
_LONGEST_HASH = 64
_HEX = frozenset(string.hexdigits)


def files_at(session: Session, path: str) -> list[int]:
    """The file seen at a path, whether it is there now or not; empty when none was."""
    for root_id, directory, name in _places(session, path):
        found = session.scalar(_at(Location.file_id, root_id, directory, name))
        if found is not None:
            return [found]
    return []


def refusal_at(session: Session, path: str) -> str | None:
    """Why the file at a path could not be read, when that is so."""
    for root_id, directory, name in _places(session, path):
        statement = _at(Quarantine.detail, root_id, directory, name)
        found: str | None = session.scalar(statement.join(Quarantine, Quarantine.location_id == Location.id))
        if found is not None:
            return found
    return None


def _at(column: Any, root_id: int, directory: bytes, name: bytes) -> Select[Any]:
    return (
        select(column)
        .select_from(Location)
        .where(Location.root_id == root_id, Location.directory == directory, Location.name == name)
    )


def _places(session: Session, path: str) -> Iterator[tuple[int, bytes, bytes]]:
    """Every way to split a path into a root, a folder below it and a name, links followed or not."""
    if "\0" in path:
        return
    spellings = dict.fromkeys((os.path.normpath(Path.cwd() / path), os.path.realpath(path)))
    roots = known_roots(session)
    for spelling in map(os.fsencode, spellings):
        for root_id, root in roots:
            inside = os.fsencode(root).rstrip(b"/") + b"/"
            if spelling.startswith(inside):
                directory, _, name = spelling[len(inside) :].rpartition(b"/")
                yield root_id, directory, name


def files_by_hash(session: Session, text: str, limit: int = 10) -> list[int]:
    """Files whose SHA-256 or fingerprint starts with ``text``, 8 to 64 hexadecimal digits; else empty."""
    digits = text.strip().lower()
    if not _SHORTEST_HASH <= len(digits) <= _LONGEST_HASH or not set(digits) <= _HEX:
        return []
    # A range instead of LIKE: both databases then use the index. "g" stands above every digit.
    within = [(column >= digits) & (column < digits + "g") for column in (File.sha256, File.fingerprint)]
    return list(session.scalars(select(File.id).where(or_(*within)).order_by(File.id).limit(limit)))


def files_of_entry(session: Session, entry_id: int) -> list[int]:
    """The files of an entry that is shown; empty for other numbers."""
    return list(
        session.scalars(
            select(File.id)
            .join(Entry, Entry.version_id == File.version_id)
            .where(File.version_id == entry_id, Entry.document.is_not(None))
            .order_by(File.id)
        )
    )


def entries_of_files(session: Session, file_ids: list[int]) -> list[int]:
    """The entries that files belong to, each once."""
    return list(
        session.scalars(
            select(File.version_id).where(File.id.in_(file_ids)).distinct().order_by(File.version_id)
        )
    )
