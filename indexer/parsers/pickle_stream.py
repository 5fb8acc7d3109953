"""Reads pickles that stand one behind the other in a source, in windows no larger than they need."""

from dataclasses import dataclass, field
from typing import Final

from indexer.errors import BadFileError
from indexer.parsers.byte_sources import Source
from indexer.parsers.pickle_findings import MAX_PICKLE, Budget, Findings, unreadable
from indexer.parsers.pickle_imports import dotted, named_in
from indexer.parsers.pickle_machine import Machine
from indexer.parsers.pickle_opcodes import ShortError
from indexer.parsers.pickle_steps import run
from indexer.parsers.pickle_values import Storage, Value

__all__ = ["Pickle", "PickleStream"]

_FIRST_WINDOW: Final = 1 << 20
_GROWTH: Final = 8
_SEARCHED_AT_ONCE: Final = 1 << 15
_LONGEST_IMPORT: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Pickle:
    """One pickle read to its STOP: its value, the storages it asks for, where it ends in the source."""

    value: Value
    storages: dict[str, Storage]
    end: int


@dataclass(slots=True)
class PickleStream:
    """Reads pickles of ``source`` and records in ``findings`` what they import.

    ``limit`` bounds the bytes read of one pickle. ``searching``: where the reading fails, imports are
    looked for in the rest.
    """

    source: Source
    findings: Findings
    budget: Budget
    limit: int = MAX_PICKLE
    searching: bool = True
    _base: int = 0
    _data: bytes = field(default=b"", repr=False)

    def read(self, offset: int, *, torch_archive: bool = False) -> Pickle:
        """The pickle at ``offset``. Raises BadFileError ``unreadable:…``."""
        size = 0
        while True:
            start = self._load(offset, size)
            machine = Machine(self._data, self.findings, torch_archive=torch_archive)
            try:
                end = run(machine, start, self.budget)
            except ShortError as error:
                self._check_growth(error, size)
                size = size * _GROWTH or _FIRST_WINDOW
            except BadFileError:
                # Bytes whose first is no instruction are no pickle to any reader.
                if machine.at > start:
                    self._search(self._data[machine.at :], certain=True)
                raise
            else:
                self._charge(end - start)
                self._search(self._data[start:end], certain=False)
                return Pickle(machine.result, machine.storages, self._base + end)

    def _load(self, offset: int, size: int) -> int:
        """Make the window cover ``size`` bytes from ``offset``; where that is inside the window.

        Size 0: what is there already will do, so that many small pickles share a window.
        """
        have = self._base + len(self._data)
        inside = self._base <= offset < have
        if not inside or not (size == 0 or have >= self.source.size or have - offset >= size):
            self._base = offset
            self._data = self.source.read(offset, min(size or _FIRST_WINDOW, self.limit))
        return offset - self._base

    def _check_growth(self, error: ShortError, size: int) -> None:
        """Raise when a larger window cannot help."""
        if self._base + error.end > self.source.size or self._base + len(self._data) >= self.source.size:
            self._search(self._data, certain=True)
            raise error
        if size >= self.limit or (size and len(self._data) >= self.limit):
            self._search(self._data, certain=True)
            raise unreadable("budget", f"a pickle of more than {self.limit:,} bytes")

    def _charge(self, size: int) -> None:
        self.budget.pickle_bytes -= size
        if self.budget.pickle_bytes < 0:
            raise unreadable("budget", f"more than {MAX_PICKLE:,} bytes of pickles")

    def _search(self, data: bytes, *, certain: bool) -> None:
        """Look for dangerous imports that the strict reading did not meet.

        ``certain``: the reading failed here, so that another reader may well run them. In what was read to
        the end they are text, which only forbids ``tensors-only``.
        """
        for begin in range(0, len(data) if self.searching else 0, _SEARCHED_AT_ONCE):
            piece = data[begin : begin + _SEARCHED_AT_ONCE + _LONGEST_IMPORT]
            for module, name in named_in(piece):
                if certain:
                    self.findings.imported(module, name)
                elif (module, name) not in self.findings.imports:
                    self.findings.doubt(f"a text that would import {dotted(module, name)}")
            self.budget.spend(0)

    def search(self, offset: int) -> None:
        """Look for dangerous imports in at most ``limit`` bytes from ``offset`` that no pickle covers."""
        self._search(self.source.read(offset, min(self.limit, _GROWTH * _FIRST_WINDOW)), certain=True)
