"""What happens to each model of a library that moves to another base? Pure: facts and candidates in, one
action with its reasons out. Nothing is ever done to a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.fit import FitVerdict
from indexer.domain.records import Document
from indexer.domain.vocabulary import architectures
from search.plan_fit import Fit, Stored, Target, conversion_of, fit_of, kind_title, needs_of, works_alone
from search.plan_table import KindRow, load_plan_table

__all__ = ["ACTIONS", "Candidate", "Decision", "Found", "decide", "to_json", "wants_candidates"]

ACTIONS = ("keep", "convert", "update", "replace", "retrain", "unknown")
"""All actions, the easiest first."""

_NEAREST = 3
"""So many that come near are shown where none is near enough."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may take a model's place. ``nearness`` says how like it is, ``score`` also how good; both 0..1.
    ``why`` says what makes it the same model, and is empty for another one."""

    document: Document
    score: float
    nearness: float
    signals: Mapping[str, float]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found on the target: versions of the ``same`` model, others that are ``near``; best first."""

    same: Sequence[Candidate] = ()
    near: Sequence[Candidate] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One action with its reasons, sentences for people. ``conversion`` names the format to convert to."""

    action: str
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...] = field(default=())
    conversion: str | None = None


def wants_candidates(document: Document, target: Target, verdict: FitVerdict | None = None) -> bool:
    """Whether it pays to look for others: not for what stays as it is, nor for what nobody can tell."""
    if _undecidable(document, target) is not None:
        return False
    return fit_of(document, target, verdict).score < load_plan_table().good


def decide(
    document: Document,
    target: Target,
    found: Found,
    stored: Stored = Stored(),
    verdict: FitVerdict | None = None,
) -> Decision:
    """The action for one model; ``found`` is what retrieval brought where ``wants_candidates``."""
    missing = _undecidable(document, target)
    if missing is not None:
        return Decision("unknown", missing)
    fit = fit_of(document, target, verdict)
    table = load_plan_table()
    row = table.kinds.get(document.kind)
    decision = _stays(document, target, fit, stored)
    if fit.score < table.good and row is not None:
        decision = _moves(document, target, fit, found, row, decision)
    return Decision(
        decision.action,
        (*decision.reasons, *_doubts(document)),
        tuple(decision.candidates[: int(table.numbers["candidates"])]),
        decision.conversion,
    )


def _undecidable(document: Document, target: Target) -> tuple[str, ...] | None:
    """What is missing to decide; None where nothing is."""
    if "nonfunctional" in document.flags:
        return ("Its weights cannot work, so there is nothing to move. Get the file again.",)
    if works_alone(document.kind):
        return None
    if document.kind == "unknown" or document.kind not in load_plan_table().kinds:
        told = "What it is could not be told from its tensors."
        return (told, f"Say what it is: pinakes override {document.id} --kind KIND --architecture ARCH")
    if document.architecture not in architectures():
        said = f" Its source says {document.base_label}." if document.base_label else ""
        told = f"The base it was made for could not be told from its tensors.{said}"
        return (told, f"Say for which: pinakes override {document.id} --architecture ARCH")
    return None


def _stays(document: Document, target: Target, fit: Fit, stored: Stored) -> Decision:
    """What is kept: as it is, or saved in another format."""
    role = load_plan_table().kinds[document.kind].role if not works_alone(document.kind) else "free"
    caveat = [fit.why] if fit.why and role != "part" else []
    reasons = [_works(document, target, fit), *caveat]
    conversion = conversion_of(document.kind, stored)
    if conversion is None:
        return Decision("keep", tuple(dict.fromkeys(reasons)))
    told = f"Convert it to {conversion.to}: {conversion.why}."
    return Decision("convert", (told, *dict.fromkeys(reasons)), conversion=conversion.to)


def _works(document: Document, target: Target, fit: Fit) -> str:
    if works_alone(document.kind):
        return "It needs no base."
    role = load_plan_table().kinds[document.kind].role
    if role == "base":
        return fit.why or f"It is {target.title}."
    return f"It works with {target.title}." if role == "part" else f"It loads on {target.title}."


def _moves(
    document: Document, target: Target, fit: Fit, found: Found, row: KindRow, stays: Decision
) -> Decision:
    """What does not fit, or not well: the same model for the target, else the nearest, else made anew."""
    better = tuple(one for one in found.same if fit_of(one.document, target).score > fit.score)
    if better:
        return _update(document, target, fit, better, found)
    if fit.loads and fit.score >= load_plan_table().poor:
        return stays
    near = load_plan_table().likeness_of(document.category, whole=row.role != "addon").near
    enough = tuple(one for one in found.near if one.nearness >= near)
    misfit = _misfit(document, target, fit)
    if row.role == "part":
        return Decision("replace", _part_reasons(document, target), tuple(found.near))
    if enough:
        return Decision("replace", (misfit, _nearest(enough[0], row)), enough)
    if row.role == "base":
        told = (
            f"No model of {target.title} is in the catalog: get the base itself, or crawl a hub for others."
        )
        return Decision("replace", (misfit, told))
    if fit.loads:
        return Decision("keep", (*stays.reasons, "Nothing better was found."), conversion=stays.conversion)
    return _retrain(document, target, misfit, found, near)


def _update(
    document: Document, target: Target, fit: Fit, better: tuple[Candidate, ...], found: Found
) -> Decision:
    first = better[0]
    where = "in the library" if "local" in first.document.flags else "to be downloaded"
    told = f"{_named(first.document)} is the same model for {target.title}, {where}: {first.why}."
    known = {one.document.id for one in better}
    others = tuple(
        one for one in found.near if one.document.id not in known and one.nearness >= first.nearness / 2
    )
    return Decision("update", (told, _misfit(document, target, fit)), (*better, *others))


def _misfit(document: Document, target: Target, fit: Fit) -> str:
    if fit.loads:
        return f"It loads on {target.title}, but will hardly do. {fit.why}".strip()
    row = architectures().get(document.architecture or "")
    made = row.title if row else str(document.architecture)
    return fit.why or f"It was made for {made} and does not load on {target.title}.{_media(document, target)}"


def _media(document: Document, target: Target) -> str:
    old, new = (architectures()[id_].media for id_ in (document.architecture or "", target.architecture))
    if old == new:
        return ""
    return " That draws single pictures, this is for video." if old == "video" else " That makes video."


def _part_reasons(document: Document, target: Target) -> tuple[str, ...]:
    """A part goes with its base: what the target has in its place."""
    needs = needs_of(target, document.kind)
    kind = kind_title(document.kind)
    if not needs:
        return (
            f"{target.title} has no use for a {kind}, so nothing takes its place; keep it for the old base.",
        )
    return (f"{target.title} does not work with it.", f"Its {kind}: {' and '.join(needs)}.")


def _nearest(candidate: Candidate, row: KindRow) -> str:
    signals = sorted(
        ((value, name) for name, value in candidate.signals.items() if name in _TOLD), reverse=True
    )
    told = ", ".join(_TOLD[name] for value, name in signals if value >= 0.5)
    what = "The nearest model" if row.role == "base" else "The nearest equivalent"
    because = f": {told}" if told else ", though little speaks for it"
    return f"{what} is {_named(candidate.document)}{because}."


_TOLD = {
    "name": "a like name",
    "purpose": "made for the same",
    "style": "it looks alike",
    "text": "described alike",
}


def _retrain(document: Document, target: Target, misfit: str, found: Found, near: float) -> Decision:
    hint = load_plan_table().numbers["hint"]
    nearest = tuple(one for one in found.near if one.nearness >= hint)[:_NEAREST]
    if not nearest:
        told = f"The catalog knows no {kind_title(document.kind)} for {target.title} that comes near."
        return Decision("retrain", (misfit, told))
    first = nearest[0]
    told = f"Nothing is near enough: {_named(first.document)} comes to {first.nearness:.2f} of {near:.2f}."
    return Decision("retrain", (misfit, told), nearest)


def _named(document: Document) -> str:
    return f"{document.name} ({document.version})" if document.version else document.name


def _doubts(document: Document) -> list[str]:
    said = document.base_label
    if "mislabelled" in document.flags and said:
        return [f"It is labelled {said}; its tensors say otherwise, and they count."]
    return []


def to_json(candidate: Candidate) -> dict[str, Any]:
    """A candidate as plain JSON data."""
    document = candidate.document
    return {
        "id": document.id,
        "name": document.name,
        "version": document.version,
        "kind": document.kind,
        "architecture": document.architecture,
        "family": document.family,
        "local": "local" in document.flags,
        "size": document.size,
        "licence": document.licence,
        "url": next((ref.url for ref in document.sources if ref.url), None),
        "preview": document.preview_id,
        "score": candidate.score,
        "nearness": candidate.nearness,
        "signals": dict(candidate.signals),
        "why": candidate.why,
    }
