"""Settings of a Meilisearch index, all derived from ``FIELDS``; a live index with others is built anew."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import CARD_FIELDS
from indexer.domain.fields import FIELDS, Field, FieldType

__all__ = [
    "DRAWS", "FORMAT", "MAX_LISTED", "MAX_TOTAL", "MAX_VALUES", "ORDER_ATTRIBUTES", "PART",
    "SEARCHED_ORDER", "SIZED", "both", "drawn", "has_words", "ids_of", "index_settings", "is_paired",
    "is_same", "lengths_of", "listed", "listing", "pairs_attribute", "parts", "searched", "sized_id",
    "words_attribute",
]  # fmt: skip

FORMAT = 4
"""Number of the documents' layout; an index of another format is built anew."""

MAX_VALUES = 100
"""So many values of a facet are told, the most frequent."""

MAX_LISTED = 500
"""So many of those who have a word are listed by the facet ``SIZED``."""

_MAX_FACET = 30_000
"""So many values of a facet are answered; it is asked of few entries only."""

DRAWS = 1 << 24
"""Each entry draws a number below this; those with a small one are a sample, as large as is needed."""

SIZED = "sized"
"""Number that holds an id and a length (``sized_id``). As a facet it lists who matches without reading
documents, ten times as fast as hits do."""

PART = 2_700
"""Entries that are counted or listed at once: below Meilisearch's 3,000, from which on it goes through all
values of the index, also where chance puts more into one part."""

_LENGTHS = 64

MAX_TOTAL = 1_000_000
"""Matches beyond are not counted and cannot be paged to."""

SEARCHED_ORDER = (
    "name", "trigger_words", "file_names", "creator", "tags", "version", "category", "training_tags",
    "prompts", "description",
)  # fmt: skip
"""Weight names, the weightiest first: Meilisearch weighs a field by its place, not by a number of ours."""

_UNPAIRED = ("description", "prompt", "training")
"""Fields too long to keep their pairs of words, which take most of an index: their phrases are looked up in
their words."""

ORDER_ATTRIBUTES: Mapping[str, str] = {
    name: f"by_{name}" for name in ("newest", "updated", "rating", "downloads", "size", "name")
}
"""Order -> the attribute that is sorted by."""


def words_attribute(field: Field) -> str:
    """Name of the attribute that holds a field's words."""
    return f"w_{field.name}"


def sized_id(id_: int, length: int) -> int:
    """An id and, by quarters of powers of two, the number of words of a document in one number."""
    return id_ * _LENGTHS + min(_LENGTHS - 1, int(4 * log2(length + 1)))


def listing(text: str, expression: str) -> dict[str, Any]:
    """The query that lists who matches a text and passes an expression; ``listed`` reads its answer."""
    query = {"q": text, "matchingStrategy": "all", "hitsPerPage": 0, "facets": [SIZED]}
    return query | ({"filter": expression} if expression else {})


def listed(answer: Mapping[str, Any]) -> NDArray[np.int64]:
    """The numbers (n,) that the facet ``SIZED`` lists."""
    counts = answer.get("facetDistribution", {}).get(SIZED, {})
    return np.fromiter(map(float, counts), np.float64, len(counts)).astype(np.int64)


def ids_of(sized: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ids in numbers of ``sized_id``."""
    return sized // _LENGTHS


def lengths_of(sized: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lengths in numbers of ``sized_id``, about right."""
    return np.exp2((sized % _LENGTHS) / 4)


def drawn(low: int, high: int) -> str:
    """The filter of entries whose number is at least ``low`` and below ``high``."""
    return f"draw >= {low} AND draw < {max(high, low + 1)}"


def both(one: str | None, other: str) -> str:
    """The expression of what passes two others; either may be empty, which everything passes."""
    return f"({one}) AND ({other})" if one and other else one or other


def parts(total: int, share: float = 1.0) -> list[str]:
    """Filters that cut so many entries, or a share of them that is drawn, into parts of ``PART``."""
    count = max(1, ceil(total * share / PART))
    if share >= 1.0 and count == 1:
        return [""]
    some = min(DRAWS, ceil(DRAWS * share))
    return [drawn(low, high) for low, high in pairwise(some * place // count for place in range(count + 1))]


def has_words(field: Field) -> bool:
    """Whether a field's words are kept: they are searched or filtered by."""
    return field.type is FieldType.TEXT or field.weight is not None


def is_paired(field: Field) -> bool:
    """Whether pairs of neighbouring words are kept, so that phrases of two words need no second look."""
    return field.name not in _UNPAIRED


def pairs_attribute(field: Field) -> str:
    """Name of the attribute that holds a field's pairs of words."""
    return f"p_{field.name}"


def searched() -> list[Field]:
    """Fields that plain words search, the weightiest first."""
    places = {name: place for place, name in enumerate(SEARCHED_ORDER)}
    fields = [field for field in FIELDS.values() if field.weight is not None]
    return sorted(fields, key=lambda field: places.get(field.weight or "", len(places)))


def index_settings() -> dict[str, Any]:
    """The settings, in the shape of Meilisearch's settings route."""
    return {
        # The server reads all that may be shown of every hit: texts are left to the route of documents.
        # The last name is of no attribute: it makes an index of another format look different.
        "displayedAttributes": ["id", "card", "brief", "is", f"format-{FORMAT}-{len(CARD_FIELDS)}"],
        "searchableAttributes": [words_attribute(field) for field in searched()],
        "filterableAttributes": _filterable(),
        "sortableAttributes": sorted(["id", *ORDER_ATTRIBUTES.values()]),
        "rankingRules": ["sort", "words", "typo", "attribute", "exactness", "id:asc"],
        # Words are cut before they get here; what is typed is never a synonym, a stop word or a phrase.
        "stopWords": [],
        "synonyms": {},
        "separatorTokens": [],
        "nonSeparatorTokens": [],
        "dictionary": [],
        "distinctAttribute": None,
        "proximityPrecision": "byAttribute",
        "typoTolerance": {
            "enabled": True,
            "minWordSizeForTypos": {"oneTypo": 4, "twoTypos": 8},
            "disableOnWords": [],
            "disableOnAttributes": [],
            "disableOnNumbers": True,
        },
        "faceting": {"maxValuesPerFacet": _MAX_FACET, "sortFacetValuesBy": {"*": "count", SIZED: "alpha"}},
        "pagination": {"maxTotalHits": MAX_TOTAL},
        "facetSearch": False,
        "prefixSearch": "indexingTime",
    }


def _filterable() -> list[dict[str, Any]]:
    ranged = [f.name for f in FIELDS.values() if f.type.ranged]
    whole = [f.name for f in FIELDS.values() if not f.type.ranged and f.type is not FieldType.TEXT]
    texts = [f for f in FIELDS.values() if has_words(f)]
    words = [words_attribute(f) for f in texts]
    pairs = [pairs_attribute(f) for f in texts if is_paired(f)]
    plain = [SIZED, "sample", *whole, *words, *pairs]
    return [_rule(["id", "draw", *ranged], comparison=True), _rule(plain, comparison=False)]


def _rule(names: Sequence[str], *, comparison: bool) -> dict[str, Any]:
    features = {"facetSearch": False, "filter": {"equality": True, "comparison": comparison}}
    return {"attributePatterns": list(names), "features": features}


def is_same(wanted: Any, live: Any) -> bool:
    """Whether the live settings are those wanted; settings that are not wanted may be anything."""
    if isinstance(wanted, Mapping) and wanted:
        return isinstance(live, Mapping) and all(
            is_same(value, live.get(key)) for key, value in wanted.items()
        )
    return bool(wanted == live)
