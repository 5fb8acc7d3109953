"""The orders in which answers can be asked for, as every engine must give them: the slow and right answer."""

from collections.abc import Iterable

from indexer.domain.cards import day_number
from indexer.domain.records import Document
from indexer.domain.text import fold

__all__ = ["MAX_SHUFFLED", "shuffled", "sort_key"]

MAX_SHUFFLED = 100_000
"""So many matches are put into random order; of more, the engine's first ones."""

_BITS = (1 << 64) - 1


def sort_key(document: Document, order: str, seed: int = 0) -> tuple[float | str, ...]:
    """What to sort by, ascending: largest or newest first (``name``: by its folded text), entries that do
    not have the value last, ties by id. Raises ``ValueError`` for an order that nobody knows.
    """
    if order == "name":
        return (fold(document.name), document.id)
    if order == "random":
        return (_mixed(_mixed(seed) ^ document.id), document.id)
    value = _value(document, order)
    return (value is None, -(value or 0.0), document.id)


def _value(document: Document, order: str) -> float | None:
    match order:
        case "newest":
            return day_number(document.created) or None
        case "updated":
            return day_number(document.updated) or None
        case "rating":
            return document.rating
        case "downloads":
            return document.downloads
        case "size":
            return document.size
        case _:
            raise ValueError(f"No order is called {order!r}; indexes.text.ORDERS lists them.")


def shuffled(ids: Iterable[int], seed: int) -> list[int]:
    """Ids in an order that looks random and follows from the seed and the ids alone: not from their order
    here, nor from which others there are, so that pages and narrower queries agree."""
    start = _mixed(seed)
    return [id_ for _, id_ in sorted((_mixed(start ^ id_), id_) for id_ in ids)]


def _mixed(bits: int) -> int:
    """64 well mixed bits (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    bits = (bits + 0x9E3779B97F4A7C15) & _BITS
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _BITS
    return bits ^ (bits >> 31)
