"""Signing in with the server's token, for people; programs send it with each request."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from search.api.security import COOKIE, cookie_value, same_token
from search.web.templating import page

__all__ = ["login_routes"]

_MONTH = 30 * 24 * 3600


def login_routes(token: str) -> APIRouter:
    """The form that asks for ``token``, and what it leads to."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def ask() -> HTMLResponse:
        return page("login.html", wrong=False)

    @router.post("/login")
    def sign_in(request: Request, given: Annotated[str, Form(alias="token", max_length=500)]) -> Response:
        if not same_token(given.strip(), token):
            return page("login.html", 401, wrong=True)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            cookie_value(token),
            max_age=_MONTH,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    return router
