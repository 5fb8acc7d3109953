"""Sharded weights: several files with their own headers, and the index that says which belong together.

The index (transformers, ``save_pretrained``): ``{"metadata": {…}, "weight_map": {tensor: file name}}``. It
comes from strangers like everything else: the names in it are compared, never opened as paths, and where it
contradicts the shards' own headers these are believed.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from indexer.domain.bundles import shard
from indexer.domain.found import FoundPath
from indexer.domain.header import Header, HeaderWarning, Program, TensorEntry
from indexer.domain.programs import worst_program
from indexer.errors import BadFileError
from indexer.parsers.model_file import container_of, name_content, read_model
from indexer.parsers.opening import opened
from indexer.parsers.safetensors_strict import MAX_TENSORS
from indexer.parsers.strict_json import JsonFault, has_surrogate, load_strict, shorten

__all__ = [
    "CODES",
    "MAX_INDEX",
    "WARNING_CODES",
    "Shards",
    "bundle_fingerprint",
    "join_headers",
    "parse_index",
    "read_shards",
    "read_small",
]

MAX_INDEX: Final = 16 << 20  # bytes; the largest of image models have some 200 KiB

_MAX_KEYS: Final = 100_000

CODES: Final[Mapping[str, str]] = {
    "index_json": "the index is not what its name says; download it again",
    "index_size": "the index is larger than any model needs; treat it as hostile",
    "shard_path": "the index names a file outside its folder; treat it as hostile",
    "shard_missing": "a shard is not there; download it into the same folder",
    "shard_name": "the index names a file that is not called like its shards; such files are listed alone",
    "duplicate_tensor": "a tensor stands in two shards, so two programs may read two models; save it again",
    "tensor_count": "more tensors than any model has; treat the files as hostile",
}

WARNING_CODES: Final[Mapping[str, str]] = {
    "shard_missing": "a shard is not there; the others were read",
    "weight_map": "the index and the shards' own headers disagree; the headers were believed",
    "shard_unnamed": "a file called like a shard is not named by the index; it was left out",
    "shard_metadata": "shards contradict each other in their metadata; the first one was believed",
}


class Shards(NamedTuple):
    """What several files say together: one header, and the fingerprint of each file read."""

    header: Header
    prints: tuple[str, ...]


def parse_index(data: bytes) -> dict[str, str]:
    """Tensor name -> file name, each the bare name of a file.

    Raises BadFileError ``index_json``, ``index_size``, ``shard_path``, ``duplicate_key``, ``json_depth``,
    ``number_range``.
    """
    if len(data) > MAX_INDEX:
        raise BadFileError("index_size", f"{len(data):,} bytes: {CODES['index_size']}")
    try:
        index = load_strict(data.decode())
    except UnicodeDecodeError as error:
        raise BadFileError("index_json", f"it is not UTF-8: {CODES['index_json']}") from error
    except JsonFault as error:
        code = "index_json" if error.code == "json" else error.code
        raise BadFileError(code, f"{error.detail}: {CODES['index_json']}") from error
    mapped = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(mapped, dict) or not mapped or not all(isinstance(v, str) for v in mapped.values()):
        raise BadFileError("index_json", f"it holds no weight_map of names: {CODES['index_json']}")
    for name in set(mapped.values()):
        if not _is_bare(name):
            raise BadFileError("shard_path", f"{shorten(name)}: {CODES['shard_path']}")
    return mapped


def _is_bare(name: str) -> bool:
    clean = not any(mark in name for mark in "/\\\0:") and not has_surrogate(name)
    return clean and name not in ("", ".", "..") and len(name) <= 255


def read_shards(parts: Sequence[FoundPath], index: bytes | None) -> Shards:
    """Read all shards of one model (or its only file) as one header; ``index`` is the index's path, if any.

    Offsets count from the first shard's data through the last one's. Raises BadFileError with a code of
    ``CODES`` or of the containers' readers, TemporaryError, ``OSError``.
    """
    here = {os.path.basename(part.path): part for part in parts}
    mapped = parse_index(read_small(index, MAX_INDEX)) if index is not None else None
    wanted = _expected(here) if mapped is None else sorted({os.fsencode(name) for name in mapped.values()})
    missing = [name for name in wanted if name not in here]
    if missing:
        raise _missing(os.path.dirname(index or parts[0].path), missing, len(wanted))
    whole = _Whole()
    prints = []
    for name in wanted:
        path, size = here[name].path, here[name].size
        header = read_model(path, container_of(path))
        prints.append(name_content(path, size, header))
        whole.add(os.fsdecode(name), header)
    if mapped is not None:
        whole.compare(mapped)
        unnamed = here.keys() - set(wanted)
        if unnamed:
            whole.warn("shard_unnamed", os.fsdecode(min(unnamed)))
    return Shards(whole.header(), tuple(prints))


def join_headers(
    headers: Iterable[tuple[str, Header]], mapped: Mapping[str, str], missing: Sequence[str] = ()
) -> Header:
    """One header of shards read elsewhere, as (file name, header); ``mapped`` is what the index says.

    Shards that are ``missing`` are warned of. Raises BadFileError ``duplicate_tensor``, ``tensor_count``.
    """
    whole = _Whole()
    for name, header in headers:
        whole.add(name, header)
    gone = set(missing)
    whole.compare({tensor: name for tensor, name in mapped.items() if name not in gone})
    if missing:
        whole.warn("shard_missing", missing[0], f" and {len(missing) - 1:,} more" if missing[1:] else "")
    return whole.header()


def read_small(path: bytes, limit: int) -> bytes:
    """A small file whole. Raises BadFileError ``index_size`` past ``limit`` bytes, TemporaryError."""
    with opened(path) as (read, size):
        if size > limit:
            raise BadFileError("index_size", f"{os.fsdecode(path)!r}, {size:,} bytes: {CODES['index_size']}")
        return read(0, size)


def bundle_fingerprint(prints: Sequence[str]) -> str:
    """A name for content in several files, whatever they are called and wherever they lie: 64 hex digits."""
    return hashlib.sha256("\0".join(["pinakes-bundle-1", *sorted(prints)]).encode()).hexdigest()


def _expected(here: Mapping[bytes, FoundPath]) -> list[bytes]:
    """The names that the names of those present promise: at most 99,999."""
    for name in here:
        part = shard(name)
        if part:
            return [part.sibling(place) for place in range(1, part.total + 1)]
    return sorted(here)


def _missing(folder: bytes, names: Sequence[bytes], total: int) -> BadFileError:
    shown = ", ".join(shorten(os.fsdecode(name)) for name in names[:3])
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    there = all(os.path.lexists(os.path.join(folder, name)) for name in names[:3])
    code = "shard_name" if there else "shard_missing"
    return BadFileError(code, f"{shown}{more} of {total:,} files: {CODES[code]}")


class _Whole:
    """One header growing out of many; what contradicts itself is told or refused."""

    def __init__(self) -> None:
        self.tensors: dict[str, TensorEntry] = {}
        self.homes: dict[str, str] = {}
        self.metadata: dict[str, str] = {}
        self.told: dict[str, HeaderWarning] = {}
        self.programs: list[Program | None] = []
        self.container = ""
        self.size = 0

    def add(self, name: str, header: Header) -> None:
        """Raises BadFileError ``duplicate_tensor``, ``tensor_count``."""
        twice = self.tensors.keys() & header.tensors.keys()
        if twice:
            raise BadFileError("duplicate_tensor", f"{shorten(min(twice))}: {CODES['duplicate_tensor']}")
        if len(self.tensors) + len(header.tensors) > MAX_TENSORS:
            raise BadFileError("tensor_count", f"more than {MAX_TENSORS:,}: {CODES['tensor_count']}")
        for tensor, entry in header.tensors.items():
            begin, end = entry["data_offsets"]
            self.tensors[tensor] = {**entry, "data_offsets": [begin + self.size, end + self.size]}
        self.homes |= dict.fromkeys(header.tensors, name)
        self.size += header.data_size
        self.container = self.container or header.container
        self.programs.append(header.program)
        for warning in header.warnings:
            self.told.setdefault(warning.code, warning)
        self._hear(name, header.metadata)

    def _hear(self, name: str, metadata: Mapping[str, str]) -> None:
        if any(self.metadata.get(key, value) != value for key, value in metadata.items()):
            self.warn("shard_metadata", name)
        for key, value in metadata.items():
            if len(self.metadata) < _MAX_KEYS:
                self.metadata.setdefault(key, value)

    def compare(self, mapped: Mapping[str, str]) -> None:
        """Tell where the index puts tensors elsewhere than they are."""
        names = self.homes.keys() | mapped.keys()
        wrong = [tensor for tensor in names if mapped.get(tensor) != self.homes.get(tensor)]
        if wrong:
            self.warn("weight_map", min(wrong), f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else "")

    def warn(self, code: str, name: str, more: str = "") -> None:
        self.told.setdefault(code, HeaderWarning(code, f"{shorten(name)}{more}: {WARNING_CODES[code]}"))

    def header(self) -> Header:
        program = worst_program(self.programs)
        warnings = tuple(self.told.values())
        return Header(self.container, self.tensors, self.metadata, 0, self.size, warnings, program)
