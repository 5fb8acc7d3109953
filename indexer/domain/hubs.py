"""What a hub publishes, in one shape whichever hub it is: models, versions, files, images.

A parser fills these records from a hub's answer, the catalog stores them. Everything a hub says is a claim;
what nobody reads stays in ``ClaimSet.raw``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.claims import ClaimSet
from indexer.domain.header import HeaderWarning

__all__ = [
    "HASH_KINDS",
    "HubFile",
    "HubImage",
    "HubModel",
    "HubPicture",
    "HubVersion",
    "HubWord",
    "Refused",
    "Statistics",
    "hash_values",
]

HASH_KINDS = ("sha256", "autov1", "autov2", "autov3", "blake3", "crc32")
"""Names of hashes as stored; values are lower-case hex. Lengths: 64, 8, 10, 12, 64, 8 digits."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of a model or version at one moment; None where the hub does not say."""

    downloads: int | None = None
    rating: float | None = None
    rating_count: int | None = None
    thumbs_up: int | None = None
    thumbs_down: int | None = None
    favourites: int | None = None
    comments: int | None = None
    tips: int | None = None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file that a hub offers. ``key`` is the hub's own name for it, unique within its version.

    ``size`` is in bytes. ``hashes`` maps names of ``HASH_KINDS`` to lower-case hex. ``detail`` keeps the
    rest.
    """

    key: str
    name: str
    type: str | None = None
    size: int | None = None
    format: str | None = None
    precision: str | None = None
    primary: bool = False
    url: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HubImage:
    """An image, video or sound that a hub shows. ``meta`` is all else that the hub says of it, with
    generation data under its key ``meta``.

    ``media`` is ``image``, ``video`` or ``audio``; sizes are in pixels; ``nsfw_level`` is Civitai's bit mask.
    """

    url: str
    media: str = "image"
    width: int | None = None
    height: int | None = None
    nsfw_level: int | None = None
    blurhash: str | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HubVersion:
    """One release. ``key`` is ``civitai:MODEL@VERSION``, ``huggingface:ORG/NAME@FOLDER_OR_FILE`` …

    ``claims`` is what is said of this release alone; ``gone`` is None, ``archived``, ``taken_down`` or
    ``deleted``.
    """

    key: str
    claims: ClaimSet
    files: tuple[HubFile, ...] = ()
    images: tuple[HubImage, ...] = ()
    statistics: Statistics | None = None
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class HubModel:
    """A published model. ``key`` is ``civitai:MODEL``, ``huggingface:ORG/NAME`` …; ``source`` the hub's name.

    ``claims`` is what is said of the model and so of each version. ``warnings`` tell what was odd in the
    answer.
    """

    key: str
    source: str
    claims: ClaimSet
    versions: tuple[HubVersion, ...] = ()
    creator: str | None = None
    statistics: Statistics | None = None
    gone: str | None = None
    warnings: tuple[HeaderWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class HubPicture:
    """A picture that somebody made with models of a hub. ``key`` is the hub's name for it; ``versions`` are
    the hub's numbers of the versions that were used."""

    source: str
    key: str
    image: HubImage
    versions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HubWord:
    """A word that a hub lists: ``kind`` is ``creator``, ``tag`` or ``enum:NAME``. ``models``: how many models
    the hub counts; ``known``: whether our tables have the word, where they should."""

    source: str
    kind: str
    name: str
    models: int | None = None
    link: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    known: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """An item of a hub's answer that could not be read; its neighbours are stored all the same."""

    source: str
    key: str
    code: str
    detail: str
    raw: Any = None


def hash_values(text: str) -> tuple[str, ...]:
    """The stored forms that a typed hash, or the beginning of one, may have.

    Eight digits may be a CRC-32, which Civitai prints with its bytes reversed: both orders are looked for.
    """
    value = text.strip().lower().removeprefix("0x")
    if len(value) == 8 and not set(value) - set("0123456789abcdef"):
        return tuple(dict.fromkeys((value, bytes.fromhex(value)[::-1].hex())))
    return (value,)
