"""Documents as Meilisearch gets them: words, pairs of words, whole values, numbers and the card.

Words of a field are a list, in order, values apart by ``GAP``: one attribute serves search and filters, and
tells whether a phrase is there. Meilisearch compares values after a normalisation of its own; what comes out
of ``words`` and ``keyword`` is folded further than that, so that it changes nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from indexer.domain.brief import Brief
from indexer.domain.cards import card_of, day_number
from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.filters import keyword, values_of
from indexer.domain.ordering import draw_of, sample_of
from indexer.domain.records import Document
from indexer.domain.text import fold, words
from indexer.indexes.text_meilisearch_settings import (
    DRAWS,
    ORDER_ATTRIBUTES,
    SIZED,
    has_words,
    is_paired,
    pairs_attribute,
    sized_id,
    words_attribute,
)

__all__ = ["GAP", "coded_value", "coded_word", "date_number", "plain_value", "row_of"]

GAP = "|"
"""Stands between the values of a list of words; no word has it."""

MAX_WORDS = 20_000
"""Words of a field that are kept; beyond, a field is noise or an attack."""

_MAX_BYTES = 400  # Meilisearch refuses to filter by values of 469 bytes and more
_DIGEST = "~#"
_DAY_ZERO = "0000-00-00"
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
_LONGEST_WIDE = 40
_KEYWORDS = (FieldType.KEYWORD, FieldType.TREE, FieldType.FLAG)


def row_of(document: Document) -> dict[str, Any]:
    """A document as a row of the index."""
    row: dict[str, Any] = {
        "id": document.id,
        "card": card_of(document).to_row(),
        "brief": Brief.of(document).to_text(),
        "sample": sample_of(document.id),
        "draw": draw_of(document.id) // (2**32 // DRAWS),
    }
    _add_orders(row, document)
    length = 0
    for field in FIELDS.values():
        values = values_of(document, field)
        if has_words(field):
            _add_words(row, field, values)
            length += len(row[words_attribute(field)])
        if field.type in _KEYWORDS:
            row[field.name] = list(dict.fromkeys(coded_value(keyword(str(v))) for v in values))
        elif field.type is FieldType.DATE:
            row[field.name] = [date_number(str(value)) for value in values]
        elif field.type.ranged:
            row[field.name] = [float(value) for value in values]
    row[SIZED] = sized_id(document.id, length)
    return {name: value for name, value in row.items() if value not in (None, [], "")}


def coded_word(word: str) -> str:
    """A word as Meilisearch takes it whole. It would cut runs of CJK again, by a dictionary that depends on
    the words around; as runs of digits, six a character, they stay whole and begin as the word begins."""
    if not _WIDE.search(word):
        return word
    return "".join(f"{ord(char):06d}" for char in word[:_LONGEST_WIDE])


def coded_value(value: str) -> str:
    """A whole value as it is kept: empty ones get a name, long ones are named by a digest."""
    if not value or value.startswith("~"):
        return "~" + value
    if len(value.encode("utf-8", "replace")) > _MAX_BYTES:
        return _DIGEST + hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
    return value


def plain_value(kept: str) -> str | None:
    """The value again; None for one that was too long to be kept."""
    if kept.startswith(_DIGEST):
        return None
    return kept.removeprefix("~")


def date_number(day: str) -> int:
    """``YYYY-MM-DD`` as the integer YYYYMMDD; text order and number order agree."""
    digits = "".join(c for c in (day + _DAY_ZERO[len(day) :])[:10] if c.isdigit())
    return int(digits or 0)


def _add_orders(row: dict[str, Any], document: Document) -> None:
    values: dict[str, Any] = {
        "newest": day_number(document.created) or None,
        "updated": day_number(document.updated) or None,
        "rating": document.rating,
        "downloads": document.downloads,
        "size": document.size,
        "name": "." + fold(document.name)[:100],  # never empty: an empty name comes first, not last
    }
    for name, value in values.items():
        row[ORDER_ATTRIBUTES[name]] = value


def _add_words(row: dict[str, Any], field: Field, values: Sequence[Any]) -> None:
    kept = list(_words_of(values))
    row[words_attribute(field)] = kept
    if is_paired(field):
        row[pairs_attribute(field)] = list(dict.fromkeys(_pairs(kept)))


def _words_of(values: Sequence[Any]) -> Iterator[str]:
    left = MAX_WORDS
    for place, value in enumerate(values):
        found = words(str(value))[:left]
        left -= len(found)
        if place and found:
            yield GAP
        yield from map(coded_word, found)


def _pairs(kept: Sequence[str]) -> Iterable[str]:
    return (f"{a} {b}" for a, b in pairwise(kept) if GAP not in (a, b))
