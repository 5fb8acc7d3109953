"""Is what move plans compare whole? Nothing is made or removed; every column is read once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.indexes.gist_files import Manifest, open_segment, read_manifest
from indexer.indexes.gist_merge import live_rows
from indexer.indexes.gist_rows import Array, Segment

__all__ = ["GistState", "look_at_gists"]

_RACES = 5


@dataclass(frozen=True, slots=True)
class GistState:
    """``faults`` are sentences, none where all is well; ``manifest`` is None where there is nothing, or only
    what other rules made. ``rows`` stand for an entry."""

    manifest: Manifest | None = None
    rows: int = 0
    faults: tuple[str, ...] = ()


def look_at_gists(folder: Path) -> GistState:
    """The state of the gists in a folder."""
    fault = ""
    for _ in range(_RACES):
        manifest = read_manifest(folder)
        if manifest is None:
            return GistState()
        try:
            segments = [open_segment(folder / one.name) for one in manifest.segments]
        except FileNotFoundError as error:  # a writer may have been quicker
            fault = f"{error.filename} is not there"
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            return GistState(manifest, faults=(f"A part cannot be read: {error}.",))
        faults = tuple(
            f"{folder / one.name}: {said}."
            for one, s in zip(manifest.segments, segments, strict=True)
            if (said := _fault(s))
        )
        return GistState(manifest, sum(int(mask.sum()) for mask in live_rows(segments)), faults)
    return GistState(manifest, faults=(f"A part cannot be read: {fault}.",))


def _fault(segment: Segment) -> str:
    """What cannot be in a column; empty where all can."""
    codes = (segment.kinds, segment.architectures, segment.families, segment.categories)
    if any(len(column) and int(column.max()) >= len(segment.names) for column in codes):
        return "a code stands for no name"
    if any(not _ascends(starts) for starts in (segment.starts, segment.called_starts, segment.tag_starts)):
        return "the places of words do not ascend"
    if len(segment.words) and not bool((np.diff(segment.words.astype(np.int64)) > 0).all()):
        return "words do not ascend"
    if len(segment.rows) and int(segment.rows.max()) >= len(segment):
        return "a word is of an entry that is not there"
    return ""


def _ascends(starts: Array) -> bool:
    return int(starts[0]) == 0 and bool((np.diff(starts) >= 0).all())
