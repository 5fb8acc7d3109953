"""Bring the vector indexes up to date with the catalog: only what changed goes in.

Content is indexed picture by picture. Style is indexed entry by entry in a space that is fitted on the
collection; fitting anew moves every row, so it is done only once enough pictures changed. An index that is
damaged, of other encoders, or not of this catalog is built from nothing.
"""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import changes, vectors
from indexer.catalog.database import Catalog, Session
from indexer.catalog.prompts import prompts_of
from indexer.embedding.encoders import unit_rows
from indexer.embedding.style_pair import StylePair
from indexer.embedding.style_space import SAMPLE, StyleSpace, StyleSpaceError, fit_style_space, pool_rows
from indexer.embedding.style_store import load_style_space, save_style_space
from indexer.embedding.told_content import Prompts
from indexer.encoders import Encoders
from indexer.indexes.vector_manifest import Manifest, VectorIndexError
from indexer.indexes.vector_store import build_index, open_index, read_beside, save_index
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["publish_vectors"]

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]
NAMES = ("content", "style")
BATCH = 2_000
ANEW = 0.5
"""Share of changed pictures beyond which building from nothing is quicker than changing."""

REFIT_SHARE, REFIT_BELOW = 0.05, 2_000
"""The style space is fitted again when this share of the pictures it saw changed; while there are few
pictures, at every change: fitting is quick then, and each picture matters."""

QUERIES = 2_000
"""Pictures from which the spread of style queries is measured."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What both indexes are published from. ``number`` is the change they will have read up to."""

    catalog: Catalog
    settings: Settings
    encoders: Encoders
    number: int

    def folder(self, name: str) -> Path:
        return self.settings.vector_folder / name

    def note(self, **more: Any) -> dict[str, Any]:
        """The note of an index built from nothing."""
        return {"lineage": uuid.uuid4().hex, "seq": self.number, **more}


def publish_vectors(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress, *, afresh: bool = False
) -> int:
    """Put changed vectors into the vector indexes; answers how many. ``afresh``: all of them.

    Written to the catalog after the indexes: a stop in between repeats changes, which replace themselves.
    """
    if afresh:
        shutil.rmtree(settings.vector_folder, ignore_errors=True)
    keys = "+".join(encoder.identity.key for encoder in encoders.all) + _manner(settings, encoders)
    with catalog.read() as session:
        number = changes.last_number(session, "vectors")
        seq, detail = changes.read_watermark(session, "vectors")
    work = _Work(catalog, settings, encoders, number)
    since = seq if detail.get("keys") == keys and seq <= number else None
    whole = [_known(work, name, detail) is not None or detail.get(name, "") is None for name in NAMES]
    if since == number and all(whole):
        return 0
    with progress.stage("Indexing pictures", "indexes", 2) as stage:
        done = _publish_style(work, since if whole[1] else None)
        stage.advance()
        done += _publish_content(work, since if whole[0] else None)
        stage.advance()
    lineages = {name: _lineage(work.folder(name)) for name in NAMES}
    with catalog.write() as session:
        changes.write_watermark(session, "vectors", number, {"keys": keys, **lineages})
    return done


def _manner(settings: Settings, encoders: Encoders) -> str:
    """Settings that style is fitted by, where they are not the usual ones: others need another fit."""
    share = settings.style_encoder_share
    shared = f" at {share:g}" if isinstance(encoders.style, StylePair) and share != 0.5 else ""
    return shared + ("" if settings.style_prompts else " without prompts")


def _known(work: _Work, name: str, detail: dict[str, Any]) -> str | None:
    """The lineage of an index if it is sound and the one that was last written from this catalog."""
    try:
        open_index(work.folder(name))
    except VectorIndexError:
        return None
    lineage = _lineage(work.folder(name), work.number)
    return lineage if lineage is not None and lineage == detail.get(name) else None


