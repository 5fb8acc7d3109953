"""Pictures of all versions, a page at a time, on from a place that stays valid."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from indexer.catalog.published_parts import image_of, image_rows
from indexer.catalog.published_records import ShownImage
from indexer.catalog.schema import Creator, Model, Preview, Version

__all__ = ["ImageSpan", "images_page"]


@dataclass(frozen=True, slots=True)
class ImageSpan:
    """Which pictures: those of some versions (None: all), of a creator's models, of a medium; ``newest`` or
    oldest first, or as versions show them where that is None. ``after`` is (position, id) of the last one."""

    versions: Sequence[int] | None = None
    creator: str | None = None
    media: str | None = None
    newest: bool | None = True
    after: tuple[int, int] | None = None


def images_page(
    session: Session, span: ImageSpan, limit: int
) -> list[tuple[tuple[int, int], ShownImage | None]]:
    """The next pictures with their places, by an index: at most ``limit`` rows are read. None stands for one
    that is missing or broken."""
    statement = image_rows()
    if span.versions is not None:
        statement = statement.where(Preview.version_id.in_(span.versions))
    if span.creator is not None:
        theirs = (
            select(Version.id)
            .join(Model, Model.id == Version.model_id)
            .join(Creator, Creator.id == Model.creator_id)
            .where(Creator.name == span.creator)
        )
        statement = statement.where(Preview.version_id.in_(theirs))
    if span.media is not None:
        statement = statement.where(Preview.media == span.media)
    if span.newest is None:
        place = tuple_(Preview.position, Preview.id)
        if span.after is not None:
            statement = statement.where(place > tuple_(*span.after))
        statement = statement.order_by(Preview.position, Preview.id)
    else:
        if span.after is not None:
            last = span.after[1]
            statement = statement.where(Preview.id < last if span.newest else Preview.id > last)
        statement = statement.order_by(Preview.id.desc() if span.newest else Preview.id)
    rows = session.execute(statement.limit(limit))
    return [((place, row[0]), image) for row in rows for place, image in [image_of(row)]]
