"""The stack that an address asks for. All state is in the address, so that a stack can be kept and sent.

``/stack?base=42&add=48:0.8&add=22``: ``base`` is an entry's id or an architecture, each ``add`` an entry's id
with a weight where one was chosen. Forms send weights beside (``weight``, in the order of ``add``) and one
button: ``new``, ``as_base``, ``remove``, ``up`` or ``down`` an id; they lead to an address without these.
Links add with ``new``, or with several ``with``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from indexer.domain.vocabulary import architectures
from search.checking import MOST_ADDONS

__all__ = ["ADDON_KINDS", "BASE_KINDS", "Pick", "StackAsked", "read_asked"]

BASE_KINDS = ("checkpoint", "diffusion_model")

ADDON_KINDS = (
    *("lora", "textual_inversion", "vae", "controlnet", "upscaler", "ip_adapter", "text_encoder"),
    *("control_lora", "t2i_adapter", "hypernetwork", "motion_module", "clip_vision", "flux_redux"),
)
"""Kinds that can be added, the commonest first."""

_ADD = re.compile(r"(\d{1,18})(?::(-?\d{1,2}(?:\.\d{1,4})?))?")
_WEIGHT = re.compile(r"\s*(-?\d{0,2}(?:[.,]\d{1,4})?)\s*")
_ID = re.compile(r"\d{1,18}")
_MOST_WEIGHT = 10.0
_MOST_WORDS = 2_000
_MOST_LOST = 20
_LONGEST_LOST = 80


@dataclass(frozen=True, slots=True)
class Pick:
    """An addon by its entry's id; ``weight`` None: the recommended one."""

    id: int
    weight: float | None = None

    @property
    def told(self) -> str:
        """As it stands in the address."""
        return str(self.id) if self.weight is None else f"{self.id}:{self.weight:g}"


@dataclass(frozen=True, slots=True)
class StackAsked:
    """``base`` is an id or an architecture. ``q`` and ``kind`` narrow what is offered; ``everywhere``: also
    what is only at hubs; ``deep``: compare weights; ``lost`` names models of a picture that are not here.
    ``fresh`` are entries to be added. ``acted``: a button was pressed, so that the address is to change."""

    base: str | None = None
    picks: tuple[Pick, ...] = ()
    q: str = ""
    kind: str = ""
    everywhere: bool = False
    deep: bool = False
    lost: tuple[str, ...] = ()
    fresh: tuple[Pick, ...] = ()
    picture: int | None = None
    acted: bool = False

    @property
    def base_id(self) -> int | None:
        """The base's entry; None for an architecture or none."""
        return int(self.base) if self.base and self.base.isdigit() else None

    @property
    def ids(self) -> list[int]:
        """All entries of the stack."""
        own = [] if self.base_id is None else [self.base_id]
        return [*own, *(pick.id for pick in self.picks)]

    def pairs(self) -> list[tuple[str, str]]:
        """The stack alone as parameters, without what is searched for."""
        base = [("base", self.base)] if self.base else []
        deep = [("deep", "1")] if self.deep else []
        return [*base, *(("add", pick.told) for pick in self.picks), *deep]

    def url(self, path: str = "/stack", *, whole: bool = True, **more: str) -> str:
        """The address; ``whole``: with what is searched for and what was lost too."""
        searched = [("q", self.q), ("kind", self.kind), ("all", "1" if self.everywhere else "")]
        extra = [*searched, *(("lost", name) for name in self.lost)] if whole else []
        pairs = [*self.pairs(), *((name, value) for name, value in extra if value), *more.items()]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def with_new(self, pick: Pick, kind: str) -> "StackAsked":
        """The stack with one more entry: a base takes the base's place."""
        if kind in BASE_KINDS:
            return replace(self, base=str(pick.id))
        if any(pick.id == one.id for one in self.picks) or len(self.picks) >= MOST_ADDONS:
            return self
        return replace(self, picks=(*self.picks, pick))


def read_asked(pairs: Iterable[tuple[str, str]]) -> StackAsked:
    """What an address or a form asks for. What cannot be understood is left out: an address is no command."""
    listed = list(pairs)
    values = {name: value.strip() for name, value in listed}
    picks = _picks([v for n, v in listed if n == "add"], [v for n, v in listed if n == "weight"])
    asked = StackAsked(
        base=_base(values.get("base", "")),
        picks=picks[:MOST_ADDONS],
        q=values.get("q", "")[:_MOST_WORDS],
        kind=values["kind"] if values.get("kind") in ADDON_KINDS else "",
        everywhere=values.get("all") == "1",
        deep=values.get("deep") == "1",
        lost=tuple(v[:_LONGEST_LOST] for n, v in listed if n == "lost")[:_MOST_LOST],
        fresh=_picks([v for n, v in listed if n in ("new", "with")], ())[:MOST_ADDONS],
        picture=_number(values.get("picture", "")),
        acted=any(name == "weight" for name, _ in listed),
    )
    return _acted(asked, values)


def _number(text: str) -> int | None:
    return int(text) if _ID.fullmatch(text) else None


def _base(text: str) -> str | None:
    known = _ID.fullmatch(text) or text.lower() in architectures()
    return text.lower() if known else None


def _picks(adds: Sequence[str], weights: Sequence[str]) -> tuple[Pick, ...]:
    found: dict[int, Pick] = {}
    for place, add in enumerate(adds):
        match = _ADD.fullmatch(add.strip())
        if match is None:
            continue
        weight = _weight(weights[place] if place < len(weights) else match[2] or "")
        found.setdefault(int(match[1]), Pick(int(match[1]), weight))
    return tuple(found.values())


def _weight(text: str) -> float | None:
    match = _WEIGHT.fullmatch(text)
    if match is None or not any(map(str.isdigit, match[1])):
        return None
    weight = round(float(match[1].replace(",", ".")), 4)
    return max(-_MOST_WEIGHT, min(_MOST_WEIGHT, weight))


def _acted(asked: StackAsked, values: dict[str, str]) -> StackAsked:
    """The stack after the button that was pressed."""
    picks = list(asked.picks)
    pressed = {name: _number(values.get(name, "")) for name in ("remove", "up", "down", "as_base")}
    meant = {name: id_ for name, id_ in pressed.items() if id_ is not None}
    places = {pick.id: place for place, pick in enumerate(picks)}
    if meant.get("remove") in places:
        picks.pop(places[meant["remove"]])
    for name, step in (("up", -1), ("down", 1)):
        here = places[meant[name]] if meant.get(name) in places else None
        if here is not None and 0 <= here + step < len(picks):
            picks[here], picks[here + step] = picks[here + step], picks[here]
    base = asked.base
    if "as_base" in meant:
        base = str(meant["as_base"])
    if values.get("without") == "base":
        base = None
    acted = asked.acted or base != asked.base or tuple(picks) != asked.picks
    return replace(asked, base=base, picks=tuple(picks), acted=acted)
