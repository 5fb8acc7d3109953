"""How much use an entry gets, from counts that can be bought or farmed."""

from math import log1p

from indexer.domain.records import Document

__all__ = ["attention"]


def attention(document: Document) -> float:
    """Logarithm of downloads."""
    return log1p(max(0, document.downloads or 0))
