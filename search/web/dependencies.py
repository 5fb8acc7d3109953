"""What every route is handed: the open library, and what the request asks for."""

from typing import Annotated

from fastapi import Depends, Path, Request

from search.service import Pinakes
from search.web.parameters import Wanted, read_wanted

__all__ = ["Asked", "EntryId", "Library"]


async def _library_of(request: Request) -> Pinakes:
    """The one open library of this server."""
    pinakes: Pinakes = request.app.state.pinakes
    return pinakes


async def _wanted_of(request: Request) -> Wanted:
    return read_wanted(request.query_params.multi_items())


Library = Annotated[Pinakes, Depends(_library_of)]
Asked = Annotated[Wanted, Depends(_wanted_of)]
EntryId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id as search shows it")]
