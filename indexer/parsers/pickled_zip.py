"""Judges a zip archive that should be a checkpoint: PyTorch's format since 1.6, or numpy's ``.npz``.

PyTorch stores its entries unpacked: ``NAME/data.pkl`` and one ``NAME/data/KEY`` a storage. Only directory,
local headers, pickles and the first bytes of the others are read, so 40 GB cost a few megabytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from indexer.domain.header import TensorEntry
from indexer.errors import BadFileError
from indexer.parsers.byte_sources import MemorySource, Piece, Source
from indexer.parsers.npy import MAGIC as NPY_MAGIC
from indexer.parsers.npy import read_npy
from indexer.parsers.pickle_findings import MAX_PICKLE, Budget, Findings, unreadable
from indexer.parsers.pickle_opcodes import ShortError
from indexer.parsers.pickle_stream import Pickle, PickleStream
from indexer.parsers.pickle_values import Storage
from indexer.parsers.safetensors_strict import DTYPE_BITS
from indexer.parsers.torch_tensors import tensors_of
from indexer.parsers.torch_values import DTYPES
from indexer.parsers.zip_archive import Directory, Member, check_layout, find_directories, read_members
from indexer.parsers.zip_members import STORED, Unpacker

__all__ = ["Contents", "looks_like_zip", "read_all", "read_archive", "read_array"]

_MAX_DEPTH: Final = 2
_ENCRYPTED: Final = 1
_MORE: Final = 64 << 10  # bytes looked at of an entry whose beginning could be a pickle
_FIRST_OPCODES: Final = b"(NIJKLMSTUVXFGBCPcghj)]}\x80\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97"
_STORAGE = re.compile(r"[^/]+/data/\d{1,20}")
_SMALL = re.compile(r"[^/]+/(version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id)")


@dataclass(slots=True)
class Contents:
    """Tensors found, the bytes of their data, how many more stand beside the state dict."""

    tensors: dict[str, TensorEntry] = field(default_factory=dict)
    data_size: int = 0
    beside: int = 0


def looks_like_zip(head: bytes) -> bool:
    """Whether a zip begins here, an empty one too."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"))


def read_archive(source: Source, findings: Findings, budget: Budget) -> Contents:
    """Judge everything in the archive into ``findings``. Raises BadFileError if it cannot be taken apart."""
    return _Archive(source, findings, budget, Unpacker(findings), depth=1).read()


def read_all(stream: PickleStream, offset: int = 0) -> list[Pickle]:
    """The pickles from ``offset`` to the end of the stream's source.

    Raises BadFileError when the first cannot be read; bytes behind a later one only raise a doubt.
    """
    pickles = [stream.read(offset)]
    while pickles[-1].end < stream.source.size:
        try:
            pickles.append(stream.read(pickles[-1].end))
        except BadFileError as error:
            if error.code == "unreadable:budget":
                raise
            stream.findings.warn("trailing_bytes")
            stream.findings.doubt("bytes behind the last pickle belong to nothing")
            break
    return pickles


def read_array(source: Source, findings: Findings, budget: Budget) -> TensorEntry | None:
    """A numpy array file; its pickle, if it has one, is judged. Raises BadFileError ``unreadable:npy``."""
    array = read_npy(source)
    if array.objects:
        findings.doubt("a numpy array of objects")
        read_all(PickleStream(source, findings, budget), array.begin)
        return None
    if array.end is not None and array.end > source.size:
        raise unreadable("truncated", "the array's data is not all there")
    if array.end is not None and array.end < source.size:
        findings.doubt("bytes behind the array belong to nothing")
        PickleStream(source, findings, budget).search(array.end)
    if array.dtype is None:
        findings.warn("tensor_skipped")
        return None
    return TensorEntry(dtype=array.dtype, shape=list(array.shape), data_offsets=[0, 0])


