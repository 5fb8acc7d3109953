"""The quick reading of a regular safetensors header, all loops in C.

It only ever says yes: a header is accepted when the checks below *prove* that the strict reader would
accept it with the same result; anything else is left to the strict reader, which knows the codes.

* **Sizes.** The list of all shapes is written back as JSON and cut into one piece per tensor; a piece such
  as ``320,4`` is looked up in a table that holds only pieces checked before. JSON text tells 1 from 1.0 and
  true, which Python's ``==`` does not.
* **Offsets.** The sizes give the offsets that a gapless file must have; written as JSON they must equal the
  offsets found.
* **Equal keys.** The shortest JSON text for the parsed values has a computable length. Any second key, space
  or escape makes the text longer, so equal length proves there is none. Where the text is longer, no
  backslash outside the metadata and exactly as many colons as there are keys prove it too.
"""

import hashlib
import json
import re
from collections.abc import Callable
from itertools import accumulate, chain, islice, pairwise
from operator import getitem, itemgetter
from typing import Any, Final

import orjson

from indexer.errors import BadFileError
from indexer.parsers.safetensors_strict import (
    DTYPE_BITS,
    MAX_RANK,
    MAX_TENSORS,
    MAX_VALUE,
    Contents,
    byte_size,
    clean_metadata,
)

__all__ = ["parse_fast"]

_DTYPE: Final[Callable[[Any], Any]] = itemgetter("dtype")
_SHAPE: Final[Callable[[Any], Any]] = itemgetter("shape")
_OFFSETS: Final[Callable[[Any], Any]] = itemgetter("data_offsets")
_PIECE: Final = re.compile(rb"[0-9]*(?:,[0-9]+)*")
_MEMO_LIMIT: Final = 4096
_AT_ONCE: Final = 50_000

_METADATA: Final = '"__metadata__"'
# The text of one tensor besides its name, dtype, shape and offsets.
_TENSOR_FRAME: Final = '"":{"dtype":"","shape":,"data_offsets":}'


class _Irregular(Exception):
    """The strict reader must decide."""


class _Sizes(dict[bytes, int]):
    """Bytes of a tensor of one dtype by the JSON text of its shape; holds checked texts only."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.dtype = dtype

    def __missing__(self, piece: bytes) -> int:
        if piece.count(b",") >= MAX_RANK or _PIECE.fullmatch(piece) is None:
            raise _Irregular
        size = byte_size(self.dtype, map(int, filter(None, piece.split(b","))))
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        self[piece] = size
        return size


_SIZES: Final = {dtype: _Sizes(dtype) for dtype in DTYPE_BITS}


def parse_fast(raw: bytes, data_size: int) -> Contents | None:
    """Parse header JSON ``raw``; None where anything is unusual and the strict reader must look."""
    try:
        return _parse(raw, data_size)
    except (_Irregular, BadFileError, orjson.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None


def _parse(raw: bytes, data_size: int) -> Contents:
    parsed: Any = orjson.loads(raw)
    if type(parsed) is not dict or raw[:1] != b"{":
        raise _Irregular
    has_metadata = "__metadata__" in parsed
    metadata = parsed.pop("__metadata__", {})
    if type(metadata) is not dict or not set(map(type, metadata.values())) <= {str}:
        raise _Irregular
    if len(parsed) > MAX_TENSORS:
        raise _Irregular
    length, listing = _check_tensors(parsed, data_size) if parsed or data_size else (0, b"")
    shortest = 2 + length
    if has_metadata:
        shortest += len(_METADATA) + 1 + len(orjson.dumps(metadata)) + bool(parsed)
    _check_keys(raw, shortest, parsed, metadata if has_metadata else None)
    return Contents(parsed, *_clean(metadata), listing)


def _check_tensors(tensors: dict[str, Any], data_size: int) -> tuple[int, bytes]:
    """Check all tensors; bytes of their shortest JSON text between the braces of the header, or fewer; and
    the digest of their names, types and shapes.

    A name that needs escapes is counted without them, so the result never exceeds the true minimum. Taken
    piece by piece, so that what is built to check a piece is gone before the next.
    """
    rest = iter(tensors.values())
    length = at = 0
    in_order = True
    while entries := list(islice(rest, _AT_ONCE)):
        dtypes = list(map(_DTYPE, entries))
        shapes = orjson.dumps(list(map(_SHAPE, entries)))
        offsets = orjson.dumps(list(map(_OFFSETS, entries)))
        expected = list(pairwise(accumulate(_sizes(dtypes, shapes), initial=at)))
        at = expected[-1][1]
        in_order = in_order and offsets == orjson.dumps(expected)
        types = "\n".join(dtypes).encode()
        length += len(types) + len(shapes) + len(offsets) - 3 * (len(entries) - 1) - 4
    if at != data_size:
        raise _Irregular
    if not in_order:
        _check_unsorted(list(tensors.values()))
    names = "\n".join(tensors).encode()
    length += len(names) + len(tensors) * len(_TENSOR_FRAME)
    return length, _listing(names, types, shapes) if len(tensors) <= _AT_ONCE else b""


def _listing(names: bytes, types: bytes, shapes: bytes) -> bytes:
    """Digest of names and types (a line each) and of the shapes' JSON text."""
    if names.count(b"\n") != types.count(b"\n"):
        return b""  # a name holds a line break: other names may make the same text
    return hashlib.sha256(b"\0".join((types, shapes, names))).digest()


