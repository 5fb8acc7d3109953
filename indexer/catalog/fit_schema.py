"""Tables about what fits what: of each file what takes part in fitting, so that pairs need no file opened."""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import BIG_ID, Base, row_id, row_ref

__all__ = ["FileFit", "FitProfileRow", "HubFileFit"]


class FitProfileRow(Base):
    """A profile that many files share: all of one trainer, base and rank have the same."""

    __tablename__ = "fit_profile"
    id: Mapped[int] = row_id()
    digest: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of data")
    data: Mapped[bytes] = mapped_column(LargeBinary, comment="domain.fit.pack")


class FileFit(Base):
    """Which profile a file has. None: judged before profiles were kept, or of no kind that is known."""

    __tablename__ = "file_fit"
    file_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("file.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = row_ref("fit_profile")


class HubFileFit(Base):
    """The same of a file at a hub, whose header was read from afar."""

    __tablename__ = "hub_file_fit"
    hub_file_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("hub_file.id", ondelete="CASCADE"), primary_key=True
    )
    profile_id: Mapped[int] = row_ref("fit_profile")
