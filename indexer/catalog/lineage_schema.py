"""The table of parents: what each version says it was made from."""

from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import Base, row_id, row_ref

__all__ = ["ParentRow"]


class ParentRow(Base):
    """A model that a version was trained on or merged from; follows from the claims about the version."""

    __tablename__ = "parent"
    id: Mapped[int] = row_id()
    version_id: Mapped[int] = row_ref("version", comment="The child")
    relation: Mapped[str] = mapped_column(comment="trained_on or merged_from")
    source: Mapped[str] = mapped_column(comment="Who says so, as in claim.source")
    name: Mapped[str | None] = mapped_column(comment="As it is written there")
    stem: Mapped[str | None] = mapped_column(index=True, comment="domain.generation.model_stem of the name")
    hash: Mapped[str | None] = mapped_column(index=True, comment="Lower-case hex, of any length")
    repository: Mapped[str | None] = mapped_column(index=True, comment="The name, where it may be a hub's")
