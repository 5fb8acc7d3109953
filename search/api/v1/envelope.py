"""The frame around pages: counts, and addresses of the next and the previous one."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

__all__ = ["base_of", "link", "numbered"]


def base_of(request: Request) -> str:
    """The address that was asked, as the client spelled it, without a slash at its end."""
    return str(request.base_url).rstrip("/")


def link(request: Request, **changed: str | int | None) -> str:
    """The address that was asked with other parameters; None takes one out. A token stays out."""
    gone = {*changed, "token"}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in gone]
    pairs: Iterable[tuple[str, Any]] = [*kept, *((n, v) for n, v in changed.items() if v is not None)]
    query = urlencode(list(pairs))
    return f"{base_of(request)}{request.url.path}" + (f"?{query}" if query else "")


def numbered(request: Request, total: int, page: int, size: int) -> Mapping[str, Any]:
    """The metadata of a page by number."""
    pages = max(1, -(-total // size))
    metadata: dict[str, Any] = {
        "totalItems": total,
        "currentPage": page,
        "pageSize": size,
        "totalPages": pages,
    }
    if page < pages:
        metadata["nextPage"] = link(request, page=page + 1)
    if page > 1:
        metadata["prevPage"] = link(request, page=page - 1)
    return metadata
