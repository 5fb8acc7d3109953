"""What a person at a terminal sees of one model, and of what is mislabelled."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import Console, printable
from indexer.console_inspect import (
    conflict_rows,
    evidence_rows,
    field_grid,
    headline,
    recipe_table,
    show_block,
    undecided_rows,
)
from indexer.console_words import architecture_title, confidence_told, is_empty, size_told, told
from indexer.domain.marks import NOTHING_NOTED, marks_told
from search.mislabelled import Mislabelled
from search.terminal_usage import show_usage

__all__ = ["show_details", "show_mislabelled"]

Row = tuple[str, Text]

_FACTS = ("version", "kind", "adapter", "family", "base_label", "category", "creator", "licence")
_DIGITS = 12
_ROWS = 100
"""So many rows are laid out together, so that a long report begins at once."""


def show_details(console: Console, details: Mapping[str, Any]) -> None:
    """Everything known of one model: what it is, who decided, and each file with its evidence."""
    out = console.out
    out.print(
        Text(printable(str(details["name"])), style="bold").append(
            f"  id {details['id']}", style="not bold dim"
        ),
        soft_wrap=True,
    )
    show_block(out, Padding(field_grid([*_facts(details), *_decisions(details)]), (0, 0, 0, 2)))
    recipe = recipe_table(details.get("training") or {})
    if recipe is not None:
        show_block(out, Padding(headline("Training"), (0, 0, 0, 2)))
        show_block(out, Padding(recipe, (0, 0, 0, 2)))
    show_usage(console, details.get("usage") or {})
    for file in details["files"]:
        _show_file(console, file)
    claims = list(_claims(details["claims"]))
    if claims:
        show_block(out, Padding(headline("Claims"), (0, 0, 0, 2)))
        show_block(out, Padding(field_grid(claims, 22), (0, 0, 0, 2)))


def _facts(details: Mapping[str, Any]) -> list[Row]:
    rows = [(n.replace("_", " "), Text(told(details[n]))) for n in _FACTS if not is_empty(details.get(n))]
    path = [str(step) for step in details.get("architecture_path") or ()]
    where = Text(" › ".join(path) or "not known")
    if path:
        where.append(f"  {architecture_title(path[-1])}")
    where.append(f"  {confidence_told(float(details.get('confidence') or 0.0))}", style="dim")
    rows.append(("architecture", where))
    for name, style in (("trigger_words", "cyan"), ("tags", "")):
        if details.get(name):
            rows.append((name.replace("_", " "), Text(told(details[name]), style=style)))
    return rows


def _decisions(details: Mapping[str, Any]) -> list[Row]:
    """What a person decided, and what was found instead."""
    found: Mapping[str, Any] = next((f["verdict"] for f in details["files"] if f["verdict"]), {})
    rows = []
    for row in details.get("overrides") or ():
        if row["withdrawn_at"] is None:
            text = Text(f"{row['name']} {told(row['value'])}", style="bold")
            instead = found.get(row["name"])
            text.append(f"  found: {told(instead)}" if instead else "", style="not bold dim")
            rows.append(("your word", text))
    noted = marks_told(details["marks"]) if details.get("marks") else NOTHING_NOTED
    if noted != NOTHING_NOTED:
        rows.append(("your notes", Text(told(noted))))
    return rows


def _show_file(console: Console, file: Mapping[str, Any]) -> None:
    verdict = file["verdict"] or {}
    hashed = f"sha256 {file['sha256'][:_DIGITS]}…" if file["sha256"] else "not hashed yet"
    head = f"{size_told(file['size'])} · {file['container']} · {hashed}"
    console.out.print()
    for place in file["places"]:
        line = Text("  " + printable(place["path"]), style="bold")
        line.append("  not there now" if place["missing"] else "", style="not bold red")
        console.out.print(line, soft_wrap=True)
    found = f"{verdict.get('kind') or 'unknown'}, {verdict.get('architecture') or 'architecture not known'}"
    rows: list[Row] = [("", Text(head, style="dim")), *_loaders(file["places"])]
    rows += [("found", Text(found)), *undecided_rows(verdict)]
    rows += conflict_rows(verdict.get("conflicts") or ())
    rows += [("warning", Text(told(text), style="yellow")) for text in file["warnings"].values()]
    rows += evidence_rows(verdict.get("evidence") or ())
    show_block(console.out, Padding(field_grid(rows), (0, 0, 0, 2)))


def _loaders(places: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    """How ComfyUI's loaders name the file, each name once."""
    named = [place["comfyui"] for place in places if place["comfyui"] and not place["missing"]]
    for category, path in dict.fromkeys((one["category"], one["path"]) for one in named):
        yield "ComfyUI", Text(printable(f"{category}: {path}"))


def _claims(claims: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    for row in claims:
        said = {
            k: v for k, v in row["claims"].items() if k not in ("description", "notes") and v is not False
        }
        if said:
            yield row["source"], Text(told(said))


def show_mislabelled(console: Console, report: Mislabelled) -> None:
    """The report as a table, a page of rows at a time, and how much there is."""
    rows: list[Mapping[str, Any]] = []
    shown = 0
    for item in report.items:
        rows.append(item)
        if len(rows) == _ROWS:
            _table(console, rows, shown == 0)
            shown, rows = shown + len(rows), []
    if rows:
        _table(console, rows, shown == 0)
    shown += len(rows)
    hidden = f"; {report.hidden} hidden (add is:adult, is:real_person to see them)" if report.hidden else ""
    files = f"{shown} {'file' if shown == 1 else 'files'}"
    models = f"{report.total} mislabelled {'model' if report.total == 1 else 'models'}"
    console.line(f"{files} of {models}{hidden}" if shown else f"No claim contradicts the tensors{hidden}.")


def _table(console: Console, items: Iterable[Mapping[str, Any]], head: bool) -> None:
    table = Table(box=None, pad_edge=False, expand=True, show_header=head, padding=(0, 2, 1, 0))
    for title, share, style in (
        ("file", 4, ""),
        ("says", 4, "red"),
        ("found", 2, "bold"),
        ("sure", 2, "dim"),
        ("because", 5, "dim"),
    ):
        table.add_column(title, ratio=share, overflow="fold", style=style)
    for item in items:
        table.add_row(*map(Text, _cells(item)))
    show_block(console.out, table)


def _cells(item: Mapping[str, Any]) -> tuple[str, ...]:
    says = [f"{_short(row['claim'])} ({told(row['source'])})" for row in item["conflicts"]]
    found = dict.fromkeys(_short(row["found"]) for row in item["conflicts"])
    evidence = [told(row["detail"]) for row in item["evidence"]]
    name = printable(str(item["path"]).rpartition("/")[2] or str(item["name"]))
    return (
        f"{name}\nid {item['id']}",
        "\n".join(says),
        "\n".join(found),
        confidence_told(item["confidence"]),
        evidence[-1] if evidence else "",
    )


def _short(value: str) -> str:
    """A claim or finding; of a hash its beginning."""
    kind, colon, digits = value.partition(":")
    return f"{kind} {digits[:_DIGITS]}…" if colon and kind == "sha256" else told(value)
