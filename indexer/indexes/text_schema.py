"""Layout of the tantivy index: which columns there are, and a document as a row of them.

Every searched field has a column of its words; words of all fields together stand in ``EVERY``, those of
short fields (names, tags …) in ``BRIEF``, so that "has it the word at all" costs one look-up a word.
"""

import json
import struct
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tantivy

from indexer.domain.brief import BRIEF_FIELDS, Brief
from indexer.domain.cards import CARD_FIELDS, WHOLE, card_of, code, day_number
from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.filters import keyword, values_of
from indexer.domain.ordering import sample_of
from indexer.domain.records import Document
from indexer.domain.text import fold, words
from indexer.indexes.text_codes import CODED, NAMES, code_column, code_of, named_code

__all__ = [
    "BRIEF",
    "EVERY",
    "FORMAT",
    "MAKER",
    "NAME_KEY",
    "ORDER_COLUMNS",
    "SAMPLE",
    "STORED",
    "build_schema",
    "card_column",
    "date_number",
    "format_of",
    "key_name",
    "name_key",
    "read_format",
    "row_of",
    "searched",
    "words_column",
]

FORMAT = 4
"""Number of this layout; an index of another format is built anew."""

EVERY, BRIEF, STORED, SAMPLE, MAKER = "every", "brief", "brief_stored", "sample", "maker"

ORDER_COLUMNS: Mapping[str, str] = {
    name: f"by_{name}" for name in ("newest", "updated", "rating", "downloads", "size", "name")
}
"""Order -> the column that is sorted by: the value, then the id."""

NAME_KEY = "by_name_key"
"""How a name begins, as a number: narrows an order by name before names are compared."""

_TEXTUAL = (FieldType.TEXT,)
_KEYWORDS = (FieldType.KEYWORD, FieldType.TREE, FieldType.FLAG)
_NUMERIC = (FieldType.NUMBER, FieldType.SIZE)
_DAY_ZERO = "0000-00-00"
_MAX_WORDS = 50_000
_LAST = 2**32 - 1
_LETTERS, _KEYED = " 0123456789abcdefghijklmnopqrstuvwxyz", 10
_CODES = 2 * len(_LETTERS) + 1


def searched() -> list[Field]:
    """Fields that plain words search."""
    return [field for field in FIELDS.values() if field.weight is not None]


def words_column(field: Field) -> str:
    """Name of the column that holds a field's words."""
    return field.name if field.type in _TEXTUAL else f"{field.name}_words"


def card_column(name: str) -> str:
    """Name of the column of one number of a card."""
    return f"card_{name}"


