"""What a model is for, from the words people tagged it with (``data/categories.toml``)."""

from collections.abc import Iterable
from functools import cache

from indexer.domain.filters import keyword
from indexer.domain.vocabulary import read_table

__all__ = ["categories", "category_of"]


@cache
def _rows() -> tuple[tuple[str, frozenset[str]], ...]:
    rows = read_table("categories.toml")["category"]
    return tuple((row["id"], frozenset(row["tags"])) for row in rows)


def categories() -> tuple[str, ...]:
    """All ids, in order of precedence."""
    return tuple(id_ for id_, _ in _rows())


def category_of(tags: Iterable[str]) -> str | None:
    """The category that the tags speak of, or None."""
    folded = {keyword(tag) for tag in tags}
    return next((id_ for id_, words in _rows() if folded & words), None)
