"""Marks and saved searches as a JSON file: to keep beside a catalog, or to take to another one.

``{"pinakes": "marks", "version": 1, "marks": [{"keys": [..], "name": .., "favourite": .., "seen": ..,
"opinions": [{"purpose", "rating", "note"}], "tags": [..], "at": ..}], "saved": [{"name", "query", "sort",
"base", "made_at"}]}``. ``keys`` name a model in every catalog: ``version:KEY``, ``civitai:VERSION``,
``sha256:HEX``, ``content:FINGERPRINT``. Marks on models that a catalog does not know wait in it for them.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from indexer.catalog import entries, personal, personal_keys, saved_searches
from indexer.catalog.changes import take_turn
from indexer.catalog.database import Catalog, Session, open_catalog, opened_catalog
from indexer.catalog.saved_searches import Saved
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces
from indexer.domain.marks import Marks, from_data, merged, to_data
from indexer.domain.vocabulary import architecture_path
from indexer.errors import UsageError
from indexer.personal import publish_marks
from indexer.progress import Progress, Silent
from indexer.settings import Settings

__all__ = ["Exported", "Imported", "export_marks", "import_marks"]

_VERSION = 1
_PAGE = 500
_LARGEST = 256 << 20
_MOST_KEYS = 50
_LONGEST_KEY = 500
_REFUSED_TOLD = 10


@dataclass(frozen=True, slots=True)
class Exported:
    """How many entries with marks, of which so many wait for their model, and searches were written."""

    path: str
    marks: int
    pending: int
    saved: int


@dataclass(slots=True)
class Imported:
    """What an import did, in entries: ``changed`` got marks, ``known`` had them, ``pending`` wait for their
    model (``new_pending`` of them since now), ``refused`` could not be understood (the first ten told)."""

    changed: int = 0
    known: int = 0
    pending: int = 0
    new_pending: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)
    saved: int = 0
    published: bool = True


def export_marks(settings: Settings, path: Path) -> Exported:
    """Write all marks and searches to a file, whole or not at all. Raises ``UsageError`` (``export``)."""
    catalog = open_catalog(settings)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with half.open("xb") as out:
            told = _write(catalog, out.write, str(path))
        half.replace(path)
    except OSError as error:
        raise UsageError(
            "export", f"{str(path)!r} cannot be written: {error.strerror}. Name another file."
        ) from None
    finally:
        half.unlink(missing_ok=True)
        catalog.close()
    return told


def _write(catalog: Catalog, write: Any, path: str) -> Exported:
    counts = [0, 0]
    with catalog.read() as session:
        write(b'{"pinakes":"marks","version":%d,"marks":[' % _VERSION)
        for place, rows in enumerate((_marked(session), _pending(session))):
            for row in rows:
                write((b"," if sum(counts) else b"") + b"\n" + orjson.dumps(row))
                counts[place] += 1
        saved = saved_searches.kept_searches(session)
        write(b'],\n"saved":' + orjson.dumps([_saved_data(one) for one in saved]) + b"}\n")
    return Exported(path, sum(counts), counts[1], len(saved))


def _marked(session: Session) -> Iterator[dict[str, Any]]:
    after = 0
    while page := personal.marked_versions(session, after, _PAGE):
        marks = personal.read_marks(session, page)
        keys = personal_keys.stable_keys(session, page)
        names = entries.documents(session, page)
        for id_ in page:
            name = names[id_].name if id_ in names else None
            yield {"keys": keys[id_], "name": name, **to_data(marks[id_])}
        after = page[-1]


def _pending(session: Session) -> Iterator[dict[str, Any]]:
    after = 0
    while page := personal_keys.pending_marks(session, after, _PAGE):
        yield from ({"keys": keys, "name": None, **to_data(marks)} for _, keys, marks in page)
        after = page[-1][0]


def _saved_data(saved: Saved) -> dict[str, Any]:
    return {name: getattr(saved, name) for name in ("name", "query", "sort", "base", "made_at")}


def import_marks(settings: Settings, path: Path, progress: Progress | None = None) -> Imported:
    """Add the marks and searches of a file to those of the catalog: of two words on one thing the later
    counts, tags and notes are kept from both. Importing the same again changes nothing.

    Raises ``UsageError`` (``import``) for a file that is no such export; what is wrong inside is refused item
    by item.
    """
    data = _read(path)
    report = Imported()
    with opened_catalog(settings) as catalog:
        for piece in pieces(_items(data, report), _PAGE):
            with catalog.write() as session:
                take_turn(session, "change")
                _store(session, piece, report)
        with catalog.write() as session:
            for saved in _searches(data, report):
                saved_searches.keep_search(session, saved)
                report.saved += 1
            report.pending = personal_keys.count_pending(session)
        if report.changed:
            report.published = publish_marks(catalog, settings, progress or Silent())
    return report


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError("import", f"{str(path)!r} is larger than any export; is it the right file?")
        data = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            "import", f"{str(path)!r} cannot be read: {error.strerror}. Check its name."
        ) from None
    except orjson.JSONDecodeError as error:
        raise UsageError("import", f"{str(path)!r} is no JSON: {error}. Export the marks anew.") from None
    if (
        not isinstance(data, dict)
        or data.get("pinakes") != "marks"
        or not isinstance(data.get("marks"), list)
    ):
        raise UsageError(
            "import", f"{str(path)!r} is no export of marks. Make one: pinakes marks export FILE"
        )
    if data.get("version") != _VERSION:
        raise UsageError(
            "import", f"{str(path)!r} is of version {data.get('version')!r:.20}; a newer Pinakes reads it."
        )
    return data


def _items(data: Mapping[str, Any], report: Imported) -> Iterator[tuple[list[str], Marks]]:
    for place, row in enumerate(data["marks"], 1):
        try:
            yield _keys(row), from_data(row)
        except ValueError as error:
            _refuse(report, f"mark {place}: {error}")


def _keys(row: Any) -> list[str]:
    keys = row.get("keys") if isinstance(row, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS or not all(map(_is_key, keys)):
        raise ValueError(f"its keys are {keys!r:.50}, not a list of 1 to {_MOST_KEYS} names")
    return keys


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_KEY and ":" in value


def _refuse(report: Imported, reason: str) -> None:
    report.refused += 1
    if len(report.reasons) < _REFUSED_TOLD:
        report.reasons.append(reason)


def _store(session: Session, items: list[tuple[list[str], Marks]], report: Imported) -> None:
    meant = personal_keys.versions_of_keys(session, (key for keys, _ in items for key in keys))
    shown = entries.shown_entries(session, meant.values())
    found: dict[int, Marks] = {}
    waiting = []
    for keys, marks in items:
        id_ = next((meant[key] for key in keys if meant.get(key) in shown), None)
        if id_ is None:
            waiting.append((keys, marks))
        else:
            found[id_] = merged(found[id_], marks) if id_ in found else marks
    fresh = personal.merge_marks(session, found)
    entries.refresh_entries(session, fresh, architecture_path)
    report.changed += len(fresh)
    report.known += len(found) - len(fresh)
    report.new_pending += personal_keys.keep_pending(session, waiting)


def _searches(data: Mapping[str, Any], report: Imported) -> Iterator[Saved]:
    rows = data.get("saved")
    for place, row in enumerate(rows if isinstance(rows, list) else (), 1):
        told = row if isinstance(row, dict) else {}
        name, query, sort, base = (_short(told.get(key)) for key in ("name", "query", "sort", "base"))
        if not name or query is None or sort is None:
            _refuse(report, f"saved search {place}: it lacks a name, a query or an order")
            continue
        yield Saved(name, query, sort, base, _moment(told.get("made_at")))


def _short(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 10_000 else None


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return now()
    return moment if moment.tzinfo else now()