def _lineage(folder: Path, number: int | None = None) -> str | None:
    """The name that an index got when it was built; None where it is absent, damaged or of a later change."""
    try:
        note = read_beside(folder)[0].note
    except VectorIndexError:
        return None
    seq = note.get("seq")
    if not isinstance(seq, int) or (number is not None and seq > number):
        return None
    return str(note.get("lineage"))


def _publish_content(work: _Work, since: int | None) -> int:
    """Index every picture by what it shows; answers how many went in or out."""
    try:
        changed = None if since is None else _change_content(work, since)
    except VectorIndexError as error:
        if error.code == "write":
            raise
        changed = None
    return _build_content(work) if changed is None else changed


def _build_content(work: _Work) -> int:
    identity = work.encoders.seen.identity
    with work.catalog.read() as session:
        space = vectors.space_id(session, identity.key)
        stored = vectors.iterate_vectors(session, space) if space is not None else iter(())
        members = vectors.members_in_spaces(session, [space or 0])
        batches = ((ids, unit_rows(rows)) for ids, rows in stored)
        key, dimension = identity.key, identity.dimension
        return build_index(work.folder("content"), key, dimension, batches, work.note(), members)


def _change_content(work: _Work, since: int) -> int | None:
    """Change the index that is there; None when building it anew is quicker."""
    folder, identity = work.folder("content"), work.encoders.seen.identity
    manifest, before = read_beside(folder)
    index = open_index(folder, identity.key)
    with work.catalog.read() as session:
        space = vectors.space_id(session, identity.key)
        if space is None:
            return None
        members, have = vectors.members_in_spaces(session, [space]), index.ids()
        shown = members[:, 0]
        fresh = np.intersect1d(vectors.changed_since(session, [space], since), shown)
        fresh = np.union1d(fresh, np.setdiff1d(shown, have))
        gone = np.setdiff1d(have, shown)
        if len(fresh) + len(gone) > ANEW * len(shown):
            return None
        for start in range(0, len(fresh), BATCH):
            ids, rows = vectors.vectors_of(session, space, fresh[start : start + BATCH].tolist())
            index.put(ids, unit_rows(rows))
    index.remove(gone)
    if len(fresh) or len(gone) or before is None or not np.array_equal(before, members):
        save_index(index, folder, {**manifest.note, "seq": work.number}, members)
    return len(fresh) + len(gone)


def _publish_style(work: _Work, since: int | None) -> int:
    """Index each entry by the mean of its previews' rows in the style space; answers how many pictures."""
    pair = work.encoders.style, work.encoders.seen
    with work.catalog.read() as session:
        found = [vectors.space_id(session, encoder.identity.key) for encoder in pair]
        spaces = [space for space in found if space is not None]
        members = (
            vectors.members_in_spaces(session, spaces) if len(spaces) == 2 else np.empty((0, 2), np.int64)
        )
        if not len(members):
            shutil.rmtree(work.folder("style"), ignore_errors=True)
            return 0
        try:
            changed = None if since is None else _change_style(work, session, spaces, members, since)
        except (VectorIndexError, StyleSpaceError) as error:
            if error.code == "write":
                raise
            changed = None
        return _build_style(work, session, spaces, members) if changed is None else changed


def _build_style(work: _Work, session: Session, spaces: list[int], members: Ids) -> int:
    """Fit the space on the collection and index everything; memory holds a sample and a batch of raw rows."""
    chosen = members[_in_runs(len(members), SAMPLE)]
    style, content, prompts = _raw(work, session, spaces, chosen[:, 0])
    space = fit_style_space(
        style,
        content,
        work.encoders.style.identity,
        work.encoders.seen.identity,
        prompts=prompts,
        owners=chosen[:, 1],
        network_share=work.settings.style_encoder_share,
    )
    spread = space.query_rows(style[:QUERIES], content[:QUERIES]).std(0)
    save_style_space(space, work.settings.style_space_file(space.identity.key))
    key, dimension = space.identity.key, space.identity.dimension
    note = work.note(fitted=len(members), moved=0)
    batches = _pooled(work, session, spaces, space, members)
    build_index(work.folder("style"), key, dimension, batches, note, members, spread)
    _sweep_spaces(work.settings.vector_folder)
    return len(members)


