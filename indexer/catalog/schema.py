"""The catalog's tables. Constraints, indexes and the meaning of each column stand here.

What we measured (files, verdicts, vectors), what others said (claims, statistics) and what a person decided
(overrides) are separate tables; ``entry`` is what follows from them, recomputed whenever they change.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.fit_schema import FileFit, FitProfileRow, HubFileFit
from indexer.catalog.generation_schema import GenerationRecord, ResourceUse, VersionAlias
from indexer.catalog.hub_schema import (
    CachedAnswer,
    Crawl,
    HashRow,
    HubFileRow,
    HubWordRow,
    RefusedItem,
    Schedule,
)
from indexer.catalog.lineage_schema import ParentRow
from indexer.catalog.personal_schema import (
    MarkRow,
    OpinionRow,
    OwnTag,
    PendingKey,
    PendingMark,
    SavedSearch,
)
from indexer.catalog.table_base import BIG_ID, Base, now, row_id, row_ref
from indexer.catalog.weight_schema import FileTwin, FileWeights

__all__ = [
    "Base",
    "CachedAnswer",
    "ClaimRow",
    "Counter",
    "Crawl",
    "Creator",
    "Entry",
    "File",
    "FileFit",
    "FileTwin",
    "FileWeights",
    "FitProfileRow",
    "GenerationRecord",
    "HashRow",
    "HubFileFit",
    "HubFileRow",
    "HubWordRow",
    "Location",
    "MarkRow",
    "Model",
    "OpinionRow",
    "Override",
    "OwnTag",
    "ParentRow",
    "PendingKey",
    "PendingMark",
    "Preview",
    "Quarantine",
    "RefusedItem",
    "ResourceUse",
    "Root",
    "SavedSearch",
    "Schedule",
    "Statistic",
    "Tag",
    "Vector",
    "VectorSpace",
    "VerdictRow",
    "Version",
    "VersionAlias",
    "VersionTag",
    "Watermark",
    "now",
]


class Root(Base):
    """A folder that a person asked to index."""

    __tablename__ = "root"
    id: Mapped[int] = row_id()
    path: Mapped[str] = mapped_column(unique=True, comment="Resolved absolute path")
    layout: Mapped[str] = mapped_column(comment="Recognised layout: comfyui, a1111, plain …")
    device: Mapped[int | None] = mapped_column(BigInteger, comment="st_dev when last seen with files in it")
    added_at: Mapped[datetime] = mapped_column(default=now)
    scanned_at: Mapped[datetime | None] = mapped_column(comment="End of the last complete walk")
    offline_since: Mapped[datetime | None] = mapped_column(comment="Set while the folder is absent or empty")


class Creator(Base):
    """Who publishes models."""

    __tablename__ = "creator"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(unique=True)


class Tag(Base):
    """A word given by people, folded."""

    __tablename__ = "tag"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(unique=True)


class Model(Base):
    """A published thing."""

    __tablename__ = "model"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(
        unique=True, comment="civitai:ID, huggingface:ORG/NAME, or file:FINGERPRINT when nobody published it"
    )
    creator_id: Mapped[int | None] = mapped_column(
        BIG_ID, ForeignKey("creator.id", ondelete="SET NULL"), index=True
    )
    added_at: Mapped[datetime] = mapped_column(default=now)
    gone_at: Mapped[datetime | None] = mapped_column(comment="When its hub stopped to show it; record kept")
    gone: Mapped[str | None] = mapped_column(comment="archived, taken_down or deleted")
    refreshed_at: Mapped[datetime | None] = mapped_column(comment="When its hub was last heard about it")


class Version(Base):
    """One release of a model."""

    __tablename__ = "version"
    id: Mapped[int] = row_id()
    model_id: Mapped[int] = row_ref("model")
    key: Mapped[str] = mapped_column(unique=True, comment="civitai:MODEL@VERSION or file:FINGERPRINT")
    added_at: Mapped[datetime] = mapped_column(default=now)
    gone_at: Mapped[datetime | None] = mapped_column(comment="When its hub stopped to show it; record kept")
    gone: Mapped[str | None] = mapped_column(comment="archived, taken_down or deleted")


class VersionTag(Base):
    """Which version has which tag; follows from the claims."""

    __tablename__ = "version_tag"
    version_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("version.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class File(Base):
    """Stored content. Paths live in ``location``; the same bytes in two places are one file."""

    __tablename__ = "file"
    id: Mapped[int] = row_id()
    version_id: Mapped[int] = row_ref("version")
    fingerprint: Mapped[str] = mapped_column(
        unique=True, comment="SHA-256 over size, header and sampled blocks: names content before it is hashed"
    )
    size: Mapped[int] = mapped_column(BigInteger, comment="Bytes")
    container: Mapped[str] = mapped_column(comment="safetensors, gguf, pickle, zip or unknown")
    sha256: Mapped[str | None] = mapped_column(
        unique=True, comment="Lower-case hex over all bytes; null: not hashed yet"
    )
    warnings: Mapped[dict[str, Any] | None] = mapped_column(comment="code -> sentence")
    added_at: Mapped[datetime] = mapped_column(default=now)
    linked: Mapped[bool] = mapped_column(
        Boolean,
        default=False,
        server_default=false(),
        comment="Its version was found by a hub's hash: claims beside it move it no more",
    )
    __table_args__ = (CheckConstraint("size >= 0", name="size"),)


class Location(Base):
    """A path at which content was seen. Never deleted: a file that went away is marked missing."""

    __tablename__ = "location"
    id: Mapped[int] = row_id()
    root_id: Mapped[int] = row_ref("root", index=False)
    file_id: Mapped[int | None] = mapped_column(
        BIG_ID,
        ForeignKey("file.id", ondelete="SET NULL"),
        index=True,
        comment="Null while quarantined or put off",
    )
    directory: Mapped[bytes] = mapped_column(LargeBinary, comment="Bytes of the folder, relative to the root")
    name: Mapped[bytes] = mapped_column(LargeBinary, comment="Bytes of the file name")
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    inode: Mapped[str] = mapped_column(comment="st_dev:st_ino; text, since inodes exceed signed 64 bits")
    surroundings: Mapped[str] = mapped_column(
        comment="Digest over names, sizes and times of sidecars and previews"
    )
    parser: Mapped[int] = mapped_column(comment="Version of parsers and rules that judged it")
    sha256: Mapped[str | None] = mapped_column(
        comment="Measured over the bytes at this place; null: not hashed"
    )
    missing_since: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("root_id", "directory", "name"),
        Index(None, "size", "mtime_ns"),
    )


class Quarantine(Base):
    """A file that cannot be read, and why. Read again only when it, or the parser, changes."""

    __tablename__ = "quarantine"
    id: Mapped[int] = row_id()
    location_id: Mapped[int] = row_ref("location", unique=True)
    code: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str]
    retry: Mapped[bool] = mapped_column(Boolean, comment="Temporary: try at the next run, changed or not")
    at: Mapped[datetime] = mapped_column(default=now)


class ClaimRow(Base):
    """An observation: what one source said about a file or a version at one time. Append-only."""

    __tablename__ = "claim"
    id: Mapped[int] = row_id()
    file_id: Mapped[int | None] = row_ref("file", comment="What it is about, when a file")
    version_id: Mapped[int | None] = row_ref("version", comment="What it is about, when a version at a hub")
    model_id: Mapped[int | None] = row_ref("model", comment="What it is about, when a whole model at a hub")
    place_id: Mapped[int | None] = row_ref("location", comment="Where it was heard, when on disk")
    source: Mapped[str] = mapped_column(
        comment="sidecar:civitai.info, header:kohya, folder:comfyui, civitai …"
    )
    digest: Mapped[str] = mapped_column(comment="SHA-256 of the statement; the same one is not stored twice")
    claims: Mapped[dict[str, Any]] = mapped_column(
        comment="name -> value, names of domain.claims.CLAIM_NAMES"
    )
    raw: Mapped[dict[str, Any] | None] = mapped_column(comment="The statement as read")
    unparsed: Mapped[dict[str, Any] | None] = mapped_column(comment="Keys that nobody read")
    warnings: Mapped[dict[str, Any] | None] = mapped_column(comment="code -> sentence")
    at: Mapped[datetime] = mapped_column(default=now)
    current: Mapped[bool] = mapped_column(Boolean, default=True, comment="The latest word of its source")
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN file_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN version_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN model_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
        UniqueConstraint("place_id", "file_id", "source", "digest"),
        UniqueConstraint("version_id", "source", "digest"),
        UniqueConstraint("model_id", "source", "digest"),
    )


class VerdictRow(Base):
    """What we found a file to be, by which version of the rules."""

    __tablename__ = "verdict"
    id: Mapped[int] = row_id()
    file_id: Mapped[int] = row_ref("file", unique=True)
    rules: Mapped[int] = mapped_column(comment="Version of the rules")
    kind: Mapped[str] = mapped_column(index=True)
    architecture: Mapped[str | None] = mapped_column(index=True)
    family: Mapped[str | None]
    confidence: Mapped[float] = mapped_column(Float)
    detail: Mapped[dict[str, Any]] = mapped_column(
        comment="The whole verdict: evidence, candidates, conflicts …"
    )
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),)


class Preview(Base):
    """An image shown for a version."""

    __tablename__ = "preview"
    id: Mapped[int] = row_id()
    version_id: Mapped[int] = row_ref("version")
    place_id: Mapped[int | None] = row_ref(
        "location", index=False, comment="The model file beside which it lies"
    )
    source: Mapped[str] = mapped_column(comment="local, civitai …")
    location: Mapped[bytes] = mapped_column(LargeBinary, comment="Bytes of the absolute path, or of the URL")
    position: Mapped[int] = mapped_column(SmallInteger, comment="0 is shown first")
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(comment="new, ok, broken, missing")
    code: Mapped[str | None] = mapped_column(comment="Why it is broken")
    detail: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    colour: Mapped[str | None] = mapped_column(comment="Dominant colour, #rrggbb")
    thumbnail: Mapped[str | None] = mapped_column(
        comment="Name of the re-encoded picture: SHA-256 of its bytes"
    )
    nsfw_level: Mapped[int | None]
    media: Mapped[str] = mapped_column(
        default="image", server_default="image", comment="image, video or audio, as its source says"
    )
    blurhash: Mapped[str | None] = mapped_column(comment="As its source says")
    meta: Mapped[dict[str, Any] | None] = mapped_column(comment="What its hub says of how it was made")
    original: Mapped[str | None] = mapped_column(
        comment="Name of the fetched file under home; null: on disk already, or not fetched"
    )
    told: Mapped[bool | None] = mapped_column(
        Boolean, comment="Whether it says how it was made; null: not read yet"
    )
    __table_args__ = (
        UniqueConstraint("place_id", "location"),
        Index(
            "uq_preview_hub",
            "version_id",
            "location",
            unique=True,
            sqlite_where=text("place_id IS NULL"),
            postgresql_where=text("place_id IS NULL"),
        ),
        CheckConstraint("status IN ('new', 'ok', 'broken', 'missing')", name="status"),
        Index(None, "status"),
        Index(
            "ix_preview_untold",
            "id",
            sqlite_where=text("told IS NULL"),
            postgresql_where=text("told IS NULL"),
        ),
    )


class Statistic(Base):
    """Numbers of a version or a whole model at one time; history is kept, so that trends can be shown."""

    __tablename__ = "statistic"
    id: Mapped[int] = row_id()
    version_id: Mapped[int | None] = row_ref("version", index=False)
    model_id: Mapped[int | None] = row_ref("model", index=False, comment="When the numbers are the model's")
    source: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    downloads: Mapped[int | None] = mapped_column(BigInteger)
    rating: Mapped[float | None] = mapped_column(Float)
    rating_count: Mapped[int | None]
    thumbs_up: Mapped[int | None]
    thumbs_down: Mapped[int | None]
    favourites: Mapped[int | None] = mapped_column(BigInteger)
    comments: Mapped[int | None]
    tips: Mapped[int | None] = mapped_column(BigInteger, comment="Civitai's tippedAmountCount")
    __table_args__ = (
        CheckConstraint("(model_id IS NULL) <> (version_id IS NULL)", name="one_subject"),
        Index(None, "version_id", "at"),
        Index(None, "model_id", "at"),
    )


class Override(Base):
    """A person's decision about a file; wins over everything, can be withdrawn."""

    __tablename__ = "override"
    id: Mapped[int] = row_id()
    file_id: Mapped[int] = row_ref("file")
    name: Mapped[str] = mapped_column(comment="kind, architecture, family, category, name …")
    value: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[datetime | None]


