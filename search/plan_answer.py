"""A finished plan: items, totals, sizes, licences; as plain JSON data, the same for the same catalog."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.records import Document
from search.plan import ACTIONS, Candidate, to_json
from search.plan_fit import Target

__all__ = ["Item", "Plan"]


@dataclass(frozen=True, slots=True)
class Item:
    """One model and what happens to it. ``document`` is None for a name that the catalog does not know, then
    ``name`` and ``kind`` are as it was named."""

    name: str
    kind: str
    action: str
    reasons: tuple[str, ...]
    document: Document | None = None
    candidates: tuple[Candidate, ...] = ()
    conversion: str | None = None
    licence_change: Mapping[str, Any] | None = None
    retrain: Mapping[str, Any] | None = None
    weight: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data, the public contract's names first."""
        document = self.document
        told: dict[str, Any] = {
            "id": document.id if document else None,
            "name": self.name,
            "action": self.action,
            "reasons": list(self.reasons),
            "candidates": [to_json(candidate) for candidate in self.candidates],
            "licence_change": self.licence_change,
            "retrain": self.retrain,
            "conversion": self.conversion,
            "kind": self.kind,
        }
        if document is not None:
            told |= {
                "version": document.version,
                "architecture": document.architecture,
                "family": document.family,
                "category": document.category,
                "size": document.size,
                "licence": document.licence,
                "files": [file.path for file in document.files],
                "preview": document.preview_id,
            }
        if self.weight is not None:
            told["weight"] = self.weight
        return told


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a move. ``hidden`` entries were left out; ``hidden_by`` says why, a count each.

    ``licence`` is the target's own, ``base_licence`` what changes by the bases alone; ``changes`` what
    changed since an earlier plan.
    """

    target: Target
    source: str | None
    query: str
    items: Sequence[Item]
    hidden: int = 0
    hidden_by: Mapping[str, int] = field(default_factory=dict)
    licence: Mapping[str, Any] | None = None
    base_licence: Mapping[str, Any] | None = None
    notes: Sequence[str] = ()
    changes: Sequence[Mapping[str, Any]] | None = None

    @property
    def totals(self) -> dict[str, int]:
        """Action -> models."""
        counts = Counter(item.action for item in self.items)
        return {action: counts[action] for action in ACTIONS}

    @property
    def sizes(self) -> dict[str, Any]:
        """Bytes: of the models by action; of the first candidates that are not in the library, each once
        (``unknown_downloads``: of so many nobody tells the size)."""
        kept = Counter[str]()
        wanted: dict[int, int | None] = {}
        for item in self.items:
            kept[item.action] += (item.document.size or 0) if item.document else 0
            if item.action in ("update", "replace") and item.candidates:
                first = item.candidates[0].document
                if "local" not in first.flags:
                    wanted[first.id] = first.size
        return {
            "library": {action: kept[action] for action in ACTIONS},
            "download": sum(size or 0 for size in wanted.values()),
            "downloads": len(wanted),
            "unknown_downloads": sum(size is None for size in wanted.values()),
        }

    @property
    def cost(self) -> dict[str, Any] | None:
        """GPU hours and money of all adapters to be trained anew, lowest and highest; None where none is."""
        plans = [item.retrain for item in self.items if item.retrain and item.retrain["sort"] == "adapter"]
        rows = [plan["cost_range"] for plan in plans if plan["cost_range"]]
        if not rows:
            return None
        return {
            "models": len(rows),
            "gpu_hours": [round(sum(row["gpu_hours"][end] for row in rows), 2) for end in (0, 1)],
            "money": [round(sum(row["money"][end] for row in rows), 2) for end in (0, 1)],
            "currency": rows[0]["currency"],
        }

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data; no times, so that two plans of one catalog are the same bytes."""
        told: dict[str, Any] = {
            "to": self.target.architecture,
            "to_family": self.target.family,
            "to_title": self.target.title,
            "from": self.source,
            "query": self.query,
            "totals": self.totals,
            "sizes": self.sizes,
            "cost": self.cost,
            "licence": self.licence,
            "licence_change": self.base_licence,
            "licence_changes": sum(item.licence_change is not None for item in self.items),
            "hidden": self.hidden,
            "hidden_by": dict(self.hidden_by),
            "notes": list(self.notes),
            "items": [item.to_json() for item in self.items],
        }
        return told if self.changes is None else told | {"changes": list(self.changes)}
