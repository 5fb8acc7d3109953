"""Which entries could be meant? Candidates from the text index and from pictures, before ranking."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, AnyOf, Filter, keyword, values_of
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex, TextQuery
from search.query import ParsedQuery
from search.ranking import load_weights

__all__ = [
    "RANKED",
    "Candidates",
    "alike",
    "flags_asked",
    "hidden_total",
    "is_everything",
    "joined",
    "text_candidates",
]

RANKED = 1_000
"""So many best matches are ranked by all signals; beyond them the engine's own order stands."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Entry ids in the engine's order. ``scores`` are raw text scores, empty without words.

    ``offset`` is the place of the first id in the whole answer; ``rankable`` tells whether ``ids`` holds all
    that ranking may reorder.
    """

    ids: Sequence[int]
    total: int
    scores: Sequence[float] = ()
    offset: int = 0
    rankable: bool = True
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    best: float | None = None

    @property
    def scored(self) -> bool:
        """Whether words gave scores."""
        return bool(self.scores)

    def text_score(self, place: int) -> float:
        """The text score at a place, 0..1 relative to the best match."""
        best = self.scores[0] if self.best is None else self.best  # the engine answers best first
        return self.scores[place] / best if best > 0 else 0.0

    @classmethod
    def from_scores(cls, looked: Mapping[int, float]) -> "Candidates":
        """Candidates that pictures alone gave, best first, ties by id."""
        ids = sorted(looked, key=lambda id_: (-looked[id_], id_))
        return cls(ids, len(ids))


def alike(
    looked: Mapping[str, Mapping[int, float]], cut_offs: Mapping[str, float], least: float | None
) -> dict[int, float]:
    """Entries that may be called similar: mean score over the ways of looking, an entry one way did not bring
    counting 0 there. ``least`` overrules the mean of the ``cut_offs``."""
    bound = sum(cut_offs.values()) / len(cut_offs) if least is None else least
    ids = {id_ for scores in looked.values() for id_ in scores}
    means = {id_: sum(s.get(id_, 0.0) for s in looked.values()) / len(looked) for id_ in ids}
    return {id_: mean for id_, mean in means.items() if mean >= bound}


def joined(found: Candidates, documents: Sequence[Document]) -> Candidates:
    """``found`` and entries that only pictures brought: counted in the total and in the facets."""
    more = {name: Counter(counts) for name, counts in found.facets.items()}
    for document in documents:
        for name, counts in more.items():
            counts.update({keyword(str(value)) for value in values_of(document, FIELDS[name])})
    return replace(
        found,
        ids=(*found.ids, *(document.id for document in documents)),
        scores=(*found.scores, *(0.0 for _ in documents)),
        total=found.total + len(documents),
        facets={name: dict(counts.most_common()) for name, counts in more.items()},
    )


def text_candidates(
    text: TextIndex,
    parsed: ParsedQuery,
    where: Filter,
    order: str | None,
    limit: int,
    offset: int,
    facets: Sequence[str],
) -> Candidates:
    """Candidates by words and filter, in ``order`` (None: by relevance)."""
    query = TextQuery(parsed.terms, parsed.phrases, where, load_weights().fields, order)
    ranked = order is None and offset + limit <= RANKED
    start, count = (0, RANKED) if ranked else (offset, limit)
    found = text.search(query, count, facets, start)
    scored = order is None and bool(parsed.terms or parsed.phrases)
    return Candidates(found.ids, found.total, found.scores if scored else (), start, ranked, found.facets)


def hidden_total(text: TextIndex, parsed: ParsedQuery, kept_back: Sequence[str]) -> int:
    """How many matches the given flags (``adult`` …) keep back."""
    if not kept_back:
        return 0
    where = And((parsed.where, AnyOf(FIELDS["is"], tuple(kept_back))))
    return text.search(TextQuery(parsed.terms, parsed.phrases, where), 1).total


def flags_asked(node: Filter) -> set[str]:
    """The ``is:`` flags that a filter asks for anywhere, also inside NOT: the user spoke of them."""
    if isinstance(node, AnyOf):
        return set(node.values) if node.field.name == "is" else set()
    children = getattr(node, "nodes", None) or ((node.node,) if hasattr(node, "node") else ())
    return {flag for child in children for flag in flags_asked(child)}


def is_everything(node: Filter) -> bool:
    """Whether a filter surely lets everything pass."""
    return node == ALL or (isinstance(node, And) and all(is_everything(child) for child in node.nodes))
