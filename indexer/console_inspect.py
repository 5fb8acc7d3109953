"""What ``pinakes inspect`` shows a person: a page a file, or a line a file for many."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import printable
from indexer.console_image import image_rows
from indexer.console_words import (
    adapter_title,
    architecture_title,
    confidence_told,
    count_told,
    is_empty,
    kind_title,
    size_told,
    told,
)

__all__ = [
    "conflict_rows",
    "evidence_rows",
    "field_grid",
    "headline",
    "recipe_table",
    "show_block",
    "show_file",
    "undecided_rows",
]

Told = Mapping[str, Any]
Row = tuple[str, Text]

_LABEL = 15
_POSSIBLE = 0.01
_LONG_CLAIMS = frozenset(("description", "notes", "tags", "trigger_words"))
_RECIPE: Mapping[str, str] = {
    "tool": "tool",
    "base_model_name": "base",
    "images": "images",
    "repeats": "repeats",
    "steps": "steps",
    "epochs": "epochs",
    "planned_epochs": "planned epochs",
    "batch_size": "batch size",
    "resolution": "resolution",
    "learning_rate": "learning rate",
    "unet_lr": "denoiser rate",
    "text_encoder_lr": "text encoder rate",
    "optimiser": "optimiser",
    "scheduler": "schedule",
    "dim": "rank",
    "alpha": "alpha",
    "conv_dim": "conv rank",
    "clip_skip": "clip skip",
    "noise_offset": "noise offset",
    "mixed_precision": "precision",
    "seed": "seed",
    "started": "started",
    "finished": "finished",
    "date": "date",
}
"""Key of ``training`` -> what it is called here, in the order shown."""

_DANGER = {"tensors-only": "green", "unknown-imports": "yellow"}


def show_file(out: RichConsole, data: Told) -> None:
    """Print the page of one inspected file, and an empty line."""
    name, folder = _split(str(data["path"]))
    head = Text(name, style="bold")
    facts = [size_told(data.get("size")), str(data.get("container") or "")]
    head.append(f"  {' · '.join(fact for fact in facts if fact)}", style="dim")
    out.print(head, soft_wrap=True)
    if folder:
        out.print(Text(f"  {folder}", style="dim"), soft_wrap=True)
    show_block(out, Padding(file_page(data), (0, 0, 1, 2)))


def show_block(out: RichConsole, block: RenderableType) -> None:
    """Print a block; what goes to a file or a pipe carries no spaces at the ends of its lines."""
    if out.is_terminal:
        out.print(block)
        return
    with out.capture() as captured:
        out.print(block)
    out.file.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _split(path: str) -> tuple[str, str]:
    folder, slash, name = path.rpartition("/")
    return printable(name or path), printable(folder + slash)


def file_page(data: Told) -> Group:
    """What follows the name: the refusal, or facts, evidence, claims and what is odd."""
    if data.get("reason"):
        return Group(field_grid(_refusal(data["reason"])), *_oddities(data))
    if "generation" in data:
        return Group(field_grid(image_rows(data)), *_oddities(data))
    parts: list[RenderableType] = [field_grid(_facts(data)), *_oddities(data)]
    recipe = recipe_table(data.get("training") or {})
    if recipe is not None:
        parts += [headline("Training"), recipe]
    claims = list(_claims(data.get("claims") or {}))
    if claims:
        parts += [headline("Claims"), field_grid(claims, 22)]
    evidence = data.get("evidence") or ()
    if evidence:
        parts += [headline("Evidence"), field_grid(evidence_rows(evidence), 22)]
    return Group(*parts)


def field_grid(rows: Iterable[Row], width: int = _LABEL) -> Table:
    """Labels on the left, values on the right, folded where the terminal ends."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", min_width=width, max_width=width + 6, overflow="fold")
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(Text(printable(label)), value)
    return grid


def headline(text: str) -> Padding:
    return Padding(Text(text, style="bold"), (1, 0, 0, 0))


