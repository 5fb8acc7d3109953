"""What ranking needs of an entry without loading its document: numbers that engines keep as columns.

A thousand candidates are weighed by their cards; only the documents of one page are read from the catalog.
"""

from dataclasses import dataclass
from datetime import date
from zlib import crc32

from indexer.domain.popularity import attention
from indexer.domain.quality import quality
from indexer.domain.records import Document

__all__ = ["NO_RATING", "Card", "architecture_code", "card_of"]

NO_RATING = -1.0


@dataclass(frozen=True, slots=True)
class Card:
    """``fold`` is the same for entries that make one hit. ``architecture`` and ``root`` are codes of
    ``architecture_code``, 0 unknown. ``day`` counts from 1970-01-01, 0 unknown. ``rating`` is a lower bound
    in stars 0..5, ``NO_RATING`` without any. ``attention`` is a logarithm of trusted use, ``quality`` 0..1.
    """

    id: int
    fold: int
    architecture: int = 0
    root: int = 0
    day: int = 0
    rating: float = NO_RATING
    attention: float = 0.0
    quality: float = 0.0


def architecture_code(architecture: str | None) -> int:
    """A number (CRC-32 of its id) for an architecture, so that engines compare numbers; 0: none."""
    return crc32(architecture.encode()) if architecture else 0


def card_of(document: Document) -> Card:
    """The card of a document."""
    return Card(
        id=document.id,
        fold=document.fold or document.model_id,
        architecture=architecture_code(document.architecture),
        root=architecture_code(document.architecture_path[0] if document.architecture_path else None),
        day=_day_number(document.created),
        rating=NO_RATING if document.rating is None else document.rating,
        attention=attention(document),
        quality=quality(document),
    )


def _day_number(day: str | None) -> int:
    try:
        return (date.fromisoformat(day[:10]) - date(1970, 1, 1)).days if day else 0
    except ValueError:
        return 0  # a hub's odd date is no reason to fail
