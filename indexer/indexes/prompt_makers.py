"""Which creators write such words? Counts over the prompts of all entries: one SQLite file. Disposable.

Of each word its creators, and how often each writes it, in one row. The file is made aside and replaced whole
(``prompt_counting``), so that readers, who open it anew for each query, see the old one or the new one.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from indexer.domain.prompt_cut import KINDS, rules
from indexer.indexes.prompt_columns import NUMBERS, Counts, Ints

__all__ = [
    "FORMAT",
    "MOST_READ",
    "NOTHING_COUNTED",
    "POSTING",
    "PRIOR",
    "TABLES",
    "MakerState",
    "Makers",
    "makers_state",
    "read_makers",
]

FORMAT = f"2 {rules()}"
"""What the file was made by; of other rules it is of no use."""

MOST_READ = 50_000
"""So many places in the lists of words are read for a prompt, rarest words first; longer lists are not
kept."""

PRIOR = 200.0
"""So many words that nobody saw are added to a creator's, spread as everybody's are (a Dirichlet prior)."""

POSTING = np.dtype([("maker", "<u4"), ("count", "<u2"), ("length", "<u2")])
"""A creator who writes a word: in how many prompts, and how many words all those prompts have; 65,535 at
most."""

TABLES = (
    "CREATE TABLE state (format TEXT NOT NULL, generation TEXT NOT NULL, seq INTEGER NOT NULL,"
    " entries INTEGER NOT NULL, prompts INTEGER NOT NULL, counts BLOB NOT NULL)",
    "CREATE TABLE word (number INTEGER PRIMARY KEY, many INTEGER NOT NULL, makers BLOB NOT NULL)",
    "CREATE TABLE maker (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " entries INTEGER NOT NULL, length INTEGER NOT NULL)",
)


class MakerState(NamedTuple):
    """Of which state of the cuts the file was made, and of how many entries."""

    generation: str
    seq: int
    entries: int


NOTHING_COUNTED = MakerState("", 0, 0)


def makers_state(path: Path) -> MakerState:
    """What the file was made of; ``NOTHING_COUNTED`` where there is none that can be used."""
    if not path.is_file():
        return NOTHING_COUNTED
    try:
        with closing(_connect(path)) as connection:
            row = connection.execute("SELECT format, generation, seq, entries FROM state").fetchone()
    except sqlite3.Error:
        return NOTHING_COUNTED
    return MakerState(*row[1:]) if row and row[0] == FORMAT else NOTHING_COUNTED


class Makers(NamedTuple):
    """What was counted of some creators. ``likeliest`` are those whose prompts make the ``words`` likeliest,
    best first, as ``keyword`` folds them; ``names`` tells the columns of those and of others that were asked
    for: ``entries`` that they have, ``lengths`` (words of all their prompts) and ``table``, in how many
    prompts each of the ``words``, its rows, stands. ``counts`` are of the prompts of all."""

    counts: Counts
    likeliest: list[str]
    words: Ints
    names: Mapping[str, int]
    entries: Ints
    lengths: Ints
    table: Ints


def read_makers(
    path: Path, words: Ints, most: int, entries: int, beside: Collection[str] = ()
) -> Makers | None:
    """What was counted of the creators ``beside``, and of those whose prompts make these words likeliest: at
    most ``most``, and but for the first no more than have so many ``entries`` together. The rarest of the
    words are read, up to ``MOST_READ`` places. None where nothing was counted yet."""
    if not path.is_file():
        return None
    try:
        with closing(_connect(path)) as connection:
            row = connection.execute("SELECT format, prompts, counts FROM state").fetchone()
            if row is None or row[0] != FORMAT:
                return None
            counts = Counts(row[1], np.frombuffer(row[2], "<u4").reshape(len(KINDS), NUMBERS))
            lists = _Lists(_rarest(connection, words))
            return _read(connection, counts, lists, most, entries, beside)
    except (sqlite3.Error, ValueError):
        return None  # damaged: the file is disposable, and answers go without it


class _Lists:
    """The lists of some words, sorted by creator: of each posting its word, a place in ``words``. Those of
    the creator ``makers[i]`` begin at ``starts[i]``."""

    def __init__(self, lists: Sequence[tuple[int, bytes]]) -> None:
        self.words = np.array([word for word, _ in lists], np.int64)
        found = np.frombuffer(b"".join(blob for _, blob in lists), POSTING)
        sizes = [len(blob) // POSTING.itemsize for _, blob in lists]
        order = np.argsort(found["maker"], kind="stable")  # sorted lists are merged
        self.postings = found[order]
        self.places = np.repeat(np.arange(len(lists)), sizes)[order]
        makers = self.postings["maker"]
        self.starts = np.flatnonzero(np.diff(makers, prepend=makers[:1] + 1))
        self.makers = makers[self.starts]

    def likeliest(self, counts: Counts, most: int) -> Ints:
        """Creators by the sum over words of the logarithm of how much likelier they are there than
        elsewhere."""
        if not len(self.makers):
            return np.zeros(0, np.int64)
        each = (PRIOR * counts.shares(self.words))[self.places]
        sums = np.add.reduceat(np.log1p(self.postings["count"] / each), self.starts)
        sums -= len(self.words) * np.log1p(self.postings["length"][self.starts] / PRIOR)
        best = np.argpartition(-sums, most)[:most] if len(sums) > most else np.arange(len(sums))
        return np.asarray(self.makers[best[np.argsort(-sums[best], kind="stable")]], np.int64)

    def table(self, makers: Sequence[int]) -> Ints:
        """In how many prompts of each of some creators each word stands."""
        found = np.zeros((len(self.words), len(makers)), np.int64)
        ends = np.append(self.starts[1:], len(self.postings))
        there = np.searchsorted(self.makers, makers).tolist()
        for column, (maker, place) in enumerate(zip(makers, there, strict=True)):
            if place < len(self.makers) and self.makers[place] == maker:
                mine = slice(self.starts[place], ends[place])
                found[self.places[mine], column] = self.postings["count"][mine]
        return found


def _read(
    connection: sqlite3.Connection,
    counts: Counts,
    lists: _Lists,
    most: int,
    entries: int,
    beside: Collection[str],
) -> Makers:
    best = lists.likeliest(counts, most).tolist()
    columns = "SELECT number, name, entries, length FROM maker WHERE"
    rows = {row[0]: row for row in _rows(connection, f"{columns} number IN", best)}
    ends = accumulate(rows[maker][2] for maker in best)
    likeliest = [
        rows[maker][1] for maker, end in zip(best, ends, strict=True) if end <= max(entries, rows[best[0]][2])
    ]
    rows |= {row[0]: row for row in _rows(connection, f"{columns} name IN", list(beside))}
    known = [rows[maker] for maker in sorted(rows)]
    numbers, names, have, lengths = zip(*known, strict=True) if known else ((), (), (), ())
    return Makers(
        counts,
        likeliest,
        lists.words,
        {name: column for column, name in enumerate(names)},
        np.array(have, np.int64),
        np.array(lengths, np.int64),
        lists.table(numbers),
    )


def _rarest(connection: sqlite3.Connection, words: Ints) -> list[tuple[int, bytes]]:
    """Words with their lists, as many as may be read."""
    many: dict[int, int] = dict(
        _rows(connection, "SELECT number, many FROM word WHERE number IN", words.tolist())
    )
    chosen, left = [], MOST_READ
    for word in sorted(many, key=lambda word: (many[word], word)):
        left -= many[word]
        if left < 0:
            break
        chosen.append(word)
    return _rows(connection, "SELECT number, makers FROM word WHERE number IN", chosen)


def _rows(connection: sqlite3.Connection, query: str, wanted: Sequence[object]) -> list[Any]:
    return connection.execute(f"{query} ({','.join('?' * len(wanted))})", wanted).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
