"""Civitai's public REST API v1 (developer.civitai.com, reference of the site's API) over this library."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from search.api.answering import Json
from search.api.v1.asked import NUMBERED, read_asked
from search.api.v1.downloads import download, file_bytes
from search.api.v1.envelope import base_of, link, numbered
from search.api.v1.errors import HubError, HubRoute, missing
from search.api.v1.hashes import Digests, full_hashes, hash_asked
from search.api.v1.images import image_page
from search.api.v1.listing import counted_models, models_page
from search.api.v1.lookup import Release, by_hashes, model_named, numbers, releases, version_named
from search.api.v1.parameters import LARGEST, Parameters
from search.api.v1.shapes import Shown, mini_version, model_item, release_item
from search.api.v1.words import creator_page, enums, tag_page
from search.service import Pinakes
from search.web.dependencies import Library

__all__ = ["router"]

router = APIRouter(route_class=HubRoute, include_in_schema=False)
_V1 = "/api/v1"
_IDS = 10_000
_WHOLE = 100


def _parameters(request: Request) -> Parameters:
    return Parameters(request.query_params.multi_items())


Query = Annotated[Parameters, Depends(_parameters)]


@router.get(f"{_V1}/models")
def models(pinakes: Library, request: Request, query: Query) -> Response:
    """Models, a page at a time."""
    asked = read_asked(query, pinakes.settings)
    page = models_page(pinakes, asked)
    metadata: dict[str, Any] = {}
    if asked.cursor is None:
        total = counted_models(pinakes, asked)
        metadata |= numbered(request, total, asked.page or 1, asked.limit)
        metadata.pop("nextPage", None)
    if page.cursor is not None:
        text = page.cursor.to_text()
        metadata["nextCursor"] = text
        by_number = asked.page is not None and asked.cursor is None
        on = (
            (asked.page or 0) + 1 if by_number and ((asked.page or 0) + 1) * asked.limit <= NUMBERED else None
        )
        metadata["nextPage"] = link(request, page=on) if on else link(request, page=None, cursor=text)
    shown = Shown(base_of(request), primary_only=asked.primary_only, levels=asked.levels)
    return Json({"items": [model_item(model, shown) for model in page.models], "metadata": metadata})


@router.get(f"{_V1}/models/{{number}}")
def model(pinakes: Library, request: Request, number: str) -> Response:
    """One model."""
    found = model_named(pinakes, number)
    if found is None:
        raise missing(f"model with id {number[:50]}")
    return Json(model_item(found, _whole(request)))


@router.get(f"{_V1}/model-versions/mini/{{number}}")
def mini(pinakes: Library, request: Request, query: Query, number: str) -> Response:
    """The short form of a version, of its primary file unless another is named."""
    file = query.whole("modelFileId", 0, LARGEST)
    told = mini_version(*_version(pinakes, number), _whole(request), file)
    if told is None:
        raise missing(f"file {file} of this version")
    return Json(told)


@router.get(f"{_V1}/model-versions/by-hash/{{digits}}")
def by_hash(pinakes: Library, request: Request, digits: str) -> Response:
    """The version that has a file of this hash, of any kind."""
    found = releases(pinakes, by_hashes(pinakes, [hash_asked(digits)]).values())
    if not found:
        raise missing(f"model version with hash {digits[:64]}")
    return Json(release_item(*found[0], _whole(request)))


@router.post(f"{_V1}/model-versions/by-hash")
def by_many_hashes(pinakes: Library, request: Request, digests: Digests) -> Response:
    """The versions that have files of these SHA-256; misses are left out."""
    found = by_hashes(pinakes, full_hashes(digests, _WHOLE))
    return Json([release_item(*both, _whole(request)) for both in releases(pinakes, found.values())])


@router.post(f"{_V1}/model-versions/by-hash/ids")
def ids_by_hash(pinakes: Library, digests: Digests) -> Response:
    """Which of these SHA-256 are known, with the version's number."""
    found = by_hashes(pinakes, full_hashes(digests, _IDS))
    known = numbers(pinakes, found.values())
    return Json([{"modelVersionId": known[id_], "hash": digest.upper()} for digest, id_ in found.items()])


@router.get(f"{_V1}/model-versions/{{number}}")
def version(pinakes: Library, request: Request, number: str) -> Response:
    """One version."""
    return Json(release_item(*_version(pinakes, number), _whole(request)))


@router.get(f"{_V1}/images")
def images(pinakes: Library, request: Request, query: Query) -> Response:
    """Pictures with how they were made."""
    return Json(image_page(pinakes, query, request))


@router.get(f"{_V1}/creators")
def creators(pinakes: Library, request: Request, query: Query) -> Response:
    """Who publishes."""
    return Json(creator_page(pinakes, query, request))


@router.get(f"{_V1}/tags")
def tags(pinakes: Library, request: Request, query: Query) -> Response:
    """What models are tagged with."""
    return Json(tag_page(pinakes, query, request))


@router.get(f"{_V1}/enums")
def words(pinakes: Library) -> Response:
    """The words that fields may hold."""
    return Json(enums(pinakes))


@router.get(f"{_V1}/me")
def me() -> Response:
    """Whose key it is: there are no accounts here, but clients ask before they do anything."""
    told = {"id": 1, "username": "pinakes", "tier": "free", "status": "active"}
    return Json(told | {"isMember": False, "subscriptions": []})


@router.get("/api/download/models/{number}")
@router.get(f"{_V1}/download/models/{{number}}")
def downloaded(pinakes: Library, request: Request, query: Query, number: str) -> Response:
    """A file of a version."""
    return download(pinakes, _version(pinakes, number)[1], query, request)


@router.get("/api/download/files/{number}")
def file_downloaded(pinakes: Library, request: Request, number: str) -> Response:
    """The bytes of a file, to which the route above leads."""
    return file_bytes(pinakes, number, request)


@router.get(f"{_V1}/articles")
@router.get(f"{_V1}/collections")
def none_here() -> Response:
    """Nobody writes or collects here: an empty listing, which clients tell from a fault."""
    return Json({"items": [], "metadata": {}})


@router.get(f"{_V1}/permissions/check")
def permitted(pinakes: Library, query: Query) -> Response:
    """Who may use which versions: everybody all that is known here."""
    asked = query.numbers("entityIds")[:_WHOLE]
    return Json({str(number): version_named(pinakes, str(number)) is not None for number in asked})


@router.api_route("//{rest:path}", methods=["GET", "POST"])
def doubled(request: Request, rest: str) -> Response:
    """A base address that ends with a slash, and a path that begins with one."""
    return _led_to(request, rest)


@router.api_route(f"{_V1}/{{rest:path}}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(request: Request, rest: str) -> Response:
    """What is not served here; slashes too many are taken off, as at the hub."""
    if (rest.endswith("/") or rest.startswith("/") or "//" in rest) and rest.strip("/"):
        return _led_to(request, f"{_V1}/{rest}")
    raise HubError(404, f"There is no route {rest[:100]!r} here.")


def _led_to(request: Request, path: str) -> Response:
    """The same address of ours with one slash where there were several."""
    clean = "/".join(part for part in path.split("/") if part)
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{quote(clean)}{query}", 308)


def _whole(request: Request) -> Shown:
    return Shown(base_of(request), listed=False, levels=63)


def _version(pinakes: Pinakes, number: str) -> Release:
    found = version_named(pinakes, number)
    if found is None:
        raise missing(f"model version with id {number[:50]}")
    return found
