"""Many inspected files for a person: one aligned line each, printed as it comes, and a summary."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console as RichConsole
from rich.text import Text

from indexer.console import printable
from indexer.console_words import size_told

__all__ = ["FileLines"]

_WIDTHS = {"kind": 17, "architecture": 16, "family": 11, "size": 8}
_NOTES = 15
_NARROWEST = 26
_WIDEST = 60
_KEPT = 20


class FileLines:
    """Prints a line a file under the name of its folder; memory is that of the summary, however many come."""

    def __init__(self, out: RichConsole) -> None:
        self._out = out
        self._folder: str | None = None
        self._kinds: Counter[str] = Counter()
        self._refused: list[tuple[str, str]] = []
        self._refusals = 0
        self._mislabelled = 0
        rest = out.width - sum(_WIDTHS.values()) - 2 * len(_WIDTHS) - _NOTES - 2
        self._name = min(max(_NARROWEST, rest), _WIDEST)

    def add(self, data: Mapping[str, Any]) -> None:
        """Print one inspected file."""
        folder, slash, name = str(data["path"]).rpartition("/")
        self._head(folder + slash)
        self._count(data)
        refused = data.get("reason")
        cells = [_kind(data), data.get("architecture"), data.get("family")]
        texts = [printable(str(cell or "")) for cell in cells]
        texts.append(size_told(data.get("size")).rjust(_WIDTHS["size"]))
        self._row(printable(name), texts, _notes(data), "dim" if refused else "")

    def _head(self, folder: str) -> None:
        if self._folder is None:
            heads = [name.rjust(_WIDTHS[name]) if name == "size" else name for name in _WIDTHS]
            self._row("file", heads, Text("notes"), "dim")
        if folder != self._folder:
            self._folder = folder
            self._out.print(Text(printable(folder), style="bold"), soft_wrap=True)

    def _count(self, data: Mapping[str, Any]) -> None:
        self._mislabelled += bool(data.get("conflicts"))
        if not data.get("reason"):
            self._kinds[str(data.get("kind") or "image")] += 1
            return
        self._refusals += 1
        if len(self._refused) < _KEPT:
            self._refused.append((str(data["path"]), str(data["reason"]["detail"])))

    def _row(self, name: str, cells: list[str], notes: Text, style: str) -> None:
        line = Text("  " + _fitted(name, self._name, cut=self._out.is_terminal), style=style)
        for cell, width in zip(cells, _WIDTHS.values(), strict=True):
            line.append("  " + _fitted(cell, width, cut=False))
        line.append("  ").append_text(notes)
        line.rstrip()
        self._out.print(line, soft_wrap=True)

    def finish(self) -> None:
        """Print what could not be read and why, then the summary."""
        for path, detail in self._refused:
            self._out.print(Text(f"\n{printable(path)}", style="bold"), soft_wrap=True)
            self._out.print(Text(f"  {printable(detail)}", style="red"), soft_wrap=True)
        if self._refusals > len(self._refused):
            self._out.print(Text(f"… and {self._refusals - len(self._refused):,} more"))
        total = self._kinds.total() + self._refusals
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self._kinds.most_common())
        told = [f"{total:,} {'file' if total == 1 else 'files'}", kinds]
        told += [f"{self._mislabelled:,} mislabelled"] if self._mislabelled else []
        told += [f"{self._refusals:,} cannot be read"] if self._refusals else []
        self._out.print(Text("\n" + " · ".join(filter(None, told)), style="bold"), soft_wrap=True)


def _kind(data: Mapping[str, Any]) -> str:
    """The kind, and after it what sort of adapter where that is not plain LoRA."""
    if data.get("reason"):
        return "cannot be read"
    kind, adapter = data.get("kind") or data.get("container") or "", data.get("adapter")
    return f"{kind} · {adapter}" if adapter and adapter != kind else str(kind)


def _fitted(text: str, width: int, *, cut: bool) -> str:
    """Padded to a width; a name that is too long loses its middle."""
    if cut and len(text) > width:
        tail = width // 2
        text = f"{text[: width - tail - 1]}…{text[-tail:]}"
    return text.ljust(width)


def _notes(data: Mapping[str, Any]) -> Text:
    notes = Text()
    if data.get("reason"):
        return notes.append(printable(str(data["reason"]["code"])), style="red")
    if data.get("conflicts"):
        notes.append("mislabelled ", style="red")
    program = data.get("program") or {}
    if program and program.get("verdict") != "tensors-only":
        notes.append(f"{printable(str(program['verdict']))} ", style="red")
    if data.get("warnings"):
        count = len(data["warnings"])
        notes.append(f"{count} {'warning' if count == 1 else 'warnings'}", style="yellow")
    return notes