def _change_style(work: _Work, session: Session, spaces: list[int], members: Ids, since: int) -> int | None:
    """Project changed entries with the space that is there; None when it should be fitted anew."""
    folder = work.folder("style")
    manifest, before = read_beside(folder)
    if before is None or len(members) < REFIT_BELOW:
        return None
    changed = vectors.changed_since(session, spaces, since)
    moved, owners = _moved(before, members, changed)
    total = len(moved) + int(manifest.note["moved"])
    if total > REFIT_SHARE * int(manifest.note["fitted"]):
        return None
    if len(moved):
        space = _stored_space(work, manifest)
        index = open_index(folder, space.identity.key)
        moving = members[np.isin(members[:, 1], owners)]
        for ids, rows in _pooled(work, session, spaces, space, moving):
            index.put(ids, rows)
        index.remove(np.setdiff1d(owners, members[:, 1]))
        save_index(index, folder, {**manifest.note, "seq": work.number, "moved": total}, members)
    return len(moved)


def _stored_space(work: _Work, manifest: Manifest) -> StyleSpace:
    space = load_style_space(work.settings.style_space_file(manifest.identity))
    made_of = "+".join(encoder.identity.key for encoder in (work.encoders.style, work.encoders.seen))
    if space.identity.key != manifest.identity or space.identity.preprocessing != made_of:
        raise StyleSpaceError(
            "style_space_identity", "The style space is of other encoders; it is fitted anew."
        )
    return space


def _moved(before: Ids, members: Ids, changed: Ids) -> tuple[Ids, Ids]:
    """Pictures that came, went, changed or have another owner; and the owners whose mean that moves.

    ``before`` and ``members`` are (n, 2) of pictures, ascending, and their owners.
    """
    _, old, new = np.intersect1d(before[:, 0], members[:, 0], assume_unique=True, return_indices=True)
    given = members[new, 0][before[old, 1] != members[new, 1]]
    here = np.intersect1d(changed, members[:, 0])
    moved = np.unique(np.concatenate([np.setxor1d(before[:, 0], members[:, 0]), given, here]))
    owners = [side[np.isin(side[:, 0], moved), 1] for side in (before, members)]
    return moved, np.unique(np.concatenate(owners))


def _pooled(
    work: _Work, session: Session, spaces: list[int], space: StyleSpace, members: Ids
) -> Iterator[tuple[Ids, Rows]]:
    """Entries and the means of their pictures' index rows, a bounded number at a time."""
    by_owner = members[np.argsort(members[:, 1], kind="stable")]
    start = 0
    while start < len(by_owner):
        last = by_owner[min(start + BATCH, len(by_owner)) - 1, 1]
        stop = int(np.searchsorted(by_owner[:, 1], last, side="right"))
        some = by_owner[start:stop]
        some = some[np.argsort(some[:, 0])]
        yield pool_rows(space.index_rows(*_raw(work, session, spaces, some[:, 0])), some[:, 1])
        start = stop


def _raw(work: _Work, session: Session, spaces: list[int], ids: Ids) -> tuple[Rows, Rows, Prompts | None]:
    """Style and content vectors of pictures (ascending ids) as their encoders made them, and the prompts."""
    style, content = (vectors.vectors_of(session, space, ids.tolist())[1] for space in spaces)
    return style, content, prompts_of(session, ids.tolist()) if work.settings.style_prompts else None


def _in_runs(count: int, most: int) -> Ids:
    """``most`` of ``count`` places, evenly, in runs of four: pictures of one version mostly stand together,
    and what differs between them is wanted too."""
    if count <= most:
        return np.arange(count)
    starts = np.linspace(0, count - 4, most // 4).astype(np.int64)
    return np.unique(starts[:, None] + np.arange(4))


def _sweep_spaces(folder: Path) -> None:
    """Keep the newest two fitted spaces: a reader may still be opening the one before."""
    files = sorted(folder.glob("space-*.npz"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[2:]:
        path.unlink(missing_ok=True)
