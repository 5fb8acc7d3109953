"""Previews: which pictures belong to which version, which still need decoding or vectors."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, exists, false, func, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.changes import count_up
from indexer.catalog.columns import clean
from indexer.catalog.schema import Preview, Vector
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.found import FoundPath
from indexer.domain.hubs import HubImage

__all__ = [
    "PendingPreview",
    "Picture",
    "count_pending",
    "hub_row",
    "pending_previews",
    "record_pictures",
    "sync_hub_previews",
    "sync_previews",
    "tells_other",
]

_VIDEOS = (b".mp4", b".webm")


@dataclass(frozen=True, slots=True)
class PendingPreview:
    """A picture that lacks its thumbnail or a vector. ``original`` names the fetched file of a hub's
    picture."""

    id: int
    version_id: int
    location: bytes
    thumbnail: str | None
    original: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding found; ``code`` and ``detail`` tell why a broken picture has nothing else."""

    preview_id: int
    status: str
    code: str | None = None
    detail: str | None = None
    width: int | None = None
    height: int | None = None
    colour: str | None = None
    thumbnail: str | None = None


def sync_previews(session: Session, wanted: Mapping[int, tuple[int, Sequence[FoundPath]]]) -> None:
    """Make the previews of places those of ``wanted`` (place -> version and its pictures in order).

    Changed pictures lose their vectors and wait for new ones; pictures that went away are marked missing.
    """
    have = _by_place(session, wanted)
    rows: list[dict[str, Any]] = []
    stale: list[int] = []
    gone: list[int] = []
    for place_id, (version_id, pictures) in wanted.items():
        known = have[place_id]
        for position, path in enumerate(pictures):
            old = known.pop(path.path, None)
            same = old is not None and (old.size, old.mtime_ns) == (path.size, path.mtime_ns)
            if old is not None and not same:
                stale.append(old.id)
            rows.append(_row(place_id, version_id, path, position, old if same else None))
        gone.extend(row.id for row in known.values())
    for piece in pieces(stale):
        session.execute(delete(Vector).where(Vector.preview_id.in_(piece)))
    if stale or gone:
        count_up(session, "vectors")
    for piece in pieces(gone):
        session.execute(update(Preview).where(Preview.id.in_(piece)).values(status="missing"))
    upsert(session, Preview, rows, ["place_id", "location"])


def sync_hub_previews(
    session: Session,
    wanted: Mapping[int, tuple[str, Sequence[HubImage]]],
    *,
    fresh: Collection[int] = (),
) -> None:
    """Make the hub's pictures of versions (id -> source and pictures in order) those of ``wanted``.

    Only their addresses are noted; fetching is another's work. Pictures that the hub took away are marked
    missing, and come back when it shows them again. ``fresh`` versions are known to have none yet.
    """
    rows = {
        (version_id, image.url): hub_row(version_id, source, image, position)
        for version_id, (source, images) in wanted.items()
        for position, image in enumerate(images)
    }
    gone, back, retold = [], [], []
    for row in _by_version(session, (id_ for id_ in wanted if id_ not in fresh)):
        if row.source != wanted[row.version_id][0]:
            continue
        said = rows.get((row.version_id, row.location.decode("utf-8", "surrogateescape")))
        shown = said is not None
        if said is not None and row.told is not None and tells_other(said["meta"], row.meta):
            retold.append(row.id)
        if not shown and row.status != "missing":
            gone.append(row.id)
        elif shown and row.status == "missing":
            back.append(row.id)
    for status, ids in (("missing", gone), ("new", back)):
        for piece in pieces(ids):
            session.execute(update(Preview).where(Preview.id.in_(piece)).values(status=status))
    for piece in pieces(retold):
        session.execute(update(Preview).where(Preview.id.in_(piece)).values(told=None))
    if gone:
        count_up(session, "vectors")
    upsert(
        session,
        Preview,
        list(rows.values()),
        ["version_id", "location"],
        update=["position", "nsfw_level", "width", "height", "blurhash", "meta"],
        where=Preview.place_id.is_(None),
    )


