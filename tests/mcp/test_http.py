"""``pinakes mcp --http``: the same tools, behind the guard of ``pinakes serve``."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from indexer.errors import UsageError
from indexer.settings import Settings
from search.mcp.serve import http_app
from search.mcp.tools import Library
from search.service import Pinakes
from tests.clocks import PATIENCE
from tests.mcp.asking import ran

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@contextmanager
def running(settings: Settings, *options: str, **environment: str) -> Iterator[str]:
    """The address of a server started as a person starts it."""
    command = [sys.executable, "-m", "search", "mcp", "--http", "--port", "0", "--home", str(settings.home)]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environment or None
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+/mcp", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(demo_home: Settings) -> Iterator[str]:
    with running(demo_home) as address:
        yield address


def call(
    address: str, name: str, given: dict[str, Any], mode: str, token: str | None = None
) -> CallToolResult:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def visit() -> CallToolResult:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as http,
            Client(streamable_http_client(address, http_client=http), mode=mode) as client,
        ):
            return await client.call_tool(name, given)

    return ran(visit)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_tool_answers(address: str, mode: str) -> None:
    found = call(address, "search", {"query": "type:lora", "limit": 2}, mode)
    assert len(found.structured_content["hits"]) == 2
    wrong = call(address, "check", {"base": "no such base"}, mode)
    assert wrong.is_error and wrong.structured_content["code"] == "unknown_model"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_forged_requests_are_refused(address: str, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(address, json=PING, headers=ACCEPT | headers, timeout=60, trust_env=False)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


def test_bodies_are_limited(address: str) -> None:
    big = httpx.post(
        address, json=PING | {"pad": "x" * (2 << 20)}, headers=ACCEPT, timeout=60, trust_env=False
    )
    assert big.status_code == 413
    other = httpx.get(address.removesuffix("/mcp") + "/api/stats", timeout=60, trust_env=False)
    assert other.status_code == 404


def test_a_token_is_asked_and_given(demo_home: Settings) -> None:
    with running(demo_home, PINAKES_TOKEN="quill") as address:
        assert httpx.post(address, json=PING, headers=ACCEPT, timeout=60, trust_env=False).status_code == 401
        found = call(address, "search", {"limit": 1}, "auto", token="quill")
        assert found.structured_content["hits"]


def test_other_machines_need_a_token(demo_home: Settings) -> None:
    with Pinakes(demo_home) as pinakes, pytest.raises(UsageError, match="PINAKES_TOKEN"):
        http_app(Library(pinakes), demo_home.model_copy(update={"host": "0.0.0.0"}))
