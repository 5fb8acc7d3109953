"""The shapes of answers: what the command, the API and the page all show. See the public contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.records import Document
from search.explain import NOBODY, Asked, Part
from search.ranking import Score

__all__ = ["Answer", "Hit", "hidden_reasons", "hidden_told"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry of an answer, with the reasons for its place. ``also`` are ids of entries that it stands for:
    other versions of its model and near-duplicates, best first. ``asked`` is what it answers."""

    document: Document
    score: Score
    also: tuple[int, ...] = ()
    asked: Asked = NOBODY

    def explain(self) -> str:
        """Why it stands where it stands, as a sentence."""
        return self.score.explain(self.document, self.asked)

    def short(self) -> str:
        """The two or three things that say most."""
        return self.score.short(self.document, self.asked)

    def parts(self) -> tuple[Part, ...]:
        """Each signal, what it adds to the score and what that means."""
        return self.score.parts(self.document, self.asked)

    def to_json(self) -> dict[str, Any]:
        """The hit as the public contract spells it; ``preview`` is a path on the API's server."""
        doc = self.document
        return {
            "id": doc.id,
            "sources": [{"source": s.source, "id": s.id, "url": s.url} for s in doc.sources],
            "name": doc.name,
            "version": doc.version,
            "kind": doc.kind,
            "architecture": doc.architecture,
            "family": doc.family,
            "base_label": doc.base_label,
            "category": doc.category,
            "creator": doc.creator,
            "tags": list(doc.tags),
            "trigger_words": list(doc.trigger_words),
            "rating": doc.rating,
            "downloads": doc.downloads,
            "nsfw_level": doc.nsfw_level,
            "licence": doc.licence,
            "preview": None if doc.preview_id is None else f"/api/previews/{doc.preview_id}",
            "files": [{"path": f.path, "sha256": f.sha256} for f in doc.files],
            "score": self.score.value,
            "signals": {n: {"value": round(v, 6), "weight": w} for n, (v, w) in self.score.signals.items()},
            "also": list(self.also),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits best first. ``total`` counts hits on all pages, ``matches`` and ``facets`` the versions behind
    them; ``estimated`` tells that these are estimates. ``hidden`` counts versions kept back by default,
    ``hidden_by`` how many for each reason; one may have several."""

    query: Mapping[str, Any]
    total: int
    hidden: int
    took_ms: float
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    hidden_by: Mapping[str, int] = field(default_factory=dict)
    matches: int = 0
    estimated: bool = False

    def to_json(self) -> dict[str, Any]:
        """The answer as the public contract spells it."""
        return {
            "query": dict(self.query),
            "total": self.total,
            "matches": self.matches,
            "estimated": self.estimated,
            "hidden": self.hidden,
            "hidden_by": dict(self.hidden_by),
            "took_ms": self.took_ms,
            "facets": {name: dict(counts) for name, counts in self.facets.items()},
            "hits": [hit.to_json() for hit in self.hits],
            "notes": list(self.notes),
        }


def hidden_reasons(hidden_by: Mapping[str, int]) -> str:
    """How many are kept back for each reason, for people."""
    counted = [(hidden_by[reason], told) for reason, told in _REASONS.items() if hidden_by.get(reason)]
    return ", ".join(f"{count:,} {told}" for count, told in counted)


_REASONS = {"adult": "adult", "real_person": "of real persons", "minor": "flagged as showing minors"}


def hidden_told(hidden: int, hidden_by: Mapping[str, int]) -> str:
    """What is kept back, and how to see it, for people; empty when nothing is.

    >>> hidden_told(12, {"adult": 9, "real_person": 3})
    '12 hidden (9 adult, 3 of real persons; add is:adult,real_person to see them)'
    """
    if not hidden:
        return ""
    counted = {reason: hidden_by[reason] for reason in _REASONS if hidden_by.get(reason)}
    told = hidden_reasons(counted)
    ask = f"add is:{','.join(counted or ('adult', 'real_person'))} to see them"
    return f"{hidden:,} hidden ({told}; {ask})" if told else f"{hidden:,} hidden ({ask})"