def build_schema() -> Any:
    """The schema, from ``FIELDS`` and ``Card``."""
    builder = tantivy.SchemaBuilder()
    # Signed: the writer deletes by a term that it makes of a signed number, whatever the column is.
    builder.add_integer_field("id", stored=False, indexed=True, fast=True)
    builder.add_unsigned_field(SAMPLE, stored=False, indexed=True, fast=True)
    builder.add_integer_field(MAKER, stored=False, indexed=False, fast=True)
    builder.add_bytes_field(STORED, stored=True, indexed=False, fast=False)
    for name in (EVERY, BRIEF):
        builder.add_text_field(name, tokenizer_name="blank", index_option="basic")
    for name, column in ORDER_COLUMNS.items():
        if name == "name":
            builder.add_text_field(column, tokenizer_name="raw", index_option="basic", fast=True)
            builder.add_integer_field(NAME_KEY, stored=False, indexed=False, fast=True)
        else:
            builder.add_integer_field(column, stored=False, indexed=False, fast=True)
    for place, name in enumerate(CARD_FIELDS[1:], 1):
        add = builder.add_integer_field if place < WHOLE else builder.add_float_field
        add(card_column(name), stored=False, indexed=False, fast=True)
    for field in FIELDS.values():
        _add_field(builder, field)
    for name in CODED:
        builder.add_integer_field(code_column(name), stored=False, indexed=False, fast=True)
    builder.add_text_field(NAMES, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _add_field(builder: Any, field: Field) -> None:
    if field.type in _TEXTUAL or field.weight is not None:
        builder.add_text_field(words_column(field), tokenizer_name="blank", index_option="position")
    if field.type in _KEYWORDS:
        counted = field.facet and field.name not in CODED
        builder.add_text_field(field.name, tokenizer_name="raw", index_option="basic", fast=counted)
    elif field.type in _NUMERIC:
        builder.add_float_field(field.name, indexed=True, fast=True)
    elif field.type is FieldType.DATE:
        builder.add_integer_field(field.name, indexed=True, fast=True)


def format_of() -> dict[str, Any]:
    """What an index must have been made with to be read by this code."""
    rows = [[f.name, f.type.value, f.facet, f.weight] for f in FIELDS.values()]
    return {"format": FORMAT, "fields": rows, "card": list(CARD_FIELDS)}


def read_format(path: Path) -> dict[str, Any]:
    """What an index was made with; empty when that cannot be read."""
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # an unreadable marker counts as another format: the index is disposable
    return read if isinstance(read, dict) else {}


def date_number(day: str) -> int:
    """``YYYY-MM-DD`` as the integer YYYYMMDD; text order and number order agree."""
    digits = "".join(c for c in (day + _DAY_ZERO[len(day) :])[:10] if c.isdigit())
    return int(digits or 0)


def row_of(document: Document) -> Any:
    """A document as a row of the index."""
    row = tantivy.Document()
    row.add_integer("id", document.id)
    row.add_unsigned(SAMPLE, sample_of(document.id))
    row.add_integer(MAKER, code(keyword(document.creator or "")))
    row.add_bytes(STORED, Brief.of(document).to_text().encode())
    card = card_of(document)
    for name, value in zip(CARD_FIELDS[1:WHOLE], card[1:WHOLE], strict=True):
        row.add_integer(card_column(name), int(value))
    for name, value in zip(CARD_FIELDS[WHOLE:], card[WHOLE:], strict=True):
        row.add_float(card_column(name), float(value))
    _add_orders(row, document)
    _add_fields(row, document)
    return row


def _add_orders(row: Any, document: Document) -> None:
    values = {
        "newest": day_number(document.created),
        "updated": day_number(document.updated),
        "rating": document.rating,
        "downloads": document.downloads,
        "size": document.size,
    }
    for name, value in values.items():
        row.add_integer(ORDER_COLUMNS[name], _rising(value) << 32 | (_LAST - (document.id & _LAST)))
    # The lowest character stands between, so that a name goes before those that continue it.
    name = f"{fold(document.name)[:200]}\x01{document.id:020d}"
    row.add_text(ORDER_COLUMNS["name"], name)
    row.add_integer(NAME_KEY, name_key(name))


def name_key(name: str) -> int:
    """A number of 63 bits for a name's first characters, ten at most: never greater for a name that comes
    first. A character beyond ``_LETTERS`` has a place between two of them, and nothing behind it counts."""
    key = 0
    for place in range(_KEYED):
        char = name[place : place + 1]
        after = bisect_right(_LETTERS, char) if char else 0
        if after and _LETTERS[after - 1] == char:
            key = key * _CODES + 2 * after - 1
        else:
            rest: int = _CODES ** (_KEYED - 1 - place)
            return (key * _CODES + 2 * after) * rest
    return key


def key_name(key: int) -> str:
    """A beginning of a name near the one with this key: ``name_key`` of it parts names that come before it
    from others. Empty where such names lie behind all letters."""
    letters = ""
    for place in reversed(range(_KEYED)):
        after, is_letter = divmod(key // _CODES**place % _CODES, 2)
        letters += _LETTERS[after : after + 1]
        if not is_letter:  # between two letters: the one above
            break
    return letters


def _rising(value: float | None) -> int:
    """A number as 31 bits that keep its order (those of a 32-bit float, plus one); 0 for none."""
    if value is None:
        return 0
    bits: int = struct.unpack(">i", struct.pack(">f", max(0.0, min(float(value), 3e38))))[0]
    return bits + 1


def _add_fields(row: Any, document: Document) -> None:
    every: dict[str, None] = {}
    brief: dict[str, None] = {}
    for field in FIELDS.values():
        values = values_of(document, field)
        if field.type in _TEXTUAL or field.weight is not None:
            found = _add_words(row, field, values)
            if field.weight is not None:
                every |= found
            if field.weight in BRIEF_FIELDS:
                brief |= found
        _add_values(row, field, values)
    row.add_text(EVERY, " ".join(every))
    row.add_text(BRIEF, " ".join(brief))


def _add_values(row: Any, field: Field, values: Sequence[Any]) -> None:
    if field.type in _KEYWORDS:
        for value in dict.fromkeys(keyword(str(v)) for v in values):
            row.add_text(field.name, value)
            if field.name in CODED:
                row.add_integer(code_column(field.name), code_of(value))
                row.add_text(NAMES, named_code(value))
    elif field.type in _NUMERIC:
        for value in values:
            row.add_float(field.name, float(value))
    elif field.type is FieldType.DATE:
        for value in values:
            row.add_integer(field.name, date_number(str(value)))


def _add_words(row: Any, field: Field, values: Sequence[Any]) -> dict[str, None]:
    """Each value apart, so that no phrase runs from one into the next. Answers the distinct words."""
    found: dict[str, None] = {}
    for value in values:
        terms = words(str(value))[:_MAX_WORDS]
        if terms:
            row.add_text(words_column(field), " ".join(terms))
            found |= dict.fromkeys(terms)
    return found
