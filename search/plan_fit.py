"""Does a model work on the base that is moved to, and is it stored so that tools can read it? Pure.

Told by ids, or by a verdict on tensors where one is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from indexer.domain.compatibility import fit_score
from indexer.domain.fit import FitVerdict, plain_reason
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path, architectures, families, is_under, kinds, read_table
from search.plan_table import Conversion, load_plan_table

__all__ = ["Fit", "Stored", "Target", "conversion_of", "fit_of", "kind_title", "needs_of", "works_alone"]

_NEED_OF = {"vae": "vae", "text_encoder": "encoders", "clip_vision": "vision"}


@dataclass(frozen=True, slots=True)
class Target:
    """The base that is moved to: an architecture, and a family of it where one is meant."""

    architecture: str
    family: str | None = None

    @property
    def title(self) -> str:
        """As people call it."""
        if self.family:
            return families()[self.family].title
        row = architectures().get(self.architecture)
        return row.title if row else self.architecture


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether it loads, how well it does there (0..1), and what to say of it."""

    loads: bool
    score: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """How the file of a model is stored; None where it is not known."""

    container: str | None = None
    key_format: str | None = None


def works_alone(kind: str) -> bool:
    """Whether a kind works with any base: upscalers."""
    return kind in read_table("compatibility.toml")["free"]["kinds"]


def fit_of(document: Document, target: Target, verdict: FitVerdict | None = None) -> Fit:
    """How a model does on the target. ``verdict`` is what its tensors say, where they were compared."""
    if verdict is not None and verdict.verdict == "incompatible":
        return Fit(False, 0.0, _misfit(document, target, verdict))
    if works_alone(document.kind):
        return Fit(True, 1.0, "It works on finished pictures, whatever drew them.")
    row = load_plan_table().kinds.get(document.kind)
    fit = _base_fit(document, target) if row and row.role == "base" else _addon_fit(document, target)
    if verdict is None or verdict.verdict == "unknown":
        return fit
    partly = plain_reason(next(iter(verdict.reasons), "")) if verdict.verdict == "partial" else fit.why
    return Fit(True, min(verdict.score or fit.score, fit.score) if fit.loads else verdict.score, partly)


def _misfit(document: Document, target: Target, verdict: FitVerdict) -> str:
    """What differs, between kindred models; between others their names say more."""
    ids = (document.architecture or "", target.architecture)
    roots = {architecture_path(id_)[0] for id_ in ids if id_ in architectures()}
    return plain_reason(next(iter(verdict.reasons), "")) if len(roots) == 1 else ""


def _base_fit(document: Document, target: Target) -> Fit:
    """A base stays when it is the one that is moved to: what merely loads beside it is no successor."""
    known = document.architecture in architectures()
    if not known or not is_under(document.architecture or "", target.architecture):
        return Fit(False, 0.0)
    if target.family is not None and document.family != target.family:
        return Fit(False, 0.0, f"It is not known to be of {target.title}.")
    return Fit(True, 1.0, f"It is {target.title} itself.")


def _addon_fit(document: Document, target: Target) -> Fit:
    if target.architecture not in document.fits:
        return Fit(False, 0.0)
    family = target.family
    if family is None:  # which family is meant was not said, so any of the architecture's will do
        family = document.family
    score, why = fit_score(document.kind, document.architecture, document.family, target.architecture, family)
    if target.family is None and document.family in families():
        why = f"Made for {families()[document.family or ''].title}: use it with a base of that family."
    return Fit(True, max(score, 0.01), why)


def needs_of(target: Target, kind: str) -> tuple[str, ...]:
    """Titles of what the target works with in place of a part of this kind; empty where it needs none."""
    rows: Mapping[str, Mapping[str, Any]] = read_table("needs.toml")["architectures"]
    above = reversed(architecture_path(target.architecture))
    row: Mapping[str, Any] = next((rows[node] for node in above if node in rows), {})
    wanted = row.get(_NEED_OF.get(kind, ""), ())
    first = (one if isinstance(one, str) else one[0] for one in wanted)
    ids = list(first)[:1] if kind == "vae" else list(first)
    return tuple(architectures()[id_].title if id_ in architectures() else id_ for id_ in ids)


@lru_cache(maxsize=1_024)
def conversion_of(kind: str, stored: Stored) -> Conversion | None:
    """The conversion that a file stored so needs before today's tools read it; None for none."""
    for row in load_plan_table().conversions:
        if kind in row.kinds and (stored.container in row.containers or stored.key_format in row.key_formats):
            return row
    return None


def kind_title(kind: str) -> str:
    """A kind in a sentence: ``LoRA``, ``text encoder``."""
    if kind == "lora":
        return "LoRA"
    row = kinds().get(kind)
    title = row.title if row else kind
    return (
        title
        if title[:2].isupper() or "-" in title or kind == "controlnet"
        else title[:1].lower() + title[1:]
    )
