"""What pasted prompts are compared with, by entry: one SQLite file beside the text index. Disposable.

Half a thousand entries are read in a few milliseconds, whatever the text engine; their documents stay in the
catalog. Readers open it anew for each query, so that a writer may replace the file at any time.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from indexer.domain.filters import keyword
from indexer.domain.prompt_cut import cut, rules
from indexer.domain.records import Document
from indexer.indexes.following import FollowingFile, connected

__all__ = ["Cut", "CutWriter", "read_cuts"]

_FORMAT = 1

_TABLES = (
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, maker TEXT NOT NULL, numbers BLOB NOT NULL)",
    "CREATE TABLE state (rules TEXT NOT NULL, generation TEXT NOT NULL, seq INTEGER NOT NULL)",
)


class Cut(NamedTuple):
    """``maker`` is the creator as ``keyword`` folds it, empty where unknown; ``numbers`` are those of
    ``domain.prompt_cut.cut``."""

    maker: str
    numbers: bytes


def read_cuts(path: Path, ids: Sequence[int]) -> dict[int, Cut]:
    """The cuts of those entries that have one. None where nothing was published yet, or by other rules."""
    found: dict[int, Cut] = {}
    if not path.is_file():
        return found
    try:
        with connected(path) as connection:
            if connection.execute("SELECT rules FROM state").fetchone() != (_rules(),):
                return found
            query = (  # one JSON value: a mark for each would take several queries
                "SELECT entry.id, maker, numbers FROM json_each(?) AS asked"
                " CROSS JOIN entry ON entry.id = asked.value"
            )
            rows = connection.execute(query, (json.dumps(sorted(ids)),))
            found.update((id_, Cut(maker, numbers)) for id_, maker, numbers in rows)
    except sqlite3.Error:
        return {}  # being written anew, or damaged: the index is disposable, and answers go without it
    return found


class CutWriter(FollowingFile):
    """Writes what entries became, up to a change of the catalog that knows the generation. One at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _rules(), _TABLES, code="prompt_cuts", what="What prompts are compared with")

    def put(self, changes: Iterable[tuple[int, Document | None]], seq: int) -> None:
        """Store what entries became, all up to change ``seq``; all of it or nothing. Raises
        ``CatalogError``."""
        last: Mapping[int, Document | None] = dict(changes)
        rows = [(id_, keyword(d.creator or ""), cut(d)) for id_, d in last.items() if d is not None]
        gone = [(id_,) for id_, document in last.items() if document is None]
        with self.written() as connection:
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
            connection.executemany("DELETE FROM entry WHERE id = ?", gone)
            connection.execute("UPDATE state SET seq = ?", (seq,))


def _rules() -> str:
    return sha256(f"{_FORMAT} {rules()}".encode()).hexdigest()[:16]
