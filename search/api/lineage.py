"""``GET /api/models/{id}/lineage``: a model's relatives. Answers are those of ``pinakes lineage --json``."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from search.api.answering import Json
from search.lineage import DEPTH, trace_lineage
from search.web.dependencies import EntryId, Library

__all__ = ["router"]

router = APIRouter(prefix="/api")

_Depth = Annotated[int, Query(ge=1, le=DEPTH, description="Generations up and down")]


@router.get("/models/{model_id}/lineage")
def lineage(pinakes: Library, model_id: EntryId, depth: _Depth = 3) -> Response:
    """What a model was trained on or merged from, what was made from it, and who is like it; with sources."""
    if pinakes.entry(model_id) is None:
        raise HTTPException(404, f"No model has the id {model_id}.")
    return Json(trace_lineage(pinakes, model_id, depth=depth).to_json())
