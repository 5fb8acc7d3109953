"""The slow, exact reading of a safetensors header: finds which of its codes a header deserves.

Layout rules: https://github.com/huggingface/safetensors (README "Format"; ``Metadata::validate``). Stricter
than the reference on purpose: equal keys, ranks above 16, numbers past 64 bits, and entries written as JSON
arrays (which only readers built on serde understand) are refused. Softer in one point: half a surrogate
pair is read as U+FFFD and told, since the file loads in other programs.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from indexer.domain.header import HeaderWarning, TensorEntry
from indexer.errors import BadFileError
from indexer.parsers.strict_json import JsonFault, has_surrogate, load_strict, replace_surrogates, shorten

__all__ = [
    "DTYPE_BITS",
    "MAX_RANK",
    "MAX_TENSORS",
    "MAX_VALUE",
    "Contents",
    "byte_size",
    "clean_metadata",
    "parse_strict",
]

MAX_TENSORS = 1_000_000
MAX_RANK = 16
MAX_VALUE = 1 << 20  # characters kept of one metadata value

# Bits per element; the names are those of the reference implementation's Dtype.
DTYPE_BITS: Mapping[str, int] = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}

_FIELDS = ("dtype", "shape", "data_offsets")
_U64 = 2**64


class Contents(NamedTuple):
    """What a header says: tensors by name, metadata, the oddities met, and the digest of ``Header.listing``
    where it came at no cost."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]
    warnings: tuple[HeaderWarning, ...]
    listing: bytes = b""


class _Span(NamedTuple):
    begin: int
    end: int
    size: int
    name: str


