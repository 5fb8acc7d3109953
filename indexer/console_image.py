"""What ``pinakes inspect`` shows a person of a picture: its prompt, its settings and its models."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from indexer.console import printable
from indexer.console_words import is_empty, kind_title, told

__all__ = ["image_rows"]

Told = Mapping[str, Any]
Row = tuple[str, Text]

_LONGEST = 4_000
_SETTINGS = ("steps", "sampler", "scheduler", "cfg", "seed")


def image_rows(data: Told) -> list[Row]:
    """Rows of a picture's page: how it was made, as it says itself."""
    made = data.get("generation")
    rows = [("picture", Text(_size(data)))] if _size(data) else []
    if not made:
        return [*rows, ("made with", Text("it does not say", style="dim"))]
    by = " ".join(str(made[key]) for key in ("generator", "version") if made.get(key))
    rows.append(("made with", Text(printable(by), style="bold")))
    for key in ("prompt", "negative_prompt"):
        rows += [(key.replace("_", " "), line) for line in _prompt(made.get(key))]
    rows += [(key, Text(told(made[key]))) for key in _SETTINGS if not is_empty(made.get(key))]
    if _size(made):
        rows.append(("size", Text(_size(made))))
    models = made.get("models") or ()
    return rows + [("models" if not place else "", _model(model)) for place, model in enumerate(models)]


def _size(data: Told) -> str:
    width, height = data.get("width"), data.get("height")
    return f"{width} × {height}" if width and height else ""


def _prompt(text: Any) -> Iterator[Text]:
    """A prompt line by line; control characters are shown, not sent."""
    if not isinstance(text, str) or not text.strip():
        return
    lines = [printable(line) for line in text[:_LONGEST].strip().splitlines()]
    if len(text) > _LONGEST:
        lines.append(f"… {len(text):,} characters in all")
    yield Text("\n".join(lines))


def _model(model: Told) -> Text:
    text = Text(printable(str(model.get("name") or "not named")))
    if model.get("weight") is not None:
        text.append(f" × {model['weight']:g}", style="cyan")
    known = [kind_title(model.get("kind"))]
    known += [f"hash {model['hash']}"] if model.get("hash") else []
    known += [f"Civitai version {model['version_id']}"] if model.get("version_id") else []
    text.append(f"  {printable(', '.join(known))}", style="dim")
    return text
