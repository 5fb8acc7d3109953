"""Files and pictures of a version in the hub's shape."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from indexer.catalog.published_records import HeldFile, OfferedFile, PublishedVersion, ShownImage
from indexer.domain.vocabulary import read_table
from search.api.v1.naming import drop_in, own_number, version_number
from search.api.v1.typed import typed

__all__ = ["file_items", "file_number", "image_items", "image_number", "image_url"]

_APART = ("id", "name", "type", "sizeKB", "metadata", "hashes", "primary", "downloadUrl", "verdict")
_IMAGE_APART = ("id", "url", "hash", "width", "height", "type")


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
    items = [_offered(file, version, base) for file in version.offered]
    items += [_held(file, version, base) for file in loose]
    if items and not chosen:
        items[0]["primary"] = True
        items[0]["downloadUrl"] = _address(version, base, {})
    return [item for item in items if item["primary"]] if primary_only else items


def _offered(file: OfferedFile, version: PublishedVersion, base: str) -> dict[str, Any]:
    told = file.detail.get("metadata")
    metadata = {"format": file.format, "size": None, "fp": file.precision}
    metadata |= told if isinstance(told, dict) else {}
    return _item(
        file, version, base, metadata, file.type or "Model", typed(file.detail, "file", {}, apart=_APART)
    )


def _held(file: HeldFile, version: PublishedVersion, base: str) -> dict[str, Any]:
    table = drop_in()
    types: Mapping[str, int] = file.verdict.get("dtypes") or {}
    most = max(types, key=lambda name: types[name]) if types else ""
    metadata = {
        "format": table["formats"].get(file.container, "Other"),
        "size": "full" if file.verdict.get("kind") == "checkpoint" else None,
        "fp": table["precisions"].get(most.lower()),
    }
    return _item(file, version, base, metadata, "Model", typed({}, "file", {}))


def _item(
    file: OfferedFile | HeldFile,
    version: PublishedVersion,
    base: str,
    metadata: Mapping[str, Any],
    kind: str,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    number = file_number(file)
    primary = isinstance(file, OfferedFile) and file.primary
    asked = _asked(file) | ({} if primary else {"fileId": str(number)})
    return {
        "id": number,
        "sizeKB": (file.size or 0) / 1024,
        "name": file.name,
        "type": kind,
        **told,
        "metadata": metadata,
        "hashes": _hashes(file.hashes),
        "downloadUrl": _address(version, base, asked),
        "primary": primary,
    }


def _asked(file: OfferedFile | HeldFile) -> dict[str, str]:
    """The parameters of the hub's own address of a file."""
    url = file.url if isinstance(file, OfferedFile) else None
    parts = urlsplit(url or "")
    if not parts.path.startswith("/api/download/models/"):
        return {}
    pairs = (part.partition("=")[::2] for part in parts.query.split("&") if "=" in part)
    return {name: value for name, value in pairs if name in ("type", "format", "size", "fp")}


def _address(version: PublishedVersion, base: str, asked: Mapping[str, str]) -> str:
    query = urlencode(asked, safe="%+")
    return f"{base}/api/download/models/{version_number(version)}" + (f"?{query}" if query else "")


def _hashes(hashes: Mapping[str, str]) -> dict[str, str]:
    """Upper-case hex under the hub's names, in its order."""
    names = {row["kind"]: name for name, row in read_table("civitai.toml")["hashes"].items() if name != "why"}
    order = ("autov1", "autov2", "autov3", "sha256", "crc32", "blake3")
    return {names[kind]: hashes[kind].upper() for kind in order if kind in hashes}


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
    told = typed(image.meta, "image", {"nsfwLevel": image.nsfw_level or 0}, apart=_IMAGE_APART)
    return {
        "id": image_number(image),
        "url": image_url(image, base),
        **{name: told.pop(name) for name in ("nsfwLevel",)},
        "width": image.width or 0,
        "height": image.height or 0,
        "hash": image.blurhash,
        "type": image.media,
        **told,
    }


def image_url(image: ShownImage, base: str) -> str:
    """Where a picture can be fetched: at its hub, or our re-encoded one."""
    return image.url or f"{base}/api/previews/{image.id}?v={image.thumbnail}"