def parse_strict(raw: bytes, data_size: int) -> Contents:
    """Parse header JSON ``raw`` against ``data_size`` bytes of tensor data. Raises BadFileError."""
    told: dict[str, HeaderWarning] = {}
    top = _load(_decode(raw))
    if raw[:1] != b"{":
        told["ws"] = HeaderWarning("header_leading_ws", "white space before the header's first brace")
    metadata = _metadata(top.pop("__metadata__", {}), told)
    if len(top) > MAX_TENSORS:
        raise BadFileError("tensor_count", f"{len(top):,} tensors; at most {MAX_TENSORS:,} are read")
    tensors: dict[str, TensorEntry] = {}
    spans = []
    for name, value in top.items():
        entry = _entry(name, value, told)
        begin, end = entry["data_offsets"]
        spans.append(_Span(begin, end, byte_size(entry["dtype"], entry["shape"], name), name))
        tensors[_name(name, tensors, told)] = entry
    _check_layout(spans, data_size)
    return Contents(tensors, metadata, tuple(told.values()))


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or raw[:2] in (b"{\0", b"\0{"):
        raise BadFileError(
            "header_encoding", "the header carries a byte order mark or is UTF-16; it must be UTF-8"
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"the header is not UTF-8 at byte {error.start}; the file is damaged, download it again"
        raise BadFileError("header_encoding", detail) from error


def _load(text: str) -> dict[str, Any]:
    try:
        top = load_strict(text)
    except JsonFault as fault:
        code = "header_json" if fault.code == "json" else fault.code
        raise BadFileError(code, f"header: {fault.detail}") from fault
    if type(top) is not dict:
        raise BadFileError("header_json", f"the header is {shorten(type(top).__name__)}, not a JSON object")
    return top


def _metadata(value: Any, told: dict[str, HeaderWarning]) -> dict[str, str]:
    if value is None:
        told["null"] = HeaderWarning("metadata_null", "__metadata__ is null; read as empty")
        return {}
    if type(value) is not dict:
        raise BadFileError("metadata_type", f"__metadata__ is {shorten(value)}, not an object of strings")
    for key, text in value.items():
        if type(text) is not str:
            raise BadFileError("metadata_type", f"metadata {shorten(key)} is {shorten(text)}, not a string")
    cleaned, warnings = clean_metadata(value)
    told.update({warning.code: warning for warning in warnings})
    return cleaned


def clean_metadata(metadata: dict[str, str]) -> tuple[dict[str, str], tuple[HeaderWarning, ...]]:
    """Metadata fit for storing, with warnings ``surrogate``, ``nul`` and ``value_truncated``."""
    told: dict[str, HeaderWarning] = {}
    cleaned: dict[str, str] = {}
    for key, text in metadata.items():
        label = shorten(key)
        if has_surrogate(key) or has_surrogate(text):
            told["surrogate"] = HeaderWarning(
                "surrogate", f"lone surrogate in metadata {label}; read as U+FFFD"
            )
            key, text = replace_surrogates(key), replace_surrogates(text)
        if key in cleaned:
            raise BadFileError("duplicate_key", f"metadata {label} stands twice once read as Unicode")
        if "\0" in text or "\0" in key:
            told["nul"] = HeaderWarning("nul", f"NUL character in metadata {label}")
        if len(text) > MAX_VALUE:
            detail = f"metadata {label} has {len(text):,} characters; the first {MAX_VALUE:,} are kept"
            told["value_truncated"] = HeaderWarning("value_truncated", detail)
        cleaned[key] = text[:MAX_VALUE]
    return cleaned, tuple(told.values())


def _name(name: str, taken: Mapping[str, TensorEntry], told: dict[str, HeaderWarning]) -> str:
    if "\0" in name:
        told["nul"] = HeaderWarning("nul", f"NUL character in tensor name {shorten(name)}")
    if not has_surrogate(name):
        return name
    told["surrogate"] = HeaderWarning(
        "surrogate", f"lone surrogate in tensor name {shorten(name)}; read as U+FFFD"
    )
    clean = replace_surrogates(name)
    if clean in taken:
        raise BadFileError("duplicate_key", f"tensor name {shorten(name)} stands twice once read as Unicode")
    return clean


def _entry(name: str, value: Any, told: dict[str, HeaderWarning]) -> TensorEntry:
    """One checked tensor entry with exactly the three known fields."""
    if type(value) is not dict:
        raise BadFileError("tensor_entry", f"tensor {shorten(name)} is {shorten(value)}, not an object")
    missing = [field for field in _FIELDS if field not in value]
    if missing:
        raise BadFileError("missing_field", f"tensor {shorten(name)} has no {missing[0]!r}")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if type(dtype) is not str or dtype not in DTYPE_BITS:
        raise BadFileError("dtype", f"tensor {shorten(name)}: unknown dtype {shorten(dtype)}")
    if not _is_naturals(shape):
        raise BadFileError("shape", f"tensor {shorten(name)}: shape {shorten(shape)} is not a list of sizes")
    if len(shape) > MAX_RANK:
        raise BadFileError(
            "rank", f"tensor {shorten(name)} has {len(shape):,} dimensions; at most {MAX_RANK} are read"
        )
    if not _is_naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise BadFileError(
            "offset", f"tensor {shorten(name)}: data_offsets {shorten(offsets)} are no [begin, end]"
        )
    if len(value) > len(_FIELDS):
        told["field"] = HeaderWarning("unknown_field", f"tensor {shorten(name)} has fields no reader knows")
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def _is_naturals(value: Any) -> bool:
    return type(value) is list and all(type(item) is int and item >= 0 for item in value)


def byte_size(dtype: str, shape: Iterable[int], name: str = "") -> int:
    """Bytes of a tensor, in its readers' 64-bit arithmetic. Raises BadFileError overflow, misaligned."""
    count = 1
    for size in shape:
        count *= size
        if count >= _U64:
            raise BadFileError(
                "overflow", f"tensor {shorten(name)}: its number of elements overflows 64 bits"
            )
    bits = count * DTYPE_BITS[dtype]
    if bits >= _U64:
        raise BadFileError("overflow", f"tensor {shorten(name)}: its size in bits overflows 64 bits")
    if bits % 8:
        raise BadFileError("misaligned", f"tensor {shorten(name)}: {bits} bits of {dtype} are no whole bytes")
    return bits // 8


def _check_layout(spans: list[_Span], data_size: int) -> None:
    """The tensors must cover the data exactly, in order of their offsets, without holes or overlaps."""
    spans.sort()
    at = 0
    for span in spans:
        length = span.end - span.begin
        if length != span.size and (length < span.size or span.end <= data_size):
            detail = f"tensor {shorten(span.name)} needs {span.size:,} bytes, its offsets give {length:,}"
            raise BadFileError("size_mismatch", detail)
        if span.begin < at:
            raise BadFileError(
                "overlap", f"tensor {shorten(span.name)} begins at {span.begin:,}, inside another"
            )
        if span.end > data_size and (length != span.size or span.begin > at):
            detail = f"tensor {shorten(span.name)} ends at {span.end:,} of {data_size:,} bytes of data"
            raise BadFileError("offset", detail)
        if span.begin > at:
            raise BadFileError(
                "hole", f"bytes {at:,} to {span.begin:,} before tensor {shorten(span.name)} are unused"
            )
        at = span.end
    _check_end(at, data_size)


def _check_end(at: int, data_size: int) -> None:
    if at > data_size:
        detail = (
            f"{at:,} bytes of data expected, {data_size:,} there: the copy is cut short; download it again"
        )
        raise BadFileError("data_truncated", detail)
    if at < data_size:
        detail = f"{data_size - at:,} bytes after the last tensor belong to none; something was appended"
        raise BadFileError("uncovered_bytes", detail)
