"""What a text server would take long to tell, kept beside us: one SQLite file. Disposable.

A server counts a facet of many values in 10 microseconds an entry and value, and reads a document in 60 to
tell whether it has a phrase. Who matches it lists in 1.4 microseconds an entry; from here the rest is known:
values of such facets as numbers, the words of long fields in order, as numbers too, and cards.

The file follows the catalog. ``sign`` says for which state of the server's index it speaks; for any other,
nobody asks it.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from indexer.domain.fields import FIELDS
from indexer.domain.filters import keyword, values_of
from indexer.domain.records import Document
from indexer.indexes.following import FollowingFile
from indexer.indexes.text_codes import CODED, code_of
from indexer.indexes.text_ledger_pairs import PAIR_TABLE, put_pairs, text_pairs
from indexer.indexes.text_ledger_rows import (
    FORMAT,
    block_of,
    card_row,
    long_numbers,
    merged_block,
    text_row,
)
from indexer.indexes.text_meilisearch_documents import coded_value

__all__ = ["LedgerWriter", "entry_rows", "signed_for"]

_TABLES = (
    "CREATE TABLE state (format INTEGER NOT NULL, generation TEXT NOT NULL, seq INTEGER NOT NULL, "
    "signed TEXT NOT NULL)",
    "CREATE TABLE block (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE name (code INTEGER PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, card BLOB NOT NULL, words BLOB NOT NULL)",
    PAIR_TABLE,
)


def entry_rows(connection: sqlite3.Connection, column: str, ids: Iterable[int]) -> dict[int, bytes]:
    """A column (``card`` or ``words``) of entries, of those that are there. Raises ``sqlite3.Error``."""
    query = (  # a list as one JSON value is read three times as fast as one with a mark for each
        f"SELECT entry.id, {column} FROM json_each(?) AS asked CROSS JOIN entry ON entry.id = asked.value"
    )
    return dict(connection.execute(query, (json.dumps(sorted(ids)),)).fetchall())  # in the order of the file


def signed_for(connection: sqlite3.Connection) -> str:
    """For which state of the server's index the file speaks, empty for none."""
    row = connection.execute("SELECT format, signed FROM state").fetchone()
    return str(row[1]) if row and row[0] == FORMAT else ""


class LedgerWriter(FollowingFile):
    """Writes what entries became, up to a change of the catalog that knows the generation. One at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, FORMAT, _TABLES, code="text_ledger", what="What facets are counted by", first=("",)
        )

    def put(self, changes: Iterable[tuple[int, Document | None]], seq: int) -> None:
        """Store what entries became, all up to change ``seq``; all of it or nothing. Until ``sign`` nobody
        asks the file. Raises ``CatalogError``."""
        last = dict(changes)
        names: dict[int, str] = {}
        coded = {id_: _coded(document, names) for id_, document in last.items()}
        rows = [(id_, card_row(d), text_row(d)) for id_, d in last.items() if d is not None]
        texts = {id_: text for id_, _, text in rows}
        gone = [(id_,) for id_, document in last.items() if document is None]
        with self.written() as connection:
            connection.execute("UPDATE state SET seq = ?, signed = ''", (seq,))
            _put_blocks(connection, coded)
            _put_pairs(connection, {id_: texts.get(id_, b"") for id_ in last})
            connection.executemany("INSERT OR IGNORE INTO name VALUES (?, ?)", names.items())
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
            connection.executemany("DELETE FROM entry WHERE id = ?", gone)

    def sign(self, stamp: str) -> None:
        """The file speaks for this state of the server's index from now on. Raises ``CatalogError``."""
        with self.written() as connection:
            connection.execute("UPDATE state SET signed = ? WHERE signed <> ?", (stamp, stamp))


def _coded(document: Document | None, names: dict[int, str]) -> Sequence[Sequence[int]]:
    """The codes of an entry's values by field of ``CODED``; their names are added to ``names``."""
    if document is None:
        return ()
    found = []
    for name in CODED:
        values = dict.fromkeys(coded_value(keyword(str(v))) for v in values_of(document, FIELDS[name]))
        codes = {code_of(value): value for value in values}
        names |= codes
        found.append(list(codes))
    return found


def _put_pairs(connection: sqlite3.Connection, texts: Mapping[int, bytes]) -> None:
    """Store who has which neighbours; ``texts`` are not stored yet."""
    before = entry_rows(connection, "words", texts)
    changed = {id_: text for id_, text in texts.items() if text != before.get(id_, b"")}
    put_pairs(
        connection,
        {id_: text_pairs(long_numbers(before.get(id_, b""))) for id_ in changed},
        {id_: text_pairs(long_numbers(text)) for id_, text in changed.items()},
    )


def _put_blocks(connection: sqlite3.Connection, coded: Mapping[int, Sequence[Sequence[int]]]) -> None:
    by_block: dict[int, dict[int, Sequence[Sequence[int]]]] = {}
    for id_, codes in coded.items():
        by_block.setdefault(block_of(id_), {})[id_] = codes
    for number, entries in by_block.items():
        row = connection.execute("SELECT body FROM block WHERE number = ?", (number,)).fetchone()
        body = merged_block(row[0] if row else b"", number, entries)
        connection.execute("INSERT OR REPLACE INTO block VALUES (?, ?)", (number, body))
