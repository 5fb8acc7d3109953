"""Bodies: broken, too large, compressed, no JSON (HR-06, HR-13 to HR-19)."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from indexer.sources.http import Limits
from tests.hub_server import HubServer, Reply, Request, json_reply
from tests.sources.http_support import client, error_of

JSON = {"Content-Type": "application/json"}
SMALL = Limits(connect=20, idle=20, total=60, body=100_000, retries=0)


def _zeros(size: int) -> Iterator[bytes]:
    """A gzip stream of so many zeros, made as it is read."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(size >> 20):
        yield packer.compress(bytes(1 << 20))
    yield packer.flush()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(body=b"[1, 2]", headers=JSON, length=10), "short_body"),
        (Reply(body=b"[1, 2]", headers=JSON, length=4), "not_json"),
        (Reply(body=[b"[1,", b" 2]"], headers=JSON, cut_after=4), "short_body"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "short_body"),
        (Reply(body=b"<!DOCTYPE html><h1>503</h1>", headers=JSON), "not_json"),
        (Reply(body=b"503", headers={"Content-Type": "text/html; charset=x-rubbish"}), "not_json"),
        (Reply(body=b"", headers=JSON), "not_json"),
        (Reply(body=b'{"items": [', headers=JSON), "not_json"),
        (Reply(body=b'{"rating": NaN}', headers=JSON), "bad_answer"),
        (Reply(body=b"[" * 65 + b"]" * 65, headers=JSON), "bad_answer"),
        (Reply(body=b"[" * 50_000 + b"]" * 50_000, headers=JSON), "bad_answer"),
        (Reply(body=b" " * 100_001), "body_size"),
        (Reply(body=(bytes(10_000) for _ in range(1_000))), "body_size"),
        (Reply(body=b"[]", length=10**18), "body_size"),
        (Reply(body=gzip.compress(b"[]" * 9)[:-9], headers={"Content-Encoding": "gzip"}), "short_body"),
        (Reply(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}), "short_body"),
        (Reply(body=gzip.compress(b"[]") * 2, headers={"Content-Encoding": "gzip"}), "bad_answer"),
        (Reply(body=b"[]", headers={"Content-Encoding": "gzip, " * 6 + "gzip"}), "bad_answer"),
        (Reply(body=b"[]", headers={"Content-Encoding": "br"}), "bad_answer"),
        (Reply(body=b"[]", headers={"Content-Encoding": "zstd"}), "bad_answer"),
        (Reply(206, b"[]"), "bad_answer"),
        (Reply(304), "bad_answer"),
    ],
)
def test_odd_bodies_are_named(reply: Reply, code: str) -> None:
    with HubServer() as hub, client(hub, limits=SMALL) as hubs:
        hub.route("/models", reply)
        assert error_of(hubs.get_json, hub.url + "/models").code == code
        hub.route("/next", json_reply([1]))
        assert hubs.get_json(hub.url + "/next").value == [1]


def test_a_page_under_repair_is_asked_again() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route(
            "/models",
            [Reply(body=b"<html>back soon</html>"), Reply(body=b"[", headers=JSON), json_reply([1])],
        )
        assert hubs.get_json(hub.url + "/models").value == [1]


def test_a_bomb_stops_at_the_budget() -> None:
    with HubServer() as hub, client(hub, limits=SMALL) as hubs:
        hub.route("/models", Reply(body=b"".join(_zeros(64 << 20)), headers={"Content-Encoding": "gzip"}))
        tracemalloc.start()
        error = error_of(hubs.get_json, hub.url + "/models")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert error.code == "body_size"
    assert peak < 4 << 20


def test_the_body_of_a_redirect_is_never_read() -> None:
    with HubServer() as hub, client(hub) as hubs:
        bomb = Reply(
            302, (b"x" * 65_536 for _ in range(10_000)), {"Location": "/models", "Content-Encoding": "gzip"}
        )
        hub.route("/old", bomb)
        hub.route("/models", json_reply([1]))
        assert hubs.get_json(hub.url + "/old").value == [1]
        assert hub.sent < 1 << 20


def test_compressed_pages_are_read() -> None:
    page = b'{"items": [%b]}' % b",".join(b'{"id": %d}' % n for n in range(50_000))
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", Reply(body=[gzip.compress(page)], headers={"Content-Encoding": "x-gzip"}))
        assert len(hubs.get_json(hub.url + "/models").value["items"]) == 50_000
        assert hub.requests[0].headers["accept-encoding"] == "gzip"


def test_conditional_requests() -> None:
    def page(request: Request) -> Reply:
        known = request.headers.get("if-none-match") == 'W/"7"' or "if-modified-since" in request.headers
        headers = {"ETag": 'W/"7"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Link": "<x>; rel=next"}
        return Reply(304, headers=headers) if known else json_reply({"id": 7}, headers=headers)

    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models/7", page)
        first = hubs.get_json(hub.url + "/models/7", {"nsfw": "true", "limit": 3, "tag": ["a b", "ü"]})
        assert first.value == {"id": 7} and first.fresh and first.headers["link"] == "<x>; rel=next"
        assert hub.requests[0].query == {"nsfw": ["true"], "limit": ["3"], "tag": ["a b", "ü"]}
        for etag, since in ((first.etag, None), (None, first.last_modified)):
            again = hubs.get_json(hub.url + "/models/7", etag=etag, last_modified=since)
            assert (again.value, again.status, again.fresh, again.etag) == (None, 304, False, 'W/"7"')
        assert hub.connections == 1


def test_questions_can_be_posted_and_texts_read() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/by-hash", lambda request: json_reply(request.json()))
        hub.route("/README.md", Reply(body=b"caf\xe9 \xc3\xbc", headers={"Content-Type": "text/markdown"}))
        assert hubs.post_json(hub.url + "/by-hash", ["AB", "CD"]).value == ["AB", "CD"]
        assert hubs.get_text(hub.url + "/README.md").value == "caf\ufffd ü"


def test_what_cannot_be_sent_back_is_dropped() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/odd", Reply(body=b"[]", headers={"ETag": '"\xe9"', "Last-Modified": "caf\xe9"}))
        answer = hubs.get_json(hub.url + "/odd")
        assert answer.etag is None
        assert hubs.get_json(hub.url + "/odd", last_modified=answer.last_modified).fresh


def test_cookies_are_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", json_reply([], headers={"Set-Cookie": "session=1; Path=/"}))
        hubs.get_json(hub.url + "/models")
        hubs.get_json(hub.url + "/models")
        assert "cookie" not in hub.requests[1].headers
