"""What ranking needs of an entry without loading its document: numbers that engines keep as columns.

A thousand candidates are weighed by their cards; only the documents of one page are read from the catalog.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from zlib import crc32

from indexer.domain.popularity import attention
from indexer.domain.quality import quality
from indexer.domain.records import Document

__all__ = ["CARD_FIELDS", "NO_ATTENTION", "NO_RATING", "WHOLE", "Card", "card_of", "code", "day_number"]

NO_RATING = -1.0
NO_ATTENTION = -1.0


class Card(NamedTuple):
    """Ten numbers; whole ones are never negative and below 2**63. A tuple, since a query makes a thousand.

    ``fold`` is the same for entries that make one hit. ``kind``, ``architecture``, ``root`` (of the
    architecture's tree) and ``family`` are codes of their ids (``code``), 0 unknown. ``day`` counts from
    1970-01-01, 0 unknown. ``rating`` is in stars 0..5, the user's own or else a lower bound, ``NO_RATING``
    without any. ``attention`` is the natural logarithm of one more than the downloads that are believed,
    ``NO_ATTENTION`` where nobody counts them. ``quality`` is 0..1.
    """

    id: int
    fold: int
    kind: int = 0
    architecture: int = 0
    root: int = 0
    family: int = 0
    day: int = 0
    rating: float = NO_RATING
    attention: float = NO_ATTENTION
    quality: float = 0.0

    def to_row(self) -> tuple[float, ...]:
        """The numbers in the order of ``CARD_FIELDS``; the first ``WHOLE`` are ``int``."""
        return tuple(self)

    @classmethod
    def from_row(cls, row: Sequence[float]) -> "Card":
        """The card back from numbers in the order of ``CARD_FIELDS``; 3.0 may stand for 3 and 3 for 3.0.

        Raises ``ValueError`` for another count of numbers.
        """
        if len(row) != len(CARD_FIELDS):
            raise ValueError(f"A card has {len(CARD_FIELDS)} numbers, not {len(row)}: fill the index again.")
        return cls(*map(int, row[:WHOLE]), *row[WHOLE:])


CARD_FIELDS = Card._fields
"""Names of a card's numbers, in the order of its row."""

WHOLE = CARD_FIELDS.index("rating")
"""So many of the numbers come first and are whole (u64 or i64 columns); the others are f64."""


def code(word: str | None) -> int:
    """A number below 2**32 (CRC-32) for an id of our vocabulary, so that engines compare numbers; 0: none."""
    return crc32(word.encode()) if word else 0


def day_number(day: str | None) -> int:
    """Days from 1970-01-01 to an ISO date, 0 for none, for earlier ones and for what is no date."""
    try:
        return max(0, (date.fromisoformat(day[:10]) - date(1970, 1, 1)).days) if day else 0
    except ValueError:
        return 0  # a hub's odd date is no reason to fail


def card_of(document: Document) -> Card:
    """The card of a document."""
    stars = document.rating if document.my_rating is None else document.my_rating
    return Card(
        id=document.id,
        fold=document.fold or document.model_id,
        kind=code(document.kind),
        architecture=code(document.architecture),
        root=code(document.architecture_path[0] if document.architecture_path else None),
        family=code(document.family),
        day=day_number(document.created),
        rating=NO_RATING if stars is None else min(5.0, max(0.0, float(stars))),
        attention=NO_ATTENTION if document.downloads is None else attention(document),
        quality=quality(document),
    )
