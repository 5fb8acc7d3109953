"""A published model as the catalog holds it: what its hub said, and what lies here of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from indexer.domain.records import Document, from_json

__all__ = [
    "HeldFile",
    "HubSaid",
    "OfferedFile",
    "PublishedModel",
    "PublishedVersion",
    "ShownImage",
    "StoredEntry",
]


HubSaid = Mapping[str, Any]
"""A statement of a hub in its own words."""


class StoredEntry:
    """An entry with the text of its document, which is read when somebody asks: a page of models has
    hundreds, and most are told in the words of their hub. Orders go by three of its facts."""

    __slots__ = ("_facts", "_text", "id")

    def __init__(self, id_: int, text: str) -> None:
        self.id = id_
        self._text = text
        self._facts: Mapping[str, Any] | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its document as plain data, lists for tuples."""
        if self._facts is None:
            self._facts = orjson.loads(self._text)
        return self._facts

    @property
    def document(self) -> Document:
        """Its document; made anew each time."""
        return from_json(self.facts)

    @property
    def rating(self) -> float | None:
        """As ``Document.rating``."""
        rating: float | None = self.facts.get("rating")
        return rating

    @property
    def downloads(self) -> int | None:
        """As ``Document.downloads``."""
        downloads: int | None = self.facts.get("downloads")
        return downloads

    @property
    def created(self) -> str | None:
        """As ``Document.created``."""
        created: str | None = self.facts.get("created")
        return created


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
    it. ``others`` tells a picture that somebody else made with the version; ``colour`` is the dominant one,
    ``#rrggbb``, of a picture that was looked at."""

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
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A release. ``said`` is the last statement of its hub (or the copy of it beside our file), None where
    nobody published it; ``numbers`` are its statistics by the names of ``statistics.NUMBERS``. ``entry``
    is None where it is not shown; most answers tell what was said and never ask for its document."""

    id: int
    model_id: int
    key: str
    added_at: datetime
    gone: str | None
    entry: StoredEntry | None
    said: HubSaid | None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    offered: Sequence[OfferedFile] = ()
    held: Sequence[HeldFile] = ()
    images: Sequence[ShownImage] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its entry's document as plain data; empty where it is none."""
        return {} if self.entry is None else self.entry.facts

    @property
    def told(self) -> bool:
        """Whether there is something to tell of it."""
        return self.said is not None or self.entry is not None


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model with all its releases, in the order in which they came here."""

    id: int
    key: str
    creator: str | None
    gone: str | None
    said: HubSaid | None
    numbers: Mapping[str, Any]
    versions: Sequence[PublishedVersion]

    @property
    def entries(self) -> Iterator[Mapping[str, Any]]:
        """What was found of its releases, as far as they are shown: their documents as plain data."""
        return (version.entry.facts for version in self.versions if version.entry is not None)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was found of the first of them; empty where none is shown."""
        return next(self.entries, {})
