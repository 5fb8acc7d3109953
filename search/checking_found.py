"""What fitting needs of the parts of a stack: from the catalog, from a file, from a reference layout."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

from indexer.catalog.fits import FitRow
from indexer.checking import Base, Side, base_of, read_side
from indexer.domain.fit import Subject, unpack
from indexer.domain.layouts import load_layout
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path, architectures
from indexer.errors import UsageError
from indexer.rules.fit_base import architecture_subject
from indexer.rules.fit_profile import stored_subject
from indexer.rules.fit_reference import reference_layouts
from search.checking_names import Named

__all__ = ["BASES", "Found", "found_addon", "found_base", "ready_base", "side_of_row", "subject_of_row"]

BASES = frozenset({"checkpoint", "diffusion_model"})
_MOST_BASES = 32


@dataclass(frozen=True, slots=True)
class Found:
    """The same with what fitting needs.

    ``verdict`` is what ``inspect`` says of the file, as JSON data; ``path`` is one place where it lies,
    ``data`` its packed profile where the catalog has one. ``side`` is None where no file was ever read.
    """

    named: Named
    side: Side | None
    verdict: Mapping[str, Any]
    size: int | None = None
    file_id: int | None = None
    path: bytes | None = None
    triggers: tuple[str, ...] = ()
    data: bytes | None = None


def found_base(base: Named, rows: Mapping[int, Sequence[FitRow]]) -> Found:
    """The base with its profile, or the reference layout of an architecture. ``rows`` are ``fit_rows`` of the
    entries. Raises ``UsageError`` for a file that cannot be read."""
    if base.architecture is not None:
        side = Side(architecture_subject(base.architecture, base.family), None)
        return Found(base, side, {"parameters": _parameters(base.architecture)})
    found = _found(base, rows, as_base=True)
    if found.side is None and base.document is not None and base.document.architecture in architectures():
        document = base.document
        side = Side(architecture_subject(document.architecture or "", document.family), None)
        return replace(found, side=side, verdict={"parameters": _parameters(document.architecture)})
    return found


def _parameters(architecture_id: str | None) -> int | None:
    """Weights of the first size in which an architecture was released."""
    groups = reference_layouts(architecture_id) if architecture_id else ()
    return sum(map(prod, load_layout(groups[0][0]).values())) if groups else None


def found_addon(addon: Named, rows: Mapping[int, Sequence[FitRow]]) -> Found:
    """The addon with its profile. Raises ``UsageError`` for a file that cannot be read."""
    return _found(addon, rows, as_base=False)


def _found(named: Named, rows: Mapping[int, Sequence[FitRow]], *, as_base: bool) -> Found:
    if named.path is not None:
        return _from_disk(named, named.path)
    assert named.document is not None  # what is no path and no architecture is an entry
    mine = rows.get(named.document.id, ())
    row = _meant(mine, named.files, as_base)
    if row is None:
        return Found(named, None, {})
    side = stored = side_of_row(row, named.document, alone=len(mine) == 1)
    if side is None and row.path is not None:
        read = read_side(Path(os.fsdecode(row.path)))
        side = Side(_decided(read.side.subject, named.document, len(mine) == 1), read.side.profile)
    return Found(
        named,
        side,
        row.verdict,
        row.size,
        row.file_id,
        row.path,
        tuple(named.document.trigger_words),
        row.data if stored is not None else None,
    )


def _meant(rows: Sequence[FitRow], files: Sequence[int], as_base: bool) -> FitRow | None:
    """Of several files of a version the one that is meant: of its use, here, the largest."""
    chosen = [row for row in rows if not files or row.file_id in files]
    ranked = sorted(chosen, key=lambda row: ((row.verdict.get("kind") in BASES) != as_base, row.path is None))
    return ranked[0] if ranked else None


def side_of_row(row: FitRow, document: Document, *, alone: bool = True) -> Side | None:
    """A file as it is stored; None where no profile is, or one of an older form. ``alone``: the only file of
    its version, so that what a person decided about the entry is about it."""
    if row.data is None:
        return None
    try:
        profile = unpack(row.data)
    except ValueError:
        return None
    return Side(subject_of_row(row, document, alone=alone), profile)


def subject_of_row(row: FitRow, document: Document, *, alone: bool = True) -> Subject:
    """What a stored file was found to be, as far as nobody decided otherwise."""
    return _decided(stored_subject(row.verdict), document, alone)


def _decided(subject: Subject, document: Document, alone: bool) -> Subject:
    """The subject with what a person decided about its entry."""
    if alone and document.kind != subject.kind and document.kind != "unknown":
        subject = replace(subject, kind=document.kind)
    if document.architecture == subject.architecture:
        return replace(subject, family=document.family)
    if not alone or document.architecture not in architectures():
        return subject
    own = document.architecture or ""
    options = ((own, 1.0),)
    return replace(
        subject, architecture=own, path=architecture_path(own), options=options, family=document.family
    )


def _from_disk(named: Named, path: Path) -> Found:
    read = read_side(path)
    claims = chain.from_iterable(item.claims for item in read.judged.claims)
    triggers = [word for claim in claims if claim.name == "trigger_words" for word in claim.value]
    found = read.judged.found
    return Found(
        named,
        read.side,
        asdict(read.judged.verdict),
        found.size,
        None,
        found.path,
        tuple(dict.fromkeys(map(str, triggers))),
    )


# ---------------------------------------------------------------- bases made ready


def ready_base(found: Found) -> Base:
    """The tables of a base; those of the latest are kept. Raises ``UsageError`` for what is no base."""
    if found.side is None:
        raise UsageError(
            "no_file",
            f"Of {found.named.text!r} no file was read, and its architecture is not known. "
            "Name an architecture instead, such as sdxl.",
        )
    if found.side.profile is None:
        return _of_architecture(found.side.subject)
    return base_of(found.side) if found.data is None else _of_profile(found.side.subject, found.data)


@lru_cache(maxsize=_MOST_BASES)
def _of_architecture(subject: Subject) -> Base:
    return base_of(Side(subject, None))


@lru_cache(maxsize=_MOST_BASES)
def _of_profile(subject: Subject, data: bytes) -> Base:
    return base_of(Side(subject, unpack(data)))
