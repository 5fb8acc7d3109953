"""Reads safetensors headers: of files, and of the first bytes of anything (a download, an HTTP range).

Layout (https://github.com/huggingface/safetensors, README "Format"): 8 bytes N, unsigned little-endian; N
bytes of JSON; then the tensor data to the end of the file. Nothing past the header is read.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from indexer.domain.collector import collector_paused
from indexer.domain.header import Header
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.opening import ReadAt, opened
from indexer.parsers.safetensors_fast import parse_fast
from indexer.parsers.safetensors_strict import DTYPE_BITS, MAX_TENSORS, Contents, parse_strict

__all__ = [
    "CODES",
    "DTYPE_BITS",
    "MAX_HEADER",
    "SNIFF_BYTES",
    "WARNING_CODES",
    "header_length",
    "parse_header",
    "read_header",
]

MAX_HEADER: Final = 100_000_000  # the reference's own limit
SNIFF_BYTES: Final = 4096

CODES: Final[Mapping[str, str]] = {
    "too_short": "8 bytes or fewer, no room for a header; the copy was interrupted, download it again",
    "header_length": "the first 8 bytes are no possible header length; not a safetensors file, or damaged",
    "header_truncated": "the file ends inside its header; download it again",
    "header_encoding": "the header is not UTF-8; damaged, or written by a faulty tool: save it again",
    "header_json": "the header is not one JSON object; damaged, or written by a faulty tool: save it again",
    "json_depth": "the header nests brackets too deeply; no model needs that, treat the file as hostile",
    "number_range": "a number in the header is past 64 bits; treat the file as hostile",
    "duplicate_key": "a key stands twice, so two programs may read two models; save the file again",
    "metadata_type": "metadata must be text; written by a faulty tool, save the file again",
    "tensor_entry": "a tensor's entry is not an object; save the file again",
    "missing_field": "a tensor lacks dtype, shape or data_offsets; save the file again",
    "tensor_count": "more tensors or JSON values than any model has; treat the file as hostile",
    "dtype": "a tensor's dtype is unknown; newer than this program, or wrong: look for an update",
    "shape": "a tensor's shape is not a list of whole sizes; save the file again",
    "rank": "a tensor has more dimensions than any model uses; treat the file as hostile",
    "overflow": "a tensor's size overflows 64 bits; treat the file as hostile",
    "misaligned": "a tensor of a dtype below 8 bits does not fill whole bytes; save the file again",
    "size_mismatch": "a tensor's offsets do not fit its shape and dtype; save the file again",
    "offset": "a tensor's offsets are reversed, negative, or past the end of the file; download it again",
    "hole": "bytes between two tensors belong to none; something may hide there, save the file again",
    "overlap": "two tensors share bytes; save the file again",
    "data_truncated": "the tensor data is shorter than the header says; download it again",
    "uncovered_bytes": "bytes after the last tensor belong to none; something was added, download it again",
    "type_mismatch": "the content is another kind of file than its name says; rename it to what it is",
    "not_a_model:html": "a web page was saved instead of the model, often a login page; download it again",
    "not_a_model:json": "a server's JSON answer was saved instead of the model; download it again",
    "not_a_model:lfs": "a Git LFS pointer, not the model itself; run git lfs pull or download it again",
    "not_a_model:zero": "nothing but zero bytes; the download never filled the file, download it again",
    "not_regular_file": "a folder, pipe or device, not a file; remove it from the model folders",
}

WARNING_CODES: Final[Mapping[str, str]] = {
    "header_leading_ws": "white space before the header, which the format forbids and its reader accepts",
    "unknown_field": "a tensor has a field besides dtype, shape and data_offsets",
    "metadata_null": "the metadata is null; read as empty",
    "nul": "a NUL character in a tensor name or in the metadata",
    "surrogate": "half of a surrogate pair in a name or in the metadata; read as U+FFFD",
    "value_truncated": "a metadata value longer than 1 MiB; its beginning is kept",
}

_BIG_HEADER = 8 << 20
# Objects, lists and commas that MAX_TENSORS tensors of ordinary rank need; more is a memory bomb.
_BUDGET = {b"{": MAX_TENSORS + 1000, b"[": 2 * MAX_TENSORS + 1000, b",": 12 * MAX_TENSORS}

_MAGIC: Final[Mapping[str, re.Pattern[bytes]]] = {
    "a ZIP archive (PyTorch checkpoint?)": re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)"),
    "a pickle": re.compile(rb"\x80[\x00-\x05]|[(c](dp|lp|__builtin__|[A-Za-z_]\w*(\.\w+)*\n\w+\n)"),
    "a GGUF model": re.compile(rb"GGUF|GGML|ggml|tjgg|fmgg"),
    "a gzip archive": re.compile(rb"\x1f\x8b\x08"),
    "a 7z archive": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "a RAR archive": re.compile(rb"Rar!\x1a\x07"),
    "an xz archive": re.compile(rb"\xfd7zXZ\0"),
    "a zstd archive": re.compile(rb"\x28\xb5\x2f\xfd"),
    "an HDF5 file": re.compile(rb"\x89HDF\r\n"),
    "a PNG image": re.compile(rb"\x89PNG\r\n"),
    "a JPEG image": re.compile(rb"\xff\xd8\xff"),
    "a WebP image": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "a PDF document": re.compile(rb"%PDF-"),
    "a program": re.compile(rb"\x7fELF|MZ[\x00-\xff]{6}"),
}
_SAVED_BY_MISTAKE: Final[Mapping[str, re.Pattern[bytes]]] = {
    "lfs": re.compile(rb"version (https://git-lfs|\Z)"),
    "html": re.compile(rb"<[!?a-zA-Z]"),
    "json": re.compile(rb'\{\s*["}]|\[\s*[\[{"\]]'),
}


def read_header(path: Path | str | bytes) -> Header:
    """Read and check the header of the file at ``path``; symbolic links are followed.

    Raises BadFileError with a code of ``CODES``, and TemporaryError ``io`` or ``changed`` (the file was
    replaced or written to meanwhile).
    """
    with opened(path) as (read, size):
        return _read(read, size)


def _read(read: ReadAt, size: int) -> Header:
    first = read(0, min(8, size))
    try:
        length = header_length(first, size)
    except BadFileError:
        header_length(read(0, min(SNIFF_BYTES, size)), size)
        raise
    return _header(first, read(8, length), size)


def header_length(first: bytes, file_size: int) -> int:
    """Length N of the JSON header in bytes, from the first 8 bytes of a file of ``file_size`` bytes.

    Given more than 8 bytes (``SNIFF_BYTES`` are plenty), an impossible length is told more precisely: a web
    page, an archive, a pointer. Raises BadFileError.
    """
    if file_size <= 8 or len(first) < 8:
        raise BadFileError("too_short", f"{file_size} bytes in all: {CODES['too_short']}")
    length = int.from_bytes(first[:8], "little")
    if 2 <= length <= min(MAX_HEADER, file_size - 8):
        return length
    if 2 <= length <= MAX_HEADER:
        if len(first) > 8:
            _sniff_unless_json(first)
        detail = f"a header of {length:,} bytes, {file_size - 8:,} there: {CODES['header_truncated']}"
        raise BadFileError("header_truncated", detail)
    _sniff(first)
    raise BadFileError("header_length", f"header length {length:,}: {CODES['header_length']}")


def _sniff_unless_json(first: bytes) -> None:
    # A header of 896 bytes begins like a pickle (80 03); what follows the length decides.
    if not first[8:].lstrip().startswith(b"{"):
        _sniff(first)


def _sniff(first: bytes) -> None:
    """Raise the precise code where the beginning of a broken file tells what it really is."""
    if len(first) > 8 and not any(first):
        raise BadFileError("not_a_model:zero", CODES["not_a_model:zero"])
    for name, magic in _MAGIC.items():
        if magic.match(first):
            raise BadFileError("type_mismatch", f"this is {name}: {CODES['type_mismatch']}")
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    for name, beginning in _SAVED_BY_MISTAKE.items():
        if beginning.match(text):
            raise BadFileError(f"not_a_model:{name}", CODES[f"not_a_model:{name}"])


def parse_header(head: bytes, file_size: int) -> Header:
    """Check a header given as the first ``8 + N`` bytes (or more) of a file of ``file_size`` bytes.

    Raises BadFileError with a code of ``CODES``; TemporaryError ``changed`` when ``head`` is cut short
    although the file is long enough.
    """
    end = 8 + header_length(head, file_size)
    if len(head) < end:
        raise TemporaryError(
            "changed", f"only {len(head):,} of the header's {end:,} bytes came; fetch it again"
        )
    return _header(head[:8], head[8:end], file_size)


def _header(first: bytes, raw: bytes, file_size: int) -> Header:
    start = 8 + len(raw)
    try:
        contents = _parse(raw, file_size - start)
    except BadFileError as error:
        if error.code in ("header_json", "header_encoding"):
            _sniff_unless_json(first + raw[:SNIFF_BYTES])
        raise
    return Header(
        "safetensors",
        contents.tensors,
        contents.metadata,
        start,
        file_size - start,
        contents.warnings,
        listing=contents.listing,
    )


def _parse(raw: bytes, data_size: int) -> Contents:
    if len(raw) > _BIG_HEADER:
        for mark, budget in _BUDGET.items():
            if raw.count(mark) > budget:
                raise BadFileError("tensor_count", f"more than {budget:,} {mark!r}: {CODES['tensor_count']}")
    with collector_paused():
        return parse_fast(raw, data_size) or parse_strict(raw, data_size)
