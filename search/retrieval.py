"""Which entries could be meant? Candidates from the text index and from pictures, before ranking."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from indexer.domain.cards import Card, card_of
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, Filter, keyword, values_of
from indexer.domain.ordering import SAMPLES, sample_order
from indexer.domain.records import Document
from indexer.indexes.text import TextHits, TextIndex, TextQuery
from search.query import ParsedQuery
from search.ranking import load_weights
from search.relevance import text_scores
from search.shuffling import shuffled_places

__all__ = [
    "PASTED",
    "RANKED",
    "Behind",
    "Candidates",
    "Way",
    "alike",
    "is_everything",
    "joined",
    "shuffled_candidates",
    "text_candidates",
]

RANKED = 500
"""So many best matches are ranked by all signals at most, fewer where ``TextIndex.ranked`` says so; beyond
them the engine's own order stands."""

ORDERED = 100
"""So many come at once where an order is asked for; those behind are read as pages reach them."""

TYPED = 40
"""So many are ranked while somebody types: every letter asks anew, and ten are shown."""

PASTED = 200
"""So many come at once for a pasted text: their prompts are compared, which tells more than the engine's
order."""

_SPARE = 1.3
"""So many times what is wanted is fetched in random order, since samples are not of one size."""

MAX_SHUFFLED = 100_000
"""So far down a random order can be followed."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What comes behind the first candidates: ``cards`` tells those of so many places from a place on, in the
    engine's order, of which the first candidates took ``start``."""

    start: int
    cards: Callable[[int, int], Sequence[Card]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cards of the first entries in the engine's order, whichever page is asked for, with what was found out
    about them: signal -> id -> 0..1.

    ``total`` counts all matches, ``estimated`` tells that it or ``facets`` is an estimate. ``rankable`` tells
    whether ranking may reorder ``cards``; ``behind`` brings the others, None: there are none. ``hidden``: how
    many more would match, and by which flags they are kept back; None: not counted yet. ``evidence`` is what
    the engine told of the words.
    """

    cards: Sequence[Card]
    total: int
    signals: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    rankable: bool = True
    behind: Behind | None = None
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    estimated: bool = False
    hidden: tuple[int, Mapping[str, int]] | None = None
    evidence: Evidence = NO_EVIDENCE

    @property
    def ids(self) -> list[int]:
        """Entry ids, in the engine's order."""
        return [card.id for card in self.cards]


@dataclass(frozen=True, slots=True)
class Way:
    """In what ``order`` an answer is wanted (None: by relevance, ``random``: by ``seed``). ``typing``: the
    last word may be unfinished."""

    order: str | None = None
    seed: int = 0
    typing: bool = False


def text_candidates(
    text: TextIndex,
    parsed: ParsedQuery,
    where: Filter,
    way: Way,
    facets: Sequence[str],
    kept_back: tuple[str, ...] = (),
) -> Candidates:
    """Candidates by words and filter, less those with flags that are ``kept_back``, which are counted aside:
    the first ``TextIndex.ranked``; fewer in an order that is asked for, or of a pasted text, unless those are
    all."""
    order, typing = way.order, way.typing
    listed = parsed.listed and not typing
    weights = load_weights().fields
    query = TextQuery(parsed.terms, parsed.phrases, where, weights, order, typing, kept_back, listed)
    most = ORDERED if order is not None else PASTED if query.long else TYPED if typing else text.ranked
    count = min(most, text.ranked)
    found = text.search(query, count, facets)
    if count < found.total <= text.ranked:  # so few that they are counted as hits
        count = text.ranked
        found = text.search(query, count, facets)
    scored = order is None and query.spoken
    signals = {"text": dict(zip(found.ids, _text_scores(query, found), strict=True))} if scored else {}
    behind = Behind(count, lambda start, more: text.search(query, more, (), start).cards)
    return _candidates(
        found,
        found.cards,
        signals=signals,
        rankable=order is None,
        behind=behind if len(found.ids) == count else None,
    )


def _candidates(found: TextHits, cards: Sequence[Card], **more: Any) -> Candidates:
    """Candidates with what an engine counted."""
    hidden = (found.hidden, found.hidden_by)
    more |= {"facets": found.facets, "estimated": found.estimated, "evidence": found.evidence}
    return Candidates(cards, found.total, hidden=hidden, **more)


def _text_scores(query: TextQuery, found: TextHits) -> Sequence[float]:
    terms = (*query.terms, *(word for phrase in query.phrases for word in phrase))
    fields = query.weights or load_weights().fields
    return text_scores(terms, found.scores, found.evidence, fields, typing=query.typing, long=query.long)


def shuffled_candidates(
    text: TextIndex,
    parsed: ParsedQuery,
    where: Filter,
    way: Way,
    facets: Sequence[str],
    kept_back: tuple[str, ...] = (),
) -> Candidates:
    """Candidates in an order that looks random: of the first ``MAX_SHUFFLED``, or with words of the engine's
    first ``TextIndex.ranked`` matches."""
    query = TextQuery(parsed.terms, parsed.phrases, where, load_weights().fields, kept_back=kept_back)
    found = text.search(query, text.ranked if query.spoken else 1, facets)
    if query.spoken:
        return _candidates(found, _shuffled(found.cards, way.seed), rankable=False)

    def cards(start: int, count: int) -> Sequence[Card]:
        some = _some(text, query.shown, way.seed, start + count, found.total)
        return _shuffled(some, way.seed)[start:][:count]

    first = cards(0, text.ranked)
    behind = Behind(len(first), cards) if len(first) == text.ranked else None
    return _candidates(found, first, rankable=False, behind=behind)


def _shuffled(cards: Sequence[Card], seed: int) -> list[Card]:
    return [cards[place] for place in shuffled_places([card.id for card in cards], seed)]


def _some(text: TextIndex, where: Filter, seed: int, wanted: int, total: int) -> Sequence[Card]:
    """Cards of all in the samples that come first, of as many samples as hold ``wanted`` of ``total``."""
    order, cards, asked = sample_order(seed), list[Card](), 0
    wanted = min(wanted, MAX_SHUFFLED)
    while len(cards) < wanted and asked < SAMPLES:
        more = max(1, ceil(SAMPLES * _SPARE * (wanted - len(cards)) / max(1, total)))
        cards += text.sampled(where, order[asked : asked + more], 2 * MAX_SHUFFLED)
        asked += more
    return cards


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
