"""Reads pickled model files - PyTorch's zip and older formats, plain pickles, numpy arrays - and loads none.

Nothing is imported, called or unpickled: the opcodes are followed on paper. What a loader would import
decides the verdict: ``tensors-only``, ``unknown-imports``, ``dangerous-imports``; a file that cannot
be followed to its end is ``unreadable`` and raises, unless something dangerous was met before.
"""

from pathlib import Path
from typing import Final

from indexer.domain.collector import collector_paused
from indexer.domain.header import Header, Program
from indexer.errors import BadFileError
from indexer.parsers.byte_sources import FileSource, Source
from indexer.parsers.file_types import HEAD, other_type
from indexer.parsers.npy import MAGIC as NPY_MAGIC
from indexer.parsers.opening import opened
from indexer.parsers.pickle_findings import (
    CODES,
    DANGEROUS_IMPORTS,
    TENSORS_ONLY,
    WARNING_CODES,
    Budget,
    Findings,
    unreadable,
)
from indexer.parsers.pickle_imports import DANGEROUS, UNKNOWN
from indexer.parsers.pickle_stream import Pickle, PickleStream
from indexer.parsers.pickled_zip import Contents, looks_like_zip, read_all, read_archive, read_array
from indexer.parsers.torch_tensors import MAGIC, legacy_data_end, tensors_of
from indexer.parsers.zip_archive import TAIL, has_directory

__all__ = ["CODES", "WARNING_CODES", "read_pickled", "read_source"]

_OBJECT, _KEYS = 3, 4  # places among the pickles of PyTorch's old layout
_SHOWN: Final = 8


def read_pickled(path: Path | bytes) -> Header:
    """Read the file at ``path``; symbolic links are followed.

    ``program`` of the header carries the verdict and all imports; ``data_start`` is 0 and so are all
    ``data_offsets``. Raises BadFileError with a code of ``CODES`` (``unreadable:type`` is followed by
    ``:NAME``), TemporaryError ``io`` or ``changed``.
    """
    with opened(path) as (read, size):
        return read_source(FileSource(read, size))


def read_source(source: Source) -> Header:
    """Read the bytes of ``source`` as ``read_pickled`` does a file's. Raises BadFileError."""
    head = source.read(0, HEAD)
    tail = source.read(max(0, source.size - TAIL), TAIL)
    is_zip = looks_like_zip(head) or has_directory(tail, source.size)
    findings, budget = Findings(), Budget()
    contents = Contents()
    with collector_paused():
        try:
            if is_zip:
                contents = read_archive(source, findings, budget)
            elif head.startswith(NPY_MAGIC):
                contents = _array(source, findings, budget)
            else:
                contents = _pickles(source, findings, budget)
        except BadFileError as error:
            findings.faults.append(error)
    if findings.faults and not findings.dangerous:
        fault = findings.faults[0]
        raise (None if is_zip else other_type(head, tail, fault.code)) or fault
    return Header(
        "zip" if is_zip else "pickle",
        contents.tensors,
        {},
        0,
        contents.data_size,
        findings.warnings,
        Program(findings.verdict, findings.listed, _detail(findings, contents)),
    )


def _array(source: Source, findings: Findings, budget: Budget) -> Contents:
    entry = read_array(source, findings, budget)
    return Contents({} if entry is None else {"arr_0": entry}, source.size)


def _pickles(source: Source, findings: Findings, budget: Budget) -> Contents:
    """A plain pickle, several in a row, or PyTorch's old layout, which begins with its magic number."""
    if source.size == 0:
        raise unreadable("empty")
    stream = PickleStream(source, findings, budget)
    first = stream.read(0)
    if type(first.value) is int and first.value == MAGIC:
        return _legacy(stream, first)
    pickles = [first]
    if first.end < source.size:
        pickles = _following(stream, first)
    tensors, beside = tensors_of(pickles[0].value, findings)
    return Contents(tensors, 0, beside)


def _following(stream: PickleStream, first: Pickle) -> list[Pickle]:
    """``first`` and the pickles behind it; what is no pickle raises a doubt."""
    try:
        return [first, *read_all(stream, first.end)]
    except BadFileError as error:
        if error.code == "unreadable:budget":
            raise
        stream.findings.warn("trailing_bytes")
        stream.findings.doubt("bytes behind the last pickle belong to nothing")
        return [first]


def _legacy(stream: PickleStream, first: Pickle) -> Contents:
    source, findings = stream.source, stream.findings
    pickles = [first]
    while len(pickles) <= _KEYS and pickles[-1].end < source.size:
        pickles.append(stream.read(pickles[-1].end, torch_archive=len(pickles) == _OBJECT))
    if len(pickles) <= _OBJECT:
        raise unreadable("truncated", "the file ends before its tensors")
    end = pickles[-1].end
    if len(pickles) > _KEYS:
        end = legacy_data_end(source, end, pickles[_KEYS].value, pickles[_OBJECT].storages, findings)
    if end < source.size:
        _following(stream, Pickle(None, {}, end))
    tensors, beside = tensors_of(pickles[_OBJECT].value, findings)
    return Contents(tensors, source.size - pickles[-1].end, beside)


def _detail(findings: Findings, contents: Contents) -> str:
    """One or two sentences for people."""
    parts = []
    if findings.verdict == DANGEROUS_IMPORTS:
        named = [*findings.names(DANGEROUS), *findings.dangers]
        parts.append(f"Loading it would run or reach {_listed(named)}. Do not load it; delete it.")
    elif findings.verdict != TENSORS_ONLY:
        named = [*findings.names(UNKNOWN), *findings.doubts]
        parts.append(f"Not only tensors: {_listed(named)}. Load it only if you trust its maker.")
    else:
        parts.append("Every import rebuilds tensors or plain values.")
    if contents.beside:
        parts.append(f"{contents.beside:,} more tensors stand beside the state dict.")
    return " ".join(parts)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