class Entry(Base):
    """What search sees of a version; follows from the other tables and can be recomputed."""

    __tablename__ = "entry"
    version_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("version.id", ondelete="CASCADE"), primary_key=True
    )
    document: Mapped[dict[str, Any] | None] = mapped_column(
        comment="A domain.records.Document; null: no longer shown"
    )
    seq: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="Change number; indexes read on from theirs"
    )


class VectorSpace(Base):
    """Identity of a kind of vectors; unlike ones never meet."""

    __tablename__ = "vector_space"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(unique=True, comment="Short form of the identity")
    space: Mapped[str] = mapped_column(comment="semantic, style or content")
    dimension: Mapped[int]
    identity: Mapped[dict[str, Any]] = mapped_column(comment="Model, weights, preprocessing, version")


class Vector(Base):
    """One preview's vector in one space."""

    __tablename__ = "vector"
    preview_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("preview.id", ondelete="CASCADE"), primary_key=True
    )
    space_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("vector_space.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    data: Mapped[bytes] = mapped_column(LargeBinary, comment="dimension x float16, little-endian")
    seq: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0", comment="Number of the change that stored it"
    )
    __table_args__ = (Index(None, "space_id", "seq"),)


class Watermark(Base):
    """How far an index has read the changes."""

    __tablename__ = "watermark"
    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any] | None]


class Counter(Base):
    """The last change number given out."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
