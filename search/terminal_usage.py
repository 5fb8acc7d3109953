"""What a person at a terminal sees of how pictures use a model."""

from collections.abc import Mapping
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import Console
from indexer.console_inspect import field_grid, headline, show_block
from indexer.console_words import kind_title, told

__all__ = ["show_usage", "weight_told"]

Row = tuple[str, Text]


def show_usage(console: Console, usage: Mapping[str, Any]) -> None:
    """With which weight, settings and words pictures use a model, and beside which others."""
    if not usage:
        return
    pictures = "picture" if usage["records"] == 1 else "pictures"
    newest = "the newest " if usage["bounded"] else ""
    show_block(
        console.out,
        Padding(headline(f"Use in {newest}{usage['records']:,} {pictures}"), (0, 0, 0, 2)),
    )
    rows = list(_rows(usage))
    if rows:
        show_block(console.out, Padding(field_grid(rows), (0, 0, 0, 2)))
    if usage["together"]:
        show_block(console.out, Padding(_table(usage), (0, 0, 0, 2)))


def weight_told(weight: Mapping[str, Any] | None) -> str:
    """Median and range of weights: ``0.8 (0.6 to 1)``; nothing where none was told."""
    if weight is None:
        return ""
    spread = f" ({weight['low']:g} to {weight['high']:g})" if weight["low"] != weight["high"] else ""
    return f"{weight['median']:g}{spread}"


def _rows(usage: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = []
    if usage["weight"]:
        text = Text(weight_told(usage["weight"]), style="bold")
        claimed = usage["claimed_weight"]
        text.append(f"  claimed: {claimed:g}" if claimed is not None else "", style="not bold dim")
        rows.append(("weight", text))
    for name, row in usage["settings"].items():
        rows.append((name, Text(told(row["value"])).append(f"  {row['share']:.0%}", style="dim")))
    spoken = [f"{told(row['word'])} {row['share']:.0%}" for row in usage["trigger_words"] if row["share"]]
    if spoken:
        rows.append(("words used", Text(", ".join(spoken))))
    return rows


def _table(usage: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, style in (("used with", ""), ("type", "dim"), ("pictures", ""), ("its weight", "")):
        table.add_column(title, style=style, overflow="fold")
    table.add_column("this one's weight", overflow="fold")
    for row in usage["together"]:
        name = Text(told(row["name"]))
        name.append(f"  id {row['id']}" if row["id"] is not None else "  not in the catalog", style="dim")
        count = f"{row['records']:,} ({row['share']:.0%})"
        weights = weight_told(row["weight"]), weight_told(row["beside"])
        table.add_row(name, kind_title(row["kind"]), count, *weights)
    return table
