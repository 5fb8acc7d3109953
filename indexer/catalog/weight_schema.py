"""Tables about the weights inside adapter files: what was measured, and which files hold the same."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Float, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import BIG_ID, Base, now

__all__ = ["FileTwin", "FileWeights"]


def _file() -> Mapped[int]:
    return mapped_column(BIG_ID, ForeignKey("file.id", ondelete="CASCADE"), primary_key=True)


class FileWeights(Base):
    """What was measured of an adapter's weights; a file's content never changes, so once is enough."""

    __tablename__ = "file_weights"
    file_id: Mapped[int] = _file()
    space_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("vector_space.id", ondelete="CASCADE"), index=True, comment="How it was measured"
    )
    fault: Mapped[str | None] = mapped_column(comment="nan, infinite, zero, faint or absurd; null: sound")
    detail: Mapped[str | None] = mapped_column(comment="The fault as a sentence")
    modules: Mapped[int]
    unread: Mapped[int] = mapped_column(comment="Modules whose factors could not be understood")
    norm: Mapped[float | None] = mapped_column(Float, comment="Frobenius norm of the whole change")
    length: Mapped[float] = mapped_column(
        Float, comment="Of the sketch: quotients of two are quotients of weights"
    )
    data: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="dimension x float16, little-endian; null: nothing to compare"
    )
    compared: Mapped[bool] = mapped_column(Boolean, comment="Whether its twins were looked for")
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index(None, "compared"),)


class FileTwin(Base):
    """Two files with nearly the same weights; ``file_id`` is the smaller."""

    __tablename__ = "file_twin"
    file_id: Mapped[int] = _file()
    other_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("file.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    cosine: Mapped[float] = mapped_column(Float, comment="Of the two sketches, -1..1")
    factor: Mapped[float] = mapped_column(Float, comment="Weight of the other, as a multiple of the file's")
    __table_args__ = (CheckConstraint("file_id < other_id", name="order"),)
