"""``pinakes serve``: bind first, say where, then answer until stopped."""

import faulthandler
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import uvicorn

from indexer.errors import UsageError
from indexer.settings import Settings
from search.api.app import create_app
from search.api.warming import warmed

__all__ = ["bind", "limits", "serve"]


def serve(
    settings: Settings, say: Callable[[str], None], beside: AbstractContextManager[object] | None = None
) -> None:
    """Serve the page and the API until Ctrl-C or SIGTERM; answers under way get a few seconds to end.

    ``beside`` is entered once the port is ours, and left when the server has ended.

    Raises ``UsageError`` when the port is taken, or when other machines would get in without a token.
    """
    token = settings.token.get_secret_value() if settings.token else None
    app = create_app(settings, token)
    bound, address = bind(settings.host, settings.port)
    say(f"Pinakes is at {address}  (Ctrl-C stops it)")
    faulthandler.enable(sys.__stderr__ or 2)  # a fault in an engine's own code tells where it came from
    warmed(app.state.pinakes)
    with beside or nullcontext():
        uvicorn.Server(uvicorn.Config(app, **limits())).run(sockets=[bound])


def limits() -> dict[str, Any]:
    """Settings of uvicorn. Slow or greedy clients must not hold the server: connections, idle seconds and
    header bytes are limited."""
    return {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "limit_concurrency": 200,
        "timeout_keep_alive": 10,
        "h11_max_incomplete_event_size": 65_536,
        "timeout_graceful_shutdown": 3,
    }


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """A listening socket and its address as a URL; port 0 takes a free one. Raises ``UsageError`` (``port``)
    when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # who comes before the server has started waits for its answer
    except OSError as error:
        listener.close()
        raise UsageError(
            "port",
            f"Port {port} at {host} cannot be used ({error.strerror}). Is Pinakes running already? "
            "Choose another with --port, or --port 0 for any free one.",
        ) from error
    name, taken = listener.getsockname()[:2]
    return listener, f"http://{f'[{name}]' if ':' in name else name}:{taken}"