def _sizes(dtypes: list[str], shapes: bytes) -> list[int]:
    """Bytes of each tensor, from the dtypes and the JSON text of the list of shapes."""
    pieces = shapes[2:-2].split(b"],[")
    if len(pieces) != len(dtypes) or not (shapes.startswith(b"[[") and shapes.endswith(b"]]")):
        raise _Irregular
    first = dtypes[0]
    if dtypes.count(first) == len(dtypes):
        return list(map(_SIZES[first].__getitem__, pieces))
    return list(map(getitem, map(_SIZES.__getitem__, dtypes), pieces))


def _check_unsorted(entries: list[Any]) -> None:
    """Raise _Irregular unless the offsets cover the data in some order of the tensors."""
    sizes = _sizes(list(map(_DTYPE, entries)), orjson.dumps(list(map(_SHAPE, entries))))
    offsets = list(map(_OFFSETS, entries))
    # In a gapless file begin + end grows from each tensor to the next, empty tensors included.
    order = sorted(range(len(offsets)), key=list(map(sum, offsets)).__getitem__)
    expected = list(pairwise(accumulate(map(sizes.__getitem__, order), initial=0)))
    if orjson.dumps(list(map(offsets.__getitem__, order))) != orjson.dumps(expected):
        raise _Irregular


def _check_keys(raw: bytes, shortest: int, tensors: dict[str, Any], metadata: dict[str, str] | None) -> None:
    """Raise _Irregular unless no object of the text can hold two equal keys."""
    if len(raw.rstrip(b" \t\r\n")) == shortest:
        return
    text = raw.decode()
    start = end = len(text)
    if metadata is not None:
        start = text.find(_METADATA)
        if start < 0:
            raise _Irregular
        end = _metadata_end(text, start + len(_METADATA), metadata)
    for begin, stop in ((0, start), (end, len(text))):
        if text.find("\\", begin, stop) >= 0:
            raise _Irregular
        dash = text.find("-", begin, stop)
        if dash >= 0 and text.find("-0", dash, stop) >= 0:
            raise _Irregular  # perhaps a minus zero, which orjson reads as 0
    colons = text.count(":", 0, start) + text.count(":", end)
    if colons != 4 * len(tensors) + "".join(tensors).count(":"):
        raise _Irregular


def _metadata_end(text: str, after_key: int, metadata: dict[str, str]) -> int:
    """Index after the metadata object, read again to see its equal keys."""
    colon = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match(text, after_key)
    if colon is None:
        raise _Irregular
    try:
        pairs, end = json.JSONDecoder(object_pairs_hook=list).raw_decode(text, colon.end())
    except (ValueError, RecursionError) as error:
        raise _Irregular from error
    if type(pairs) is not list or len(pairs) != len(metadata) or dict(pairs) != metadata:
        raise _Irregular
    return end


def _clean(metadata: dict[str, str]) -> tuple[dict[str, str], tuple[Any, ...]]:
    values = metadata.values()
    if values and (max(map(len, values)) > MAX_VALUE or "\0" in "".join(chain(metadata, values))):
        return clean_metadata(metadata)
    return metadata, ()
