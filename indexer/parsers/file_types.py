"""Names what a file is that is no pickle, by its first and last bytes, so that its owner knows what to do."""

import re
from collections.abc import Mapping
from typing import Final

from indexer.errors import BadFileError
from indexer.parsers.pickle_findings import CODES

__all__ = ["HEAD", "TF_FOOTER", "is_tar", "other_type"]

HEAD: Final = 4096
TF_FOOTER: Final = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # of a LevelDB table, TensorFlow's checkpoint index

_TYPES: Final[Mapping[str, re.Pattern[bytes]]] = {
    "7z": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "rar": re.compile(rb"Rar!\x1a\x07"),
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh[1-9]1AY"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
    "zlib": re.compile(rb"\x78[\x01\x5e\x9c\xda]"),
    "hdf5": re.compile(rb"\x89HDF\r\n\x1a\n"),
    "gguf": re.compile(rb"GGUF|GGML|ggml|tjgg|fmgg"),
    "safetensors": re.compile(rb"[\0-\xff]{6}\0\0\{"),
    "png": re.compile(rb"\x89PNG\r\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "gif": re.compile(rb"GIF8[79]a"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "pdf": re.compile(rb"%PDF-"),
    "sqlite": re.compile(rb"SQLite format 3\0"),
    "elf": re.compile(rb"\x7fELF"),
    "exe": re.compile(rb"MZ[\0-\xff]{62}"),
}
_MISTAKES: Final[Mapping[str, re.Pattern[bytes]]] = {
    "lfs": re.compile(rb"version (https://git-lfs|\Z)"),
    "html": re.compile(rb"<[!?a-zA-Z]"),
    "json": re.compile(rb'\{\s*["}]|\[\s*[\[{"\]]'),
    "tokenizer": re.compile(rb"\n[\0-\xff]{1,2}\n[\x03-\x10](<unk>|<pad>|<s>|<cls>)"),
}

_OF_TEXT = frozenset(f"unreadable:{reason}" for reason in ("opcode", "stack", "name", "text", "length"))


def other_type(head: bytes, tail: bytes, fault: str) -> BadFileError | None:
    """The precise error for a file that begins with ``head`` (up to ``HEAD`` bytes) and ends with ``tail``.

    ``fault`` is the code with which it failed as a pickle; None when that says more.
    """
    if len(head) > 8 and not any(head):
        return BadFileError("not_a_model:zero", CODES["not_a_model:zero"])
    name = _type(head, tail)
    if name is not None:
        detail = f"this is {name}: convert it, or rename it to what it is"
        return BadFileError(f"unreadable:type:{name}", detail)
    stripped = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mistake, beginning in _MISTAKES.items():
        if beginning.match(head if mistake == "tokenizer" else stripped):
            return BadFileError(f"not_a_model:{mistake}", CODES[f"not_a_model:{mistake}"])
    wordy = fault in _OF_TEXT or (fault == "unreadable:number" and b" " in head)
    if wordy and _is_text(head):
        return BadFileError("not_a_model:text", CODES["not_a_model:text"])
    return None


def _type(head: bytes, tail: bytes) -> str | None:
    if is_tar(head):
        return "tar"
    if tail.endswith(TF_FOOTER):
        return "tensorflow"
    return next((name for name, magic in _TYPES.items() if magic.match(head)), None)


def is_tar(head: bytes) -> bool:
    """Whether a tar archive begins with ``head``: PyTorch's oldest files, before version 0.1.10."""
    return head[257:262] == b"ustar"


def _is_text(head: bytes) -> bool:
    """Words in UTF-8 without control characters."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return len(text) > 16 and (text.isprintable() or text.translate(_SPACES).isprintable())


_SPACES = str.maketrans("", "", "\t\r\n\f\v")
