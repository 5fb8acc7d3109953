"""``pinakes mcp``: the server on standard streams, or over HTTP behind the guard of ``pinakes serve``."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import uvicorn
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

from indexer.errors import UsageError
from indexer.settings import Settings
from search.api.security import Guard, Rules, require_token
from search.api.serve import bind, limits
from search.mcp.server import create_server
from search.mcp.tools import Library
from search.service import Pinakes

__all__ = ["PATH", "http_app", "serve_http", "serve_stdio"]

PATH = "/mcp"


def serve_stdio(settings: Settings, allowed: Sequence[Path] = ()) -> None:
    """Answer on standard input and output until the input ends. Nothing else is written to the output."""
    with Pinakes(settings) as pinakes:
        anyio.run(_stdio, Library(pinakes, allowed))


async def _stdio(library: Library) -> None:
    server = create_server(library)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def http_app(library: Library, settings: Settings) -> ASGIApp:
    """The application at ``PATH``, inside the guard: Host, Origin, token, sizes. Each request stands alone.

    Raises ``UsageError`` (``token``) when it would be open to other machines without a token.
    """
    token = settings.token.get_secret_value() if settings.token else None
    if token is None and require_token(settings.host):
        raise UsageError(
            "token",
            f"Serving at {settings.host} opens the library to other machines. "
            "Set PINAKES_TOKEN, or bind to 127.0.0.1.",
        )
    app = create_server(library).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        # The guard knows the names that this server answers to.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        host=settings.host,
    )
    return Guard(app, Rules(settings.host, token))


def serve_http(settings: Settings, say: Callable[[str], None], allowed: Sequence[Path] = ()) -> None:
    """Answer over HTTP until stopped. Raises ``UsageError`` (``token``, ``port``)."""
    with Pinakes(settings) as pinakes:
        app = http_app(Library(pinakes, allowed), settings)
        bound, address = bind(settings.host, settings.port)
        say(f"Pinakes' tools are at {address}{PATH}  (Ctrl-C stops it)")
        uvicorn.Server(uvicorn.Config(app, **limits())).run(sockets=[bound])
