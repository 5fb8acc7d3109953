"""One agent's visit: a real client over a real transport, and what it was answered."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import anyio
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, Tool

T = TypeVar("T")
Calls = Sequence[tuple[str, dict[str, Any]]]


def over_stdio(
    home: Path, calls: Calls, *options: str, mode: str = "auto"
) -> tuple[list[Tool], list[CallToolResult]]:
    """Start ``pinakes mcp`` as a client does, list its tools, and call some."""
    arguments = ["-m", "search", "mcp", "--home", str(home), *options]
    root = Path(__file__).resolve().parents[2]

    async def visit() -> tuple[list[Tool], list[CallToolResult]]:
        started = stdio_client(StdioServerParameters(command=sys.executable, args=arguments, cwd=root))
        async with Client(started, mode=mode) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, given) for name, given in calls]

    return ran(visit)


def ran(visit: Callable[[], Awaitable[T]]) -> T:
    """Run it in a thread of its own: a browser of another test may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, visit).result()


def told(result: CallToolResult) -> str:
    """The text of an answer."""
    (content,) = result.content
    assert content.type == "text"
    return content.text
