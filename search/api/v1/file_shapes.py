"""Files and pictures of a version in the hub's shape."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from indexer.catalog.published_records import HeldFile, OfferedFile, PublishedVersion, ShownImage
from indexer.domain.vocabulary import read_table
from search.api.v1.blurhash import flat_blurhash
from search.api.v1.naming import drop_in, moment, own_number, version_number
from search.api.v1.typed import typed

__all__ = [
    "download_address",
    "file_items",
    "file_number",
    "image_hash",
    "image_items",
    "image_number",
    "image_url",
]

_APART = ("id", "name", "type", "sizeKB", "metadata", "hashes", "primary", "downloadUrl", "verdict")


def file_number(file: OfferedFile | HeldFile) -> int:
    """The hub's number of a file; of a file that no hub numbers, ours (those we hold are even)."""
    if isinstance(file, HeldFile):
        return own_number(2 * file.id)
    return int(file.key) if file.key.isascii() and file.key.isdigit() else own_number(2 * file.id + 1)


def file_items(version: PublishedVersion, base: str, *, primary_only: bool = False) -> list[dict[str, Any]]:
    """What can be had of a version: what its hub offers, and what lies here and is none of that."""
    known = {file.file_id for file in version.offered}
    loose = [file for file in version.held if file.id not in known]
    chosen = any(file.primary for file in version.offered)
    address = download_address(version, base)
    items = [_offered(file, address) for file in version.offered]
    items += [_held(file, address) for file in loose]
    if items and not chosen:
        items[0]["primary"] = True
        items[0]["downloadUrl"] = address
    return [item for item in items if item["primary"]] if primary_only else items


def download_address(version: PublishedVersion, base: str) -> str:
    """Where a version's primary file can be had."""
    return f"{base}/api/download/models/{version_number(version)}"


def _offered(file: OfferedFile, address: str) -> dict[str, Any]:
    told = file.detail.get("metadata")
    metadata = {"format": file.format, "size": None, "fp": file.precision}
    metadata |= told if isinstance(told, dict) else {}
    if type(metadata["format"]) is not str:
        metadata["format"] = "Other"  # clients look into it as into a text
    return _item(file, address, metadata, file.type or "Model", typed(file.detail, "file", {}, apart=_APART))


def _held(file: HeldFile, address: str) -> dict[str, Any]:
    table = drop_in()
    types: Mapping[str, int] = file.verdict.get("dtypes") or {}
    most = max(types, key=lambda name: types[name]) if types else ""
    metadata = {
        "format": table["formats"].get(file.container, "Other"),
        "size": "full" if file.verdict.get("kind") == "checkpoint" else None,
        "fp": table["precisions"].get(most.lower()),
    }
    program = file.verdict.get("program") or {}
    scan = table["scans"].get(program.get("verdict", "none"), "Pending")
    told = typed({}, "file", {"pickleScanResult": scan, "scannedAt": moment(file.added_at)})
    return _item(file, address, metadata, "Model", told)


def _item(
    file: OfferedFile | HeldFile,
    address: str,
    metadata: Mapping[str, Any],
    kind: str,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    number = file_number(file)
    primary = isinstance(file, OfferedFile) and file.primary
    asked = _asked(file.url) if isinstance(file, OfferedFile) else ""
    own = "" if primary else f"{'&' if asked else ''}fileId={number}"
    query = f"?{asked}{own}" if asked or own else ""
    return {
        "id": number,
        "sizeKB": (file.size or 0) / 1024,
        "name": file.name,
        "type": kind,
        **told,
        "metadata": metadata,
        "hashes": _hashes(file.hashes),
        "downloadUrl": f"{address}{query}",
        "primary": primary,
    }


def _asked(url: str | None) -> str:
    """The parameters of the hub's own address of a file that tell it from its neighbours."""
    path, _, query = (url or "").partition("?")
    return _kept(query) if query and "/api/download/models/" in path else ""


@lru_cache(maxsize=1_000)
def _kept(query: str) -> str:
    pairs = (part.partition("=")[::2] for part in query.partition("#")[0].split("&") if "=" in part)
    known = {name: value for name, value in pairs if name in ("type", "format", "size", "fp")}
    return urlencode(known, safe="%+")


def _hashes(hashes: Mapping[str, str]) -> dict[str, str]:
    """Upper-case hex under the hub's names, in its order."""
    return {name: hashes[kind].upper() for kind, name in _hash_names() if kind in hashes}


@cache
def _hash_names() -> Sequence[tuple[str, str]]:
    rows = read_table("civitai.toml")["hashes"].items()
    names = {row["kind"]: name for name, row in rows if name != "why"}
    return [(kind, names[kind]) for kind in ("autov1", "autov2", "autov3", "sha256", "crc32", "blake3")]


def image_number(image: ShownImage) -> int:
    """The hub's number of a picture, else ours."""
    told = image.meta.get("id")
    return told if type(told) is int and 0 < told < 2**63 else own_number(image.id)


def image_items(version: PublishedVersion, base: str, levels: int) -> list[dict[str, Any]]:
    """The pictures that the creator chose; those beside our file where the hub shows none."""
    theirs = [image for image in version.images if image.url is not None]
    shown: Iterable[ShownImage] = theirs or version.images
    return [_image(image, base) for image in shown if not (image.nsfw_level or 0) & ~levels]


def _image(image: ShownImage, base: str) -> dict[str, Any]:
    """As ``typed`` would tell it, by hand: a page of models has a thousand."""
    told = image.meta
    level, meta = told.get("nsfwLevel"), told.get("meta")
    item = {
        "id": image_number(image),
        "url": image.url or image_url(image, base),
        "nsfwLevel": level if type(level) is int and abs(level) < 2**63 else image.nsfw_level or 0,
        "width": image.width or 0,
        "height": image.height or 0,
        "hash": image_hash(image),
        "type": image.media,
        "meta": meta if type(meta) is dict else None,
    }
    for name, value in told.items():
        if name not in item:
            item[name] = value
    return item


def image_hash(image: ShownImage) -> str | None:
    """Its blurhash: the hub's, else that of its dominant colour alone."""
    return image.blurhash or (flat_blurhash(image.colour) if image.colour else None)


def image_url(image: ShownImage, base: str) -> str:
    """Where a picture can be fetched: at its hub, or our re-encoded one; clients name files by the end."""
    return image.url or f"{base}/api/previews/{image.id}/{image.thumbnail}.webp"
