"""Strangers' statements with the types that clients are made for: what has another type becomes a default."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from search.api.v1.naming import drop_in

__all__ = ["typed"]

_TYPES: Mapping[str, type] = {"text": str, "flag": bool, "whole": int, "object": dict, "words": list}


class _Row(NamedTuple):
    """A field: what is of ``type`` and passes ``check`` (None: all) stays."""

    name: str
    type: type
    check: Callable[[Any], bool] | None
    default: Any


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "whole": lambda value: abs(value) < 2**63,
    "words": lambda value: all(type(word) is str for word in value),
}


def typed(
    said: Mapping[str, Any], shape: str, ours: Mapping[str, Any], *, apart: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of a shape of ``drop_in.toml``, in its order, as said, else as we found it, else the
    default; then what was said beside them. ``apart`` is left to the caller.

    A value of ``ours`` may be a function, called where it is needed.
    """
    found: dict[str, Any] = {}
    for name, kind, check, default in _rows(shape):
        value = said.get(name)
        if type(value) is not kind or (check is not None and not check(value)):
            value = ours.get(name)
            value = value() if callable(value) else value
            if type(value) is not kind or (check is not None and not check(value)):
                value = list(default) if type(default) is list else default
        found[name] = value
    for name, value in said.items():
        if name not in found and name not in apart:
            found[name] = value
    return found


@cache
def _rows(shape: str) -> Sequence[_Row]:
    rows = drop_in()["fields"][shape].items()
    found = []
    for name, row in rows:
        if name != "why":
            word = row["type"].rstrip("?")
            found.append(_Row(name, _TYPES[word], _CHECKS.get(word), row.get("default")))
    return found
