"""The orders in which answers can be asked for, as every engine must give them: the slow and right answer."""

from collections.abc import Iterable
from zlib import crc32

from indexer.domain.cards import day_number
from indexer.domain.records import Document
from indexer.domain.text import fold

__all__ = ["SAMPLES", "draw_of", "sample_of", "sample_order", "shuffled", "sort_key"]

SAMPLES = 256
"""Entries fall into so many samples of about the same size: for estimates, and for random orders, which go
through them one after the other, so that a page of a million entries takes no look at all of them."""

_BITS = (1 << 64) - 1


def sort_key(document: Document, order: str, seed: int = 0) -> tuple[float | str, ...]:
    """What to sort by, ascending: largest or newest first (``name``: by its folded text), entries that do
    not have the value last, ties by id. Raises ``ValueError`` for an order that nobody knows.
    """
    if order == "name":
        return (fold(document.name), document.id)
    if order == "random":
        return _random_key(document.id, seed)
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
    return sorted(ids, key=lambda id_: _random_key(id_, seed))


def sample_of(id_: int) -> int:
    """The sample that an entry falls into, 0 to ``SAMPLES`` - 1."""
    return draw_of(id_) % SAMPLES


def draw_of(id_: int) -> int:
    """A number of 32 bits that looks random and follows from the id alone."""
    return crc32((int(id_) & _BITS).to_bytes(8, "little"))


def sample_order(seed: int) -> list[int]:
    """The samples in the order in which a random order goes through them."""
    start = _mixed(seed)
    return sorted(range(SAMPLES), key=lambda sample: _mixed(start ^ ~sample & _BITS))


def _random_key(id_: int, seed: int) -> tuple[int, int, int]:
    start = _mixed(seed)
    return (_mixed(start ^ ~sample_of(id_) & _BITS), _mixed(start ^ id_), id_)


def _mixed(bits: int) -> int:
    """64 well mixed bits (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    bits = (bits + 0x9E3779B97F4A7C15) & _BITS
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _BITS
    return bits ^ (bits >> 31)
