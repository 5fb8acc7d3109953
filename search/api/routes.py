"""The native routes under ``/api``. Answers are those of the command's ``--json``."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from indexer.errors import UsageError
from search.api.answering import Json
from search.api.asked import (
    FILTERS,
    UPLOAD,
    Base,
    By,
    Limit,
    MinScore,
    Offset,
    Q,
    Seed,
    Sent,
    Sort,
    Typing,
    Versions,
)
from search.picture import made_with
from search.service import Pinakes
from search.web.dependencies import Asked, EntryId, Library
from search.web.parameters import PARAMETERS

__all__ = ["router"]

_IMMUTABLE = "private, max-age=31536000, immutable"
_FRESH = "private, max-age=60, stale-while-revalidate=86400"

router = APIRouter(prefix="/api")


@router.get("/search", openapi_extra=FILTERS)
def search(
    pinakes: Library,
    wanted: Asked,
    q: Q = "",
    base: Base = None,
    sort: Sort = "relevance",
    limit: Limit = 24,
    offset: Offset = 0,
    seed: Seed = 0,
    typing: Typing = False,
    versions: Versions = False,
) -> Response:
    """Find models by words and filters."""
    with wanted.asking():
        answer = pinakes.search(
            wanted.query(),
            base=base,
            sort=sort,
            limit=limit,
            offset=offset,
            seed=seed,
            typing=typing,
            versions=versions,
            facets=not typing,
        )
    return Json(answer.to_json())


@router.get("/similar", openapi_extra=FILTERS)
def similar(
    pinakes: Library,
    wanted: Asked,
    model: Annotated[str, Query(description="Id or name of a model", min_length=1, max_length=500)],
    q: Q = "",
    by: By = "style",
    base: Base = None,
    limit: Limit = 24,
    offset: Offset = 0,
    min_score: MinScore = None,
    versions: Versions = False,
) -> Response:
    """Find models whose previews look like those of a model."""
    with wanted.asking():
        answer = pinakes.similar(
            model,
            by=by,
            base=base,
            query=wanted.query(),
            limit=limit,
            offset=offset,
            min_score=min_score,
            versions=versions,
        )
    return Json(answer.to_json())


@router.post("/search", openapi_extra=UPLOAD)
def search_by_picture(pinakes: Library, posted: Sent) -> Response:
    """Find models by words and filters, those whose previews show what the picture shows first."""
    asked, wanted = posted.asked, posted.wanted
    with wanted.asking():
        answer = pinakes.search(
            wanted.query(),
            image=posted.image,
            base=asked.base,
            sort=asked.sort,
            limit=asked.limit,
            offset=asked.offset,
        )
    return Json(answer.to_json() | _made_with(pinakes, posted.image))


@router.post("/similar", openapi_extra=UPLOAD)
def similar_to_picture(pinakes: Library, posted: Sent) -> Response:
    """Find models whose previews look like the picture, or like those of ``model``."""
    asked, wanted = posted.asked, posted.wanted
    what = posted.image or asked.model
    if what is None:
        raise UsageError("image", "Send a picture as the multipart field image, or name a model.")
    with wanted.asking():
        answer = pinakes.similar(
            what,
            by=asked.by,
            base=asked.base,
            query=wanted.query(),
            limit=asked.limit,
            offset=asked.offset,
            min_score=asked.min_score,
        )
    return Json(answer.to_json() | _made_with(pinakes, posted.image))


def _made_with(pinakes: Pinakes, image: bytes | None) -> dict[str, Any]:
    """What the picture says of how it was made, under ``made_with``; null where it says nothing."""
    if image is None:
        return {}
    made = made_with(pinakes, image)
    return {"made_with": None if made is None else made.to_json()}


@router.get("/mislabelled", openapi_extra=FILTERS)
def mislabelled(
    pinakes: Library, wanted: Asked, q: Q = "", limit: Limit = 24, offset: Offset = 0
) -> Response:
    """Models whose claims the tensors contradict: what is said, by whom, and what was found."""
    with wanted.asking():
        report = pinakes.mislabelled(wanted.query(), limit=limit, offset=offset)
    return Json(report.to_json())


@router.get("/duplicates")
def duplicates(pinakes: Library, limit: Limit = 24, offset: Offset = 0) -> Response:
    """What lies several times, most bytes first: copies, the same tensors, LoRAs with the same weights."""
    return Json(pinakes.duplicates(limit=limit, offset=offset).to_json())


@router.get("/map", openapi_extra=FILTERS)
def style_map(pinakes: Library, wanted: Asked, q: Q = "") -> Response:
    """Styles laid out in the plane (x and y 0..1), with neighbourhoods named by their common words."""
    with wanted.asking():
        drawn = pinakes.map(wanted.query())
    return Json(drawn.to_json())


@router.get("/models/{model_id}")
def model(pinakes: Library, model_id: EntryId) -> Response:
    """Everything known of one model: files with verdicts and evidence, claims by source, previews."""
    details = pinakes.show(model_id)
    if details is None:
        raise HTTPException(404, f"No model has the id {model_id}.")
    return Json(details.to_json())


@router.get("/models/{model_id}/history")
def history(pinakes: Library, model_id: EntryId) -> Response:
    """What became of a model, newest first: when it came, what its sources said anew, what you decided."""
    if pinakes.entry(model_id) is None:
        raise HTTPException(404, f"No model has the id {model_id}.")
    return Json(pinakes.history(model_id))


@router.get("/previews/{preview_id}/{name}.webp", include_in_schema=False)
@router.get("/previews/{preview_id}", response_class=Response)
def preview(pinakes: Library, preview_id: EntryId, request: Request) -> Response:
    """A preview as WebP, re-encoded here. Its name is its content, so ``If-None-Match`` is exact."""
    path = pinakes.thumbnail(preview_id)
    if path is None:
        raise HTTPException(404, f"No preview has the id {preview_id}.")
    mark = f'"{path.stem}"'
    headers = {"ETag": mark, "Cache-Control": _cache(request, path.stem)}
    if mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        content = path.read_bytes()
    except OSError:
        raise HTTPException(404, "This preview's file is gone. Run pinakes index again.") from None
    return Response(content, media_type="image/webp", headers=headers)


def _cache(request: Request, name: str) -> str:
    """For ever under an address with its content's name; else fresh for a minute."""
    named = request.query_params.get("v") or request.path_params.get("name")
    return _IMMUTABLE if named == name else _FRESH


@router.get("/stats")
def stats(pinakes: Library) -> Response:
    """Counts over the library."""
    return Json(pinakes.stats())


@router.get("/schedules")
def schedules(pinakes: Library) -> Response:
    """Jobs on a schedule: their last result, the next time."""
    return Json(pinakes.schedules())


@router.get("/fields")
def fields() -> Response:
    """The fields of the query language; each is a parameter of search and similar too."""
    return Json(
        [
            {
                "name": field.name,
                "parameter": name,
                "type": field.type.value,
                "title": field.title,
                "help": field.help,
                "example": field.example,
                "facet": field.facet,
            }
            for name, field in PARAMETERS.items()
        ]
    )
