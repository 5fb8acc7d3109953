"""The stack builder: a base, what is added to it, and the check of the whole, as its templates show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from indexer.catalog.entries import documents
from indexer.catalog.preview_records import records_of_previews
from indexer.catalog.stacks import preferred_weights, used_weights
from indexer.domain.fit import plain_reason
from indexer.domain.records import Document
from indexer.domain.vocabulary import architectures
from indexer.errors import UsageError
from search.checking import check_stack
from search.checking_members import weight_of
from search.exporting import why_no_graph
from search.plan_stack import read_stack
from search.service import Pinakes
from search.stack import Stack
from search.stack_records import Addon, Weight
from search.stack_size import Size, size_of_stack
from search.web.stack_asked import ADDON_KINDS, BASE_KINDS, Pick, StackAsked
from search.web.stack_offers import Offers, offers_of
from search.web.views import cover, short_kind
from search.web.words import title_of

__all__ = ["WORDS", "asked_of_picture", "asked_of_preview", "checked", "kept", "stack_view", "with_fresh"]

WORDS: Mapping[str, str] = {
    "compatible": "fits",
    "partial": "fits in part",
    "incompatible": "does not fit",
    "unknown": "not known",
}
"""Verdict on an addon -> what a person reads."""

_WHOLE = {
    "compatible": "This stack fits together.",
    "partial": "This stack loads; not all of it has an effect.",
    "incompatible": "This stack does not fit together.",
    "unknown": "Not all of this stack could be compared.",
}
_WEIGHED = frozenset(
    ("lora", "hypernetwork", "controlnet", "t2i_adapter", "control_lora", "ip_adapter", "textual_inversion")
)
_SHOWN_PRECISIONS = (("fp16", "16 bit"), ("fp8", "8 bit"))
_TERMINAL = ((" Look for one like it: pinakes similar", ""), (" shows with --deep.", " shows when compared."))
"""What advice says to a person at a terminal, and what stands there on the page, which has links for it."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base as it is shown; ``document`` is None for an architecture."""

    title: str
    about: str
    document: Document | None
    cover: str


@dataclass(frozen=True, slots=True)
class Row:
    """An addon in the list. ``addon`` is what the check found, None where nothing was checked. ``advised`` is
    the recommended weight, None for kinds that have none; ``low`` and ``high`` are the ends of its slider."""

    pick: Pick
    document: Document
    kind: str
    base: str
    cover: str
    addon: Addon | None
    advised: Weight | None
    low: float
    high: float
    first: bool
    last: bool

    @property
    def reasons(self) -> list[str]:
        """What the check says of it, without lists of tensors."""
        said = self.addon.verdict.reasons[:2] if self.addon else ()
        return [plain_reason(reason) for reason in said]

    @property
    def weight(self) -> float:
        """The weight that counts."""
        return self.pick.weight if self.pick.weight is not None else (self.advised or Weight()).value


def stack_view(pinakes: Pinakes, asked: StackAsked, *, offering: bool = True) -> dict[str, Any]:
    """Everything that ``stack.html`` and its fragments show. Without ``offering`` nothing is looked for."""
    shown = _documents(pinakes, asked)
    asked, gone = kept(asked, shown)
    stack, fault = checked(pinakes, asked)
    picks = [shown[pick.id] for pick in asked.picks]
    return {
        "asked": asked,
        "url": asked.url(),
        "share": asked.url(whole=False),
        "base": _base(asked, shown),
        "rows": _rows(pinakes, asked, shown, stack),
        "stack": stack,
        "fault": fault,
        "gone": gone,
        "offers": offers_of(pinakes, asked, picks) if offering else Offers(),
        "kinds": ADDON_KINDS,
        "words": WORDS,
        **(_told(stack) if stack is not None else {}),
    }


def _documents(pinakes: Pinakes, asked: StackAsked) -> Mapping[int, Document]:
    with pinakes.catalog.read() as session:
        return documents(session, asked.ids)


def kept(asked: StackAsked, shown: Mapping[int, Document]) -> tuple[StackAsked, int]:
    """The stack without what has left the library, and how many these are."""
    picks = tuple(pick for pick in asked.picks if pick.id in shown)
    base = None if asked.base_id is not None and asked.base_id not in shown else asked.base
    gone = len(asked.picks) - len(picks) + (base != asked.base)
    return replace(asked, picks=picks, base=base), gone


def with_fresh(pinakes: Pinakes, asked: StackAsked) -> StackAsked:
    """The stack with the entries that a link or a button adds; of several bases the first is the base."""
    if not asked.fresh:
        return asked
    with pinakes.catalog.read() as session:
        shown = documents(session, [pick.id for pick in asked.fresh])
    added, based = asked, False
    for pick in asked.fresh:
        kind = shown[pick.id].kind if pick.id in shown else "unknown"
        if kind in ADDON_KINDS or (kind in BASE_KINDS and not based):
            added = added.with_new(pick if kind in _WEIGHED else Pick(pick.id), kind)
        based |= kind in BASE_KINDS
    return replace(added, fresh=(), acted=True)


