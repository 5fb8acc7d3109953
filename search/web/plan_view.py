"""The page of a plan: choose where to move, look on while it is made, read what came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from indexer.domain.vocabulary import architectures, families
from search.answers import hidden_told
from search.plan import ACTIONS
from search.plan_answer import Plan
from search.plan_make import PlanRequest
from search.service import Pinakes
from search.terminal_plan import ACTION_TITLES, cost_told
from search.web.plan_jobs import PlanState
from search.web.plan_rows import group_of, in_order, sold_told
from search.web.words import title_of

__all__ = ["MOST", "PlanAsked", "plan_view"]

MOST = 20_000
"""Models planned for the page; a library of more is planned by ``pinakes plan``."""

_PAGE = 48
_WHOLE = ("image", "video")


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """What an address asks for: a plan, and of it an action and a page."""

    to: str = ""
    source: str = ""
    q: str = ""
    action: str = ""
    page: int = 1

    def url(self, path: str = "/plan", **more: object) -> str:
        """The address of the plan; ``more`` adds an action or a page."""
        pairs = [("to", self.to), ("from", self.source), ("q", self.q), *more.items()]
        return f"{path}?{urlencode([(name, value) for name, value in pairs if value])}"

    def request(self) -> PlanRequest:
        """What is to be made."""
        return PlanRequest(self.to, self.source or None, self.q, most=MOST)


def plan_view(
    pinakes: Pinakes, asked: PlanAsked, state: PlanState | None, refused: str = ""
) -> dict[str, Any]:
    """Everything that ``plan.html`` shows."""
    shown = {
        "asked": asked,
        "state": state,
        "refused": refused,
        "targets": _targets(),
        "sources": _sources(pinakes),
        "target": _target_title(asked.to),
        "plan": None,
    }
    return shown | (_made(asked, state.plan) if state is not None and state.plan is not None else {})


def _targets() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """Choices by group, as (id, title): families, then architectures by what they draw."""
    rows = architectures().values()
    groups = [("Families", [(row.id, row.title) for row in families().values()])]
    for media in _WHOLE:
        made = [
            (row.id, row.title)
            for row in rows
            if row.role == "denoiser" and not row.abstract and row.media == media
        ]
        groups.append((f"Architectures: {media}", made))
    return [(title, sorted(made, key=lambda pair: pair[1].casefold())) for title, made in groups]


def _sources(pinakes: Pinakes) -> list[tuple[str, str]]:
    """Architectures of bases and adapters in the library, as (id, title)."""
    counted: Mapping[str, int] = pinakes.search("", limit=1).facets.get("arch", {})
    known = architectures()
    found = [(id_, known[id_].title) for id_ in counted if id_ in known and known[id_].role == "denoiser"]
    return sorted(found, key=lambda pair: pair[1].casefold())


def _target_title(to: str) -> str:
    family = families().get(to)
    return family.title if family else title_of(to) if to else ""


def _made(asked: PlanAsked, plan: Plan) -> dict[str, Any]:
    totals = plan.totals
    chosen = [action for action in ACTIONS if totals[action] and asked.action in ("", action)]
    items = [
        item for action in chosen for item in in_order(one for one in plan.items if one.action == action)
    ]
    pages = max(1, -(-len(items) // _PAGE))
    here = min(max(asked.page, 1), pages)
    shown = items[(here - 1) * _PAGE : here * _PAGE]
    groups = [
        group_of(action, [i for i in shown if i.action == action], 100 * totals[action] / len(plan.items), {})
        for action in chosen
    ]
    return {
        "plan": plan,
        "groups": [group for group in groups if group.rows],
        "totals": [(action, ACTION_TITLES[action], totals[action]) for action in ACTIONS if totals[action]],
        "counts": totals,
        "shares": list(_shares(totals)),
        "sizes": plan.sizes,
        "source": title_of(plan.source) if plan.source else None,
        "cost_told": cost_told,
        "sold": sold_told(plan),
        "hidden": hidden_told(plan.hidden, plan.hidden_by),
        "pages": pages,
        "page": here,
    }


def _shares(totals: Mapping[str, int]) -> Sequence[tuple[str, float, float]]:
    """(action, where its part of the bar begins, its width), in per cent."""
    whole, begun, found = sum(totals.values()) or 1, 0.0, []
    for action in ACTIONS:
        width = 100 * totals[action] / whole
        if width:
            found.append((action, round(begun, 2), round(max(width - 0.4, 0.4), 2)))
        begun += width
    return found
