"""What a person at a terminal sees of a plan: groups by action, each model with reason or candidate."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import Console, printable
from indexer.console_words import size_told
from search.answers import hidden_told
from search.plan import ACTIONS
from search.plan_answer import Item, Plan
from search.terminal_words import ACTIONS as TOLD_ACTIONS

__all__ = ["ACTION_TITLES", "cost_told", "show_plan"]

ACTION_TITLES: Mapping[str, tuple[str, str]] = {
    action: (mark.word, mark.told) for action, mark in TOLD_ACTIONS.items()
}
"""Action -> its title, and what it means."""

_NAME = 40


def show_plan(console: Console, plan: Plan) -> None:
    """The plan: totals first, then groups, easiest first; then what is hidden, and what changed."""
    head = f"Move to {plan.target.title}" + (f" from {plan.source}" if plan.source else "")
    console.out.print(Text(printable(head), style="bold"))
    console.out.print(_totals(plan))
    for line in summary(plan):
        console.line(line)
    for action in ACTIONS:
        items = [item for item in plan.items if item.action == action]
        if items:
            _group(console, action, items)
    if plan.changes is not None:
        _changes(console, plan.changes)
    for note in plan.notes:
        console.line(note)
    hidden = hidden_told(plan.hidden, plan.hidden_by)
    if hidden:
        console.line(hidden)


def summary(plan: Plan) -> list[str]:
    """Sizes, cost and licence in a line each."""
    sizes, lines = plan.sizes, []
    if sizes["downloads"]:
        unknown = f" ({sizes['unknown_downloads']} of unknown size)" if sizes["unknown_downloads"] else ""
        lines.append(f"To download: {sizes['downloads']} models, {size_told(sizes['download'])}{unknown}")
    if plan.cost is not None:
        lines.append(f"To train: {plan.cost['models']} adapters, {cost_told(plan.cost)}")
    if plan.licence is not None:
        sale = {
            True: "pictures may be sold",
            False: "pictures may not be sold",
            None: "nobody says whether pictures may be sold",
        }
        lines.append(
            f"Licence of {plan.target.title}: {plan.licence['title']} ({sale[plan.licence['commercial']]})"
        )
    changed = sum(item.licence_change is not None for item in plan.items)
    if changed:
        lines.append(f"Terms change for {changed} {'model' if changed == 1 else 'models'}.")
    return lines


def cost_told(cost: Mapping[str, Any]) -> str:
    """GPU hours and money: ``12 to 40 GPU hours, 5 to 18 EUR``."""
    hours, money = (_span(cost[name]) for name in ("gpu_hours", "money"))
    return f"{hours} GPU hours, {money} {cost['currency']}"


def _span(ends: Sequence[float]) -> str:
    low, high = (f"{value:,.0f}" if value >= 10 else f"{value:.1f}" for value in ends)
    return low if low == high else f"{low} to {high}"


def _totals(plan: Plan) -> Text:
    text = Text()
    for action, count in plan.totals.items():
        if count:
            text.append(f"{count} ", style=f"bold {TOLD_ACTIONS[action].colour}").append(f"{action}   ")
    return text


def _group(console: Console, action: str, items: Sequence[Item]) -> None:
    title, meaning = ACTION_TITLES[action]
    console.out.print()
    head = Text(f"{title}  {len(items)}", style=f"bold {TOLD_ACTIONS[action].colour}")
    console.out.print(head.append(f"  {meaning}", style="not bold dim"))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    for item in items:
        table.add_row(str(item.document.id) if item.document else "", _named(item), _told(item))
    console.out.print(Padding(table, (0, 0, 0, 2)))


def _named(item: Item) -> Text:
    name = printable(item.name)
    text = Text(name if len(name) <= _NAME else name[: _NAME - 1] + "…", style="bold")
    document = item.document
    told = (document.version, document.architecture or "?") if document else (item.kind,)
    return text.append("  " + " ".join(printable(part) for part in told if part), style="not bold dim")


def _told(item: Item) -> Text:
    text = Text()
    if item.action in ("update", "replace") and item.candidates:
        first = item.candidates[0]
        text.append(f"→ {printable(first.document.name)}", style="bold")
        told = (first.document.version, f"{first.score:.2f}", first.why)
        text.append("  " + "  ".join(printable(part) for part in told if part), style="dim")
    else:
        text.append(printable(_training(item) if item.action == "retrain" else " ".join(item.reasons)))
    change = item.licence_change
    if change is not None:
        text.append(f"  {printable(change['told'])}", style="yellow")
    return text


def _training(item: Item) -> str:
    cost = item.retrain["cost_range"] if item.retrain else None
    if item.retrain is None:
        return "Nobody trains this at home: look for a model that does without."
    low, high = item.retrain["steps"]
    told = f"{low:,} to {high:,} steps"
    return f"{told}, {cost_told(cost)}" if cost else f"{told}; what they cost is not known"


def _changes(console: Console, changes: Sequence[Mapping[str, Any]]) -> None:
    console.out.print()
    if not changes:
        console.line("Nothing changed since the earlier plan.")
        return
    console.out.print(Text(f"Changed since the earlier plan  {len(changes)}", style="bold"))
    for change in changes:
        console.line(f"  {change['name']}: {change['told']}")
