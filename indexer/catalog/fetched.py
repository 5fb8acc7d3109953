"""Pictures that hubs show: which are still to be fetched, and where the fetched ones lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import Preview

__all__ = ["Fetchable", "FetchedPicture", "next_position", "note_fetched", "pictures_to_fetch"]

_ADULT = 4 | 8 | 16 | 32


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A hub's picture that is not here yet."""

    id: int
    url: str


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """How fetching went: ``original`` names the file; ``code`` and ``detail`` why there is none, for good."""

    id: int
    original: str | None = None
    size: int = 0
    code: str | None = None
    detail: str | None = None


def next_position(session: Session, after: int) -> int | None:
    """The next place among their versions' pictures that any picture to fetch has: first pictures first."""
    return session.scalar(select(func.min(Preview.position)).where(*_wanted(True), Preview.position > after))


def pictures_to_fetch(
    session: Session, position: int, after: int, limit: int, *, adult: bool
) -> list[Fetchable]:
    """The next pictures by id that stand at this place of their version; rated adult ones if ``adult``."""
    rows = session.execute(
        select(Preview.id, Preview.location)
        .where(*_wanted(adult), Preview.position == position, Preview.id > after)
        .order_by(Preview.id)
        .limit(limit)
    )
    return [Fetchable(id_, location.decode("utf-8", "replace")) for id_, location in rows]


def _wanted(adult: bool) -> list[Any]:
    conditions: list[Any] = [
        Preview.status == "new",
        Preview.place_id.is_(None),
        Preview.original.is_(None),
        Preview.media == "image",
    ]
    if not adult:
        level = Preview.nsfw_level
        conditions.append(or_(level.is_(None), level.op("&")(_ADULT) == 0))
    return conditions


def note_fetched(session: Session, pictures: Sequence[FetchedPicture]) -> None:
    """Store where fetched pictures lie; those that cannot be had are broken, with the reason."""
    rows = [
        {"id": p.id, "original": p.original, "size": p.size, "status": "new"}
        if p.code is None
        else {"id": p.id, "status": "broken", "code": p.code, "detail": (p.detail or "")[:2_000]}
        for p in pictures
    ]
    good = [row for row in rows if row["status"] == "new"]
    broken = [row for row in rows if row["status"] == "broken"]
    for some in (good, broken):
        if some:
            session.execute(update(Preview), some)
    # The file itself may say how it was made, where the hub says nothing.
    fetched = [row["id"] for row in good]
    session.execute(update(Preview).where(Preview.id.in_(fetched), Preview.told.is_(False)).values(told=None))
