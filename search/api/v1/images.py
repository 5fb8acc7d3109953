"""The images route: pictures that models show, with how they were made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fastapi import Request

from indexer.catalog.published_find import version_keys
from indexer.catalog.published_images import ImageSpan, images_page
from indexer.catalog.published_parts import stored_entries
from indexer.catalog.published_records import ShownImage
from indexer.domain.filters import keyword
from indexer.domain.vocabulary import base_label, read_table
from search.api.v1.asked import end_of_pages
from search.api.v1.cursor import AFTER, Cursor, read_cursor
from search.api.v1.envelope import base_of, link
from search.api.v1.file_shapes import image_hash, image_number, image_url
from search.api.v1.lookup import model_named, version_named
from search.api.v1.naming import base_model, drop_in, moment, number_of, own_number
from search.api.v1.parameters import LARGEST, Parameters
from search.query import parse_query
from search.safe import kept_back
from search.service import Pinakes

__all__ = ["image_page"]

_MOST, _USUAL = 200, 50
_LOOKED_AT = 20_000
"""So many pictures are looked at for one page; a page that is not full by then still has a cursor."""

_STATS = ("cryCount", "laughCount", "likeCount", "dislikeCount", "heartCount", "commentCount")


@dataclass(frozen=True, slots=True)
class _Of:
    """The version that shows a picture."""

    number: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Question:
    limit: int
    sort: str
    levels: int
    hidden: frozenset[str]
    checks: Sequence[Callable[[dict[str, Any]], bool]] = field(default=())

    def shows(self, image: ShownImage, of: _Of) -> bool:
        """Whether a picture may be shown at all."""
        if self.hidden & set(of.facts["hidden"]):
            return False
        return not (image.nsfw_level or 0) & ~self.levels


def image_page(pinakes: Pinakes, query: Parameters, request: Request) -> dict[str, Any]:
    """A page of pictures. Raises ``HubError``: 400 for what cannot be read, 429 as the models route."""
    question = _question(query, pinakes)
    span = _span(pinakes, query, question.sort)
    page = query.whole("page", 1, LARGEST)
    end_of_pages(page, question.limit)
    text = query.text("cursor")
    if text is not None:
        at = read_cursor(text, f"images {question.sort}")
        span, page = replace(span, after=(at.skip, at.id)), None
    skip = ((page or 1) - 1) * question.limit
    metadata: dict[str, Any] = {} if page is None else {"currentPage": page, "pageSize": question.limit}
    if span.versions == [] or question.limit == 0:
        return {"items": [], "metadata": metadata}
    items, last = _collect(pinakes, span, question, skip, base_of(request))
    if last is not None:
        cursor = Cursor(AFTER, f"images {question.sort}", 0, 0.0, last[1], last[0]).to_text()
        metadata |= {"nextCursor": cursor, "nextPage": link(request, page=None, cursor=cursor)}
    return {"items": items, "metadata": metadata}


def _collect(
    pinakes: Pinakes, span: ImageSpan, question: _Question, skip: int, base: str
) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Items, and position and id of the last picture to go on behind; None at the end of all, for which one
    more is looked for than is told."""
    items: dict[int, dict[str, Any]] = {}
    last: tuple[int, int] | None = None
    looked = 0
    size = min(1_000, 2 * question.limit + skip)
    while looked < _LOOKED_AT:
        with pinakes.catalog.read() as session:
            rows = images_page(session, span, size)
            ids = {image.version_id for _, image in rows if image is not None}
            keys, known = version_keys(session, ids), stored_entries(session, ids)
        homes = {id_: _Of(number_of(keys[id_], id_), one.facts) for id_, one in known.items()}
        for place, image in rows:
            span = replace(span, after=place)
            of = homes.get(image.version_id) if image is not None else None
            if image is None or of is None or not question.shows(image, of):
                continue
            item = _item(image, of, base)
            if item["id"] in items or not all(check(item) for check in question.checks):
                continue
            if skip > 0:
                skip -= 1
                continue
            if len(items) == question.limit:
                return list(items.values()), last
            items[item["id"]] = item
            last = place
        looked += len(rows)
        if len(rows) < size:
            return list(items.values()), None
    return list(items.values()), last if len(items) == question.limit else span.after


