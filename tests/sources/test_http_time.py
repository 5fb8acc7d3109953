"""Hosts that are slow on purpose (HR-11, HR-12): every exchange ends."""

import itertools
import time
from collections.abc import Iterator

import pytest

from indexer.sources.http import Limits
from tests.hub_server import HubServer, Reply, json_reply
from tests.sources.http_support import client, error_of

SHORT = Limits(connect=1, idle=0.4, total=1.0, retries=0)


def _for_ever(part: bytes) -> Iterator[bytes]:
    return itertools.repeat(part)


@pytest.mark.parametrize(
    ("reply", "longest"),
    [
        (Reply(delay=60), 0.4),
        (Reply(body=_for_ever(b"x"), pause=0.1), 1.0),
        (Reply(raw=_for_ever(b"x"), pause=0.1), 1.0),
        (Reply(raw=itertools.chain([b"HTTP/1.1 200 OK\r\n"], _for_ever(b"X-A: b\r\n")), pause=0.1), 1.0),
    ],
    ids=["silent", "a byte now and then", "no status line", "headers now and then"],
)
def test_slow_answers_are_cut(reply: Reply, longest: float) -> None:
    # A busy machine holds up either side; one exchange of some must end when it should.
    for _ in range(8):
        with HubServer() as hub, client(hub, limits=SHORT) as hubs:
            hub.route("/models", reply)
            began = time.monotonic()
            error = error_of(hubs.get_json, hub.url + "/models")
            took = time.monotonic() - began
        assert error.code == "timeout"
        if longest * 0.9 < took < longest + 0.5:
            break
    else:
        pytest.fail(f"it took {took:.2f} seconds, not {longest}")


def test_a_server_that_accepts_and_never_greets_is_cut() -> None:
    with HubServer() as hub, client(hub, limits=SHORT) as hubs:
        # TLS to a server that speaks none: it reads our greeting and waits for more.
        assert error_of(hubs.get_json, hub.url.replace("http", "https") + "/").code in ("net", "timeout")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"A: b\r\n" * 1_000 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n\x00evil\r\n\r\n{}",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ],
    ids=["1 MB line", "10,000", "1,000", "negative", "two lengths", "coded", "NUL", "tls", "ssh"],
)
def test_improper_heads_are_refused_at_once(head: bytes) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", Reply(raw=head))
        assert error_of(hubs.get_json, hub.url + "/models").code == "bad_answer"
        assert len(hub.requests) == 1


def test_headers_without_end_are_cut_by_size() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route(
            "/models", Reply(raw=itertools.chain([b"HTTP/1.1 200 OK\r\n"], _for_ever(b"X-A: b\r\n" * 500)))
        )
        assert error_of(hubs.get_json, hub.url + "/models").code == "bad_answer"
        assert hub.sent < 1_000_000


def test_waiting_for_a_turn_is_not_the_hosts_time() -> None:
    limits = Limits(connect=1, idle=1, total=0.3)
    with HubServer() as hub, client(hub, limits=limits) as hubs:
        hub.route("/models", [Reply(429, headers={"Retry-After": "5"}), json_reply([])])
        assert hubs.get_json(hub.url + "/models").value == []
