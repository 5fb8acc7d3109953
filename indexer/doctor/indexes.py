"""The indexes: whole to the last byte, and of the same entries and pictures as the catalog."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import changes, entries, health, previews, vectors
from indexer.catalog import health_pictures as rows
from indexer.catalog.database import Catalog
from indexer.domain.health import Finding, fault, note, sound
from indexer.embedding.adapter_vector import IDENTITY
from indexer.embedding.style_space import StyleSpaceError
from indexer.embedding.style_store import load_style_space
from indexer.encoders import Encoders
from indexer.indexes.gist_health import look_at_gists
from indexer.indexes.text_health import look_at_text
from indexer.indexes.vector_manifest import VectorIndexError
from indexer.indexes.vector_store import open_index, read_beside, verify_index
from indexer.progress import Progress, Silent
from indexer.settings import Settings
from indexer.stages.publish_gist import MOST_UNNOTED

__all__ = ["look_at_plan_index", "look_at_text_index", "look_at_vector_indexes", "weights_told"]


def look_at_text_index(catalog: Catalog, settings: Settings, *, writing: bool) -> Finding:
    """Present, readable, the one that was last written, and complete."""
    state = look_at_text(settings)
    if state.away is not None:
        return fault("text index", state.away, "Start the server, or take PINAKES_MEILISEARCH_URL away.")
    if state.faults:
        more = f" (and {len(state.faults) - 1} more)" if len(state.faults) > 1 else ""
        return fault("text index", state.faults[0] + more, repair="text")
    with catalog.read() as session:
        seq, detail = changes.read_watermark(session, "text")
        wanted, behind = health.count_shown(session), entries.count_entries(session, seq)
    if not state.generation:
        if not wanted:
            return sound("text index", "nothing to index yet")
        return fault("text index", f"It is missing: {wanted:,} entries cannot be searched.", repair="text")
    if detail.get("generation") != state.generation:
        return fault(
            "text index", "It is another one than was last written from this catalog.", repair="text"
        )
    if behind:
        told = f"{behind:,} changed entries are not in it yet."
        return note("text index", told) if writing else fault("text index", told, repair="publish")
    # An engine may refuse documents: then it holds as many as were counted when it was published.
    if state.count > wanted or state.count not in (wanted, detail.get("count")):
        told = f"It holds {state.count:,} entries; the catalog has {wanted:,}."
        return note("text index", told) if writing else fault("text index", told, repair="text")
    if state.count < wanted:
        told = f"{wanted - state.count:,} entries were refused by the engine and are found by filters alone."
        return note("text index", told)
    return sound("text index", f"{state.count:,} entries, the same as in the catalog")


def look_at_plan_index(catalog: Catalog, settings: Settings, *, writing: bool) -> Finding:
    """What move plans compare: whole, of this catalog, and near enough to it. A plan reads the rest itself,
    so nothing of it is wrong without, only slow."""
    check, state = "plan index", look_at_gists(settings.gist_folder)
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, "gist")
        wanted = health.count_shown(session)
        seq = state.manifest.seq if state.manifest else 0
        behind = entries.count_entries(session, seq)
    if state.faults:
        return fault(check, state.faults[0], repair="gist")
    if state.manifest is None:
        if behind < MOST_UNNOTED:
            return sound(check, "not needed for so few entries")
        return note(check, f"It is missing: a plan reads all {wanted:,} entries first.", repair="gist")
    if detail.get("generation") != state.manifest.generation:
        return fault(check, "It is another one than was last written from this catalog.", repair="gist")
    if behind >= MOST_UNNOTED:
        told = f"{behind:,} changed entries are not in it yet; a plan reads them first."
        return note(check, told) if writing else fault(check, told, repair="publish")
    if not behind and state.rows != wanted:
        told = f"It holds {state.rows:,} entries; the catalog has {wanted:,}."
        return note(check, told) if writing else fault(check, told, repair="gist")
    return sound(check, f"{state.rows:,} entries, {behind:,} changes left to the plan")


@dataclass(frozen=True, slots=True)
class _Expected:
    """What an index should hold: ids, and the pairs of pictures and entries beside it."""

    ids: NDArray[np.int64]
    pairs: NDArray[np.int64]


def look_at_vector_indexes(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress, *, writing: bool
) -> Iterator[Finding]:
    """Both vector indexes and the fitted style space."""
    with catalog.read() as session:
        found = {e.identity.key: vectors.space_id(session, e.identity.key) for e in encoders.all}
        behind = changes.last_number(session, "vectors") > changes.read_watermark(session, "vectors")[0]
        spaces = [space for space in found.values() if space is not None]
        pending = previews.count_pending(session, spaces) if spaces else 0
        unused = rows.unused_spaces(session, [*found, IDENTITY.key])
    if pending and not writing:
        told = f"{pending:,} pictures were not looked at yet."
        # A repair that was stopped leaves some as well.
        yield note("looked at", told, "Run: pinakes index", repair="pictures")
    for key, count in unused.items():
        yield note("unused", f"{count:,} vectors of {key} are kept that no encoder in use makes.")
    with progress.stage("Reading the vector indexes", "indexes", 2) as stage:
        for name in ("content", "style"):
            yield _look_at(name, catalog, settings, encoders, behind=behind, writing=writing)
            stage.advance()


def _look_at(
    name: str, catalog: Catalog, settings: Settings, encoders: Encoders, *, behind: bool, writing: bool
) -> Finding:
    check, folder = f"{name} index", settings.vector_folder / name
    expected = _expected(name, catalog, encoders)
    try:
        faults = verify_index(folder)
        if faults:
            return fault(check, faults[0], repair=name)
        index = open_index(folder)
        _, pairs = read_beside(folder)
        if name == "style":
            load_style_space(settings.style_space_file(index.identity))
    except VectorIndexError as error:
        if error.code == "no_index" and not len(expected.ids):
            return sound(check, "nothing to index yet")
        return fault(check, error.detail, repair=name)
    except StyleSpaceError as error:
        return fault(check, error.detail, repair=name)
    if name == "content" and index.identity != encoders.seen.identity.key:
        detail = f"It is of other weights ({index.identity}) than the settings name."
        return fault(check, detail, repair=name)
    same = np.array_equal(index.ids(), expected.ids)
    if same and pairs is None:
        detail = "It was made by an earlier release: filters on it are slower than they could be."
        return note(check, detail, "Run: pinakes doctor --repair", name)
    if same and pairs is not None and np.array_equal(pairs, expected.pairs):
        return sound(check, f"{len(index):,} vectors, each block as it was written")
    told = f"It holds {len(index):,} vectors; the catalog has {len(expected.ids):,}, or other ones."
    if writing:
        return note(check, told)
    return fault(check, told, repair="publish" if behind else name)


def _expected(name: str, catalog: Catalog, encoders: Encoders) -> _Expected:
    wanted = (encoders.seen,) if name == "content" else (encoders.style, encoders.seen)
    with catalog.read() as session:
        spaces = [vectors.space_id(session, encoder.identity.key) for encoder in wanted]
        known = [space for space in spaces if space is not None]
        whole = len(known) == len(wanted)
        pairs = vectors.members_in_spaces(session, known) if whole else np.empty((0, 2), np.int64)
    return _Expected(pairs[:, 0] if name == "content" else np.unique(pairs[:, 1]), pairs)


def weights_told(notes: Silent, settings: Settings) -> list[Finding]:
    """What loading the encoders said."""
    if notes.notes:
        return [
            fault("weights", said, "Correct PINAKES_CLIP_PRETRAINED or run: pinakes index")
            for said in notes.notes
        ]
    if settings.clip_pretrained is None:
        return [sound("weights", "no CLIP weights are set; style and layout need none")]
    return [sound("weights", f"CLIP {settings.clip_model} is loaded")]
