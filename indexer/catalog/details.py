"""Looking closely: everything known of one entry, and counts over the whole library."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.entries import documents
from indexer.catalog.facts import version_facts
from indexer.catalog.overrides import override_history
from indexer.catalog.personal import read_marks
from indexer.catalog.preview_records import records_of_previews
from indexer.catalog.roots import place_path
from indexer.catalog.schema import (
    ClaimRow,
    Entry,
    File,
    FileWeights,
    Location,
    Preview,
    Quarantine,
    Root,
    Statistic,
    Vector,
    VectorSpace,
    VerdictRow,
    Version,
)
from indexer.domain.comfyui import loader_path
from indexer.domain.marks import NO_MARKS, to_data
from indexer.domain.records import Document, to_json
from indexer.domain.resolve import descriptions

__all__ = [
    "VersionDetails",
    "header_metadata",
    "library_counts",
    "preview_thumbnail",
    "quarantined",
    "version_details",
]


@dataclass(frozen=True, slots=True)
class VersionDetails:
    """One entry with what stands behind it: plain JSON data in each list."""

    document: Document
    files: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]]
    previews: Sequence[Mapping[str, Any]]
    statistics: Sequence[Mapping[str, Any]]
    overrides: Sequence[Mapping[str, Any]] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    marks: Mapping[str, Any] = field(default_factory=dict)
    """The user's own, as ``domain.marks.to_data`` has them."""
    descriptions: Sequence[str] = ()
    """As their source wrote them, HTML or text; clean them before they are shown."""

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON data."""
        shown = asdict(self) | {"document": to_json(self.document)}
        return {**shown.pop("document"), **shown}


def version_details(session: Session, version_id: int) -> VersionDetails | None:
    """Everything known of one entry, or None when there is no such entry."""
    document = documents(session, [version_id]).get(version_id)
    if document is None:
        return None
    return VersionDetails(
        document,
        _files(session, version_id),
        _claims(session, version_id),
        _previews(session, version_id),
        _statistics(session, version_id),
        override_history(session, [version_id]).get(version_id, ()),
        marks=to_data(read_marks(session, [version_id]).get(version_id, NO_MARKS)),
        descriptions=_descriptions(session, version_id),
    )


def _descriptions(session: Session, version_id: int) -> tuple[str, ...]:
    facts = version_facts(session, [version_id], lambda architecture: (architecture,))
    return tuple(text for one in facts for text in descriptions(one))


def _files(session: Session, version_id: int) -> list[dict[str, Any]]:
    files = []
    for file, verdict, weights in session.execute(
        select(File, VerdictRow, FileWeights)
        .outerjoin(VerdictRow, VerdictRow.file_id == File.id)
        .outerjoin(FileWeights, FileWeights.file_id == File.id)
        .where(File.version_id == version_id)
        .order_by(File.id)
    ):
        places = session.execute(
            select(Root.path, Root.layout, Location)
            .join(Root, Root.id == Location.root_id)
            .where(Location.file_id == file.id)
            .order_by(Location.id)
        )
        kind = verdict.kind if verdict else None
        files.append(
            {
                "id": file.id,
                "size": file.size,
                "container": file.container,
                "sha256": file.sha256,
                "warnings": (file.warnings or {}) | _fault(weights),
                "weights": _weights(weights),
                "verdict": verdict.detail if verdict else None,
                "places": [
                    _place(root, place) | {"comfyui": _loader(root, layout, place, kind)}
                    for root, layout, place in places
                ],
            }
        )
    return files


def _fault(weights: FileWeights | None) -> dict[str, str]:
    return {"nonfunctional": weights.detail or weights.fault} if weights and weights.fault else {}


def _weights(weights: FileWeights | None) -> dict[str, Any] | None:
    """What was measured of an adapter's weights; None where nothing was."""
    if weights is None:
        return None
    return {name: getattr(weights, name) for name in ("modules", "unread", "norm", "fault")}


def _place(root: str, place: Location) -> dict[str, Any]:
    return {
        "path": place_path(root, place.directory, place.name).decode("utf-8", "replace"),
        "missing": place.missing_since is not None,
    }


def _loader(root: str, layout: str, place: Location, kind: str | None) -> dict[str, str] | None:
    """Category and path by which ComfyUI's loaders name the file at this place."""
    directory, name = (part.decode("utf-8", "replace") for part in (place.directory, place.name))
    found = loader_path(root, layout, directory, name, kind)
    return None if found is None else {"category": found.category, "path": found.path}


