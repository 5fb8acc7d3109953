"""The flat records that the parts of Pinakes hand to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from indexer.domain.compatibility import loads_on
from indexer.domain.hub_links import source_keys

__all__ = ["Document", "FileRef", "SourceRef", "from_json", "to_json"]


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where an entry is known: ``source`` is ``local``, ``civitai`` …; ``id`` is that source's own."""

    source: str
    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file of a version; ``path`` for display, ``sha256`` lower-case hex, None when not hashed yet."""

    path: str
    sha256: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Document:
    """One version as search sees it: every field of ``domain.fields`` is an attribute here.

    ``architecture_path`` is root first. ``created`` is a day as ``YYYY-MM-DD``. ``rating`` is a lower
    confidence bound in stars, 0..5. ``size`` is in bytes. ``category_why`` is a line for people. ``hidden``
    names why it is hidden by default (``adult``, ``real_person``, ``minor``). ``fold`` is the id of the model
    under which it is shown with its versions and near-duplicates, 0: its own. ``training_tags`` are most
    frequent first. ``permissions`` are ids of ``licences.toml``. ``uses`` counts pictures made with it.
    ``my_*`` and ``notes`` are the user's own.
    """

    id: int
    model_id: int
    name: str
    version: str = ""
    kind: str = "unknown"
    adapter: str | None = None
    architecture: str | None = None
    architecture_path: tuple[str, ...] = ()
    family: str | None = None
    base_label: str | None = None
    category: str | None = None
    creator: str | None = None
    tags: tuple[str, ...] = ()
    trigger_words: tuple[str, ...] = ()
    description: str = ""
    prompts: tuple[str, ...] = ()
    licence: str | None = None
    rank: int | None = None
    size: int | None = None
    rating: float | None = None
    rating_count: int | None = None
    downloads: int | None = None
    nsfw_level: int | None = None
    created: str | None = None
    hashes: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    confidence: float = 0.0
    category_why: str = ""
    preview_id: int | None = None
    preview_colour: str | None = None
    files: tuple[FileRef, ...] = field(default=())
    sources: tuple[SourceRef, ...] = field(default=())
    fold: int = 0
    training_tags: tuple[str, ...] = ()
    updated: str | None = None
    permissions: tuple[str, ...] = ()
    tips: int | None = None
    favourites: int | None = None
    comments: int | None = None
    uses: int | None = None
    my_rating: float | None = None
    my_tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def file_names(self) -> tuple[str, ...]:
        """Last parts of the files' paths."""
        return tuple(ref.path.replace("\\", "/").rsplit("/", 1)[-1] for ref in self.files)

    @property
    def licences(self) -> tuple[str, ...]:
        """The licence as stated, and what it permits."""
        return (*((self.licence,) if self.licence else ()), *self.permissions)

    @property
    def source_ids(self) -> tuple[str, ...]:
        """Where it is known (``local``, ``civitai`` …), and its ids there as ``source_keys`` spells them."""
        return tuple(key for ref in self.sources for key in source_keys(ref.source, ref.id, ref.url))

    @property
    def fits(self) -> tuple[str, ...]:
        """Architectures on which it loads."""
        return loads_on(self.kind, self.architecture, self.architecture_path)


_NAMES = tuple(f.name for f in fields(Document))
_TUPLES = {f.name for f in fields(Document) if str(f.type).startswith("tuple[str")}


def to_json(document: Document) -> dict[str, Any]:
    """The document as plain JSON data."""
    values = {name: getattr(document, name) for name in _NAMES}
    values["files"] = tuple({"path": f.path, "sha256": f.sha256, "size": f.size} for f in document.files)
    values["sources"] = tuple({"source": s.source, "id": s.id, "url": s.url} for s in document.sources)
    return values


def from_json(stored: Mapping[str, Any]) -> Document:
    """The document back from ``to_json`` data, also after a round through JSON text."""
    values: dict[str, Any] = {n: tuple(v) if n in _TUPLES else v for n, v in stored.items()}
    values["files"] = tuple(FileRef(ref["path"], ref["sha256"], ref["size"]) for ref in stored["files"])
    values["sources"] = tuple(SourceRef(ref["source"], ref["id"], ref["url"]) for ref in stored["sources"])
    return Document(**values)
