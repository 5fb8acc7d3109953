"""``/api/models/{id}/marks``: the user's own favourite, ratings, notes, tags and what was seen."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from indexer.domain.marks import LONGEST, Change
from indexer.personal import wanted_change
from search.api.answering import Json
from search.marks import with_tags
from search.service import Pinakes
from search.web.dependencies import EntryId, Library

__all__ = ["router"]

router = APIRouter(prefix="/api")

_MOST_TAGS = 200

_Tag = Annotated[str, Field(min_length=1, max_length=LONGEST["tag"])]


class MarksAsked(BaseModel):
    """What is to be noted; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    favourite: bool | None = Field(None, description="Is it one of your favourites?")
    seen: bool | None = Field(None, description="Have you looked at it?")
    purpose: str = Field("", max_length=LONGEST["purpose"], description="What rating and note are about")
    rating: float | None = Field(None, ge=0, le=5, description="Stars in halves; null takes them away")
    note: str | None = Field(None, max_length=LONGEST["note"], description='A note; "" takes it away')
    tags: list[_Tag] | None = Field(None, max_length=_MOST_TAGS, description="All tags of your own, in order")

    def change(self) -> Change:
        """The change but for tags. Raises ``UsageError`` (``mark``)."""
        return wanted_change(
            favourite=self.favourite,
            seen=self.seen,
            purpose=self.purpose,
            rating=self.rating,
            unrate="rating" in self.model_fields_set and self.rating is None,
            note=self.note,
        )


@router.get("/models/{model_id}/marks")
def marks(pinakes: Library, model_id: EntryId) -> Response:
    """What you noted of a model: ``{favourite, seen, opinions: [{purpose, rating, note}], tags, at}``."""
    _known(pinakes, model_id)
    return Json(pinakes.marks.of(model_id))


@router.put("/models/{model_id}/marks")
def mark(pinakes: Library, model_id: EntryId, asked: MarksAsked) -> Response:
    """Note something of a model; search sees it at once. Answers all marks on it, and ``published``: false
    while another program writes the catalog, and search has to wait for that."""
    _known(pinakes, model_id)
    changes = [asked.change()]
    if asked.tags is not None:
        changes.append(with_tags(pinakes.marks.of(model_id), asked.tags))
    told = pinakes.marks.change([model_id], *changes)
    answer: dict[str, Any] = pinakes.marks.of(model_id)
    return Json(answer | {"published": told.published})


def _known(pinakes: Pinakes, model_id: int) -> None:
    if pinakes.entry(model_id) is None:
        raise HTTPException(404, f"No model has the id {model_id}.")
