"""Strangers' statements with the types that clients are made for: what has another type becomes a default."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from search.api.v1.naming import drop_in

__all__ = ["typed"]

_IS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "whole": lambda value: type(value) is int and abs(value) < 2**63,
    "object": lambda value: isinstance(value, dict),
    "words": lambda value: isinstance(value, list) and all(isinstance(word, str) for word in value),
}


def typed(
    said: Mapping[str, Any], shape: str, ours: Mapping[str, Any], *, apart: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of a shape of ``drop_in.toml``, in its order, as said, else as we found it, else the
    default; then what was said beside them. ``apart`` is left to the caller.

    A value of ``ours`` may be a function, called where it is needed.
    """
    found: dict[str, Any] = {}
    for name, fits, default in _rows(shape):
        value = said.get(name)
        if value is None or not fits(value):
            value = ours.get(name)
            value = value() if callable(value) else value
            if value is None or not fits(value):
                value = list(default) if isinstance(default, list) else default
        found[name] = value
    for name, value in said.items():
        if name not in found and name not in apart:
            found[name] = value
    return found


@cache
def _rows(shape: str) -> Sequence[tuple[str, Callable[[Any], bool], Any]]:
    """Name, check of the type, and default of each field of a shape."""
    rows = drop_in()["fields"][shape].items()
    return [(name, _IS[row["type"].rstrip("?")], row.get("default")) for name, row in rows if name != "why"]
