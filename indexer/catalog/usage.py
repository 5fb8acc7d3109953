"""What pictures tell of a model: what it is used with, how strongly, with which settings and words.

Only the newest records that use it count, so that a model in a million pictures costs no more than one in a
few thousand. A name that is linked to no version of ours still counts, under the name that pictures give it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.entries import documents
from indexer.catalog.generation_schema import GenerationRecord, ResourceUse
from indexer.domain.records import Document

__all__ = ["MOST_RECORDS", "version_usage"]

MOST_RECORDS = 5_000
_MOST_USES = 50_000
_FEWEST = 3
"""Fewer records recommend no weight."""
_PARTNERS = 10
_CANDIDATES = 200
_WORDS = 20
_LOW, _HIGH = 0.1, 0.9
_SETTINGS = ("sampler", "scheduler", "steps", "cfg")
_WHOLE_MODELS = ("checkpoint", "diffusion_model")


@dataclass(slots=True)
class _Partner:
    """A model used beside ours, in so many ``records``; ``beside``: our model's weights there."""

    version_id: int | None
    kind: str
    name: str
    records: set[int] = field(default_factory=set)
    weights: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)


def version_usage(
    session: Session,
    document: Document,
    claims: Iterable[Mapping[str, Any]] = (),
    kept_back: Collection[str] = frozenset(),
) -> dict[str, Any]:
    """How pictures use a version, as plain JSON data; empty where none does.

    ``{records, bounded, weight, claimed_weight, settings {NAME: {value, share}}, trigger_words [{word,
    share}], together [{id, name, kind, records, share, weight, beside}]}``; settings are sampler, scheduler,
    steps, cfg and size. A weight is ``{median, low, high, records}``, ``low`` and ``high`` the 10th and 90th
    percentile; ``beside`` is this version's own weight in those pictures. Entries hidden for a reason in
    ``kept_back`` are left out.
    """
    ids = _record_ids(session, document.id)
    if not ids:
        return {}
    newest = _newest(document.id).subquery()
    own, partners = _uses(session, newest, document.id)
    heard = _Heard(document.trigger_words[:_WORDS])
    heard.read(session, newest)
    weights = [weight for values in own.values() for weight in values]
    return {
        "records": len(ids),
        "bounded": len(ids) == MOST_RECORDS,
        "weight": _spread(weights) if len(weights) >= _FEWEST else None,
        "claimed_weight": _claimed(claims),
        "settings": heard.settings(),
        "trigger_words": heard.spoken(),
        "together": list(_told(session, partners, len(ids), kept_back)),
    }


def _newest(version_id: int) -> Any:
    return (
        select(ResourceUse.record_id)
        .where(ResourceUse.version_id == version_id)
        .distinct()
        .order_by(ResourceUse.record_id.desc())
        .limit(MOST_RECORDS)
    )


def _record_ids(session: Session, version_id: int) -> list[int]:
    return list(session.scalars(_newest(version_id)))


def _uses(
    session: Session, newest: Any, version_id: int
) -> tuple[dict[int, list[float]], Collection[_Partner]]:
    """Our own weights by record, and every model beside ours."""
    rows = session.execute(
        select(
            ResourceUse.record_id,
            ResourceUse.version_id,
            ResourceUse.kind,
            ResourceUse.name,
            ResourceUse.stem,
            ResourceUse.hub_version,
            ResourceUse.weight,
        )
        .join(newest, newest.c.record_id == ResourceUse.record_id)
        .limit(_MOST_USES)
    )
    own: dict[int, list[float]] = {}
    partners: dict[Any, _Partner] = {}
    for record_id, other, kind, name, stem, hub_version, weight in rows:
        if other == version_id:
            own.setdefault(record_id, []).extend(() if weight is None else (weight,))
        elif other is not None or stem or hub_version:
            shown = name or f"Civitai version {hub_version}"
            partner = partners.setdefault(other or (kind, stem or hub_version), _Partner(other, kind, shown))
            partner.records.add(record_id)
            partner.weights.extend(() if weight is None else (weight,))
    for partner in partners.values():
        partner.beside = [weight for id_ in partner.records for weight in own.get(id_, ())]
    return own, partners.values()