def _refusal(reason: Told) -> list[Row]:
    return [
        ("cannot be read", Text(printable(str(reason["detail"])), style="red")),
        ("reason", Text(printable(str(reason["code"])))),
    ]


def _facts(data: Told) -> list[Row]:
    rows = [("kind", _kind(data)), ("architecture", _architecture(data)), *undecided_rows(data)]
    rows += _lineage(data)
    rows += [(label, Text(text)) for label, text in _numbers(data) if text]
    rows += [
        ("trains" if not place else "", _trained(row)) for place, row in enumerate(data.get("trained") or ())
    ]
    rows += [("needs" if not place else "", _need(row)) for place, row in enumerate(data.get("needs") or ())]
    words = data.get("trigger_words")
    if words:
        rows.append(("trigger words", Text(told(words), style="cyan")))
    return [*rows, *_program(data.get("program"))]


def _kind(data: Told) -> Text:
    text = Text(kind_title(data.get("kind")), style="bold")
    if data.get("adapter"):
        text = Text(adapter_title(str(data["adapter"])), style="bold")
    if data.get("key_format"):
        text.append(f"  {printable(str(data['key_format']))} keys", style="not bold dim")
    return text


def _architecture(data: Told) -> Text:
    path = [str(step) for step in data.get("architecture_path") or ()]
    text = Text(" › ".join(path) or "not known", style="bold")
    if path:
        text.append(f"  {architecture_title(path[-1])}", style="not bold")
    text.append(f"  {confidence_told(float(data.get('confidence') or 0.0))}", style="not bold dim")
    return text


def undecided_rows(data: Told) -> list[Row]:
    """The architectures that remain, when several do, and why no header can tell."""
    likely = [row for row in data.get("candidates") or () if row["confidence"] >= _POSSIBLE]
    if len(likely) == 1 and likely[0]["architecture"] != data.get("architecture"):
        return [("most likely", Text(f"{told(likely[0]['architecture'])} {likely[0]['confidence']:.0%}"))]
    if len(likely) <= 1:
        return []
    names = ", ".join(f"{row['architecture']} {row['confidence']:.0%}" for row in likely)
    return [("could be", Text(names)), ("", Text(_why_undecided(data, likely), style="dim"))]


def _why_undecided(data: Told, likely: Iterable[Told]) -> str:
    ids = [str(row["architecture"]) for row in likely]
    rows = [str(row["detail"]) for row in data.get("evidence") or ()]
    reason = next((row for row in reversed(rows) if sum(id_ in row for id_ in ids) > 1), None)
    told_by = f" because {printable(reason)}" if reason else ": names and sizes are the same in all of them"
    return f"cannot be told from tensors{told_by}"


def _lineage(data: Told) -> list[Row]:
    rows: list[Row] = []
    guesses = data.get("families") or ()
    if data.get("family") or guesses:
        listed = ", ".join(f"{told(row['family'])} {row['confidence']:.0%}" for row in guesses)
        rows.append(("family", Text(listed or told(data["family"]))))
    if not is_empty(data.get("merge")):
        rows.append(("merged from", Text(told(data["merge"]))))
    return rows


def _trained(row: Told) -> Text:
    text = Text(told(row["part"]).replace("_", " "))
    if row.get("model"):
        text.append(f" {told(row['model'])}")
    details = [told(row.get(name) or "") for name in ("blocks", "layers")]
    return text.append(f"  {' · '.join(filter(None, details))}", style="dim")


def _need(row: Told) -> Text:
    text = Text(told(row["part"]).replace("_", " "))
    if row.get("options"):
        text.append(": " + " or ".join(told(option) for option in row["options"]))
    return text.append(f"  {told(row.get('why') or '')}", style="dim")


