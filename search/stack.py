"""Does a stack fit together? Pure: what was found of its parts goes in, the answer with reasons comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.stack_advice import advise
from search.stack_licence import Terms, terms_of_stack
from search.stack_pairs import Pair, Twins, judge_pairs
from search.stack_records import Addon, Alignment, Member, Needed, Weight
from search.stack_size import Size, size_of_stack

__all__ = ["Stack", "judge_stack"]

_ORDER = ("incompatible", "unknown", "partial", "compatible")


@dataclass(frozen=True, slots=True)
class Stack:
    """The answer. ``verdict`` is the worst of the addons': ``incompatible``, ``unknown``, ``partial`` or
    ``compatible``."""

    verdict: str
    base: Member
    addons: tuple[Addon, ...]
    pairs: tuple[Pair, ...]
    needed: tuple[Needed, ...]
    size: Size
    terms: Terms
    advice: tuple[str, ...]

    @property
    def loads(self) -> bool:
        """Whether all of it is known to load, in part at least."""
        return self.verdict in ("compatible", "partial")

    def to_json(self) -> dict[str, Any]:
        """The public contract's ``check`` object, and beside it ``needs``, ``size``, ``licence`` and ids."""
        return {
            "verdict": self.verdict,
            "base": self.base.name,
            "base_id": self.base.id,
            "base_kind": self.base.kind,
            "base_architecture": self.base.architecture,
            "addons": [_addon(addon) for addon in self.addons],
            "pairs": [pair.to_json() for pair in self.pairs],
            "needs": [_needed(one) for one in self.needed],
            "size": self.size.to_json(),
            "licence": self.terms.to_json(),
            "advice": list(self.advice),
        }


def judge_stack(
    base: Member,
    addons: Sequence[Addon],
    needed: Sequence[Needed] = (),
    *,
    precision: str = "fp16",
    twins: Twins | None = None,
    alignments: Mapping[frozenset[str], Alignment] | None = None,
) -> Stack:
    """The answer about a base and addons whose fit was found. Names of members must differ.

    ``twins`` and ``alignments`` are by the names of two addons.
    """
    pairs = tuple(judge_pairs(addons, twins or {}, alignments or {}))
    loaded = [addon.member for addon in addons if addon.verdict.verdict != "incompatible"]
    terms = terms_of_stack((base, *loaded))
    return Stack(
        verdict=min((addon.verdict.verdict for addon in addons), key=_ORDER.index, default="compatible"),
        base=base,
        addons=tuple(addons),
        pairs=pairs,
        needed=tuple(needed),
        size=size_of_stack(base, addons, needed, precision),
        terms=terms,
        advice=tuple(advise(base, addons, pairs, needed, terms)),
    )


def _addon(addon: Addon) -> dict[str, Any]:
    member, found = addon.member, addon.verdict
    return {
        "addon": member.name,
        "id": member.id,
        "kind": member.kind,
        "architecture": member.architecture,
        "verdict": found.verdict,
        "matched": found.matched,
        "unmatched": found.unmatched,
        "mismatched": found.mismatched,
        "idle": list(found.idle),
        "score": found.score,
        "reasons": list(found.reasons),
        "weight": _weight(addon.weight),
        "trigger_words": list(member.triggers),
    }


def _weight(weight: Weight) -> dict[str, Any]:
    return {"value": weight.value, "source": weight.source, "low": weight.low, "high": weight.high}


def _needed(one: Needed) -> dict[str, Any]:
    return {
        "part": one.need.part,
        "options": list(one.need.options),
        "why": one.need.why,
        "by": one.by,
        "given": one.given,
        "library": [{"id": s.id, "name": s.name, "architecture": s.architecture} for s in one.spares],
        "missing": one.given is None and not one.spares,
    }