@dataclass(slots=True)
class _Archive:
    source: Source
    findings: Findings
    budget: Budget
    unpacker: Unpacker
    depth: int
    suspicion: Budget = field(default_factory=Budget)
    contents: Contents = field(default_factory=Contents)
    understood: int = 0

    def read(self) -> Contents:
        directories = find_directories(self.source)
        if len(directories) > 1:
            self.findings.doubt("the archive has two directories")
        for directory in directories:
            self._directory(directory, main=directory is directories[0])
        stop = directories[0].stop
        if stop < self.source.size:
            self._outside(stop, self.source.size)
        if not self.understood and not self.findings.faults:
            raise unreadable("zip_no_model")
        return self.contents

    def _directory(self, directory: Directory, *, main: bool) -> None:
        members = read_members(self.source, directory, self.findings)
        if directory.shift:
            self._outside(0, directory.shift)
        for begin, end in check_layout(members, directory, self.findings):
            self._outside(begin, end)
        if len({member.name for member in members}) < len(members):
            self.findings.warn("zip_duplicate")
            self.findings.doubt("two archive entries have the same name")
        checkpoint = _checkpoint(members) if main else None
        for member in members:
            try:
                self._member(member, member is checkpoint, members)
            except BadFileError as error:
                self._fault(error, member)

    def _fault(self, error: BadFileError, member: Member) -> None:
        if member.flags & _ENCRYPTED and error.code != "unreadable:budget":
            error = unreadable("zip_encrypted", member.name)
        self.findings.faults.append(error)

    def _member(self, member: Member, checkpoint: bool, members: list[Member]) -> None:
        if checkpoint or member.name.endswith("/data.pkl"):
            pickle = self._pickle(member, checkpoint)
            if checkpoint:
                self._tensors(pickle, member, members)
        elif member.name.endswith("/") and not member.unpacked:
            return
        elif member.symlink:
            self.findings.warn("zip_symlink", member.name)
        elif member.head.startswith(NPY_MAGIC):
            self._array(member)
        elif _STORAGE.fullmatch(member.name) or _SMALL.fullmatch(member.name):
            self._first_bytes(member)
        else:
            self._stranger(member)

    def _pickle(self, member: Member, checkpoint: bool) -> Pickle:
        """The entry a loader would unpickle: read whole, one pickle and nothing behind it."""
        source = self.unpacker.open(self.source, member, MAX_PICKLE)
        if source.size > MAX_PICKLE:
            raise unreadable("budget", f"{member.name} has {source.size:,} bytes")
        data = source.read(0, MAX_PICKLE)
        if member.method == STORED:
            self.unpacker.check_bytes(data, member)
        stream = PickleStream(MemorySource(data), self.findings, self.budget)
        pickle = stream.read(0, torch_archive=checkpoint)
        self.understood += 1
        if pickle.end < len(data):
            self.findings.warn("trailing_bytes", member.name)
            self.findings.doubt("bytes behind the last pickle belong to nothing")
            self._try_pickles(Piece(stream.source, pickle.end, len(data) - pickle.end))
        return pickle

    def _tensors(self, pickle: Pickle, member: Member, members: list[Member]) -> None:
        tensors, self.contents.beside = tensors_of(pickle.value, self.findings)
        self.contents.tensors.update(tensors)
        root = member.name.removesuffix("data.pkl")
        sizes = {m.name: m.unpacked for m in members if m.name.startswith(f"{root}data/")}
        self.contents.data_size = sum(sizes.values())
        missing = [key for key in pickle.storages if not _is_whole(pickle.storages[key], root, sizes)]
        if missing:
            self.findings.warn("storage_missing", f"{len(missing):,} of {len(pickle.storages):,}")

    def _array(self, member: Member) -> None:
        source = self.unpacker.open(self.source, member, MAX_PICKLE)
        entry = read_array(source, self.findings, self.budget)
        if entry is not None:
            self.contents.tensors[member.name.removesuffix(".npy")] = entry
        self.understood += 1

    def _first_bytes(self, member: Member) -> None:
        """A storage or another entry that no loader unpickles: only a dangerous pickle in it counts."""
        head = member.head
        if member.method != STORED:
            head = self.unpacker.open(self.source, member, len(head)).read(0, len(head))
        if head and head[0] in _FIRST_OPCODES and self._is_suspect(head):
            source = self.unpacker.open(self.source, member, _MORE)
            self._is_suspect(source.read(0, _MORE))

    def _is_suspect(self, head: bytes) -> bool:
        """Judge a pickle at the beginning of ``head``; whether it may go on behind its end."""
        found = Findings()
        stream = PickleStream(MemorySource(head), found, self.suspicion, searching=False)
        try:
            stream.read(0)
        except ShortError:
            suspect = True
        except BadFileError as error:
            suspect = False
            if error.code == "unreadable:budget":
                self.findings.doubt("more entries that read like pickles than were followed")
        else:
            suspect = False
        if found.dangerous:
            for pair in found.imports:
                self.findings.imported(*pair)
        return suspect

    def _stranger(self, member: Member) -> None:
        """An entry that no checkpoint has: an archive, a pickle, or anything."""
        self.findings.warn("zip_entry_names", member.name)
        long = member.method == STORED and member.packed > len(member.head)
        if long and not looks_like_zip(member.head) and not self._is_suspect(member.head):
            self.findings.doubt("archive entries that no checkpoint has")
            return
        source = self.unpacker.open(self.source, member, MAX_PICKLE)
        if looks_like_zip(source.read(0, 16)):
            self._nested(source)
        elif self._try_pickles(source):
            self.understood += 1
        else:
            if member.flags & _ENCRYPTED:
                raise unreadable("zip_encrypted", member.name)
            self.findings.doubt("archive entries that no checkpoint has")

    def _nested(self, source: Source) -> None:
        self.findings.warn("zip_nested")
        self.findings.doubt("an archive inside the archive")
        if self.depth >= _MAX_DEPTH:
            raise unreadable("budget", "archives in archives in archives")
        inner = _Archive(source, self.findings, self.budget, self.unpacker, self.depth + 1)
        try:
            inner.read()
        except BadFileError as error:
            if error.code != "unreadable:zip_no_model":
                raise
        self.understood += 1

    def _outside(self, begin: int, end: int) -> None:
        """Bytes of the file that belong to no entry."""
        self.findings.warn("zip_extra_bytes", f"{end - begin:,} bytes")
        self.findings.doubt("bytes before, between or behind the archive's entries")
        self._try_pickles(Piece(self.source, begin, end - begin))

    def _try_pickles(self, source: Source) -> bool:
        """Whether ``source`` is pickles from its beginning; they are judged in any case."""
        try:
            read_all(PickleStream(source, self.findings, self.budget))
        except BadFileError as error:
            if error.code == "unreadable:budget":
                raise
            return False
        return True


def _checkpoint(members: list[Member]) -> Member | None:
    """The pickle that PyTorch loads: ``data.pkl`` in the folder of the first entry."""
    pickles = [m for m in members if m.name == "data.pkl" or m.name.endswith("/data.pkl")]
    root = members[0].name.split("/", 1)[0] if members else ""
    return next((m for m in pickles if m.name == f"{root}/data.pkl"), pickles[0] if pickles else None)


def _is_whole(storage: Storage, root: str, sizes: Mapping[str, int]) -> bool:
    dtype = DTYPES.get(storage.dtype)
    have = sizes.get(f"{root}data/{storage.key}")
    return have is not None and (dtype is None or have == storage.elements * DTYPE_BITS[dtype] // 8)
