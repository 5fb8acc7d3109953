"""A model card (README.md of a Hub repository): front matter in YAML, then Markdown. Hostile like everything.

``huggingface_hub.ModelCard`` reads the same with ``yaml.safe_load``, which has no budgets (aliases that grow
to gigabytes when written out, nesting that ends the stack) and guesses types (``no`` becomes false, a date an
object). Here aliases and tags are refused, size and depth are counted before anything is built, and every
scalar stays the text that it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from indexer.domain.header import HeaderWarning
from indexer.parsers.strict_json import replace_surrogates

__all__ = ["MAX_CARD", "MAX_FRONT", "ModelCard", "read_card"]

MAX_CARD: Final = 1 << 20  # characters
MAX_FRONT: Final = 256 << 10
_MAX_EVENTS: Final = 20_000
_MAX_DEPTH: Final = 16
_MAX_TRIGGERS: Final = 20

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TRIGGER = re.compile(r"should use `([^`\n]{1,200})` to trigger")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """``data`` is the front matter, all scalars texts; ``text`` the Markdown; ``triggers`` the words that the
    usual sentence of generated cards names."""

    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    triggers: tuple[str, ...] = ()
    warnings: tuple[HeaderWarning, ...] = ()


def read_card(text: str) -> ModelCard:
    """Read a card. Never raises for content: front matter that cannot be read is a warning ``card_yaml``."""
    text = replace_surrogates(text[:MAX_CARD]).removeprefix("\ufeff")
    front, body = _split(text.replace("\r\n", "\n"))
    warnings: tuple[HeaderWarning, ...] = ()
    data: dict[str, Any] = {}
    try:
        data = _read_front(front)
    except (yaml.YAMLError, ValueError) as error:
        detail = f"the model card's front matter cannot be read ({type(error).__name__}: {_line(error)})"
        warnings = (HeaderWarning("card_yaml", detail),)
    found = _TRIGGER.findall(body)[:_MAX_TRIGGERS]
    return ModelCard(data, body.strip(), tuple(dict.fromkeys(found)), warnings)


def _split(text: str) -> tuple[str, str]:
    """Front matter and body, at the lines of three dashes."""
    start = text.lstrip()
    if not start.startswith("---\n"):
        return "", text
    end = start.find("\n---", 3)
    if end < 0:
        return "", text
    after = start.find("\n", end + 4)
    return start[4:end], start[after + 1 :] if after >= 0 else ""


def _read_front(text: str) -> dict[str, Any]:
    """Raises ``yaml.YAMLError``, and ValueError past a budget."""
    if len(text) > MAX_FRONT:
        raise ValueError(f"{len(text):,} characters, {MAX_FRONT:,} are read")
    _check(text)
    data = yaml.load(text, Loader=_LOADER)
    return {str(key): value for key, value in data.items()} if isinstance(data, dict) else {}


def _check(text: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > _MAX_EVENTS:
            raise ValueError(f"more than {_MAX_EVENTS:,} values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            raise ValueError("aliases and tags are not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH}")


def _line(error: Exception) -> str:
    return ascii(" ".join(str(error).split())[:200])[1:-1]
