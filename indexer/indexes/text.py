"""What search needs of a text engine: one protocol for tantivy and Meilisearch, and what goes in and out."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from indexer.domain.cards import Card
from indexer.domain.filters import ALL, Filter
from indexer.domain.records import Document

__all__ = ["EXACT_FACETS", "ORDERS", "TextHits", "TextIndex", "TextQuery", "TextWriter"]

ORDERS = ("newest", "updated", "rating", "downloads", "size", "name", "random")
"""What answers can be ordered by instead of their score."""

EXACT_FACETS = 10_000
"""Facet counts are exact up to so many matches; beyond they may be estimates, and say so."""


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What to look for: folded ``terms`` and ``phrases``, narrowed by ``where``.

    ``weights`` gives each searched field's weight by the field's ``weight`` name. ``order`` is one of
    ``ORDERS`` (largest first, ``name`` ascending, ``random`` by ``seed``); None: by score, and newest first
    where there is none. ``typing``: the last term may be unfinished.
    """

    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    where: Filter = ALL
    weights: Mapping[str, float] | None = None
    order: str | None = None
    typing: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TextHits:
    """Ids best first with their scores 0..1 and cards, the number of all matches, and facet counts.

    ``estimated``: ``total`` or ``facets`` are estimates.
    """

    ids: tuple[int, ...]
    scores: tuple[float, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    cards: tuple[Card, ...] = ()
    estimated: bool = False


class TextWriter(Protocol):
    """Puts documents into an index."""

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents."""

    def delete(self, ids: Iterable[int]) -> None:
        """Take documents out; unknown ids are no fault."""


class TextIndex(Protocol):
    """A text engine. Disposable: filled again from the catalog when it is started anew."""

    @property
    def generation(self) -> str:
        """Changes when the index is started anew; a catalog that knows another fills it again."""

    def count(self) -> int:
        """How many documents the index holds."""

    def writing(self) -> AbstractContextManager[TextWriter]:
        """Write a batch; all of it is committed at the end, or nothing when it fails."""

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """The best matches; with no terms and phrases, those that pass ``where``, newest first. Ties are
        broken by id, so that pages are stable."""

    def matching(self, where: Filter, limit: int) -> list[int]:
        """Ids that pass a filter, at most ``limit``."""
