"""A model's header from a source where every read is a request: as few and as small as the format allows.

safetensors: the length, then the header, at most 25,000,000 bytes (the limit of ``huggingface_hub``). GGUF:
blocks that grow. Pickled files spread what matters over the whole file (an entry a tensor), so only small
ones are read, whole; of the others no verdict would be honest.
"""

from typing import Final

from indexer.domain.header import Header
from indexer.errors import BadFileError
from indexer.parsers.byte_sources import MemorySource, Source
from indexer.parsers.containers import sniff_bytes
from indexer.parsers.file_types import other_type
from indexer.parsers.gguf import parse_header as parse_gguf
from indexer.parsers.safetensors import SNIFF_BYTES, header_length, parse_header
from indexer.parsers.torch_files import read_source

__all__ = ["MAX_HEADER", "MAX_PICKLE", "read_remote"]

MAX_HEADER: Final = 25_000_000
MAX_PICKLE: Final = 1 << 20  # embeddings and small adapters; a request more costs less than a wrong verdict

_LARGEST_BLOCK = 4 << 20
_PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle", ".npy", ".npz")
_XET_POINTER = b"# xet version "


def read_remote(source: Source, name: str) -> Header:
    """The header of the file ``name``; content decides, the name only where content leaves it open.

    Raises BadFileError with the codes of the containers' readers, ``not_a_model:xet`` (a pointer instead of
    the file) and ``remote_pickle``; and whatever ``source`` raises.
    """
    lower = name.lower()
    head = source.read(0, SNIFF_BYTES)
    found = sniff_bytes(head[:512])
    if head.startswith(_XET_POINTER):
        raise BadFileError(
            "not_a_model:xet",
            "a pointer into Xet storage, not the model itself; download it with its hub's tool",
        )
    if lower.endswith((".safetensors", ".sft")) or found == "safetensors":
        return _safetensors(source, head)
    if found == "gguf" or lower.endswith(".gguf"):
        return parse_gguf(_Ahead(source), source.size)
    if found in ("zip", "pickle") or lower.endswith(_PICKLES):
        return _pickled(source, head)
    return _safetensors(source, head)


def _safetensors(source: Source, head: bytes) -> Header:
    length = header_length(head, source.size)
    if length > MAX_HEADER:
        raise BadFileError(
            "header_length",
            f"header of {length:,} bytes; {MAX_HEADER:,} are read from afar. Download it to inspect it.",
        )
    return parse_header(source.read(0, 8 + length), source.size)


def _pickled(source: Source, head: bytes) -> Header:
    if source.size <= MAX_PICKLE:
        return read_source(MemorySource(source.read(0, source.size)))
    raise other_type(head, b"", "unreadable:opcode") or BadFileError(
        "remote_pickle",
        "a pickled file of more than 1 MiB, whose parts lie all over it, cannot be judged from afar. Look "
        "for a safetensors copy, or download it to inspect it.",
    )


class _Ahead:
    """``ReadAt`` over a source, in blocks that double: a head of n bytes costs log n requests and no more
    than twice its bytes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start, self._data = 0, b""
        self._block = 1

    def __call__(self, offset: int, count: int) -> bytes:
        at = offset - self._start
        if at < 0 or at + count > len(self._data):
            self._data = self._source.read(offset, max(count, self._block))
            self._start, at = offset, 0
            self._block = min(2 * max(count, self._block), _LARGEST_BLOCK)
        return self._data[at : at + count]
