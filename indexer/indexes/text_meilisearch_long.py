"""Long queries, pasted prompts for instance, of which Meilisearch itself reads ten words.

The words that tell most are looked up one by one, in one request; who has the rarest and most of them is a
candidate, and the candidates' own words then tell exactly which they have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

from indexer.domain.evidence import pick_terms, rarity
from indexer.indexes.text_meilisearch_reader import Reader, exactly
from indexer.indexes.text_meilisearch_settings import (
    DRAWS,
    MAX_LISTED,
    SIZED,
    drawn,
    id_and_length,
    searched,
    words_attribute,
)

__all__ = ["LongFound", "find_text"]

MAX_TERMS = 24
"""So many of the words are looked for."""

COMPARED = 100
"""So many candidates are compared by all their words."""

_MAX_ASKED = 200
_COMMON = 5  # who has a word that one in five has is not listed, where rarer words remain
_LENGTH, _STEEP = 250, 2.0


@dataclass(frozen=True, slots=True)
class LongFound:
    """Ids with scores 0..1, best first. ``terms`` are the words looked for; ``present`` has a bit for each of
    them (bit 0 the first). ``cut``: others may match as well."""

    scores: Mapping[int, float]
    present: Mapping[int, int]
    terms: tuple[str, ...]
    frequencies: Mapping[str, int]
    documents: int
    cut: bool


def find_text(
    reader: Reader, terms: Sequence[str], expression: str, limit: int, *, compared: bool = True
) -> LongFound:
    """Entries that pass the expression and have some of the words that tell most, those with the most telling
    ones first. Without ``compared`` the first ones are not looked at again, only counted."""
    asked = list(terms)[:_MAX_ASKED]
    documents, *totals = reader.totals(["", *map(exactly, asked)])
    frequencies = dict(zip(asked, totals, strict=True))
    picked = tuple(t for t in pick_terms(asked, frequencies, MAX_TERMS) if frequencies[t])
    bits, lengths, cut = _listed(reader, picked, frequencies, documents, expression)
    worth = [rarity(frequencies[term], documents) for term in picked]
    whole = max(1e-9, sum(worth))

    def ranked() -> list[int]:
        scores = {id_: _sum(has, worth) / whole * _share(lengths[id_]) for id_, has in bits.items()}
        return sorted(scores, key=lambda id_: (-scores[id_], id_))

    if compared:
        bits |= _present(reader, ranked()[:COMPARED], picked)
    order = ranked()
    scores = {id_: _sum(bits[id_], worth) / whole * _share(lengths[id_]) for id_ in order[:limit]}
    return LongFound(scores, bits, picked, frequencies, documents, cut or len(order) > limit)


def _listed(
    reader: Reader, picked: Sequence[str], totals: Mapping[str, int], documents: int, expression: str
) -> tuple[dict[int, int], dict[int, float], bool]:
    """Who has which of the words, as bits, and how long their texts are. Frequent words list a part of those
    who have them; the last value tells whether one did."""
    query: dict[str, Any] = {"hitsPerPage": 0, "facets": [SIZED]}
    common = max(MAX_LISTED, documents // _COMMON)
    telling = [term for term in picked if totals[term] <= common] or picked
    answers = reader.ask_all(
        [{**query, "q": exactly(term), "filter": _some(expression, totals[term])} for term in telling]
    )
    bits: dict[int, int] = {}
    lengths: dict[int, float] = {}
    cut = len(telling) < len(picked) or any(totals[term] > MAX_LISTED for term in telling)
    for term, answer in zip(telling, answers, strict=True):
        found = answer.get("facetDistribution", {}).get(SIZED, {})
        cut = cut or len(found) < int(answer.get("totalHits", 0))
        for sized in found:
            id_, lengths[id_] = id_and_length(int(float(sized)))
            bits[id_] = bits.get(id_, 0) | 1 << picked.index(term)
    return bits, lengths, cut


def _some(expression: str, total: int) -> str | None:
    """The filter that lists ``MAX_LISTED`` of so many: of all words the same entries, so that who has several
    is seen to have them."""
    if total <= MAX_LISTED:
        return expression or None
    part = drawn(0, DRAWS * MAX_LISTED // total)
    return f"({expression}) AND {part}" if expression else part


def _present(reader: Reader, ids: Sequence[int], picked: Sequence[str]) -> dict[int, int]:
    """Which of the words entries have, from all their words."""
    names = [words_attribute(field) for field in searched()]
    present = {}
    for id_, row in reader.by_id(ids, names).items():
        have = {word for name in names for word in row.get(name, ())}
        present[id_] = sum(1 << place for place, term in enumerate(picked) if term in have)
    return present


def _sum(bits: int, worth: Sequence[float]) -> float:
    return sum(each for place, each in enumerate(worth) if bits >> place & 1)


def _share(length: float) -> float:
    """What a match is worth in a text of so many words: long ones have any word by chance."""
    return 1 / (1 + _STEEP * log1p(length / _LENGTH))
