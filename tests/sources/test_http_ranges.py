"""Parts of files (HR-35 to HR-41), and files as a whole (HR-45)."""

import hashlib
import itertools
import re
from pathlib import Path

import pytest

from indexer.errors import TemporaryError, UsageError
from tests.hub_server import HubServer, Reply, Request, file_reply
from tests.sources.http_support import client, error_of

DATA = bytes(range(256)) * 8
PNG = {"Content-Type": "image/png"}


def _partial(content_range: str | None, body: bytes, **headers: str) -> Reply:
    given = {"ETag": '"1"', **headers} | ({"Content-Range": content_range} if content_range else {})
    return Reply(206, body, given)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 8), (8, 100), (2047, 1), (0, 2048), (2000, 48), (2000, 5000), (0, 10**9)]
)
def test_ranges_are_exact(start: int, length: int) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/m.safetensors", lambda request: file_reply(request, DATA, '"1"'))
        hub.route("/old", lambda request: Reply(200, DATA, {"ETag": '"1"'}))
        for path in ("/m.safetensors", "/old"):
            answer = hubs.get_range(hub.url + path, start, length)
            assert (answer.data, answer.total, answer.etag) == (DATA[start : start + length], 2048, '"1"')
        assert hub.requests[0].headers["accept-encoding"] == "identity"


def test_a_server_that_ignores_ranges_is_cut() -> None:
    with HubServer() as hub, client(hub) as hubs:

        def huge(request: Request) -> Reply:
            return Reply(200, itertools.repeat(bytes(65_536)), length=6_000_000_000)

        hub.route("/m", huge)
        answer = hubs.get_range(hub.url + "/m", 0, 100_000)
        assert (len(answer.data), answer.total) == (100_000, 6_000_000_000)
        assert hub.sent < 1 << 20
        assert len(hubs.get_range(hub.url + "/m", 8, 100_000).data) == 100_000
        error = error_of(hubs.get_range, hub.url + "/m", 5_000_000, 8)
        assert (error.code, "does not support byte ranges" in str(error)) == ("range", True)
        assert hub.sent < 3 << 20


@pytest.mark.parametrize(
    "reply",
    [
        _partial(None, DATA[:8]),
        _partial("bytes 0-7/2048", DATA[:4]),
        _partial("bytes 0-7/2048", DATA[:9]),
        _partial("bytes 8-15/2048", DATA[8:16]),
        _partial("bytes 0-3/2048", DATA[:4]),
        _partial("bytes 0-15/2048", DATA[:16]),
        _partial("bytes 0-7/4", DATA[:8]),
        _partial("bytes 7-0/2048", b""),
        _partial("bytes 0-7/-1", DATA[:8]),
        _partial("items 0-7/2048", DATA[:8]),
        _partial("bytes 0-7/2048", DATA[:8], **{"Content-Encoding": "gzip"}),
        Reply(206, b"--x\r\n", {"Content-Type": "multipart/byteranges; boundary=x"}),
        Reply(206, [DATA[:4], DATA[:9]], {"Content-Range": "bytes 0-7/2048"}),
        Reply(200, DATA, {"Content-Encoding": "gzip"}),
    ],
)
def test_other_bytes_than_asked_are_refused(reply: Reply) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/m", reply)
        error = error_of(hubs.get_range, hub.url + "/m", 0, 8)
        assert (error.code, isinstance(error, TemporaryError)) == ("range", True)


def test_a_size_that_is_not_told_is_not_guessed() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/m", _partial("bytes 0-7/*", DATA[:8]))
        assert hubs.get_range(hub.url + "/m", 0, 8).total is None


def test_a_cut_range_is_asked_for_again() -> None:
    with HubServer() as hub, client(hub) as hubs:
        cut = Reply(206, DATA[:8], {"Content-Range": "bytes 0-7/2048"}, cut_after=3)
        hub.route("/m", [cut, _partial("bytes 0-7/2048", DATA[:8])])
        assert hubs.get_range(hub.url + "/m", 0, 8).data == DATA[:8]


def test_a_file_that_ends_before() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/m", lambda request: file_reply(request, b"tiny"))
        hub.route("/old", Reply(200, b"tiny"))
        assert error_of(hubs.get_range, hub.url + "/m", 8, 8).code == "too_short"
        assert error_of(hubs.get_range, hub.url + "/old", 8, 8).code == "too_short"


@pytest.mark.parametrize("honours", [True, False])
def test_a_file_that_changes_meanwhile(honours: bool) -> None:
    versions = iter(['"1"', '"2"', '"2"'])

    def changing(request: Request) -> Reply:
        if not honours:
            request.headers.pop("if-range", None)
        return file_reply(request, DATA, next(versions))

    with HubServer() as hub, client(hub) as hubs:
        hub.route("/m", changing)
        first = hubs.get_range(hub.url + "/m", 0, 8)
        error = error_of(hubs.get_range, hub.url + "/m", 8, 8, if_match=first.etag)
        assert (error.code, isinstance(error, TemporaryError)) == ("changed", True)
        assert hubs.get_range(hub.url + "/m", 8, 8, if_match='"2"').data == DATA[8:16]


@pytest.mark.parametrize(("start", "length"), [(-1, 8), (0, 0), (5, -1)])
def test_what_is_no_range_is_not_asked(start: int, length: int) -> None:
    with client() as hubs, pytest.raises(UsageError):
        hubs.get_range("http://a.invalid/", start, length)


def test_a_file_is_stored_whole(tmp_path: Path) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route(
            "/p",
            [Reply(200, DATA, PNG, length=3000), file_reply(_plain(), DATA, media_type="Image/PNG; q=1")],
        )
        found = hubs.get_file(hub.url + "/p", tmp_path / "new" / "p.png", limit=5000, types={"image/png"})
    assert found.path.read_bytes() == DATA
    assert (found.size, found.sha256) == (2048, hashlib.sha256(DATA).hexdigest())
    assert found.media_type == "image/png"
    assert [path.name for path in found.path.parent.iterdir()] == ["p.png"]


def _plain() -> Request:
    return Request("GET", "/p", {}, b"", 0.0, 1)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "bad_answer"),
        (Reply(200, b"<svg/>", {"Content-Type": "image/svg+xml"}), "bad_answer"),
        (Reply(200, b"x"), "bad_answer"),
        (Reply(200, bytes(1001), PNG), "body_size"),
        (Reply(200, (bytes(100) for _ in range(11)), PNG), "body_size"),
        (Reply(200, b"x", {"Content-Type": "image/png", "Content-Encoding": "gzip"}), "bad_answer"),
        (Reply(200, b"x" * 9, PNG, cut_after=3), "short_body"),
        (Reply(429, headers={"Retry-After": "1"}), "rate_limited"),
    ],
)
def test_what_is_not_wanted_leaves_nothing_behind(reply: Reply, code: str, tmp_path: Path) -> None:
    before = tmp_path / "p.png"
    before.write_bytes(b"earlier")
    with HubServer() as hub, client(hub) as hubs:
        hub.route(re.compile("/.*"), reply)
        error = error_of(hubs.get_file, hub.url + "/p", before, limit=1000, types=["image/png"])
    assert error.code == code
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("p.png", b"earlier")]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/p", Reply(200, b"x", PNG))
        with pytest.raises(TemporaryError, match="cannot be written") as caught:
            hubs.get_file(hub.url + "/p", tmp_path / "file" / "p.png", limit=9, types=["image/png"])
    assert caught.value.code == "disk"
