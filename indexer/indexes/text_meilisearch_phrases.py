"""Who has a phrase in a field of which the server cannot tell it: one too long to keep its pairs of words, or
a phrase of three words and more?

The ledger knows who has which words one after the other; without it, what the server has of all who have the
words is read.
"""

from collections.abc import Iterable, Mapping, Sequence

from indexer.domain.fields import FIELDS, Field
from indexer.indexes.text_ledger_rows import LONG_FIELDS
from indexer.indexes.text_meilisearch_filters import phrase_checks
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import words_attribute

__all__ = ["Phrases"]

MAX_LISTED = 10_000
"""So many entries are told to the server as having a phrase; where more have it, the newest of them."""

MAX_READ = 600
"""So many are read from the server, in a tenth of a second; where more have the words, those count as having
the phrase."""

Found = Sequence[int] | None


class Phrases:
    """Looks phrases up for one query; ``gave_up``: not all who have the words were looked at."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[tuple[str, ...], Found] = {}  # those shown and those kept back have the same
        self.gave_up = False

    def look_up(self, field: Field, coded: Sequence[str]) -> Found:
        """See ``PhraseLookup``."""
        if (field.name, *coded) not in self._found:
            self.look_up_all([field], coded)
        return self._found[field.name, *coded]

    def look_up_all(self, fields: Iterable[Field], coded: Sequence[str]) -> None:
        """Look a phrase up in several fields at once, so that ``look_up`` knows."""
        names = [field.name for field in fields]
        found = dict(self._in_ledger([name for name in names if name in LONG_FIELDS], coded))
        checks = {n: " AND ".join(phrase_checks(FIELDS[n], coded)) for n in names if n not in found}
        counts = [{"q": "", "hitsPerPage": 0, "filter": check} for check in checks.values()]
        for (name, check), answer in zip(checks.items(), self._reader.ask_all(counts), strict=True):
            found[name] = self._read(name, coded, check) if answer.get("totalHits") else []
        self._found |= {(name, *coded): ids for name, ids in found.items()}

    def _in_ledger(self, names: Sequence[str], coded: Sequence[str]) -> Mapping[str, Found]:
        """From the ledger, by field; nothing where it does not know."""
        told = (self._reader.having(coded, names) if names else None) or {}
        self.gave_up = self.gave_up or any(len(ids) > MAX_LISTED for ids in told.values())
        return {name: ids[-MAX_LISTED:].tolist() for name, ids in told.items()}

    def _read(self, name: str, coded: Sequence[str], check: str) -> Found:
        attribute = words_attribute(FIELDS[name])
        wanted = f" {' '.join(coded)} "
        rows = list(self._reader.rows(check, ["id", attribute], MAX_READ + 1))
        if len(rows) > MAX_READ:
            self.gave_up = True
            return None
        return [int(row["id"]) for row in rows if wanted in f" {' '.join(row.get(attribute, ()))} "]
