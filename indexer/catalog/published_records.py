"""A published model as the catalog holds it: what its hub said, and what lies here of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from indexer.domain.records import Document

__all__ = ["HeldFile", "OfferedFile", "PublishedModel", "PublishedVersion", "ShownImage"]


class OfferedFile(NamedTuple):
    """A file that a hub offers; a tuple, since a page has hundreds.

    ``size`` is in bytes, ``hashes`` are lower-case hex by kind, ``detail`` is all else that the hub says of
    it; ``file_id`` is the file of ours with the same SHA-256, None when it is not here.
    """

    id: int
    version_id: int
    key: str
    name: str
    type: str | None
    size: int | None
    format: str | None
    precision: str | None
    primary: bool
    url: str | None
    detail: Mapping[str, Any]
    hashes: Mapping[str, str]
    file_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of ours. ``name`` is that of its first place, which may have gone; ``verdict`` is the stored
    one."""

    id: int
    version_id: int
    name: str
    size: int
    container: str
    verdict: Mapping[str, Any]
    added_at: datetime
    hashes: Mapping[str, str] = field(default_factory=dict)


class ShownImage(NamedTuple):
    """A picture of a version; a tuple, since a page has a thousand. ``url`` is its hub's, None for a picture
    that lies beside a file of ours, which ``thumbnail`` then names; ``meta`` is all else that the hub says of
    it. ``others`` tells a picture that somebody else made with the version."""

    id: int
    version_id: int
    url: str | None
    media: str
    width: int | None
    height: int | None
    blurhash: str | None
    nsfw_level: int | None
    thumbnail: str | None
    meta: Mapping[str, Any]
    others: bool = False


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A release. ``said`` is the last statement of its hub (or the copy of it beside our file), None where
    nobody published it; ``numbers`` are its statistics by the names of ``statistics.NUMBERS``."""

    id: int
    model_id: int
    key: str
    added_at: datetime
    gone: str | None
    document: Document | None
    said: Mapping[str, Any] | None
    numbers: Mapping[str, Any]
    offered: Sequence[OfferedFile]
    held: Sequence[HeldFile]
    images: Sequence[ShownImage]


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model with all its releases, in the order in which they came here."""

    id: int
    key: str
    creator: str | None
    gone: str | None
    said: Mapping[str, Any] | None
    numbers: Mapping[str, Any]
    versions: Sequence[PublishedVersion]

    @property
    def documents(self) -> Sequence[Document]:
        """The entries of its releases, as far as they are shown."""
        return [version.document for version in self.versions if version.document is not None]
