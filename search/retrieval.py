"""Which entries could be meant? Candidates from the text index and from pictures, before ranking."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.domain.cards import Card, card_of
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, Filter, keyword, values_of
from indexer.domain.ordering import MAX_SHUFFLED
from indexer.domain.records import Document
from indexer.indexes.text import TextHits, TextIndex, TextQuery
from search.query import ParsedQuery
from search.ranking import load_weights
from search.relevance import text_scores
from search.shuffling import shuffled_ids

__all__ = [
    "RANKED",
    "Candidates",
    "Span",
    "alike",
    "is_everything",
    "joined",
    "shuffled_candidates",
    "text_candidates",
]

RANKED = 500
"""So many best matches are ranked by all signals; beyond them the engine's own order stands."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cards of entries in the engine's order, with what was found out about them: signal -> id -> 0..1.

    ``total`` counts all matches, ``estimated`` tells that it or ``facets`` is an estimate. ``offset`` is the
    place of the first card in the whole answer; ``rankable`` tells whether ``cards`` holds all that ranking
    may reorder.
    """

    cards: Sequence[Card]
    total: int
    signals: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    offset: int = 0
    rankable: bool = True
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    estimated: bool = False

    @property
    def ids(self) -> list[int]:
        """Entry ids, in the engine's order."""
        return [card.id for card in self.cards]


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of an answer is wanted, in what ``order`` (None: by relevance, ``random``: by ``seed``).
    ``typing``: the last word may be unfinished."""

    limit: int
    offset: int = 0
    order: str | None = None
    seed: int = 0
    typing: bool = False


def text_candidates(
    text: TextIndex, parsed: ParsedQuery, where: Filter, span: Span, facets: Sequence[str]
) -> Candidates:
    """Candidates by words and filter. Where the first ``RANKED`` hold the wanted part, all of those."""
    weights = load_weights().fields
    query = TextQuery(parsed.terms, parsed.phrases, where, weights, span.order, span.typing)
    first = span.offset + span.limit <= RANKED
    start, count = (0, RANKED) if first else (span.offset, span.limit)
    found = text.search(query, count, facets, start)
    scored = span.order is None and query.spoken
    signals = {"text": dict(zip(found.ids, _text_scores(query, found), strict=True))} if scored else {}
    ranked = first and span.order is None
    return Candidates(found.cards, found.total, signals, start, ranked, found.facets, found.estimated)


def _text_scores(query: TextQuery, found: TextHits) -> Sequence[float]:
    terms = (*query.terms, *(word for phrase in query.phrases for word in phrase))
    fields = query.weights or load_weights().fields
    return text_scores(terms, found.scores, found.evidence, fields, typing=query.typing)


def shuffled_candidates(
    text: TextIndex, catalog: Catalog, parsed: ParsedQuery, where: Filter, span: Span, facets: Sequence[str]
) -> Candidates:
    """Candidates in an order that looks random. Of more than ``MAX_SHUFFLED`` matches (``RANKED`` with words)
    the engine's first ones."""
    query = TextQuery(parsed.terms, parsed.phrases, where, load_weights().fields)
    found = text.search(query, RANKED if query.spoken else 1, facets)
    ids = found.ids if query.spoken else text.matching(where, MAX_SHUFFLED)
    order = shuffled_ids(ids, span.seed)
    first = span.offset + span.limit <= RANKED
    window = order[:RANKED] if first else order[span.offset :][: span.limit]
    with catalog.read() as session:
        documents = entries.documents(session, window)
    cards = [card_of(documents[id_]) for id_ in window if id_ in documents]
    start = 0 if first else span.offset
    return Candidates(cards, found.total, {}, start, False, found.facets, found.estimated)


def joined(found: Candidates, documents: Sequence[Document]) -> Candidates:
    """``found`` and entries that only pictures brought: counted in the total and in the facets."""
    more = {name: Counter(counts) for name, counts in found.facets.items()}
    for document in documents:
        for name, counts in more.items():
            counts.update({keyword(str(value)) for value in values_of(document, FIELDS[name])})
    return replace(
        found,
        cards=(*found.cards, *(card_of(document) for document in documents)),
        total=found.total + len(documents),
        facets={name: dict(counts.most_common()) for name, counts in more.items()},
    )


def alike(
    looked: Mapping[str, Mapping[int, float]], cut_offs: Mapping[str, float], least: float | None
) -> dict[int, float]:
    """Entries that may be called similar: mean score over the ways of looking, an entry one way did not bring
    counting 0 there. ``least`` overrules the mean of the ``cut_offs``."""
    bound = sum(cut_offs.values()) / len(cut_offs) if least is None else least
    ids = {id_ for scores in looked.values() for id_ in scores}
    means = {id_: sum(s.get(id_, 0.0) for s in looked.values()) / len(looked) for id_ in ids}
    return {id_: mean for id_, mean in means.items() if mean >= bound}


def is_everything(node: Filter) -> bool:
    """Whether a filter surely lets everything pass."""
    return node == ALL or (isinstance(node, And) and all(is_everything(child) for child in node.nodes))
