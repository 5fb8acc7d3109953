"""Does this file work on that base? For files on disk, without a catalog.

A side is a path (a model file, an index of shards, a diffusers folder) or the id of an architecture. What was
once read of a file is a ``Side`` that can be compared with any number of others.
"""

from pathlib import Path
from typing import NamedTuple

from indexer.domain.bundles import MODEL_INDEX
from indexer.domain.fit import FitProfile, FitVerdict, Subject
from indexer.domain.found import FoundFile, Judged, Problem
from indexer.domain.vocabulary import architectures
from indexer.errors import UsageError
from indexer.inspecting import found_files
from indexer.parsers.diffusers_folder import read_folder
from indexer.parsers.model_file import container_of, read_model
from indexer.parsers.shards import read_shards
from indexer.reading import judge
from indexer.rules.fit import fit_adapter
from indexer.rules.fit_base import BaseTable, architecture_subject, base_tables
from indexer.rules.fit_kinds import fit_kind
from indexer.rules.fit_profile import fit_profile, fit_profile_of_folder, subject_of

__all__ = ["Base", "ReadSide", "Side", "base_of", "check_pair", "check_sides", "read_side", "side_of"]

_ADAPTERS = frozenset({"lora", "control_lora"})
_BASES = frozenset({"checkpoint", "diffusion_model"})


class Side(NamedTuple):
    """A file as far as fitting is concerned; a mere architecture has no profile."""

    subject: Subject
    profile: FitProfile | None


class Base(NamedTuple):
    """A base made ready: its tables are built once and serve every addon."""

    subject: Subject
    tables: tuple[BaseTable, ...]


def check_pair(addon: Path, base: Path | str) -> FitVerdict:
    """Whether ``addon`` works on ``base``, a path or the id of an architecture.

    Raises ``UsageError`` for a path or id that does not exist and for files that cannot be read.
    """
    return check_sides(side_of(addon), base_of(side_of(base)))


def side_of(what: Path | str) -> Side:
    """What fitting needs of a file or an architecture. Raises ``UsageError``."""
    if isinstance(what, str):
        if what not in architectures():
            raise UsageError(
                "architecture_unknown",
                f"There is no architecture {what!r}. `pinakes fields base` lists them.",
            )
        return Side(architecture_subject(what), None)
    return read_side(what).side


def base_of(side: Side) -> Base:
    """The tables of a base. Raises ``UsageError`` where the file is no base."""
    if side.profile is not None and side.subject.kind not in _BASES:
        raise UsageError(
            "not_a_base",
            f"A {side.subject.kind.replace('_', ' ')} is no base: name a checkpoint, a diffusion model or an "
            "architecture.",
        )
    return Base(side.subject, tuple(base_tables(side.profile, side.subject)))


def check_sides(addon: Side, base: Base) -> FitVerdict:
    """The verdict on two sides that were read before: pure, and quick."""
    subject, profile = addon
    if profile is None:
        return FitVerdict("unknown", reasons=("An architecture is no addon: name a file.",))
    if subject.kind in _ADAPTERS:
        return fit_adapter(profile, subject, base.tables, base.subject)
    verdict = fit_kind(profile, subject, base.tables, base.subject)
    if verdict is not None:
        return verdict
    if subject.kind in _BASES:
        return FitVerdict("unknown", reasons=("This is a base itself; two bases are not used together.",))
    return FitVerdict("unknown", reasons=("What this file is could not be told.",))


class ReadSide(NamedTuple):
    """A file that was read for fitting, and all that its header tells."""

    side: Side
    judged: Judged


def read_side(path: Path) -> ReadSide:
    """Read a file, an index of shards or a diffusers folder. Raises ``UsageError``."""
    if not path.exists():
        raise UsageError("path_missing", f"There is no file or folder {str(path)!r}. Check its name.")
    found = list(found_files(path))
    if len(found) != 1:
        raise UsageError("path_several", f"{str(path)!r} holds {len(found)} models. Name one of them.")
    judged = judge(found[0], named=False)
    if isinstance(judged, Problem):
        raise UsageError("unreadable", f"{str(path)!r} cannot be read: {judged.detail}")
    return ReadSide(Side(subject_of(judged.verdict), _profile(found[0], judged.verdict.kind)), judged)


def _profile(found: FoundFile, kind: str) -> FitProfile:
    if found.name == MODEL_INDEX:
        return fit_profile_of_folder(read_folder(found.path, found.parts).components)
    if found.parts:
        header, _ = read_shards(found.parts, found.path if found.path.endswith(b".json") else None)
        return fit_profile(header, kind)
    return fit_profile(read_model(found.path, container_of(found.path)), kind)
