"""Who has a phrase in a field too long for the server to keep its pairs of words?

The server lists who has all of the words; whether they follow each other is in the ledger, or else in the
server's documents, which takes twenty times as long.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import numpy as np

from indexer.domain.fields import Field
from indexer.indexes.text_ledger_rows import LONG_FIELDS
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import DRAWS, SIZED, drawn, ids_of, listed, words_attribute

__all__ = ["Phrases"]

MAX_LISTED = 10_000
"""So many entries are looked through for a phrase; where more have its words, so many of them."""

MAX_READ = 600
"""So many are read from the server, in a tenth of a second; where more have the words, those count as having
the phrase."""

_PART = 2_700


class Phrases:
    """Looks phrases up for one query; ``gave_up``: not all who have the words were looked at."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[tuple[str, ...], Sequence[int] | None] = {}
        self.gave_up = False

    def look_up(self, field: Field, coded: Sequence[str], expression: str) -> Sequence[int] | None:
        """See ``PhraseLookup``."""
        if (field.name, *coded) in self._found:  # who is shown and who is kept back have the same phrases
            return self._found[field.name, *coded]
        known = field.name in LONG_FIELDS and self._reader.knows_values()
        found = self._listed(field, coded, expression) if known else None
        if found is None:
            found = self._read(field, coded, expression)
        self._found[field.name, *coded] = found
        return found

    def _listed(self, field: Field, coded: Sequence[str], expression: str) -> Sequence[int] | None:
        """From the ledger; None where it does not know."""
        asked = {"q": "", "hitsPerPage": 0, "filter": expression}
        total = int(self._reader.ask(asked).get("totalHits", 0))
        if not total:
            return []
        some = min(DRAWS, ceil(DRAWS * MAX_LISTED / total))
        count = ceil(min(total, MAX_LISTED) / _PART)
        parts = [drawn(low, high) for low, high in pairwise(some * i // count for i in range(count + 1))]
        answers = self._reader.ask_halved(
            [asked | {"facets": [SIZED], "filter": f"({expression}) AND {part}"} for part in parts]
        )
        lists = [listed(answer.get("facetDistribution", {}).get(SIZED, {})) for answer in answers]
        self.gave_up = self.gave_up or some < DRAWS
        return self._reader.having(field, coded, ids_of(np.concatenate(lists)).tolist())

    def _read(self, field: Field, coded: Sequence[str], expression: str) -> Sequence[int] | None:
        name = words_attribute(field)
        wanted = f" {' '.join(coded)} "
        rows = list(self._reader.rows(expression, ["id", name], MAX_READ + 1))
        if len(rows) > MAX_READ:
            self.gave_up = True
            return None
        return [int(row["id"]) for row in rows if wanted in f" {' '.join(row.get(name, ()))} "]
