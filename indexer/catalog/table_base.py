"""What all tables share: naming of constraints, types of columns, ids and references."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.columns import CleanJSON, CleanText, UTCDateTime

__all__ = ["BIG_ID", "Base", "now", "row_id", "row_ref"]

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite numbers rows only in columns declared INTEGER; PostgreSQL needs 64 bits for 100 M previews.
BIG_ID = BigInteger().with_variant(Integer, "sqlite")


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all tables; every constraint has a predictable name, so that migrations can drop it."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {str: CleanText, datetime: UTCDateTime, dict[str, Any]: CleanJSON}  # noqa: RUF012


def row_id() -> Mapped[int]:
    """The column that numbers a table's rows."""
    return mapped_column(BIG_ID, primary_key=True)


def row_ref(
    target: str, *, unique: bool = False, index: bool = True, comment: str | None = None
) -> Mapped[Any]:
    """A reference to a row that takes this one with it when it is deleted."""
    return mapped_column(
        BIG_ID,
        ForeignKey(f"{target}.id", ondelete="CASCADE"),
        unique=unique,
        index=index and not unique,
        comment=comment,
    )
