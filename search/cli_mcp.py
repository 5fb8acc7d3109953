"""``pinakes mcp``. Thin; ``search.cli`` mounts it."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli_options import Home
from indexer.console import Console
from indexer.settings import read_settings

__all__ = ["EXAMPLE", "mcp"]

EXAMPLE = "Example: pinakes mcp --home ~/pinakes"
_PORT = 7871


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Over HTTP instead of standard input and output.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Address to bind to, with --http.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(help="Port, with --http; 0 picks a free one.")] = _PORT,
    allow: Annotated[
        list[Path] | None,
        typer.Option(help="A folder whose files agents may inspect too.", show_default=False),
    ] = None,
    home: Home = None,
) -> None:
    """Tools for agents (Model Context Protocol): search, similar, inspect, show, check, plan.

    An agent's program starts it by itself and talks over standard input and output. All tools only read.
    """
    from search.mcp.serve import serve_http, serve_stdio

    settings = read_settings(home)
    if not http:
        serve_stdio(settings, allow or ())
        return
    changes = {"port": port} | ({} if host is None else {"host": host})
    serve_http(settings.model_copy(update=changes), Console().line, allow or ())
