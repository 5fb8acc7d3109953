"""Tables about hubs: what they offer, how far they were read, what is done again and again."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.table_base import Base, now, row_id, row_ref

__all__ = ["CachedAnswer", "Crawl", "HashRow", "HubFileRow", "HubWordRow", "RefusedItem", "Schedule"]


class HubFileRow(Base):
    """A file that a hub offers for a version; whether we have it is told by equal hashes."""

    __tablename__ = "hub_file"
    id: Mapped[int] = row_id()
    version_id: Mapped[int] = row_ref("version", index=False)
    source: Mapped[str] = mapped_column(comment="civitai, huggingface …")
    key: Mapped[str] = mapped_column(comment="The hub's own name of the file")
    name: Mapped[str]
    type: Mapped[str | None] = mapped_column(comment="As the hub spells it: Model, VAE, Training Data …")
    size: Mapped[int | None] = mapped_column(BigInteger, comment="Bytes")
    format: Mapped[str | None]
    precision: Mapped[str | None]
    primary: Mapped[bool] = mapped_column(Boolean)
    url: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(comment="All else that the hub says of it")
    gone_at: Mapped[datetime | None] = mapped_column(comment="When the hub stopped to offer it")
    __table_args__ = (UniqueConstraint("version_id", "source", "key"),)


class HashRow(Base):
    """A hash, measured over a file of ours or claimed by a hub for one of its files."""

    __tablename__ = "hash"
    id: Mapped[int] = row_id()
    kind: Mapped[str] = mapped_column(comment="sha256, autov1, autov2, autov3, blake3 or crc32")
    value: Mapped[str] = mapped_column(comment="Lower-case hex")
    file_id: Mapped[int | None] = row_ref("file", comment="Measured over this file")
    hub_file_id: Mapped[int | None] = row_ref("hub_file", comment="Claimed for this file of a hub")
    __table_args__ = (
        CheckConstraint("(file_id IS NULL) <> (hub_file_id IS NULL)", name="one_subject"),
        UniqueConstraint("file_id", "kind"),
        UniqueConstraint("hub_file_id", "kind"),
        Index(None, "value"),
    )


class Crawl(Base):
    """One question put to a hub, and how far its answer was read."""

    __tablename__ = "crawl"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(unique=True, comment="Digest of source, base URL and question")
    source: Mapped[str] = mapped_column(comment="civitai, huggingface …")
    base_url: Mapped[str]
    question: Mapped[dict[str, Any]] = mapped_column(comment="Parameters of the listing")
    cursor: Mapped[str | None] = mapped_column(comment="Where to read on; null: at the start")
    state: Mapped[str] = mapped_column(comment="running, waiting, done or failed")
    pages: Mapped[int] = mapped_column(default=0)
    items: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    code: Mapped[str | None] = mapped_column(comment="Why it waits or failed")
    detail: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(default=now)
    moved_at: Mapped[datetime] = mapped_column(default=now, comment="When the last page was stored")
    finished_at: Mapped[datetime | None]
    __table_args__ = (CheckConstraint("state IN ('running', 'waiting', 'done', 'failed')", name="state"),)


class RefusedItem(Base):
    """An item of a hub or a dump that could not be read, kept with the reason."""

    __tablename__ = "refused_item"
    id: Mapped[int] = row_id()
    source: Mapped[str]
    key: Mapped[str] = mapped_column(comment="The hub's id of the item, or a digest of its bytes")
    code: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str]
    raw: Mapped[dict[str, Any] | None] = mapped_column(comment="{value: the item as read}")
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("source", "key"),)


class HubWordRow(Base):
    """A word that a hub lists: a creator, a tag, or one of the words that its own fields may hold."""

    __tablename__ = "hub_word"
    id: Mapped[int] = row_id()
    source: Mapped[str] = mapped_column(comment="civitai, huggingface …")
    kind: Mapped[str] = mapped_column(comment="creator, tag or enum:NAME")
    name: Mapped[str] = mapped_column(comment="As the hub spells it")
    models: Mapped[int | None] = mapped_column(BigInteger, comment="How many models the hub counts")
    link: Mapped[str | None]
    known: Mapped[bool] = mapped_column(Boolean, comment="Whether our tables have the word")
    detail: Mapped[dict[str, Any] | None] = mapped_column(comment="All else that the hub says of it")
    at: Mapped[datetime] = mapped_column(default=now, comment="When it was last heard")
    __table_args__ = (UniqueConstraint("source", "kind", "name"),)


class CachedAnswer(Base):
    """Validators of an answer heard before, for conditional requests."""

    __tablename__ = "cached_answer"
    id: Mapped[int] = row_id()
    url: Mapped[str] = mapped_column(unique=True, comment="Without secrets")
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=now)


class Schedule(Base):
    """Work that is done again and again. No pickled job store: a job is a name and its arguments."""

    __tablename__ = "schedule"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(unique=True)
    job: Mapped[str] = mapped_column(comment="index, crawl, refresh, updates, upkeep …")
    arguments: Mapped[dict[str, Any]]
    trigger: Mapped[str] = mapped_column(comment="A cron line of five fields, or 'every 6h'")
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    next_at: Mapped[datetime | None] = mapped_column(index=True, comment="When it is due")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(comment="ok, failed, stopped or postponed")
    detail: Mapped[str | None] = mapped_column(comment="What the last run said, in a sentence")
    lease: Mapped[str | None] = mapped_column(comment="Who runs it now")
    lease_until: Mapped[datetime | None] = mapped_column(comment="When a silent runner counts as dead")
    added_at: Mapped[datetime] = mapped_column(default=now)
