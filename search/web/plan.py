"""A plan as one page that needs nothing else: styles and previews inside it, no script, no request."""

import base64
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from indexer.catalog import planning
from indexer.domain.licences import permission_titles
from indexer.thumbnails import thumbnail_path
from search.answers import hidden_told
from search.plan import ACTIONS
from search.plan_answer import Plan
from search.plan_report import plan_csv, plan_json, write_text
from search.service import Pinakes
from search.terminal_plan import cost_told
from search.web.plan_rows import CHOICES, Group, group_of, in_order, sold_told
from search.web.templating import render
from search.web.views import cover
from search.web.words import title_of

__all__ = ["plan_page", "write_plan"]

PICTURES = 16 << 20
"""Bytes of previews that a page carries at most; what no longer fits is a letter."""

_SMALL = 256  # pixels of a preview's longer side
_ORDER = ("update", "replace", "retrain", "convert", "unknown", "keep")
"""Whose previews matter most."""

_WEB = Path(__file__).parent
_STYLES = ("tokens.css", "plan_rows.css", "plan.css")


def write_plan(pinakes: Pinakes, plan: Plan, path: Path) -> None:
    """Write the plan as the name ends: ``.html``, ``.csv`` or ``.json``. Raises ``UsageError`` (``out``)."""
    makers = {".csv": lambda: plan_csv(plan), ".json": lambda: plan_json(plan)}
    write_text(path, makers.get(path.suffix.lower(), lambda: plan_page(pinakes, plan)))


def plan_page(pinakes: Pinakes, plan: Plan) -> str:
    """The plan as HTML, the same for the same plan."""
    pictures = _pictures(pinakes, plan)
    styles = "\n".join((_WEB / "static" / name).read_text("utf-8") for name in _STYLES)
    covers = "\n".join(f".p{id_}{{background-image:url({data})}}" for id_, data in pictures.items())
    groups = [_group(action, plan, pictures) for action in ACTIONS]
    return render(
        "plan_report.html",
        plan=plan,
        css=Markup(f"{styles}\n{covers}"),  # ours, and base64 of pictures that we encoded
        groups=[group for group in groups if group.rows],
        totals=plan.totals,
        sizes=plan.sizes,
        source=title_of(plan.source) if plan.source else None,
        cost_told=cost_told,
        sold=sold_told(plan),
        hidden=hidden_told(plan.hidden, plan.hidden_by),
        permissions=permission_titles(),
        blurred=any(
            row.model.cover == "unrated" and row.model.picture for group in groups for row in group.rows
        ),
    )


def _group(action: str, plan: Plan, pictures: Mapping[int, str]) -> Group:
    items = in_order(item for item in plan.items if item.action == action)
    return group_of(action, items, 100 * len(items) / max(len(plan.items), 1), pictures)


def _wanted(plan: Plan) -> Iterator[int]:
    """Previews in the order of their use; those that nobody may see by default are left out."""
    for action in _ORDER:
        for item in plan.items:
            if item.action != action:
                continue
            shown = [item.document, *(one.document for one in item.candidates[:CHOICES])]
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