def _told(
    session: Session, partners: Collection[_Partner], total: int, kept_back: Collection[str]
) -> Iterator[dict[str, Any]]:
    """The most frequent partners: so many whole models, then so many others."""
    ranked = sorted(partners, key=_place)[:_CANDIDATES]
    known = documents(session, [p.version_id for p in ranked if p.version_id is not None])
    left = {True: _PARTNERS, False: _PARTNERS}
    rows = []
    for partner in ranked:
        document = known.get(partner.version_id or 0)
        if document is not None and set(document.hidden) & set(kept_back):
            continue
        kind = document.kind if document is not None and document.kind != "unknown" else partner.kind
        whole = kind in _WHOLE_MODELS
        if left[whole]:
            left[whole] -= 1
            rows.append((not whole, _partner(partner, document, kind, total)))
    yield from (row for _, row in sorted(rows, key=lambda pair: pair[0]))


def _place(partner: _Partner) -> tuple[Any, ...]:
    """The most frequent first, of equals those we know."""
    return -len(partner.records), partner.version_id is None, partner.name, partner.version_id or 0


def _partner(partner: _Partner, document: Document | None, kind: str, total: int) -> dict[str, Any]:
    return {
        "id": document.id if document else None,
        "name": document.name if document else partner.name,
        "kind": kind,
        "records": len(partner.records),
        "share": round(len(partner.records) / total, 3),
        "weight": _spread(partner.weights),
        "beside": _spread(partner.beside),
    }


def _spread(weights: Sequence[float]) -> dict[str, Any] | None:
    if not weights:
        return None
    ordered = sorted(weights)
    low, median, high = (round(_quantile(ordered, share), 3) for share in (_LOW, 0.5, _HIGH))
    return {"median": median, "low": low, "high": high, "records": len(ordered)}


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between neighbours in proportion, as numpy does by default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _claimed(claims: Iterable[Mapping[str, Any]]) -> float | None:
    """The weight that people recommend, by the first who does."""
    weights = (row["claims"].get("preferred_weight") for row in claims)
    return next((float(w) for w in weights if isinstance(w, int | float) and not isinstance(w, bool)), None)


class _Heard:
    """Settings and words of records as they stream by."""

    def __init__(self, words: Sequence[str]) -> None:
        self._counts: dict[str, Counter[Any]] = {name: Counter() for name in (*_SETTINGS, "size")}
        folded = {word: word.strip().casefold() for word in words}
        self._words = {word: (text, _pattern(text)) for word, text in folded.items() if text}
        self._spoken: Counter[str] = Counter()
        self._prompts = 0

    def read(self, session: Session, newest: Any) -> None:
        columns = [getattr(GenerationRecord, name) for name in (*_SETTINGS, "width", "height", "prompt")]
        rows = session.execute(
            select(*columns)
            .join(newest, newest.c.record_id == GenerationRecord.id)
            .execution_options(yield_per=500)
        )
        for *settings, width, height, prompt in rows:
            for name, value in zip(_SETTINGS, settings, strict=True):
                if value is not None:
                    self._counts[name][value] += 1
            if width and height:
                self._counts["size"][f"{width} × {height}"] += 1
            if prompt:
                self._prompts += 1
                folded = prompt.casefold()
                self._spoken.update(word for word in self._words if self._is_in(word, folded))

    def _is_in(self, word: str, prompt: str) -> bool:
        text, pattern = self._words[word]
        return text in prompt and pattern.search(prompt) is not None

    def settings(self) -> dict[str, dict[str, Any]]:
        """The commonest value of each setting, and its share of the records that tell it."""
        told = {}
        for name, counts in self._counts.items():
            for value, count in counts.most_common(1):
                told[name] = {"value": value, "share": round(count / counts.total(), 3)}
        return told

    def spoken(self) -> list[dict[str, Any]]:
        """Each trigger word with its share of the prompts; what nobody says has none."""
        if not self._prompts:
            return []
        return [{"word": word, "share": round(self._spoken[word] / self._prompts, 3)} for word in self._words]


def _pattern(word: str) -> re.Pattern[str]:
    """Finds a folded word or phrase as a whole in a folded prompt."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
