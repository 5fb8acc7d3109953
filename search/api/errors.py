"""How do errors look outside? ``{code, message}`` under ``/api``, a page elsewhere; never a traceback."""

import logging
import uuid
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.errors import CatalogError, PinakesError, TemporaryError
from search.api.answering import Json
from search.query import QueryError
from search.service import Pinakes
from search.web.templating import page

__all__ = ["add_error_handlers"]

_LOG = logging.getLogger("pinakes.api")
_TITLES = {400: "That did not work", 404: "Not found", 503: "Not available now"}
_MISSING = {"unknown_model"}


def add_error_handlers(app: FastAPI) -> None:
    """Let the application answer errors in our shape."""
    app.add_exception_handler(PinakesError, _ours)  # type: ignore[arg-type]  # handlers take their own error
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _unknown)


def _ours(request: Request, error: PinakesError) -> Response:
    temporary = isinstance(error, CatalogError | TemporaryError)
    status = 503 if temporary else 404 if error.code in _MISSING else 400
    if isinstance(error, QueryError):
        return _told(request, status, error.code, error.message, start=error.start, end=error.end)
    return _told(request, status, error.code, _without_home(request, error.detail))


def _without_home(request: Request, detail: str) -> str:
    """Messages name files of ours for the terminal; a browser need not learn where they lie."""
    pinakes: Pinakes = request.app.state.pinakes
    return detail.replace(str(pinakes.settings.home), "its home folder")


def _http(request: Request, error: HTTPException) -> Response:
    code = HTTPStatus(error.status_code).name.lower()
    answer = _told(request, error.status_code, code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _invalid(request: Request, error: RequestValidationError) -> Response:
    """A parameter of the wrong shape; in the path it names something that cannot exist."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    if place[0] == "path":
        return _told(request, 404, "not_found", "There is nothing of this name.")
    return _told(request, 400, "parameter", f"{'.'.join(place[1:]) or 'The body'}: {first['msg']}.")


def _unknown(request: Request, error: Exception) -> Response:
    number = uuid.uuid4().hex[:12]
    _LOG.error("error %s at %s %s", number, request.method, request.url.path)
    return _told(
        request,
        500,
        "internal",
        f"Something went wrong here; the terminal of pinakes serve tells more under {number}.",
        id=number,
    )


def _told(request: Request, status: int, code: str, message: str, **more: Any) -> Response:
    headers = {"Retry-After": "5"} if status == 503 else {}
    if request.url.path.startswith(("/api/", "/fragment/")):
        return Json({"code": code, "message": message, **more}, status, headers)
    answer = page("error.html", status, title=_TITLES.get(status, "Something went wrong"), message=message)
    answer.headers.update(headers)
    return answer
