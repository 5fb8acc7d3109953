"""What each tool takes. Descriptions are written for the model that reads them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from search.plan import ACTIONS

__all__ = ["Arguments", "Check", "Inspect", "Plan", "Search", "Show", "Similar"]

_QUERY = (
    "Words and filters, joined by AND, OR, NOT, - and ( ). For instance: watercolour type:lora arch:sdxl, "
    'or tag:portrait -tag:anime rating:>4, or "ink wash" created:<90d. Empty: everything.'
)
_BASE = "Architecture or family that the user works with (sdxl, flux1, pony …); what does not fit falls back"
_MODEL = "A model by its id (as search gives it), name, file name, hash or the address of its page at a hub"

Query = Annotated[str, Field(max_length=10_000, description=_QUERY)]
Base = Annotated[str | None, Field(max_length=100, description=_BASE)]
Limit = Annotated[int, Field(ge=1, le=100, description="At most so many hits")]
Offset = Annotated[int, Field(ge=0, le=1_000_000, description="Skip so many")]
Versions = Annotated[
    bool, Field(description="Each version is a hit of its own, instead of the best of a model")
]
Name = Annotated[str, Field(min_length=1, max_length=500)]
Sort = Literal["relevance", "newest", "updated", "rating", "downloads", "size", "name", "random"]


class Arguments(BaseModel):
    """Of any tool. What it does not know is refused, so that a slip of the pen is noticed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Search(Arguments):
    """Of ``search``."""

    query: Query = ""
    base: Base = None
    sort: Annotated[Sort, Field(description="Order; relevance weighs words, rating, downloads and age")] = (
        "relevance"
    )
    limit: Limit = 10
    offset: Offset = 0
    versions: Versions = False
    facets: Annotated[
        bool, Field(description="Count the matches by type, architecture, tag … too; good before narrowing")
    ] = False


class Similar(Arguments):
    """Of ``similar``: a ``model`` or a ``picture``."""

    model: Annotated[Name | None, Field(description=_MODEL)] = None
    picture: Annotated[
        Name | None,
        Field(description="Path of a picture in an indexed folder, instead of a model"),
    ] = None
    by: Annotated[
        Literal["style", "content", "mix", "weights"],
        Field(
            description="style: how it is drawn; content: what is in it; mix: both; weights: how an adapter "
            "changes the model (of adapters with the same architecture)"
        ),
    ] = "style"
    base: Annotated[str | None, Field(max_length=100, description="Only what is made for this base")] = None
    query: Query = ""
    limit: Limit = 10
    offset: Offset = 0
    min_score: Annotated[
        float | None, Field(ge=0, le=1, description="Call nothing similar below; default: a measured cut-off")
    ] = None
    versions: Versions = False


class Inspect(Arguments):
    """Of ``inspect``."""

    target: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2_000,
            description="Whole path of a model file or picture in an indexed folder, or an https address of "
            "a model file at a hub (only its header is read)",
        ),
    ]


class Show(Arguments):
    """Of ``show``."""

    model: Annotated[Name, Field(description=_MODEL)]


class Check(Arguments):
    """Of ``check``."""

    base: Annotated[Name, Field(description=f"The base: {_MODEL[0].lower()}{_MODEL[1:]}; or an architecture")]
    addons: Annotated[
        list[Name],
        Field(
            max_length=50,
            description="LoRAs, embeddings, ControlNets … used with it, named alike; NAME:0.8 gives a weight",
        ),
    ] = []
    precision: Annotated[
        Literal["fp16", "bf16", "fp8"], Field(description="How weights are loaded, for the size in memory")
    ] = "fp16"
    deep: Annotated[
        bool, Field(description="Read the adapters' weights too and tell who pulls with whom; slower")
    ] = False


class Plan(Arguments):
    """Of ``plan``."""

    to: Annotated[str, Field(min_length=1, max_length=100, description="Base to move to: flux2-klein-9b …")]
    source: Annotated[
        str | None,
        Field(alias="from", max_length=100, description="Only models that work with this base now"),
    ] = None
    query: Query = ""
    action: Annotated[
        str | None,
        Field(
            description="Only items with this action; totals still count all",
            pattern=f"^({'|'.join(ACTIONS)})$",
        ),
    ] = None
    limit: Annotated[int, Field(ge=0, le=500, description="At most so many items; totals count all")] = 50
    offset: Offset = 0
