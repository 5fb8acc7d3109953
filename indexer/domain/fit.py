"""Does one file work on another? The answer, and what of each file it is found from.

A ``FitProfile`` is what of a header takes part in fitting: small enough to be kept for every file, so that a
pair is compared without opening either. ``pack`` makes bytes of it; equal tensors make equal bytes.
"""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = [
    "DENOISER",
    "Change",
    "FitProfile",
    "FitVerdict",
    "Subject",
    "Weight",
    "pack",
    "plain_reason",
    "unpack",
]

DENOISER = "denoiser"
_VERSION = 1
_TENSORS = re.compile(r" \([^()]{0,400}_[^()]{0,400}\)")
_MOST_BYTES = 64 << 20


class Change(NamedTuple):
    """What one module of an adapter asks of the base.

    ``part`` is ``denoiser``, or an encoder: ``te1`` … by its number, ``te`` alone, ``te:<id>`` by its name.
    ``name`` is flat (dots made underscores). ``rows`` and ``columns`` are those of the weight, a kernel's
    axes counted among the columns; ``kernel`` is ``()`` for plain matrices, zeros where it has axes of any
    length; each ``None`` where the factors leave it open. ``sort`` is ``weight``; ``whole`` (a difference
    with the very shape of the weight); ``bias`` (``rows`` is its length); ``reads`` (``rows`` is the number
    of columns, a kernel's axes not counted); ``either`` (of rows or of such columns); ``turns`` (blocks of
    ``columns`` that the columns must divide into); ``grows`` (the adapter makes the weight larger where it
    must).
    """

    part: str
    name: str
    rows: int | None
    columns: int | None
    kernel: tuple[int, ...] | None
    sort: str = "weight"


class Weight(NamedTuple):
    """A weight of a base: sizes as of ``Change``, ``None`` where quantisation hides them; ``cells`` is then
    the number of elements, where that is known. ``kernel`` is the rest of the shape, ones too. ``bias`` is
    its length, 0 where there is none."""

    rows: int | None
    columns: int | None
    kernel: tuple[int, ...] | None
    bias: int | None = 0
    cells: int | None = None


@dataclass(frozen=True, slots=True)
class FitProfile:
    """What of a file takes part in fitting.

    ``changes`` are those of an adapter; ``faults`` names its modules whose factors contradict each other, and
    how. ``weights`` are by part, then by flat name. ``facts`` are single numbers of other kinds (``latent``
    channels of a VAE, ``widths`` of a textual inversion …); ``container`` and ``form`` say how a base is
    stored.
    """

    kind: str
    changes: tuple[Change, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Weight]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a file was found to be: of a ``Verdict`` what fitting needs. ``options`` are the architectures
    that remain, each with its confidence, best first."""

    kind: str
    architecture: str | None = None
    path: tuple[str, ...] = ()
    options: tuple[tuple[str, float], ...] = ()
    family: str | None = None
    prediction: str | None = None
    dialect: str | None = None
    components: tuple[str, ...] = ()
    needs: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class FitVerdict:
    """Whether a file works on a base.

    ``verdict`` is ``compatible`` (all of it fits), ``partial`` (some of it), ``incompatible`` or ``unknown``.
    ``matched``, ``unmatched`` (the base has no such module) and ``mismatched`` (it has, of another size)
    count modules. ``idle`` names parts that do nothing on this base. ``reasons`` are sentences for people,
    the telling one first. ``score`` is 0..1: how well it will look, as families are told.
    """

    verdict: str
    matched: int = 0
    unmatched: int = 0
    mismatched: int = 0
    idle: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    score: float = 0.0


def pack(profile: FitProfile) -> bytes:
    """The profile as bytes for the catalog: compressed JSON, columns beside each other."""
    data = {
        "v": _VERSION,
        "kind": profile.kind,
        "changes": list(zip(*profile.changes, strict=True)),
        "faults": dict(profile.faults),
        "weights": {
            part: [list(rows), list(zip(*rows.values(), strict=True))]
            for part, rows in profile.weights.items()
        },
        "facts": dict(profile.facts),
        "form": profile.form,
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 6)


def unpack(data: bytes) -> FitProfile:
    """The profile back from ``pack``; the bytes are our own. Raises ``ValueError`` for those of another
    version, which must be made anew."""
    inflater = zlib.decompressobj()
    stored = json.loads(inflater.decompress(data, _MOST_BYTES))
    if stored.get("v") != _VERSION:
        raise ValueError(f"fit profile of version {stored.get('v')}: index the file again")
    return FitProfile(
        kind=stored["kind"],
        changes=_changes(stored["changes"]),
        faults=stored["faults"],
        weights={part: _weights(names, columns) for part, (names, columns) in stored["weights"].items()},
        facts=stored["facts"],
        form=stored["form"],
    )


def _kernels(column: list[list[int] | None]) -> list[tuple[int, ...] | None]:
    return [None if kernel is None else tuple(kernel) for kernel in column]


def _changes(columns: list[list[Any]]) -> tuple[Change, ...]:
    if not columns:
        return ()
    parts, names, rows, wide, kernels, sorts = columns
    return tuple(map(Change._make, zip(parts, names, rows, wide, _kernels(kernels), sorts, strict=True)))


def _weights(names: list[str], columns: list[list[Any]]) -> dict[str, Weight]:
    if not columns:
        return {}
    rows, wide, kernels, biases, cells = columns
    made = map(Weight._make, zip(rows, wide, _kernels(kernels), biases, cells, strict=True))
    return dict(zip(names, made, strict=True))


def plain_reason(reason: str) -> str:
    """A reason of a verdict without the names of tensors, for people who do not look into files.

    >>> plain_reason("2 of 9 modules have no counterpart (blocks_#_attn x 2); they do nothing.")
    '2 of 9 modules have no counterpart; they do nothing.'
    """
    return _TENSORS.sub("", reason)