def _by_version(session: Session, versions: Iterable[int]) -> Iterator[Preview]:
    for piece in pieces(versions):
        yield from session.scalars(
            select(Preview).where(Preview.version_id.in_(piece), Preview.place_id.is_(None))
        )


def hub_row(version_id: int, source: str, image: HubImage, position: int) -> dict[str, Any]:
    """The row of a hub's picture whose file is not here yet."""
    return {
        "version_id": version_id,
        "source": source,
        "location": image.url.encode("utf-8", "surrogateescape"),
        "position": min(position, 32_767),
        "size": 0,
        "mtime_ns": 0,
        "status": "new",
        "media": image.media,
        "width": image.width,
        "height": image.height,
        "nsfw_level": image.nsfw_level,
        "blurhash": image.blurhash,
        "meta": dict(image.meta) if image.meta is not None else None,
        "told": None if _tells(image.meta) else False,
    }


def _tells(meta: Mapping[str, Any] | None) -> bool:
    """Whether a hub says how its picture was made."""
    return bool(meta and meta.get("meta"))


def tells_other(said: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> bool:
    """Whether a hub tells something else now; where it fell silent, what it told before stays."""
    return _tells(said) and said != before and clean(said) != before


def _by_place(session: Session, places: Iterable[int]) -> dict[int, dict[bytes, Preview]]:
    have: dict[int, dict[bytes, Preview]] = {place_id: {} for place_id in places}
    for piece in pieces(have):
        for row in session.scalars(select(Preview).where(Preview.place_id.in_(piece))):
            have[row.place_id or 0][row.location] = row
    return have


def _row(
    place_id: int, version_id: int, path: FoundPath, position: int, same: Preview | None
) -> dict[str, Any]:
    return {
        "place_id": place_id,
        "version_id": version_id,
        "source": "local",
        "location": path.path,
        "position": min(position, 32_767),
        "size": path.size,
        "mtime_ns": path.mtime_ns,
        "status": _status(same),
        "media": "video" if path.path.lower().endswith(_VIDEOS) else "image",
        "original": path.original,
        "told": same.told if same is not None else None,
    }


def _status(same: Preview | None) -> str:
    """An unchanged picture keeps its state; one that was missing is back."""
    if same is None:
        return "new"
    return ("ok" if same.thumbnail else "new") if same.status == "missing" else same.status


def _lacking(space_ids: Sequence[int]) -> Any:
    lacks = [
        ~exists().where(and_(Vector.preview_id == Preview.id, Vector.space_id == space_id))
        for space_id in space_ids
    ]
    here = or_(Preview.place_id.is_not(None), Preview.original.is_not(None))
    return and_(
        here,
        Preview.media == "image",
        or_(Preview.status == "new", and_(Preview.status == "ok", or_(*lacks)) if lacks else false()),
    )


def count_pending(session: Session, space_ids: Sequence[int]) -> int:
    """How many pictures lack a thumbnail or a vector in one of the spaces."""
    return session.scalar(select(func.count()).select_from(Preview).where(_lacking(space_ids))) or 0


def pending_previews(
    session: Session, space_ids: Sequence[int], after: int, limit: int
) -> list[PendingPreview]:
    """The next pictures, by id after ``after``, that lack a thumbnail or a vector in one of the spaces."""
    rows = session.execute(
        select(
            Preview.id,
            Preview.version_id,
            Preview.location,
            Preview.thumbnail,
            Preview.original,
            Preview.status,
        )
        .where(Preview.id > after, _lacking(space_ids))
        .order_by(Preview.id)
        .limit(limit)
    )
    return [PendingPreview(*row) for row in rows]


def record_pictures(session: Session, pictures: Sequence[Picture]) -> None:
    """Store what decoding found."""
    rows = [
        {
            "id": p.preview_id,
            "status": p.status,
            "code": p.code,
            "detail": p.detail,
            "width": p.width,
            "height": p.height,
            "colour": p.colour,
            "thumbnail": p.thumbnail,
        }
        for p in pictures
    ]
    if rows:
        session.execute(update(Preview), rows)
        count_up(session, "vectors")
