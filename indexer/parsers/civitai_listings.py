"""What Civitai lists beside models: images with how they were made, creators, tags, and the words it uses.

Items of its public API v1 (routes ``images``, ``creators``, ``tags``, ``enums``). An item that names nothing
is refused; the fields of the others are read as far as they make sense, and all are kept.
"""

from collections.abc import Mapping
from typing import Any

from indexer.domain.hubs import HubPicture, HubWord, Refused
from indexer.domain.vocabulary import base_label, read_table
from indexer.parsers.civitai import digest, hub_image
from indexer.parsers.sidecar_values import READERS
from indexer.parsers.strict_json import shorten
from indexer.parsers.table_claims import Warnings, bounded, read_value

__all__ = ["SOURCE", "parse_creator", "parse_enums", "parse_picture", "parse_tag"]

SOURCE = "civitai"
_LARGEST_ID = 2**63 - 1
_MOST_VERSIONS = 200
_LONGEST = 1_000


def parse_picture(item: Any) -> HubPicture | Refused:
    """An image and the versions it was made with. Never raises for content."""
    if not isinstance(item, dict):
        return _refused("image", item, "is not an object")
    item = bounded(item, warnings := Warnings())
    image = hub_image(item, warnings)
    if image is None:
        return _refused("image", item, "has no address that a picture can be fetched from")
    number = item.get("id")
    key = str(number) if _is_id(number) else digest(item)
    return HubPicture(SOURCE, f"image:{key}", image, _versions(item))


def _versions(item: Mapping[str, Any]) -> tuple[int, ...]:
    """Numbers of the versions that were used: as the hub lists them, else as the image itself says."""
    listed = item.get("modelVersionIds")
    numbers = [*listed] if isinstance(listed, list) else []
    numbers.append(item.get("modelVersionId"))
    if not any(map(_is_id, numbers)):
        meta = item.get("meta")
        inner = meta.get("meta", meta) if isinstance(meta, dict) else None
        used = inner.get("civitaiResources") if isinstance(inner, dict) else None
        numbers = [one.get("modelVersionId") for one in used or () if isinstance(one, dict)]
    return tuple(dict.fromkeys(filter(_is_id, numbers)))[:_MOST_VERSIONS]


def parse_creator(item: Any) -> HubWord | Refused:
    """A creator with how many models the hub counts of them."""
    return _word("creator", "username", item)


def parse_tag(item: Any) -> HubWord | Refused:
    """A tag with how many models the hub counts under it."""
    return _word("tag", "name", item)


def _word(kind: str, field: str, item: Any) -> HubWord | Refused:
    name = item.get(field) if isinstance(item, dict) else None
    if not isinstance(name, str) or not name.strip():
        return _refused(kind, item, f"has no {field}")
    item = bounded(item, warnings := Warnings())
    count = item.get("modelCount")
    return HubWord(
        source=SOURCE,
        kind=kind,
        name=name.strip()[:_LONGEST],
        models=count if type(count) is int and 0 <= count <= _LARGEST_ID else None,
        link=read_value(item, ("link",), "url", warnings) if item.get("link") else None,
        detail={key: value for key, value in item.items() if key not in (field, "modelCount", "link")},
    )


def parse_enums(value: Mapping[str, Any]) -> list[HubWord]:
    """All words of all lists: ``kind`` is ``enum:ModelType`` …, ``known`` tells whether a table has it."""
    return [
        HubWord(SOURCE, f"enum:{name[:_LONGEST]}", word[:_LONGEST], known=_is_known(name, word))
        for name, words in value.items()
        if isinstance(words, list)
        for word in dict.fromkeys(word for word in words if isinstance(word, str) and word.strip())
    ]


def _is_known(name: str, word: str) -> bool:
    listing = read_table("civitai_listing.toml")
    if name == "ModelType":
        return READERS["kind"](word) is not None or word in listing["types"]
    if name in ("BaseModel", "ActiveBaseModel"):
        return base_label(word) is not None
    return name != "why" and word in listing["enums"].get(name, ())


def _is_id(number: Any) -> bool:
    return type(number) is int and 0 < number <= _LARGEST_ID


def _refused(kind: str, item: Any, fault: str) -> Refused:
    return Refused(SOURCE, f"{kind}:{digest(item)}", kind, f"{kind} {shorten(item)} {fault}", item)
