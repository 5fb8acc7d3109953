"""A plan as rows to draw: each model with what may take its place, grouped by action."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.domain.records import Document
from search.plan import Candidate
from search.plan_answer import Item, Plan
from search.plan_table import load_plan_table
from search.terminal_plan import ACTION_TITLES
from search.web.views import cover, short_kind
from search.web.words import SIGNALS, title_of

__all__ = ["CHOICES", "Choice", "Group", "Row", "Shown", "group_of", "in_order", "sold_told"]

CHOICES = 3
"""So many candidates of a model are drawn."""

_SIGNALS = {
    **SIGNALS,
    "name": "Name",
    "purpose": "Purpose",
    "style": "Look",
    "text": "Described",
    "here": "In the library",
    "fit": "Fits",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A model as it is drawn. ``cover`` is ``clear``, ``unrated`` (covered until asked for) or ``adult``;
    ``picture`` names the class of its picture in a file of its own, empty without one; ``preview`` is the
    picture's id, ``id`` the entry's."""

    name: str
    letter: str
    base: str
    kind: str
    size: int | None
    cover: str
    picture: str
    local: bool
    url: str | None
    id: int | None = None
    preview: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate: ``score`` in per cent, ``bars`` its signals as (title, per cent)."""

    model: Shown
    score: int
    why: str
    bars: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the plan."""

    item: Item
    model: Shown
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Group:
    """Models of one action; ``share`` in per cent of the plan."""

    action: str
    title: str
    meaning: str
    share: float
    rows: Sequence[Row]


def group_of(action: str, items: Iterable[Item], share: float, pictures: Mapping[int, str]) -> Group:
    """The models of an action. ``pictures`` tells which previews a file of its own carries."""
    title, meaning = ACTION_TITLES[action]
    return Group(action, title, meaning, share, [_row(item, pictures) for item in items])


def in_order(items: Iterable[Item]) -> list[Item]:
    """Bases first, then what is used with them; by name."""
    return sorted(items, key=_place)


def _place(item: Item) -> tuple[str, str]:
    row = load_plan_table().kinds.get(item.kind)
    role = {"base": "0", "addon": "1", "part": "2"}.get(row.role if row else "", "3")
    return role, item.name.casefold()


def sold_told(plan: Plan) -> str:
    """Whether pictures of the target may be sold, as a sentence; empty where nobody says."""
    told = {True: "Pictures may be sold.", False: "Pictures may not be sold.", None: ""}
    return told[plan.licence["commercial"]] if plan.licence else ""


def _row(item: Item, pictures: Mapping[int, str]) -> Row:
    choices = [_choice(candidate, pictures) for candidate in item.candidates[:CHOICES]]
    if item.document is None:
        unknown = Shown(item.name, item.name[:1], "", item.kind, None, "clear", "", False, None)
        return Row(item, unknown, choices)
    return Row(item, _shown(item.document, pictures), choices)


def _choice(candidate: Candidate, pictures: Mapping[int, str]) -> Choice:
    bars = [(_SIGNALS.get(name, name), round(100 * value)) for name, value in candidate.signals.items()]
    return Choice(_shown(candidate.document, pictures), round(100 * candidate.score), candidate.why, bars)


def _shown(document: Document, pictures: Mapping[int, str]) -> Shown:
    family = title_of(document.architecture)
    return Shown(
        document.name,
        document.name[:1].upper(),
        f"{document.version} · {family}" if document.version else family,
        short_kind(document),
        document.size,
        cover(document),
        f"p{document.preview_id}" if document.preview_id in pictures else "",
        "local" in document.flags,
        next((ref.url for ref in document.sources if ref.url), None),
        document.id,
        document.preview_id,
    )
