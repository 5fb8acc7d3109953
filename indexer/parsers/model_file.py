"""Any model file's header, whichever container it is: decided by content, never by name alone."""

from indexer.domain.header import Header
from indexer.parsers.containers import sniff
from indexer.parsers.fingerprint import fingerprint
from indexer.parsers.gguf import read_header as read_gguf
from indexer.parsers.safetensors import read_header as read_safetensors
from indexer.parsers.torch_files import read_pickled

__all__ = ["container_of", "name_content", "read_model"]

_KNOWN_START = frozenset(("safetensors", "gguf"))
"""Containers whose header ends at a known place; the others spread it over the file."""


def container_of(path: bytes) -> str:
    """``safetensors``, ``gguf``, ``pickle``, ``zip`` or ``unknown``.

    A file that is called safetensors needs no sniffing: the strict reader names whatever else it is. The GGUF
    reader does so for what is called GGUF. Raises BadFileError ``not_regular_file``, ``OSError``.
    """
    name = path.lower()
    if name.endswith((b".safetensors", b".sft")):
        return "safetensors"
    found = sniff(path)
    return "gguf" if found == "unknown" and name.endswith(b".gguf") else found


def read_model(path: bytes, container: str) -> Header:
    """Read the header of a model file; ``container`` is what ``container_of`` says of it.

    Nothing is unpickled: of pickled files the names, shapes and imports are read, see ``Header.program``.
    Raises BadFileError, TemporaryError.
    """
    if container == "gguf":
        return read_gguf(path)
    if container in ("pickle", "zip"):
        return read_pickled(path)
    return read_safetensors(path)


def name_content(path: bytes, size: int, header: Header) -> str:
    """The fingerprint of a file whose header was read. Raises ``OSError``."""
    return fingerprint(path, size, header.data_start if header.container in _KNOWN_START else 0)