def _question(query: Parameters, pinakes: Pinakes) -> _Question:
    listing, table = read_table("civitai_listing.toml"), drop_in()
    limit = query.whole("limit", 0, _MOST)
    word = query.choice("nsfw", table["browsing"])
    mask = query.whole("browsingLevel", 0, 63)
    safe = table["browsing"]["false"]
    levels = mask if mask is not None else safe if word is None else table["browsing"][word]
    if mask is None and word is None and pinakes.settings.show_adult:
        levels = table["browsing"]["X"]
    query.choice("period", listing["period"])
    asks_all = levels & ~safe
    hidden = () if asks_all else kept_back(pinakes.settings, parse_query(""))
    return _Question(
        limit=_USUAL if limit is None else limit,
        sort=query.choice("sort", listing["image_sort"]) or "Most Reactions",
        levels=levels,
        hidden=frozenset(hidden),
        checks=_checks(query),
    )


def _checks(query: Parameters) -> Sequence[Callable[[dict[str, Any]], bool]]:
    checks: list[Callable[[dict[str, Any]], bool]] = []
    for name, key in (("imageId", "id"), ("postId", "postId")):
        if (number := query.whole(name, 0, LARGEST)) is not None:
            checks.append(partial(_has, key, number))
    if (user := query.text("username")) is not None:
        checks.append(lambda item: keyword(str(item["username"] or "")) == keyword(user))
    if bases := query.many("baseModels"):
        names = {row.id if (row := base_label(label)) else label for label in bases}
        checks.append(lambda item: item["baseModel"] in names)
    if query.flag("requiringMeta"):
        checks.append(lambda item: bool(item["meta"]))
    if wanted := frozenset(query.numbers("ids")):
        checks.append(lambda item: item["id"] in wanted)
    query.flag("withMeta")  # what is known is told anyway, as older clients expect
    query.whole("userId", 0, LARGEST)
    query.numbers("tags")
    return checks


def _has(key: str, wanted: int, item: dict[str, Any]) -> bool:
    return bool(item.get(key) == wanted)


def _span(pinakes: Pinakes, query: Parameters, sort: str) -> ImageSpan:
    media = query.choice("type", read_table("civitai_listing.toml")["image_type"])
    model, version = query.whole("modelId", 0, LARGEST), query.whole("modelVersionId", 0, LARGEST)
    versions: list[int] | None = None
    if version is not None:
        release = version_named(pinakes, str(version))
        versions = [release[1].id] if release else []
    elif model is not None:
        found = model_named(pinakes, str(model))
        versions = [one.id for one in found.versions] if found else []
    newest = {"Newest": True, "Oldest": False}.get(sort, None if versions else True)
    return ImageSpan(versions=versions, media=media, newest=newest)


def _item(image: ShownImage, of: _Of, base: str) -> dict[str, Any]:
    told = {name: value for name, value in image.meta.items() if name not in ("meta", "stats")}
    level = image.nsfw_level or 0
    stats = image.meta.get("stats")
    meta = image.meta.get("meta")
    user = told.get("username")
    return told | {
        "id": image_number(image),
        "url": image_url(image, base),
        "hash": image_hash(image),
        "width": image.width or 0,
        "height": image.height or 0,
        "type": image.media,
        "nsfw": bool(level & ~3),
        "nsfwLevel": _word(level),
        "browsingLevel": level,
        "createdAt": _text(told.get("createdAt")) or moment(of.facts["created"]),
        "postId": told["postId"] if type(told.get("postId")) is int else own_number(image.version_id),
        "username": _text(user) or of.facts["creator"],
        "baseModel": _text(told.get("baseModel")) or base_model(of.facts),
        "modelVersionIds": _versions(told.get("modelVersionIds"), of.number),
        "stats": _stats(stats if isinstance(stats, dict) else {}),
        "meta": meta if isinstance(meta, dict) else None,
    }


def _stats(told: Mapping[str, Any]) -> dict[str, Any]:
    return {**told, **{name: told[name] if type(told.get(name)) is int else 0 for name in _STATS}}


def _word(level: int) -> str:
    """The legacy word of a level: its highest bit decides."""
    rows: Mapping[str, int] = {name: bits for name, bits in drop_in()["levels"].items() if name != "why"}
    found = "None"
    for name, least in rows.items():
        if level >= least:
            found = name
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _versions(told: Any, number: int) -> list[int]:
    known = [one for one in told if type(one) is int] if isinstance(told, list) else []
    return known or [number]
