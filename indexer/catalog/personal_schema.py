"""Tables of the user's own layer: marks on versions, marks that wait for their model, saved searches.

They hang on versions, whose rows outlive re-crawls and rebuilt indexes; where a file leaves its version for
another, the marks go with it (``personal.follow_files``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import BIG_ID, Base, now, row_id

__all__ = ["MarkRow", "OpinionRow", "OwnTag", "PendingKey", "PendingMark", "SavedSearch"]


def _version() -> Mapped[int]:
    return mapped_column(BIG_ID, ForeignKey("version.id", ondelete="CASCADE"), primary_key=True)


class MarkRow(Base):
    """What somebody noted of a version; there is a row wherever anything was noted."""

    __tablename__ = "mark"
    version_id: Mapped[int] = _version()
    favourite: Mapped[bool | None] = mapped_column(Boolean, comment="Null: nothing said")
    seen: Mapped[bool | None] = mapped_column(Boolean, comment="Null: nothing said")
    at: Mapped[datetime] = mapped_column(default=now, comment="When anything was last noted")


class OpinionRow(Base):
    """A rating and a note for one purpose."""

    __tablename__ = "opinion"
    version_id: Mapped[int] = _version()
    purpose: Mapped[str] = mapped_column(primary_key=True, comment="A word of theirs; empty: in general")
    rating: Mapped[float | None] = mapped_column(Float, comment="0 to 5 in halves")
    note: Mapped[str]
    __table_args__ = (CheckConstraint("rating BETWEEN 0 AND 5", name="rating"),)


class OwnTag(Base):
    """A tag of their own."""

    __tablename__ = "own_tag"
    version_id: Mapped[int] = _version()
    tag: Mapped[str] = mapped_column(primary_key=True, comment="As written")
    place: Mapped[int] = mapped_column(comment="Order in which they were given")


class PendingMark(Base):
    """Imported marks on a model that is not known yet."""

    __tablename__ = "pending_mark"
    id: Mapped[int] = row_id()
    digest: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of keys and marks: none stands twice")
    marks: Mapped[dict[str, Any]] = mapped_column(comment="domain.marks.to_data")
    at: Mapped[datetime] = mapped_column(default=now)


class PendingKey(Base):
    """A name under which the model of imported marks may appear."""

    __tablename__ = "pending_key"
    key: Mapped[str] = mapped_column(
        primary_key=True, comment="civitai:VERSION, sha256:… or a key of Version"
    )
    pending_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("pending_mark.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SavedSearch(Base):
    """A search under a name."""

    __tablename__ = "saved_search"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(unique=True)
    query: Mapped[str]
    sort: Mapped[str]
    base: Mapped[str | None] = mapped_column(comment="Architecture that is used")
    made_at: Mapped[datetime] = mapped_column(default=now)
