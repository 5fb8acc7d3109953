"""What a model is for, from the words people tagged it with (``data/categories.toml``)."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources

from indexer.domain.filters import keyword

__all__ = ["categories", "category_of"]


@cache
def _rows() -> tuple[tuple[str, frozenset[str]], ...]:
    text = resources.files("indexer.data").joinpath("categories.toml").read_text("utf-8")
    return tuple((row["id"], frozenset(row["tags"])) for row in tomllib.loads(text)["category"])


def categories() -> tuple[str, ...]:
    """All ids, in order of precedence."""
    return tuple(id_ for id_, _ in _rows())


def category_of(tags: Iterable[str]) -> str | None:
    """The category that the tags speak of, or None."""
    folded = {keyword(tag) for tag in tags}
    return next((id_ for id_, words in _rows() if folded & words), None)
