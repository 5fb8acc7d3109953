"""What reading a pickled file brings to light, and the four verdicts that follow from it.

Findings only ever accumulate and the verdict is the worst of them, so nothing that is added to a file can
make it look better: dangerous, then unreadable, then unknown, then tensors-only.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from indexer.domain.header import HeaderWarning
from indexer.errors import BadFileError
from indexer.parsers.pickle_imports import ALLOWED, DANGEROUS, UNKNOWN, dotted, judge

__all__ = [
    "CODES",
    "DANGEROUS_IMPORTS",
    "MAX_OPCODES",
    "MAX_PICKLE",
    "TENSORS_ONLY",
    "UNKNOWN_IMPORTS",
    "WARNING_CODES",
    "Budget",
    "Findings",
    "unreadable",
]

TENSORS_ONLY: Final = "tensors-only"
UNKNOWN_IMPORTS: Final = "unknown-imports"
DANGEROUS_IMPORTS: Final = "dangerous-imports"

MAX_OPCODES: Final = 1_000_000
MAX_PICKLE: Final = 64 << 20  # bytes of pickle read of one file
MAX_SECONDS: Final = 5.0  # of processor time
_MAX_LISTED = 5_000

CODES: Final[Mapping[str, str]] = {
    "unreadable:empty": "the file is empty; download it again",
    "unreadable:truncated": "the file ends inside an instruction; download it again",
    "unreadable:length": "an instruction announces more bytes than there are; treat the file as hostile",
    "unreadable:frame": "an instruction crosses its frame: readers may differ on it; treat it as hostile",
    "unreadable:opcode": "an instruction that no pickle has; not a pickle, or damaged: download it again",
    "unreadable:protocol": "a pickle protocol newer than any known; look for an update of this program",
    "unreadable:stack": "an instruction takes what is not there; damaged or hostile, download it again",
    "unreadable:number": "a number that is none, or absurdly long; treat the file as hostile",
    "unreadable:text": "text in an impossible encoding or quoting; damaged: download it again",
    "unreadable:name": "the name of an import cannot be read; treat the file as hostile",
    "unreadable:budget": "more steps, bytes, entries or compression than any model has; treat it as hostile",
    "unreadable:zip_truncated": "the archive's directory is missing at the end; download the file again",
    "unreadable:zip_directory": "the archive's directory contradicts itself; download the file again",
    "unreadable:zip_offset": "an archive entry lies outside the file; download it again",
    "unreadable:zip_size": "an archive entry's sizes contradict each other; treat the file as hostile",
    "unreadable:zip_overlap": "two archive entries share bytes; treat the file as hostile",
    "unreadable:zip_method": "an archive entry is packed in an unknown way; save the model as safetensors",
    "unreadable:zip_data": "an archive entry does not unpack; download the file again",
    "unreadable:zip_encrypted": "an archive entry needs a password; unpack it yourself first",
    "unreadable:zip_no_model": "an archive without a pickle or array inside; it is no model, remove it",
    "unreadable:npy": "a numpy array with a broken header; save it again",
    "unreadable:type": "another kind of file than a checkpoint; the word behind the colon says which",
    "not_a_model:html": "a web page was saved instead of the model, often a login page; download it again",
    "not_a_model:json": "a JSON document, not a model: a tokenizer's settings or a server's answer",
    "not_a_model:lfs": "a Git LFS pointer, not the model itself; run git lfs pull or download it again",
    "not_a_model:zero": "nothing but zero bytes; the download never filled the file, download it again",
    "not_a_model:text": "plain text, not a model; move it out of the model folders",
    "not_a_model:tokenizer": "a tokenizer's vocabulary, not a model; move it out of the model folders",
    "not_regular_file": "a folder, pipe or device, not a file; remove it from the model folders",
}
"""Codes of BadFileError; ``unreadable:type`` is followed by the type, as in ``unreadable:type:7z``."""

WARNING_CODES: Final[Mapping[str, str]] = {
    "zip_crc": "an archive entry does not match its checksum",
    "zip_flags": "an archive entry is marked as encrypted or patched",
    "zip_names_differ": "the archive's directory and its entries name different files",
    "zip_duplicate": "two archive entries have the same name",
    "zip_entry_path": "an archive entry's name would lead out of its folder; nothing is ever extracted",
    "zip_symlink": "an archive entry is a symbolic link; nothing is ever extracted",
    "zip_entry_names": "archive entries that no checkpoint has",
    "zip_extra_bytes": "bytes before, between or behind the archive's entries",
    "zip_nested": "an archive inside the archive",
    "storage_missing": "a tensor's data is not in the archive",
    "trailing_bytes": "bytes behind the last pickle belong to nothing",
    "tensor_skipped": "a tensor's shape or type cannot be read",
}


def unreadable(reason: str, detail: str = "") -> BadFileError:
    """The error for ``unreadable:reason``, its sentence led by ``detail``."""
    sentence = CODES[f"unreadable:{reason}"]
    return BadFileError(f"unreadable:{reason}", f"{detail}: {sentence}" if detail else sentence)


@dataclass(slots=True)
class Budget:
    """Work left for one file: opcodes, bytes of pickle, seconds of processor time."""

    opcodes: int = MAX_OPCODES
    pickle_bytes: int = MAX_PICKLE
    deadline: float = field(default_factory=lambda: time.thread_time() + MAX_SECONDS)

    def spend(self, opcodes: int) -> None:
        """Take ``opcodes`` steps. Raises BadFileError ``unreadable:budget`` when too many or too slow."""
        self.opcodes -= opcodes
        if self.opcodes < 0 or time.thread_time() > self.deadline:
            raise unreadable("budget")


@dataclass(slots=True)
class Findings:
    """Everything met while reading one file; see the module."""

    imports: dict[tuple[str, str], str] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    faults: list[BadFileError] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    dangers: dict[str, None] = field(default_factory=dict)

    def imported(self, module: str, name: str) -> str:
        """Record an import and return its judgement."""
        known = self.imports.get((module, name))
        if known is not None:
            return known
        verdict = judge(module, name)
        if len(self.imports) < _MAX_LISTED or verdict == DANGEROUS:
            self.imports[(module, name)] = verdict
        else:
            self.doubt("more imports than are listed")
        return verdict

    def doubt(self, sentence: str) -> None:
        """Something that forbids ``tensors-only``; at most a handful is kept."""
        if len(self.doubts) < 20:
            self.doubts[sentence] = None

    def danger(self, sentence: str) -> None:
        """Something dangerous that is no import by itself."""
        if len(self.dangers) < 20:
            self.dangers[sentence] = None

    def warn(self, code: str, detail: str = "") -> None:
        """A warning of ``WARNING_CODES``; the first detail of each stays."""
        self.told.setdefault(code, f"{WARNING_CODES[code]}: {detail}" if detail else WARNING_CODES[code])

    @property
    def dangerous(self) -> bool:
        return bool(self.dangers) or DANGEROUS in self.imports.values()

    @property
    def verdict(self) -> str:
        """One of the four words but ``unreadable``, which is an error: ask ``faults`` first."""
        if self.dangerous:
            return DANGEROUS_IMPORTS
        if self.doubts or UNKNOWN in self.imports.values():
            return UNKNOWN_IMPORTS
        return TENSORS_ONLY

    def names(self, *verdicts: str) -> tuple[str, ...]:
        """Dotted names of imports with one of ``verdicts``, sorted and escaped."""
        return tuple(sorted(dotted(*pair) for pair, verdict in self.imports.items() if verdict in verdicts))

    @property
    def listed(self) -> tuple[str, ...]:
        """All imports, dotted, sorted, escaped."""
        return self.names(ALLOWED, UNKNOWN, DANGEROUS)

    @property
    def warnings(self) -> tuple[HeaderWarning, ...]:
        return tuple(HeaderWarning(code, detail) for code, detail in self.told.items())