def checked(pinakes: Pinakes, asked: StackAsked) -> tuple[Stack | None, str]:
    """The check of a stack that has a base, or the sentence that says why it could not be made."""
    if asked.base is None:
        return None, ""
    try:
        addons = [pick.told for pick in asked.picks]
        return check_stack(pinakes, asked.base, addons, deep=asked.deep, on_disk=False), ""
    except UsageError as error:
        return None, error.detail


def _base(asked: StackAsked, shown: Mapping[int, Document]) -> Base | None:
    if asked.base is None:
        return None
    if asked.base_id is None:
        return Base(architectures()[asked.base].title, "any model of this architecture", None, "clear")
    document = shown[asked.base_id]
    made = title_of(document.architecture) if document.architecture else "unknown architecture"
    return Base(document.name, f"{short_kind(document)} · {made}", document, cover(document))


def _rows(
    pinakes: Pinakes, asked: StackAsked, shown: Mapping[int, Document], stack: Stack | None
) -> list[Row]:
    ids = [pick.id for pick in asked.picks if shown[pick.id].kind in _WEIGHED]
    with pinakes.catalog.read() as session:
        used, preferred = used_weights(session, ids), preferred_weights(session, ids)
    advised = {id_: weight_of(None, used.get(id_, ()), preferred.get(id_)) for id_ in ids}
    found = stack.addons if stack is not None else ()
    rows = []
    for place, pick in enumerate(asked.picks):
        document, weight = shown[pick.id], advised.get(pick.id)
        ends = (0.0, *_known(pick.weight), *_used(weight))
        rows.append(
            Row(
                pick=pick,
                document=document,
                kind=short_kind(document),
                base=title_of(document.architecture) if document.architecture else "",
                cover=cover(document),
                addon=found[place] if place < len(found) else None,
                advised=weight,
                low=min(-1.0, *ends),
                high=max(2.0, *ends),
                first=place == 0,
                last=place == len(asked.picks) - 1,
            )
        )
    return rows


def _known(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _used(weight: Weight | None) -> tuple[float, ...]:
    return (*_known(weight.low), *_known(weight.high)) if weight else ()


def _told(stack: Stack) -> dict[str, Any]:
    return {
        "headline": _WHOLE[stack.verdict] if stack.addons else "The base by itself.",
        "advice": [_on_page(line) for line in stack.advice],
        "pairs": [pair for pair in stack.pairs if pair.shared or pair.words],
        "sizes": _sizes(stack),
        "words_of": [
            addon
            for addon in stack.addons
            if addon.member.triggers and addon.verdict.verdict != "incompatible"
        ],
        "no_graph": why_no_graph(stack.base),
    }


def _on_page(line: str) -> str:
    for spoken, shown in _TERMINAL:
        head, mark, _ = line.partition(spoken)
        if mark:
            return f"{head}{shown}"
    return line


def _sizes(stack: Stack) -> list[tuple[str, Size]]:
    made = (
        (title, size_of_stack(stack.base, stack.addons, stack.needed, name))
        for name, title in _SHOWN_PRECISIONS
    )
    return list(made)


# ---------------------------------------------------------------- from pictures


def asked_of_preview(pinakes: Pinakes, preview_id: int) -> StackAsked:
    """The stack that a preview was made with. Raises ``UsageError`` (``picture``) where it does not say."""
    with pinakes.catalog.read() as session:
        record = records_of_previews(session, [preview_id]).get(preview_id)
        models = record["models"] if record else []
        shown = documents(session, [one["id"] for one in models if one["id"] is not None])
    if not models:
        raise UsageError("picture", "This picture does not say which models it was made with.")
    weights = {one["id"]: one["weight"] for one in reversed(models)}
    lost = [str(one["name"] or one["hash"] or one["version_id"]) for one in models if one["id"] is None]
    return _asked_of(list(shown.values()), weights, lost, [one["id"] for one in models])


def asked_of_picture(pinakes: Pinakes, data: bytes) -> StackAsked:
    """The stack that a picture or a workflow was made with. Raises ``UsageError`` (``stack``)."""
    found = read_stack(pinakes.catalog, data)
    with pinakes.catalog.read() as session:
        shown = documents(session, found.ids)
    lost = [model.name or model.hash or model.version_id or model.kind for model in found.unknown]
    return _asked_of(list(shown.values()), found.weights, lost, found.ids)


def _asked_of(
    shown: Sequence[Document], weights: Mapping[int, float | None], lost: Sequence[str], order: Sequence[Any]
) -> StackAsked:
    """The first whole model is the base; the others keep the order in which they are named."""
    places = {id_: place for place, id_ in reversed(list(enumerate(order)))}
    ranked = sorted(shown, key=lambda document: places.get(document.id, 0))
    asked = StackAsked(lost=tuple(name[:80] for name in lost[:20]))
    for document in ranked:
        if document.kind in BASE_KINDS:
            asked = asked if asked.base else replace(asked, base=str(document.id))
        elif document.kind in ADDON_KINDS:
            weight = weights.get(document.id) if document.kind in _WEIGHED else None
            asked = replace(asked, picks=(*asked.picks, Pick(document.id, weight)))
    return asked
