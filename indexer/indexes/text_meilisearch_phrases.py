"""Who has a phrase in a field of which the server cannot tell it: one too long to keep its pairs of words, or
a phrase of three words and more?

The server lists who has all of the words; whether they follow each other is in the ledger, or else in the
server's documents, which takes twenty times as long.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

from indexer.domain.fields import FIELDS, Field
from indexer.indexes.text_ledger_rows import LONG_FIELDS
from indexer.indexes.text_meilisearch_filters import both, phrase_checks
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import (
    DRAWS,
    PART,
    SIZED,
    drawn,
    ids_of,
    listed,
    words_attribute,
)

__all__ = ["Phrases"]

MAX_LISTED = 20_000
"""So many entries are looked through for a phrase in the ledger; where more have its words, so many of
them."""

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
        checks = {field.name: " AND ".join(phrase_checks(field, coded)) for field in fields}
        counts = [{"q": "", "hitsPerPage": 0, "filter": check} for check in checks.values()]
        totals = {
            name: int(answer.get("totalHits", 0))
            for name, answer in zip(checks, self._reader.ask_all(counts), strict=True)
        }
        found: dict[str, Found] = {name: [] for name, total in totals.items() if not total}
        found |= self._in_ledger(
            {n: checks[n] for n in checks if totals[n] and n in LONG_FIELDS}, totals, coded
        )
        found |= {n: self._read(n, coded, check) for n, check in checks.items() if n not in found}
        self._found |= {(name, *coded): ids for name, ids in found.items()}

    def _in_ledger(
        self, checks: Mapping[str, str], totals: Mapping[str, int], coded: Sequence[str]
    ) -> Mapping[str, Sequence[int]]:
        """From the ledger, by field; nothing where it does not know."""
        if not checks or not self._reader.knows_values():
            return {}
        every = sum(totals[name] for name in checks)
        some = min(DRAWS, ceil(DRAWS * MAX_LISTED / every))
        asked = [
            (n, _listing(check, part)) for n, check in checks.items() for part in _parts(totals[n], some)
        ]
        answers = self._reader.ask_halved([query for _, query in asked])
        lists: dict[str, list[int]] = {name: [] for name in checks}
        for (name, _), answer in zip(asked, answers, strict=True):
            lists[name] += ids_of(listed(answer.get("facetDistribution", {}).get(SIZED, {}))).tolist()
        found = self._reader.having(coded, lists)
        self.gave_up = self.gave_up or (found is not None and some < DRAWS)
        return found or {}

    def _read(self, name: str, coded: Sequence[str], check: str) -> Found:
        attribute = words_attribute(FIELDS[name])
        wanted = f" {' '.join(coded)} "
        rows = list(self._reader.rows(check, ["id", attribute], MAX_READ + 1))
        if len(rows) > MAX_READ:
            self.gave_up = True
            return None
        return [int(row["id"]) for row in rows if wanted in f" {' '.join(row.get(attribute, ()))} "]


def _parts(total: int, some: int) -> Iterable[str]:
    """Filters that cut those whose draw is below ``some``, of ``total`` in all, into parts."""
    count = ceil(total * some / DRAWS / PART)
    return (drawn(low, high) for low, high in pairwise(some * place // count for place in range(count + 1)))


def _listing(check: str, part: str) -> dict[str, Any]:
    return {"q": "", "hitsPerPage": 0, "facets": [SIZED], "filter": both(check, part)}
