"""``pinakes override`` at the terminal: what is decided, what was found, and what was decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from indexer.console import Console, printable
from indexer.console_inspect import field_grid, show_block
from indexer.console_words import told
from indexer.errors import UsageError
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.overriding import Decided

__all__ = ["show_decisions"]


def show_decisions(
    console: Console,
    what: str | None,
    values: Mapping[str, str],
    withdraw: Sequence[str],
    listed: bool,
    settings: Settings,
) -> None:
    """Change what is decided about one model, or list it; without a model list all. JSON: one object a model.

    Raises ``UsageError`` for what cannot be done.
    """
    from indexer.overriding import change_overrides, list_overrides, read_overrides

    if what is None:
        if values or withdraw or not listed:
            raise UsageError(
                "override", "Name a file or a model, or list what is decided: pinakes override --list"
            )
        for decided in list_overrides(settings):
            console.answer(asdict(decided), lambda decided=decided: _show(console, decided))  # type: ignore[misc]
        return
    if listed and (values or withdraw):
        raise UsageError("override", "--list only looks. Leave it out to change something.")
    if values or withdraw:
        decided = change_overrides(what, settings, console, values, withdraw)
    else:
        decided = read_overrides(what, settings)
    console.answer(asdict(decided), lambda: _show(console, decided))


def _show(console: Console, decided: "Decided") -> None:
    head = Text(printable(decided.name), style="bold").append(f"  id {decided.id}", style="not bold dim")
    console.out.print(head, soft_wrap=True)
    for path in decided.paths:
        console.out.print(Text(f"  {printable(path)}", style="dim"), soft_wrap=True)
    rows = [
        (name, Text(told(value), style="bold").append(f"  {_instead(decided, name)}", style="not bold dim"))
        for name, value in decided.overrides.items()
    ]
    rows += [
        ("withdrawn", Text(f"{row['name']} {told(row['value'])}, {row['withdrawn_at'][:10]}", style="dim"))
        for row in decided.history
        if row["withdrawn_at"] is not None
    ]
    rows = rows or [("", Text("Nothing is decided about it."))]
    show_block(console.out, Padding(field_grid(rows), (0, 0, 1, 2)))


def _instead(decided: "Decided", name: str) -> str:
    """What was found where a person decided otherwise."""
    found = decided.found.get(name)
    return f"your word; found: {told(found)}" if found is not None else "your word"
