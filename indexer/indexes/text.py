"""What search needs of a text engine: one protocol for tantivy and Meilisearch, and what goes in and out."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from indexer.domain.cards import Card
from indexer.domain.evidence import LONG, NO_EVIDENCE, Evidence
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, AnyOf, Filter, Not
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
    there is none. ``typing``: the last term may be unfinished. ``kept_back`` are flags of field ``is``:
    entries that have one are no matches, they are counted aside. ``listed``: the words are parts of a list
    with commas.
    """

    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    where: Filter = ALL
    weights: Mapping[str, float] | None = None
    order: str | None = None
    typing: bool = False
    kept_back: tuple[str, ...] = ()
    listed: bool = False

    @property
    def long(self) -> bool:
        """Whether it is a text that was pasted, a prompt for instance, of which any word may match."""
        return self.listed or len(set(self.terms)) >= LONG

    @property
    def shown(self) -> Filter:
        """What matches must pass: ``where``, and none of the flags that keep back."""
        return And((self.where, Not(self.flagged))) if self.kept_back else self.where

    @property
    def aside(self) -> Filter:
        """What those pass that are kept back."""
        return And((self.where, self.flagged))

    @property
    def flagged(self) -> Filter:
        """What those have that are kept back."""
        return AnyOf(FIELDS["is"], self.kept_back)

    @property
    def spoken(self) -> bool:
        """Whether there are words to rank by."""
        return bool(self.terms or self.phrases)


@dataclass(frozen=True, slots=True)
class TextHits:
    """Ids best first with their scores 0..1 and cards, the number of all matches, and facet counts.

    ``estimated``: ``total``, ``facets`` or what is hidden are estimates. ``evidence`` is what
    ``search.relevance`` compares the first hits by, where the query has words and no order. ``hidden``
    entries would match but for ``kept_back``; ``hidden_by`` counts them by flag, one maybe under several.
    """

    ids: tuple[int, ...]
    scores: tuple[float, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    cards: tuple[Card, ...] = ()
    estimated: bool = False
    evidence: Evidence = NO_EVIDENCE
    hidden: int = 0
    hidden_by: Mapping[str, int] = field(default_factory=dict)


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
    def stamp(self) -> str:
        """Another value after every change, at a server that a ledger (``text_ledger``) speaks for; empty for
        an engine that needs none."""

    @property
    def refused(self) -> Sequence[RefusedDocument]:
        """Documents that were not taken since this object was made; their neighbours were."""

    @property
    def ranked(self) -> int:
        """So many of the best matches are worth ranking by all signals; more would take the engine long."""

    def count(self) -> int:
        """How many documents the index holds."""

    def writing(self) -> AbstractContextManager[TextWriter]:
        """Write a batch; all of it is committed at the end, or nothing when it fails."""

    def complete(self) -> None:
        """All entries are in; what was built aside, if anything, is searched from now on."""

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """The best matches; with no terms and phrases, those that pass ``where``, newest first. Ties are
        broken by id, so that pages are stable."""

    def matching(self, where: Filter, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """Ids that pass a filter, at most ``limit``; only those of ``among``, unless None."""

    def ids_of(self, query: TextQuery, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """Ids of those that ``search`` finds, at most ``limit``, in no order; only those of ``among``, unless
        None."""

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """The cards of entries, in no order; unknown ids are left out."""

    def sampled(self, where: Filter, samples: Sequence[int], limit: int) -> Sequence[Card]:
        """Cards of entries that pass a filter and lie in one of these samples (``domain.ordering``), at most
        ``limit``, in no order."""
