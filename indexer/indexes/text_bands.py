"""Who comes first in an order? Short lists of entries, so that a page of a million takes no look at them all.

Of each order it is kept what its first few thousand entries have at least. Who has that is a list of
postings, which leads a query, where a column of numbers would be asked entry by entry. Any bound gives right
answers while enough matches lie above it, so bounds are kept until the index has grown by a tenth.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import tantivy

from indexer.indexes.text_ahead import Ahead
from indexer.indexes.text_schema import NAME_KEY, ORDER_COLUMNS, date_number, key_name, name_key

__all__ = ["Band", "Bands"]

_SIZES: Mapping[str, Sequence[int]] = {
    **dict.fromkeys(("newest", "updated", "rating"), (4_096, 16_384, 65_536)),
    **dict.fromkeys(("downloads", "size"), (4_096, 16_384)),
    "name": (1_024, 4_096, 16_384, 65_536),
}
"""Entries of the lists, about. Gathering one takes as long as it has different values."""

_FIELDS: Mapping[str, str] = {
    "newest": "created", "updated": "updated", "rating": "rating", "downloads": "downloads", "size": "size",
}  # fmt: skip
_DAYS = ("newest", "updated")
_LEAST_BITS = 2

_LISTED_NAMES = 4_096
"""So many names are listed; of more the numbers that they begin with are compared, entry by entry."""


@dataclass(frozen=True, slots=True)
class Band:
    """The first ``size`` entries of an order: ``query`` finds them, ``bound`` is where they end."""

    query: Any
    bound: int
    size: int
    rising: bool = False

    def holds(self, key: int) -> bool:
        """Whether an entry with this sort key lies before all that are outside."""
        return key < self.bound if self.rising else key >> 32 >= self.bound


class Bands:
    """The bands of an index. Many threads may share it."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._ahead = Ahead(self.gather)
        self._bands: Mapping[str, Sequence[Band]] = {}

    def of(self, searcher: Any, order: str) -> Sequence[Band]:
        """The bands of an order, the shortest first; none while they are gathered."""
        self.prepare(searcher)
        return self._bands.get(order, ()) if self.is_large(searcher) else ()

    def is_large(self, searcher: Any) -> bool:
        """Whether an index is so large that bands are gathered."""
        return self._ahead.is_large(searcher)

    def prepare(self, searcher: Any) -> None:
        """Begin to gather them in the background, unless they are there."""
        if self.is_large(searcher):
            self._ahead.begin(searcher)

    def gather(self, searcher: Any) -> None:
        """Look for all bounds anew; the old ones serve meanwhile."""
        for order, sizes in _SIZES.items():
            found = [self._band(searcher, order, size) for size in sizes]
            self._bands = {**self._bands, order: [band for band in found if band is not None]}

    def _band(self, searcher: Any, order: str, size: int) -> Band | None:
        rising = order == "name"
        column, direction = (NAME_KEY, tantivy.Order.Asc) if rising else (ORDER_COLUMNS[order], None)
        more = {"order": direction} if direction is not None else {}
        last = searcher.search(
            tantivy.Query.all_query(), limit=1, offset=size - 1, count=False, order_by_field=column, **more
        ).hits
        if not last:
            return None
        key = int(last[0][0])
        found = self._named(key, size) if rising else self._valued(order, key)
        if found is None:
            return None
        query = tantivy.Query.const_score_query(found[0], 0.0)
        return Band(query, found[1], int(searcher.search(query, limit=1).count), rising)

    def _valued(self, order: str, key: int) -> tuple[Any, int] | None:
        """Entries whose value is not below that of a sort key."""
        bits = key >> 32
        if bits < _LEAST_BITS:
            return None  # the list would end among those that have no value
        low: float
        if order in _DAYS:
            day = date(1970, 1, 1) + timedelta(days=round(_number(bits)))
            kind, low = tantivy.FieldType.Integer, date_number(day.isoformat())
        else:
            kind, low = tantivy.FieldType.Float, _number(bits - 1)  # below all that are rounded to these bits
        return self._range(_FIELDS[order], kind, low), bits

    def _named(self, key: int, size: int) -> tuple[Any, int] | None:
        """Entries whose name comes before one that is near a key."""
        if size > _LISTED_NAMES:
            kind = tantivy.FieldType.Integer
            return tantivy.Query.range_query(self._schema, NAME_KEY, kind, None, key), key + 1
        name = key_name(key)
        if not name:
            return None
        return tantivy.Query.regex_query(self._schema, ORDER_COLUMNS["name"], _before(name)), name_key(name)

    def _range(self, field: str, kind: Any, low: float) -> Any:
        return tantivy.Query.range_query(self._schema, field, kind, low, use_inverted_index=True)


def _before(name: str) -> str:
    """The pattern of names that come before one of blanks, digits and letters: as it is up to some place, and
    less there. A name in the index never ends where another goes on: its id follows it."""
    return "|".join(f"{name[:place]}[\\x00-\\x{ord(char) - 1:02x}].*" for place, char in enumerate(name))


def _number(bits: int) -> float:
    """The number that sort keys keep as these bits."""
    number: float = struct.unpack(">f", struct.pack(">i", bits - 1))[0]
    return number
