"""Small YAML files of other tools: texts, lists and mappings only, under budgets.

The events are counted before anything is built. Anchors and aliases (a few lines that stand for billions of
values) and tags (which name types to construct) are refused; every scalar stays a text.
"""

import os
from typing import Any, Final

import yaml

__all__ = ["MAX_BYTES", "YamlFault", "load_yaml", "read_small"]

MAX_BYTES: Final = 256 << 10
_MAX_EVENTS: Final = 20_000
_MAX_DEPTH: Final = 20
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)


class YamlFault(ValueError):
    """This file cannot be used; the text says why, as the end of a sentence."""


def read_small(path: bytes, limit: int = MAX_BYTES) -> str:
    """The text of a small file. Raises ``OSError``, and ``YamlFault`` when it is larger or no file."""
    if not os.path.isfile(path):
        raise YamlFault("is no plain file")
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise YamlFault(f"is larger than {limit:,} bytes")
    return data.decode("utf-8-sig", "replace")


def load_yaml(text: str) -> dict[str, Any]:
    """The one mapping that the text holds (empty for an empty text); scalars are texts.

    Raises ``YamlFault``.
    """
    try:
        _check(text)
        content = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise YamlFault(f"is no valid YAML{place}") from error
    if content in (None, ""):
        return {}
    if not isinstance(content, dict):
        raise YamlFault("holds no sections")
    return {str(key): value for key, value in content.items()}


def _check(text: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.BaseLoader)):
        if count > _MAX_EVENTS:
            raise YamlFault(f"holds more than {_MAX_EVENTS:,} values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlFault("uses anchors or aliases")
        if getattr(event, "tag", None):
            raise YamlFault("uses tags")
        depth += isinstance(event, _OPENING) - isinstance(
            event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        )
        if depth > _MAX_DEPTH:
            raise YamlFault(f"nests deeper than {_MAX_DEPTH} levels")
