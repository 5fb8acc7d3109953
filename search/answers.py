"""The shapes of answers: what the command, the API and the page all show. See the public contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.records import Document
from search.ranking import Score

__all__ = ["Answer", "Hit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry of an answer, with the reasons for its place."""

    document: Document
    score: Score

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
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits best first. ``total`` counts all matches, ``hidden`` those kept back by default."""

    query: Mapping[str, Any]
    total: int
    hidden: int
    took_ms: float
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as the public contract spells it."""
        return {
            "query": dict(self.query),
            "total": self.total,
            "hidden": self.hidden,
            "took_ms": self.took_ms,
            "facets": {name: dict(counts) for name, counts in self.facets.items()},
            "hits": [hit.to_json() for hit in self.hits],
            "notes": list(self.notes),
        }
