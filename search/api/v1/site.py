"""Addresses of the hub's own pages lead to ours: clients make links of the base that they were given."""

from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse

from search.api.v1.lookup import model_named, version_named
from search.api.v1.shapes import version_order
from search.service import Pinakes
from search.web.dependencies import Library

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/models/{number}")
@router.get("/models/{number}/{name:path}")
def model_page(pinakes: Library, number: str, modelVersionId: str = "") -> RedirectResponse:
    """The page of a model's newest version, or of the one that is named."""
    found = _version_id(pinakes, number, modelVersionId)
    if found is None:
        raise HTTPException(404, f"No model has the number {number[:50]} here.")
    return RedirectResponse(f"/model/{found}", 303)


@router.get("/user/{name}")
@router.get("/user/{name}/{part:path}")
def creator_models(name: str) -> RedirectResponse:
    """What a creator made."""
    return RedirectResponse(f"/?{urlencode({'creator': name})}", 303)


@router.get("/tag/{name}")
def tagged_models(name: str) -> RedirectResponse:
    """What has a tag."""
    return RedirectResponse(f"/?{urlencode({'tag': name})}", 303)


def _version_id(pinakes: Pinakes, model: str, version: str) -> int | None:
    if version and (release := version_named(pinakes, version)) is not None:
        return release[1].id
    found = model_named(pinakes, model)
    shown = [one for one in version_order(found) if one.entry is not None] if found is not None else []
    return shown[0].id if shown else None
