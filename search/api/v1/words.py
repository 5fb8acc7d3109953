"""Creators, tags and the words that fields may hold."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from indexer.catalog.published_words import creators_page, hub_words, tags_page
from indexer.domain.vocabulary import base_labels, read_table
from search.api.v1.envelope import base_of, numbered
from search.api.v1.parameters import Parameters
from search.service import Pinakes

__all__ = ["creator_page", "enums", "tag_page"]

_MOST, _USUAL, _FURTHEST = 200, 20, 10_000_000
_ENUMS = ("ModelType", "ModelFileType", "ActiveBaseModel", "BaseModel", "BaseModelType")


def creator_page(pinakes: Pinakes, query: Parameters, request: Request) -> dict[str, Any]:
    """Who published something here, by name."""
    limit, page = _page(query)
    told = pinakes.overviews.told_creators()
    with pinakes.catalog.read() as session:
        found = creators_page(session, query.text("query") or "", limit, (page - 1) * limit, told)
    items = [
        {
            "username": name,
            "modelCount": count,
            "link": _link(request, username=name),
            "image": _image(found.detail.get(name, {}).get("image")),
        }
        for name, count in found.words
    ]
    return {"items": items, "metadata": numbered(request, found.total, page, limit)}


def tag_page(pinakes: Pinakes, query: Parameters, request: Request) -> dict[str, Any]:
    """What models are tagged with, by name."""
    limit, page = _page(query)
    with pinakes.catalog.read() as session:
        found = tags_page(session, query.text("query") or "", limit, (page - 1) * limit)
    items = [{"name": name, "link": _link(request, tag=name)} for name, _ in found.words]
    return {"items": items, "metadata": numbered(request, found.total, page, limit)}


def _page(query: Parameters) -> tuple[int, int]:
    limit = query.whole("limit", 1, _MOST)
    return limit or _USUAL, query.whole("page", 1, _FURTHEST) or 1


def _link(request: Request, **asked: str) -> str:
    return f"{base_of(request)}/api/v1/models?{urlencode(asked)}"


def _image(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def enums(pinakes: Pinakes) -> dict[str, list[str]]:
    """Our tables' words, and those that the hub listed when it was last asked."""
    listing = read_table("civitai_listing.toml")
    bases = [label.id for label in base_labels().values() if label.ecosystem]
    ours: dict[str, list[str]] = {
        "ModelType": listing["types"],
        "ModelFileType": listing["enums"]["ModelFileType"],
        "ActiveBaseModel": bases,
        "BaseModel": bases,
        "BaseModelType": listing["enums"]["BaseModelType"],
    }
    with pinakes.catalog.read() as session:
        heard = hub_words(session, [f"enum:{name}" for name in _ENUMS])
    return {name: list(dict.fromkeys([*ours[name], *heard.get(f"enum:{name}", ())])) for name in _ENUMS}
