"""Errors in the hub's shape: ``{"error": "…"}``, with ``issues`` where parameters are at fault."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.errors import CatalogError, PinakesError, TemporaryError
from search.api.answering import Json

__all__ = ["HubError", "HubRoute", "missing", "wrong"]


class HubError(Exception):
    """An answer that is none. ``issues`` name the parameters at fault as the hub does."""

    def __init__(self, status: int, message: str, issues: tuple[Mapping[str, Any], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.issues = issues

    def answer(self) -> Response:
        """The error as an answer."""
        more = {"issues": list(self.issues)} if self.issues else {}
        headers = {"Retry-After": "5"} if self.status == 503 else {}
        return Json({"error": self.message, **more}, self.status, headers)


def wrong(name: str, message: str, code: str = "invalid_value") -> HubError:
    """A parameter that cannot be read: 400."""
    issue = {"code": code, "path": [name], "message": message}
    return HubError(400, f"Invalid value of {name}: {message}", (issue,))


def missing(what: str) -> HubError:
    """Nothing of this name: 404. Clients look for the first three words, with which the hub says it."""
    return HubError(404, f"Model not found: no {what}.")


class HubRoute(APIRoute):
    """A route whose errors have the hub's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HubError as error:
                return error.answer()
            except HTTPException as error:
                return HubError(error.status_code, str(error.detail)).answer()
            except RequestValidationError as error:
                return HubError(400, str(error.errors()[0]["msg"])).answer()
            except PinakesError as error:
                return _ours(error).answer()

        return handled


def _ours(error: PinakesError) -> HubError:
    if isinstance(error, CatalogError | TemporaryError):
        return HubError(503, "The library cannot be read now; the terminal of pinakes serve tells more.")
    return HubError(400, error.detail)
