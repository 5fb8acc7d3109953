"""Reads the heads of GGUF files: of files, and through ranges of anything (a download, a hub).

Layout (ggml, ``docs/gguf.md``): magic ``GGUF``, version, counts of tensors and key-values, the key-values,
the tensors' entries, padding, and the tensor data, which is not read. Versions 2 and 3, little-endian.

A tensor of a type that ``gguf.toml`` does not list is refused (``type``): its size cannot be known, so
neither can be whether it stays inside the file.
"""

import gc
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from indexer.domain.header import Header
from indexer.errors import BadFileError
from indexer.parsers.gguf_source import Source
from indexer.parsers.gguf_tensors import check_layout, read_tensors
from indexer.parsers.gguf_values import Told, read_values
from indexer.parsers.opening import ReadAt, opened
from indexer.parsers.safetensors import SNIFF_BYTES, header_length

__all__ = ["CODES", "MAX_TENSORS", "MAX_VALUES", "WARNING_CODES", "parse_header", "read_header"]

MAX_VALUES: Final = 100_000
MAX_TENSORS: Final = 1_000_000

CODES: Final[Mapping[str, str]] = {
    "magic": "the first bytes are not GGUF; another kind of file, or GGML of before 2023: convert it",
    "version": "a version other than 2 and 3, or big-endian; convert it, or look for an update",
    "truncated": "the file ends inside its head; download it again",
    "count": "more tensors or key-values than any model has; treat the file as hostile",
    "key": "a key that is empty or too long; damaged, download it again",
    "kv_type": "a value type that does not exist; damaged, or a newer format",
    "length": "a length or count far past the end of the file or of any head; damaged or hostile",
    "depth": "arrays nest deeper than any model needs; treat the file as hostile",
    "duplicate_key": "a key stands twice, so two programs may read two models; save the file again",
    "alignment": "general.alignment is no 32-bit power of two; save the file again",
    "name": "a tensor name longer than 4,096 bytes; treat the file as hostile",
    "duplicate_name": "a tensor name stands twice; save the file again",
    "dims": "a tensor has more dimensions than ggml knows; treat the file as hostile",
    "shape": "a tensor has a negative size; damaged, download it again",
    "overflow": "a tensor's size, or all together, overflows 64 bits; treat the file as hostile",
    "type": "a tensor's type is unknown, so its size is too; newer than this program: look for an update",
    "block": "a tensor's rows are no whole blocks of its type; save the file again",
    "offset": "a tensor's offset is misaligned or past the end of the file; download it again",
    "overlap": "two tensors share bytes; save the file again",
    "data_truncated": "the tensor data is shorter than the head says; download it again",
    "not_a_model:html": "a web page was saved instead of the model, often a login page; download it again",
    "not_a_model:json": "a server's JSON answer was saved instead of the model; download it again",
    "not_a_model:lfs": "a Git LFS pointer, not the model itself; run git lfs pull or download it again",
    "not_a_model:zero": "nothing but zero bytes; the download never filled the file, download it again",
    "not_regular_file": "a folder, pipe or device, not a file; remove it from the model folders",
}

WARNING_CODES: Final[Mapping[str, str]] = {
    "bool": "a truth value that is neither 0 nor 1; read as true",
    "encoding": "a key, value or tensor name that is not UTF-8; read with U+FFFD",
    "nul": "a NUL character in a key, value or tensor name",
    "long_name": "a tensor name of more than 64 bytes, which llama.cpp does not read",
    "zero_dim": "a tensor without elements",
    "array_truncated": "an array of more than 1,000 elements; its beginning is kept",
    "value_truncated": "a string of more than 1 MiB, or very many of them; the beginning is kept",
    "orig_shape": "an original shape that has another number of elements than the tensor; passed over",
    "hole": "bytes between two tensors belong to none",
    "uncovered_bytes": "bytes after the last tensor belong to none; something may have been added",
}

_FIRST = struct.Struct("<4sI")
_COUNTS = struct.Struct("<QQ")
_MAGIC = b"GGUF"


def read_header(path: Path | str | bytes) -> Header:
    """Read and check the head of the file at ``path``; symbolic links are followed.

    Raises BadFileError with a code of ``CODES``, and TemporaryError ``io`` or ``changed`` (the file was
    replaced or written to meanwhile).
    """
    with opened(path) as (read, size):
        return parse_header(read, size)


def parse_header(read: ReadAt, file_size: int) -> Header:
    """Check the head of a file of ``file_size`` bytes, fetched piece by piece through ``read``.

    Raises BadFileError with a code of ``CODES``, and whatever ``read`` raises.
    """
    # Thousands of fresh dictionaries would set off the collector again and again; none of them is garbage.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _header(Source(read, file_size))
    finally:
        if collecting:
            gc.enable()


def _header(source: Source) -> Header:
    told: Told = {}
    _check_first(source)
    tensor_count, value_count = source.unpack(_COUNTS)
    for what, count, most in (
        ("tensors", tensor_count, MAX_TENSORS),
        ("key-values", value_count, MAX_VALUES),
    ):
        if count > most:
            raise BadFileError("count", f"{count:,} {what}, at most {most:,} are read: {CODES['count']}")
    values, alignment = read_values(source, value_count, told)
    tensors = read_tensors(source, tensor_count, alignment, values, told)
    start = min(source.position + -source.position % alignment, source.size)
    check_layout(tensors, source.size - start, alignment, told)
    return Header("gguf", tensors, values, start, source.size - start, tuple(told.values()))


def _check_first(source: Source) -> None:
    """The magic and a version that is read here."""
    first = source.peek(SNIFF_BYTES)
    if first[:4] != _MAGIC[: len(first)]:
        raise BadFileError(*_other(first, source.size))
    version = source.unpack(_FIRST)[1]
    if version in (2, 3):
        return
    if int.from_bytes(version.to_bytes(4, "little"), "big") in (1, 2, 3):
        detail = (
            "a big-endian file, made for other processors: convert it with gguf_convert_endian of llama.cpp"
        )
    else:
        detail = f"version {version} of GGUF: {CODES['version']}"
    raise BadFileError("version", detail)


def _other(first: bytes, file_size: int) -> tuple[str, str]:
    """Code and detail for a file that does not begin as GGUF: what it is where that is plain."""
    try:
        header_length(first, file_size)
    except BadFileError as error:
        if error.code.startswith("not_a_model"):
            return error.code, error.detail
    return "magic", f"it begins with {first[:4]!r}: {CODES['magic']}"
