"""From candidates to one page of an answer: weighed by their cards, folded, and only then read."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from indexer.catalog import entries
from indexer.catalog.database import Catalog, Session
from indexer.catalog.norms import norms_number, read_norms
from indexer.domain.cards import Card
from indexer.domain.norms import NO_NORMS, Norms
from indexer.domain.records import Document
from search.answers import Answer, Hit
from search.explain import Asked
from search.paging import page_behind
from search.query import ParsedQuery
from search.ranking import Scored, Wanted, Weights, fold_hits, load_weights, score_of, weigh
from search.retrieval import Candidates

__all__ = ["Answering", "Page", "page_of"]


@dataclass(frozen=True, slots=True)
class Page:
    """Which hits to show, and for whom: ``wanted`` is the base that the user has, None any."""

    limit: int
    offset: int
    wanted: Wanted | None = None
    described: bool = False
    """Pictures answer words, which counts less than a picture that was shown."""
    versions: bool = False
    """Each version is a hit of its own, instead of one for its model."""


class Answering:
    """Makes answers of candidates; remembers the norms of popularity while they stay the same."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._lock = threading.Lock()
        self._norms: tuple[int, Norms] = (0, NO_NORMS)

    def answer(
        self,
        parsed: ParsedQuery,
        found: Candidates,
        page: Page,
        hidden: tuple[int, Mapping[str, int]],
        started: float,
        **query: Any,
    ) -> Answer:
        """One page of the answer. ``query`` is told back; ``started`` is what ``perf_counter`` said."""
        with self.catalog.read() as session:  # one, since opening one takes as long as reading
            asked = Asked(_words(parsed), page.wanted, self._current_norms(session), _today())
            shown, total = page_of(found, page, asked)
            documents = entries.documents(session, [place.card.id for place in shown])
        told: dict[str, Any] = {"text": parsed.text, "filters": list(parsed.filters)}
        told |= {"limit": page.limit, "offset": page.offset} | _base_told(page.wanted)
        return Answer(
            query=told | {name: value for name, value in query.items() if value is not None},
            total=total,
            matches=found.total,
            estimated=found.estimated,
            hidden=hidden[0],
            hidden_by=hidden[1],
            took_ms=round((time.perf_counter() - started) * 1000, 2),
            hits=_hits(shown, documents, found, page, asked),
            facets=found.facets,
            notes=parsed.notes,
        )

    def _current_norms(self, session: Session) -> Norms:
        number = norms_number(session)
        with self._lock:
            kept = self._norms
        if kept[0] == number:
            return kept[1]
        norms = read_norms(session)
        with self._lock:
            self._norms = (number, norms)
        return norms


def page_of(found: Candidates, page: Page, asked: Asked) -> tuple[Sequence[Scored], int]:
    """The places of a page, each fold on one page only, and how many there are on all pages: the same on each
    of them. Once all matches are among the candidates their folds are counted; before, matches are the best
    guess."""
    first = _places(found, page, asked)
    total = found.total - len(found.cards) + len(first)
    behind, end = found.behind, page.offset + page.limit
    if behind is None or end <= len(first):
        return first[page.offset : end], total

    def cards(start: int, count: int) -> Sequence[Card]:
        return _folding(behind.cards(start, count), page)

    return page_behind(first, behind.start, cards, page.offset, page.limit), total


def _hits(
    shown: Sequence[Scored],
    documents: Mapping[int, Document],
    found: Candidates,
    page: Page,
    asked: Asked,
) -> tuple[Hit, ...]:
    """Hits with their scores. An index is a moment behind the catalog: what is gone there is left out."""
    weights = _weights(page)
    known = [(place, documents[place.card.id]) for place in shown if place.card.id in documents]
    today, norms = asked.today or _today(), asked.norms
    return tuple(
        Hit(
            document,
            score_of(place.card, found.signals, page.wanted, today, weights, norms),
            place.also,
            asked,
        )
        for place, document in known
    )


def _places(found: Candidates, page: Page, asked: Asked) -> list[Scored]:
    """Cards by falling score, or as the engine ordered them; those of one fold at one place."""
    cards = _folding(found.cards, page)
    if not found.rankable:
        return fold_hits((card, 0.0) for card in cards)
    today = asked.today or _today()
    return weigh(cards, found.signals, page.wanted, today, _weights(page), asked.norms)


def _folding(cards: Sequence[Card], page: Page) -> Sequence[Card]:
    return [card._replace(fold=card.id) for card in cards] if page.versions else cards


def _base_told(wanted: Wanted | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    return {"base": wanted.architecture} | ({"family": wanted.family} if wanted.family else {})


def _weights(page: Page) -> Weights:
    weights = load_weights()
    if not page.described:
        return weights
    return replace(weights, signals={**weights.signals, "semantic": weights.numbers["described"]})


def _words(parsed: ParsedQuery) -> tuple[str, ...]:
    return (*parsed.terms, *(word for phrase in parsed.phrases for word in phrase))


def _today() -> date:
    return datetime.now(UTC).date()