def _numbers(data: Told) -> list[tuple[str, str]]:
    parameters, tensors = data.get("parameters"), data.get("tensors")
    counts = [f"{count_told(parameters)}" if parameters else "", f"in {tensors:,} tensors" if tensors else ""]
    dtypes = ", ".join(f"{printable(name)} ×{count:,}" for name, count in (data.get("dtypes") or {}).items())
    return [
        ("rank", _rank(data)),
        ("parameters", " ".join(filter(None, counts))),
        ("precision", dtypes),
        ("quantisation", told(data.get("quantisation") or "")),
        ("prediction", told(data.get("prediction_type") or "")),
        ("holds", told(data.get("components") or "")),
        ("hashes", told(data.get("hashes") or {})),
    ]


def _rank(data: Told) -> str:
    parts = data.get("ranks") or {}
    told_by_part = [f"{told(part).replace('_', ' ')} {_span(rank)}" for part, rank in parts.items()]
    rank, alpha, scale = data.get("rank"), data.get("alpha"), data.get("scale")
    texts = [", ".join(told_by_part) if len(parts) > 1 else _span(rank)]
    texts += [] if is_empty(alpha) else [f"alpha {told(alpha)}"]
    texts += [] if is_empty(scale) else [f"applied ×{told(scale)}"]
    return " · ".join(filter(None, texts))


def _span(rank: Told | None) -> str:
    if not rank:
        return ""
    if rank["min"] == rank["max"]:
        return told(rank["mode"])
    return f"{told(rank['min'])} to {told(rank['max'])}, mostly {told(rank['mode'])}"


def _program(program: Told | None) -> list[Row]:
    """What loading a pickled file would run; it is never loaded here."""
    if not program:
        return []
    style = _DANGER.get(str(program["verdict"]), "bold red")
    rows = [("would run", Text(told(program["verdict"]), style=style))]
    if program.get("detail"):
        rows.append(("", Text(told(program["detail"]), style=style)))
    if program.get("imports") and program["verdict"] != "tensors-only":
        rows.append(("imports", Text(told(program["imports"]))))
    return rows


def recipe_table(training: Told) -> Table | None:
    """The training recipe in two columns; None when nothing is said."""
    known = {key: training[key] for key in _RECIPE if not is_empty(training.get(key))}
    if isinstance(known.get("resolution"), list | tuple):
        known["resolution"] = " × ".join(map(told, known["resolution"]))
    cells = [(_RECIPE[key], told(value)) for key, value in known.items()]
    if not cells:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(style="dim", min_width=_LABEL)
        table.add_column(overflow="fold", min_width=18)
    half = (len(cells) + 1) // 2
    for place in range(half):
        left = cells[place]
        right = cells[place + half] if place + half < len(cells) else ("", "")
        table.add_row(*(Text(text) for text in (*left, *right)))
    return table


def _claims(claims: Told) -> Iterable[Row]:
    for source, said in claims.items():
        short = {
            name: value for name, value in said.items() if name not in _LONG_CLAIMS and value is not False
        }
        if not is_empty(short):
            yield printable(source), Text(told(short))


def evidence_rows(evidence: Iterable[Told]) -> list[Row]:
    """Which rule spoke, and what it saw."""
    return [(printable(str(row["rule"])), Text(printable(str(row["detail"])))) for row in evidence]


def conflict_rows(conflicts: Iterable[Told]) -> list[Row]:
    """Who says what, and what was found instead."""
    return [
        (
            "mislabelled",
            Text(f"{told(row['source'])} says {told(row['claim'])}; found {told(row['found'])}", style="red"),
        )
        for row in conflicts
    ]


def _oddities(data: Told) -> list[RenderableType]:
    """Contradictions in red, warnings in yellow with their sentences."""
    rows = conflict_rows(data.get("conflicts") or ())
    sentences = data.get("warning_details") or {}
    for code in data.get("warnings") or ():
        rows.append(
            ("warning", Text(f"{told(sentences.get(code, ''))} [{told(code)}]".strip(), style="yellow"))
        )
    return [Padding(field_grid(rows), (1, 0, 0, 0))] if rows else []
