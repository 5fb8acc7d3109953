"""JSON from a hub: orjson where the text is well-formed, a patient second reading where it nearly is.

Refused: an HTML page instead of JSON, text that breaks off (both may pass: ``not_json``), NaN and Infinity,
nesting deeper than 64 (``bad_answer``). Survived, since one odd description must not cost a page of a hundred
models: half surrogates and bytes that are no UTF-8 (become U+FFFD), numbers beyond a float's range (become
null). The last of equal keys wins. Integers beyond 64 bits become floats.
"""

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

import orjson

from indexer.sources.http_errors import Fault

__all__ = ["MAX_DEPTH", "load_json"]

MAX_DEPTH = 64

_NEITHER_QUOTE_NOR_BRACKET = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = [{91: 1, 123: 1, 93: -1, 125: -1}.get(byte, 0) for byte in range(256)]
_SURROGATE = re.compile("[\ud800-\udfff]")


def load_json(data: bytes, media_type: str = "") -> Any:
    """The value of a JSON text. Raises ``Fault``: ``not_json`` or ``bad_answer``."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if "html" in media_type or data[:64].lstrip()[:1] == b"<":
        raise Fault("not_json", "it answered with a web page instead of JSON")
    if _is_too_deep(data):
        raise Fault("bad_answer", f"its JSON is nested deeper than {MAX_DEPTH}")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _load_patiently(data)


def _is_too_deep(data: bytes) -> bool:
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    # Without escaped quotes a string ends at the next quote, and all but quotes and brackets can go.
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = plain.translate(None, _NEITHER_QUOTE_NOR_BRACKET).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


def _load_patiently(data: bytes) -> Any:
    try:
        text = data.decode("utf-8", "replace")
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_finite, parse_int=_integer, object_pairs_hook=_whole
        )
    except ValueError:
        raise Fault("not_json", "its JSON is broken") from None
    return _mended_value(value)


def _refuse(name: str) -> NoReturn:
    raise Fault("bad_answer", f"its JSON holds {name}, which is no number")


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _integer(text: str) -> int | float | None:
    return int(text) if len(text) <= 20 else _finite(text)


def _mended(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {_mended(key): _mended_value(value) for key, value in pairs}


def _mended_value(value: Any) -> Any:
    if isinstance(value, str):
        return _mended(value)
    if isinstance(value, list):  # objects within have been mended by their own hook
        return [_mended_value(item) for item in value]
    return value
