"""Tables about how pictures were made: settings, the models they name, and the names of models."""

from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import BIG_ID, Base, row_id, row_ref

__all__ = ["GenerationRecord", "ResourceUse", "VersionAlias"]


class GenerationRecord(Base):
    """What a preview says of how it was made."""

    __tablename__ = "generation_record"
    id: Mapped[int] = row_id()
    preview_id: Mapped[int] = row_ref("preview", unique=True)
    generator: Mapped[str | None]
    prompt: Mapped[str | None]
    negative_prompt: Mapped[str | None]
    seed: Mapped[str | None] = mapped_column(comment="Text: seeds exceed 64 bits")
    steps: Mapped[int | None]
    sampler: Mapped[str | None]
    scheduler: Mapped[str | None]
    cfg: Mapped[float | None] = mapped_column(Float)
    width: Mapped[int | None] = mapped_column(comment="Pixels asked for")
    height: Mapped[int | None] = mapped_column(comment="Pixels asked for")
    detail: Mapped[dict[str, Any]] = mapped_column(
        comment="Version of the tool, warnings, and what was not understood where that is short"
    )


class ResourceUse(Base):
    """A model that a generation record names."""

    __tablename__ = "resource_use"
    id: Mapped[int] = row_id()
    record_id: Mapped[int] = row_ref("generation_record")
    version_id: Mapped[int | None] = mapped_column(
        BIG_ID,
        ForeignKey("version.id", ondelete="SET NULL"),
        comment="Which of our versions it is; null: unknown or ambiguous",
    )
    kind: Mapped[str]
    name: Mapped[str | None] = mapped_column(comment="As the picture spells it")
    stem: Mapped[str | None] = mapped_column(index=True, comment="domain.generation.model_stem of the name")
    hash: Mapped[str | None] = mapped_column(index=True, comment="Lower-case hex, of any length")
    hub_version: Mapped[str | None] = mapped_column(index=True, comment="Civitai's id of the version")
    weight: Mapped[float | None] = mapped_column(Float)
    confidence: Mapped[float] = mapped_column(Float, comment="1 by hash or hub id; lower by name; 0 unlinked")
    __table_args__ = (Index(None, "version_id", "record_id"),)


class VersionAlias(Base):
    """A name under which pictures may mention a version; follows from files, hub files and keys."""

    __tablename__ = "version_alias"
    alias: Mapped[str] = mapped_column(
        primary_key=True, comment="name:STEM of a file, civitai:VERSION or autov2:HASH"
    )
    version_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("version.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str]
    here: Mapped[bool] = mapped_column(Boolean, comment="A file of ours is called so")
