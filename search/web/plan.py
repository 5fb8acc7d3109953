"""A plan as one page that needs nothing else: styles and previews inside it, no script, no request."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from indexer.catalog import planning
from indexer.domain.licences import permission_titles
from indexer.domain.records import Document
from indexer.thumbnails import thumbnail_path
from search.answers import hidden_told
from search.plan import ACTIONS, Candidate
from search.plan_answer import Item, Plan
from search.plan_report import plan_csv, plan_json, write_text
from search.plan_table import load_plan_table
from search.service import Pinakes
from search.terminal_plan import ACTION_TITLES, cost_told
from search.web.templating import render
from search.web.views import cover, short_kind
from search.web.words import SIGNALS, title_of

__all__ = ["plan_page", "write_plan"]

PICTURES = 16 << 20
"""Bytes of previews that a page carries at most; what no longer fits is a letter."""

_SMALL = 256  # pixels of a preview's longer side
_CHOICES = 3
_ORDER = ("update", "replace", "retrain", "convert", "unknown", "keep")
"""Whose previews matter most."""

_WEB = Path(__file__).parent
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
    """A model as the page draws it. ``cover`` is ``clear``, ``unrated`` (covered until asked for) or
    ``adult`` (never in the page); ``picture`` names its class, empty without one."""

    name: str
    letter: str
    base: str
    kind: str
    size: int | None
    cover: str
    picture: str
    local: bool
    url: str | None


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
    """All models of one action; ``share`` in per cent of the plan."""

    action: str
    title: str
    meaning: str
    share: float
    rows: Sequence[Row]


def write_plan(pinakes: Pinakes, plan: Plan, path: Path) -> None:
    """Write the plan as the name ends: ``.html``, ``.csv`` or ``.json``. Raises ``UsageError`` (``out``)."""
    makers = {".csv": lambda: plan_csv(plan), ".json": lambda: plan_json(plan)}
    write_text(path, makers.get(path.suffix.lower(), lambda: plan_page(pinakes, plan)))


def plan_page(pinakes: Pinakes, plan: Plan) -> str:
    """The plan as HTML, the same for the same plan."""
    pictures = _pictures(pinakes, plan)
    styles = "\n".join((_WEB / "static" / name).read_text("utf-8") for name in ("tokens.css", "plan.css"))
    covers = "\n".join(f".p{id_}{{background-image:url({data})}}" for id_, data in pictures.items())
    groups = [_group(action, plan, pictures) for action in ACTIONS]
    sold = {True: "Pictures may be sold.", False: "Pictures may not be sold.", None: ""}
    return render(
        "plan_report.html",
        plan=plan,
        css=Markup(f"{styles}\n{covers}"),  # ours, and base64 of pictures that we encoded
        groups=[group for group in groups if group.rows],
        totals=plan.totals,
        sizes=plan.sizes,
        source=title_of(plan.source) if plan.source else None,
        cost_told=cost_told,
        sold=sold[plan.licence["commercial"]] if plan.licence else "",
        hidden=hidden_told(plan.hidden, plan.hidden_by),
        permissions=permission_titles(),
        blurred=any(
            row.model.cover == "unrated" and row.model.picture for group in groups for row in group.rows
        ),
    )


def _group(action: str, plan: Plan, pictures: Mapping[int, str]) -> Group:
    items = sorted((item for item in plan.items if item.action == action), key=_place)
    rows = [_row(item, pictures) for item in items]
    title, meaning = ACTION_TITLES[action]
    return Group(action, title, meaning, 100 * len(rows) / max(len(plan.items), 1), rows)


def _place(item: Item) -> tuple[str, str]:
    """Bases first, then what is used with them; by name."""
    row = load_plan_table().kinds.get(item.kind)
    role = {"base": "0", "addon": "1", "part": "2"}.get(row.role if row else "", "3")
    return role, item.name.casefold()


def _row(item: Item, pictures: Mapping[int, str]) -> Row:
    choices = [_choice(candidate, pictures) for candidate in item.candidates[:_CHOICES]]
    if item.document is None:
        return Row(
            item, Shown(item.name, item.name[:1], "", item.kind, None, "clear", "", False, None), choices
        )
    return Row(item, _shown(item.document, pictures), choices)


def _choice(candidate: Candidate, pictures: Mapping[int, str]) -> Choice:
    bars = [(_SIGNALS.get(name, name), round(100 * value)) for name, value in candidate.signals.items()]
    return Choice(_shown(candidate.document, pictures), round(100 * candidate.score), candidate.why, bars)


def _shown(document: Document, pictures: Mapping[int, str]) -> Shown:
    family = title_of(document.architecture)
    base = f"{document.version} · {family}" if document.version else family
    has = document.preview_id in pictures
    return Shown(
        document.name,
        document.name[:1].upper(),
        base,
        short_kind(document),
        document.size,
        cover(document),
        f"p{document.preview_id}" if has else "",
        "local" in document.flags,
        next((ref.url for ref in document.sources if ref.url), None),
    )


def _wanted(plan: Plan) -> Iterator[int]:
    """Previews in the order of their use; those that nobody may see by default are left out."""
    for action in _ORDER:
        for item in plan.items:
            if item.action != action:
                continue
            shown = [item.document, *(one.document for one in item.candidates[:_CHOICES])]
            for document in shown:
                if document is not None and document.preview_id is not None and cover(document) != "adult":
                    yield document.preview_id


def _pictures(pinakes: Pinakes, plan: Plan) -> dict[int, str]:
    """Preview -> an address that holds it, as many as fit."""
    wanted = list(dict.fromkeys(_wanted(plan)))
    with pinakes.catalog.read() as session:
        names = planning.thumbnails(session, wanted)
    found: dict[int, str] = {}
    left = PICTURES
    for id_ in wanted:
        if id_ not in names:
            continue
        content = _small(thumbnail_path(pinakes.settings.thumbnail_folder, names[id_]))
        left -= len(content)
        if left < 0:
            break
        if content:
            found[id_] = f"data:image/webp;base64,{base64.b64encode(content).decode()}"
    return found


def _small(path: Path) -> bytes:
    """A thumbnail of ours as a smaller WebP; empty where its file is gone or broken."""
    small = BytesIO()
    try:
        with Image.open(path, formats=("WEBP",)) as picture:
            picture.thumbnail((_SMALL, _SMALL))
            picture.save(small, "WEBP", quality=76)
    except (OSError, UnidentifiedImageError):
        return b""
    return small.getvalue()
