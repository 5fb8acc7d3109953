"""JSON within images: NaN, huge numbers and broken ends are told, never raised."""

import json
import math
from typing import Any

from indexer.parsers.generation.draft import Draft
from indexer.parsers.strict_json import JsonFault, is_too_deep, replace_surrogates

__all__ = ["load", "loads_object", "looks_like_json"]

_MAX_DIGITS = 20
_WIDE = range(-(2**63), 2**64)


def looks_like_json(text: str) -> bool:
    """True where a text can only be JSON: an object or an array stands first."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def load(text: str, draft: Draft, code: str = "json") -> Any:
    """The value of a JSON text, or None and a warning ``code``; NaN is told as ``json_nan`` and becomes None.

    Integers past 64 bits become their text; they are seeds, and records keep seeds as text.
    """

    def integer(digits: str) -> int | str:
        return int(digits) if len(digits) <= _MAX_DIGITS and int(digits) in _WIDE else digits

    def number(digits: str) -> float | None:
        value = float(digits)
        return value if math.isfinite(value) else None

    def constant(name: str) -> None:
        draft.warn("json_nan", f"{name} is no JSON number; left out")

    try:
        if is_too_deep(text):
            raise JsonFault("json_depth", "brackets nest too deep")
        hooks: dict[str, Any] = {"parse_int": integer, "parse_float": number, "parse_constant": constant}
        value = json.loads(text.strip("\ufeff\0 \t\r\n"), **hooks)
    except (ValueError, RecursionError) as error:
        draft.warn(code, f"not JSON that can be read ({str(error)[:80]}); kept as text")
        return None
    return _clean(value)


def loads_object(value: Any, draft: Draft, code: str = "json") -> dict[str, Any] | None:
    """``value`` if it is an object, or the object that its text spells; else None and a warning."""
    if isinstance(value, str) and looks_like_json(value):
        value = load(value, draft, code)
    return value if isinstance(value, dict) else None


def _clean(value: Any) -> Any:
    """``value`` without NUL and halves of surrogate pairs, which no store accepts."""
    if isinstance(value, str):
        return replace_surrogates(value.replace("\0", "")) if not value.isascii() or "\0" in value else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
