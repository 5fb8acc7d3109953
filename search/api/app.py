"""The server's application: guard, native routes, page and errors around one open library.

uvicorn.run(create_app(read_settings()), host="127.0.0.1", port=7870)
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

import search.web
from indexer.errors import UsageError
from indexer.settings import Settings
from search.api import check, lineage, marks, overview, plan, routes, saved
from search.api.described import completed
from search.api.errors import add_error_handlers
from search.api.login import login_routes
from search.api.remembered import Remembered
from search.api.security import Guard, Rules, require_token
from search.api.v1 import routes as v1
from search.api.v1 import site
from search.service import Pinakes
from search.web import overview_pages, own_routes, pages, plan_routes, stack_routes
from search.web.plan_jobs import PlanJobs
from search.web.templating import page

__all__ = ["create_app", "require_token"]

_ABOUT = "Search generative-image models by words, by visual style, by what really fits."
_STATIC = Path(search.web.__file__).parent / "static"


class _App(FastAPI):
    """FastAPI inside the guard; a middleware would stand within the handler of unknown errors."""

    rules: Rules

    def openapi(self) -> dict[str, Any]:
        """The description of the API, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        pinakes: Pinakes = self.state.pinakes
        inner = super().build_middleware_stack()
        return Guard(
            Remembered(inner, pinakes.state, quick=pinakes.settings.database_url is None), self.rules
        )


THREADS = 8
"""Requests are computed by so many threads at once. They share one interpreter: more of them only make each
other, and the loop that reads and writes for all, wait longer."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield
    app.state.plans.close()
    app.state.pinakes.close()


def create_app(settings: Settings, token: str | None = None) -> FastAPI:
    """The application over the library of ``settings``; with ``token``, only for those who have it.

    Raises ``UsageError`` (``token``) when it would be open to other machines without one.
    """
    if token is None and require_token(settings.host):
        raise UsageError(
            "token",
            f"Serving at {settings.host} opens the library to other machines. "
            "Give a token, or bind to 127.0.0.1.",
        )
    app = _App(
        title="Pinakes",
        description=_ABOUT,
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.rules = Rules(settings.host, token)
    app.state.pinakes = Pinakes(settings)
    app.state.plans = PlanJobs(app.state.pinakes)
    add_error_handlers(app)
    app.include_router(routes.router)
    app.include_router(plan.router)
    app.include_router(check.router)
    app.include_router(lineage.router)
    app.include_router(overview.router)
    app.include_router(marks.router)
    app.include_router(saved.router)
    app.include_router(v1.router)
    app.include_router(site.router)
    app.include_router(_documentation())
    app.include_router(pages.router)
    app.include_router(stack_routes.router)
    app.include_router(plan_routes.router)
    app.include_router(own_routes.router)
    app.include_router(overview_pages.router)
    if token is not None:
        app.include_router(login_routes(token))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return app


def _documentation() -> APIRouter:
    """The API's description as a page of our own: the usual ones load scripts from elsewhere."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/docs")
    def documentation(request: Request) -> HTMLResponse:
        return page("docs.html", api=request.app.openapi())

    return router
