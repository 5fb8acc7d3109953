"""From what was found of a file and its entry to a member of a stack: sizes, terms, weights, spare parts."""

import os
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import PurePosixPath
from statistics import median, quantiles
from typing import Any

from indexer.catalog.stacks import HeldPart
from indexer.domain.fit import DENOISER, FitProfile
from indexer.domain.layouts import load_layout
from indexer.domain.licences import NON_COMMERCIAL, base_licences, strictest
from indexer.domain.verdict import Need
from indexer.domain.vocabulary import architectures, read_table
from indexer.rules.fit_keys import WeightKeys
from indexer.rules.needs import needs_of
from search.checking_found import Found
from search.stack_records import Member, Spare, Weight, load_stack_table

__all__ = ["member_of", "reference_cells", "spare_of", "weight_of"]

_FEWEST = 3
"""Fewer pictures recommend no weight."""


def member_of(found: Found, keys: WeightKeys | None = None) -> Member:
    """The base (without ``keys``) or an addon as the stack knows it."""
    document, subject = found.named.document, found.side.subject if found.side else None
    architecture = subject.architecture if subject else document.architecture if document else None
    changes = found.side.profile.changes if found.side and found.side.profile else ()
    terms, permissions = _terms(found, architecture)
    cells, quantised = _cells(found)
    return Member(
        name=_name(found),
        kind=subject.kind if subject else document.kind if document else "unknown",
        id=document.id if document else None,
        version=document.version if document else "",
        path=None if found.path is None else os.fsdecode(found.path),
        architecture=architecture,
        title=title.title if (title := architectures().get(architecture or "")) else None,
        size=found.size,
        cells=cells,
        quantised=quantised,
        triggers=found.triggers,
        terms=terms,
        permissions=permissions,
        needs=_needs(found),
        changed=keys.changed(changes) if keys else frozenset(),
        options=frozenset(
            (*(key for key, _ in subject.options), *subject.path, *([architecture] if architecture else ()))
            if subject
            else ()
        ),
    )


def _name(found: Found) -> str:
    named = found.named
    if named.document is not None:
        return named.document.name
    if named.path is not None:
        return PurePosixPath(named.path.name).name or str(named.path)
    row = architectures().get(named.architecture or "")
    return row.title if row else named.text


def _needs(found: Found) -> tuple[Need, ...]:
    if found.side is None:
        return ()
    if found.side.profile is None:
        return needs_of("diffusion_model", found.side.subject.architecture, ())
    rows = found.verdict.get("needs") or ()
    return tuple(Need(row["part"], tuple(row["options"]), row.get("why") or "") for row in rows)


def _terms(found: Found, architecture: str | None) -> tuple[str, tuple[str, ...]]:
    """The licence that counts, or those of what it was made for; and what it permits."""
    document = found.named.document
    if document is not None:
        bases = base_licences(document.architecture, document.base_label, document.family)
        stated = [document.licence] if document.licence else []
        if NON_COMMERCIAL not in document.permissions:
            return " and ".join(stated or bases), document.permissions
        strict = strictest((*stated, *bases)).strict
        return " and ".join(strict) or "permissions of its creator", document.permissions
    bases = base_licences(architecture, None, found.named.family)
    return " and ".join(bases), strictest(bases).ids() if bases else ()


# ---------------------------------------------------------------- sizes


def _cells(found: Found) -> tuple[Mapping[str, int], str | None]:
    """Weights of the denoiser and of the rest, and the form in which they stay packed."""
    parameters = found.verdict.get("parameters")
    quantised = found.verdict.get("quantisation")
    if not parameters:
        return {}, quantised
    if found.side is None or found.side.profile is None:
        return {DENOISER: parameters}, None
    own = _counted(found.side.profile)
    return {DENOISER: min(own, parameters), "other": max(0, parameters - own)}, quantised


def _counted(profile: FitProfile) -> int:
    """Weights of a base's denoiser that have a size; 0 for other files."""
    rows = profile.weights.get(DENOISER, {}).values()
    return sum((w.rows or 0) * (w.columns or 0) + (w.bias or 0) for w in rows)


def reference_cells(options: Sequence[str]) -> int | None:
    """Weights of a part by its reference layout: of the first of ``options`` that has one."""
    encoders, others = read_table("fit.toml")["layouts"], load_stack_table()["layouts"]
    for option in options:
        layout = encoders.get(option) or others.get(option)
        if layout:
            return sum(map(prod, load_layout(layout).values()))
    return None


def spare_of(part: HeldPart, name: str) -> Spare:
    """A part of the library by its entry's name."""
    verdict: Mapping[str, Any] = part.verdict
    return Spare(
        part.version_id,
        name,
        str(verdict.get("architecture")),
        part.size,
        verdict.get("parameters"),
        verdict.get("quantisation"),
    )


# ---------------------------------------------------------------- weights


def weight_of(given: float | None, used: Sequence[float], preferred: float | None) -> Weight:
    """The weight that counts: the given one, the median of pictures, what its creator recommends, or 1."""
    low, high = _range(used)
    if given is not None:
        return Weight(given, "given", low, high)
    if low is not None:
        return Weight(round(median(used), 3), "pictures", low, high)
    if preferred is not None:
        return Weight(preferred, "creator")
    return Weight()


def _range(used: Sequence[float]) -> tuple[float | None, float | None]:
    """The 10th and 90th percentile; nothing where few pictures tell."""
    if len(used) < _FEWEST:
        return None, None
    tenths = quantiles(used, n=10, method="inclusive")
    return round(tenths[0], 3), round(tenths[-1], 3)
