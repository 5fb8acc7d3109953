"""Is the text index whole? Nothing is opened, made or removed; of tantivy every byte is compared with its
checksum.

Each file of tantivy ends with JSON that holds the CRC-32 of what stands before it, the JSON's length and a
mark (``tantivy/src/directory/footer.rs``). The package for Python does not check them, and damage that the
engine only meets when it answers ends the process.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from indexer.errors import CatalogError
from indexer.indexes.text_schema import format_of, read_format
from indexer.settings import Settings

__all__ = ["TextState", "look_at_text"]

_MARK = 1337
_END = struct.Struct("<II")
_LONGEST_FOOTER = 1 << 12
_PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_BLOCK = 1 << 20
_RACES = 5


@dataclass(frozen=True, slots=True)
class TextState:
    """``faults`` are sentences, none where all is well; ``away``: the server cannot be asked. ``count`` and
    ``generation`` are those of a sound index, 0 and "" where there is none."""

    faults: tuple[str, ...] = ()
    away: str | None = None
    count: int = 0
    generation: str = ""


def look_at_text(settings: Settings) -> TextState:
    """The state of the text index that the settings name."""
    if settings.meilisearch_url is not None:
        return _server(settings)
    faults = _faults(settings.text_folder)
    if faults or not settings.text_folder.is_dir():
        return TextState(tuple(faults))
    from indexer.indexes.text_tantivy import TantivyIndex

    try:
        index = TantivyIndex(settings.text_folder)
        return TextState(count=index.count(), generation=index.generation)
    except (CatalogError, ValueError) as error:
        return TextState((str(error),))


def _server(settings: Settings) -> TextState:
    from indexer.indexes.text_open import open_text_index

    index = open_text_index(settings)
    try:
        made, set_well = index.found()  # type: ignore[attr-defined]  # only a server's index has it
        count = index.count()
    except CatalogError as error:
        return TextState(away=error.detail)
    if made is None:
        return TextState()
    wrong = () if set_well else ("The index at the server is set up otherwise than this Pinakes does it.",)
    return TextState(wrong, None, count, made)


def _faults(folder: Path) -> list[str]:
    """What is wrong in a folder of tantivy's; another process may replace files meanwhile."""
    if not folder.is_dir():
        return []
    if not format_of().items() <= read_format(folder / "format.json").items():
        return [f"{folder}: made by another release of Pinakes, or its format.json is damaged."]
    found: list[str] = []
    for _ in range(_RACES):
        try:
            before = (folder / "meta.json").read_bytes()
            found = list(_segments(folder, before))
            if not found or (folder / "meta.json").read_bytes() == before:
                return found
        except OSError as error:
            found = [f"{folder}/meta.json: cannot be read ({error.strerror or error})."]
    return found


def _segments(folder: Path, meta: bytes) -> Iterator[str]:
    try:
        names = [name for segment in json.loads(meta)["segments"] for name in _files(segment)]
    except (ValueError, KeyError, TypeError, AttributeError):
        yield f"{folder}/meta.json: not what the engine writes."
        return
    for name in names:
        told = _damage(folder / name)
        if told:
            yield f"{folder / name}: {told}"


def _files(segment: Mapping[str, Any]) -> list[str]:
    """Names of the files of a part of the index."""
    name = str(segment["segment_id"]).replace("-", "")
    if not name.isalnum():
        raise ValueError(name)
    gone = segment.get("deletes")
    more = [f"{name}.{int(gone['opstamp'])}.del"] if gone else []
    return [f"{name}.{part}" for part in _PARTS] + more


def _damage(path: Path) -> str | None:
    """Why a file is not what was written; None where it is."""
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            stream.seek(max(0, size - _END.size))
            end = stream.read(_END.size)
            length, mark = _END.unpack(end) if len(end) == _END.size else (0, 0)
            body = size - _END.size - length
            if mark != _MARK or not 0 < length <= _LONGEST_FOOTER or body < 0:
                return "cut off, or overwritten at its end."
            stream.seek(body)
            stated = json.loads(stream.read(length))["crc"]
            stream.seek(0)
            found, left = 0, body
            while left:
                block = stream.read(min(_BLOCK, left))
                found, left = crc32(block, found), left - len(block)
                if not block:
                    return "shorter than it was a moment ago."
    except FileNotFoundError:
        return "missing."
    except OSError as error:
        return f"cannot be read ({error.strerror})."
    except (ValueError, KeyError, TypeError):
        return "overwritten at its end."
    return None if found == stated else "its bytes are not those that were written (CRC-32)."