def _claims(session: Session, version_id: int) -> list[dict[str, Any]]:
    mine = select(File.id).where(File.version_id == version_id)
    model = select(Version.model_id).where(Version.id == version_id).scalar_subquery()
    about = (ClaimRow.version_id == version_id) | (ClaimRow.model_id == model)
    rows = session.scalars(
        select(ClaimRow)
        .where((ClaimRow.file_id.in_(mine)) | about, ClaimRow.current)
        .order_by(ClaimRow.source, ClaimRow.id)
    )
    return [
        {"source": r.source, "at": r.at.isoformat(), "claims": r.claims, "warnings": r.warnings or {}}
        for r in rows
    ]


def _previews(session: Session, version_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Preview)
        .where(Preview.version_id == version_id, Preview.status != "missing")
        .order_by(Preview.position, Preview.id)
    ).all()
    names = ("id", "status", "code", "detail", "width", "height", "colour")
    told = records_of_previews(session, [row.id for row in rows])
    return [{name: getattr(row, name) for name in names} | {"generation": told.get(row.id)} for row in rows]


def _statistics(session: Session, version_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Statistic).where(Statistic.version_id == version_id).order_by(Statistic.at, Statistic.id)
    )
    names = ("source", "downloads", "rating", "rating_count", "thumbs_up", "thumbs_down")
    return [{"at": row.at.isoformat()} | {name: getattr(row, name) for name in names} for row in rows]


def header_metadata(session: Session, file_ids: Sequence[int]) -> dict[str, str]:
    """The metadata of files' own headers as they were read, the first file's word first."""
    rows = session.execute(
        select(ClaimRow.raw)
        .where(ClaimRow.file_id.in_(file_ids), ClaimRow.source.startswith("header:"), ClaimRow.current)
        .order_by(ClaimRow.file_id.desc(), ClaimRow.id.desc())
    )
    return {key: text for (raw,) in rows for key, text in (raw or {}).items() if isinstance(text, str)}


def preview_thumbnail(session: Session, preview_id: int) -> str | None:
    """Name of a preview's thumbnail, or None when there is none."""
    return session.scalar(select(Preview.thumbnail).where(Preview.id == preview_id, Preview.status == "ok"))


def quarantined(session: Session, limit: int = 1_000) -> list[dict[str, Any]]:
    """Files that could not be read, with reason, by path."""
    rows = session.execute(
        select(Root.path, Location, Quarantine)
        .join(Location, Location.id == Quarantine.location_id)
        .join(Root, Root.id == Location.root_id)
        .order_by(Root.path, Location.directory, Location.name)
        .limit(limit)
    )
    return [
        {
            "path": _place(root, place)["path"],
            "code": row.code,
            "detail": row.detail,
            "retry": row.retry,
            "at": row.at.isoformat(),
            "size": place.size,
        }
        for root, place, row in rows
    ]


def library_counts(session: Session) -> dict[str, Any]:
    """Counts over the library; one grouped query each."""

    def grouped(column: Any) -> dict[str, int]:
        rows = session.execute(select(column, func.count()).group_by(column).order_by(func.count().desc()))
        return {str(name): count for name, count in rows if name is not None}

    present = Location.missing_since.is_(None)
    spaces = session.execute(
        select(VectorSpace.space, func.count())
        .join(Vector, Vector.space_id == VectorSpace.id)
        .group_by(VectorSpace.id, VectorSpace.space)
    )
    return {
        "entries": session.scalar(select(func.count()).select_from(Entry).where(Entry.document.is_not(None))),
        "files": session.scalar(select(func.count()).select_from(File)),
        "bytes": session.scalar(select(func.coalesce(func.sum(File.size), 0))),
        "missing": session.scalar(select(func.count()).select_from(Location).where(~present)),
        "kinds": grouped(VerdictRow.kind),
        "architectures": grouped(VerdictRow.architecture),
        "previews": grouped(Preview.status),
        "quarantined": grouped(Quarantine.code),
        "vectors": {row[0]: row[1] for row in spaces},
        "roots": [
            {
                "path": root.path,
                "layout": root.layout,
                "offline": root.offline_since is not None,
                "scanned_at": root.scanned_at.isoformat() if root.scanned_at else None,
            }
            for root in session.scalars(select(Root).order_by(Root.path))
        ],
    }
