"""What search needs of a text engine: one protocol for tantivy and Meilisearch, and what goes in and out."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from indexer.domain.cards import Card
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.filters import ALL, Filter
from indexer.domain.records import Document

__all__ = [
    "COMPARED",
    "EXACT_FACETS",
    "ORDERS",
    "RefusedDocument",
    "TextHits",
    "TextIndex",
    "TextQuery",
    "TextWriter",
]

ORDERS = ("newest", "updated", "rating", "downloads", "size", "name", "random")
"""What answers can be ordered by instead of their score."""

COMPARED = 100
"""So many of the first hits come with evidence."""

EXACT_FACETS = 10_000
"""Facet counts are exact up to so many matches; beyond they may be estimates, and say so."""


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What to look for: folded ``terms`` and ``phrases``, narrowed by ``where``.

    ``weights`` gives each searched field's weight by the field's ``weight`` name. ``order`` is one of
    ``ORDERS`` but ``random`` (largest first, ``name`` ascending); None: by score, and newest first where
    there is none. ``typing``: the last term may be unfinished.
    """

    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    where: Filter = ALL
    weights: Mapping[str, float] | None = None
    order: str | None = None
    typing: bool = False

    @property
    def spoken(self) -> bool:
        """Whether there are words to rank by."""
        return bool(self.terms or self.phrases)


@dataclass(frozen=True, slots=True)
class TextHits:
    """Ids best first with their scores 0..1 and cards, the number of all matches, and facet counts.

    ``estimated``: ``total`` or ``facets`` are estimates. ``evidence`` is what ``search.relevance`` compares
    the first hits by, where the query has words and no order.
    """

    ids: tuple[int, ...]
    scores: tuple[float, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    cards: tuple[Card, ...] = ()
    estimated: bool = False
    evidence: Evidence = NO_EVIDENCE


@dataclass(frozen=True, slots=True)
class RefusedDocument:
    """A document that an engine would not take; ``code`` is the engine's own."""

    id: int
    code: str
    message: str


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

    @property
    def refused(self) -> Sequence[RefusedDocument]:
        """Documents that were not taken since this object was made; their neighbours were."""

    def count(self) -> int:
        """How many documents the index holds."""

    def writing(self) -> AbstractContextManager[TextWriter]:
        """Write a batch; all of it is committed at the end, or nothing when it fails."""

    def complete(self) -> None:
        """All entries are in; what was built aside, if anything, is searched from now on."""

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """The best matches; with no terms and phrases, those that pass ``where``, newest first. Ties are
        broken by id, so that pages are stable."""

    def matching(self, where: Filter, limit: int) -> list[int]:
        """Ids that pass a filter, at most ``limit``."""
