"""The guard: who is answered at all. Sent as raw bytes where a client library would tidy up."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from indexer.errors import UsageError
from indexer.settings import Settings
from search.api import security, wrapping
from search.api.app import create_app
from search.api.security import Rules, require_token
from tests.api.serving import serving

PICTURES = ("/api/similar", "/api/search", "/similar", "/fragment/similar")


def raw(address: str, request: str) -> int:
    """Send a request as written; the status of the answer."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=20) as line:
        line.sendall(request.replace("\n", "\r\n").encode())
        answer = line.recv(200)
    return int(answer.split(b" ")[1])


def with_host(address: str, host: str) -> int:
    return raw(address, f"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_our_own_names_are_answered(address: str, host: str) -> None:
    assert with_host(address, host.format(port=urlsplit(address).port)) == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.test",
            "evil.test:{port}",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "rebind.test:{port}",
        ),
        *("localhost:99999", "localhost:{port}, evil.test", "evil.test#localhost", "evil.test@localhost"),
        *("localhost.:{port}", "0.0.0.0:{port}", "[::ffff:127.0.0.1]:{port}", "127.1:{port}"),
        *("2130706433:{port}", "/etc/passwd", "", "a" * 3000, "192.168.0.7:{port}"),
    ],
)
def test_other_names_are_not(address: str, host: str) -> None:
    assert with_host(address, host.format(port=urlsplit(address).port)) in (400, 421)


def test_one_host_is_needed(address: str) -> None:
    assert raw(address, "GET / HTTP/1.1\nConnection: close\n\n") == 400
    assert raw(address, "GET / HTTP/1.1\nHost: localhost\nHost: evil.test\nConnection: close\n\n") == 400


@pytest.mark.parametrize("path", PICTURES)
@pytest.mark.parametrize(
    "origin",
    [
        *(
            "null",
            "http://evil.test",
            "https://127.0.0.1:{port}",
            "http://localhost:{port}",
            "http://127.0.0.1:1",
        ),
        *("http://127.0.0.1:{port}.evil.test", "http://user@127.0.0.1:{port}", "file://", "data:", ""),
        *("chrome-extension://abc", "http://127.0.0.1:{port}, http://evil.test"),
    ],
)
def test_forged_requests_are_refused_before_any_handler(client: httpx.Client, path: str, origin: str) -> None:
    told = origin.format(port=client.base_url.port)
    answer = client.post(path, files={"image": b"x"}, headers={"origin": told})
    assert answer.status_code == 403
    assert answer.json()["code"] == "origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "rubbish"])
def test_a_browser_that_tells_of_another_site_is_refused(client: httpx.Client, site: str) -> None:
    answer = client.post("/api/similar", files={"image": b"x"}, headers={"sec-fetch-site": site})
    assert answer.status_code == 403


def test_our_own_origin_is_let_in(client: httpx.Client) -> None:
    own = f"http://127.0.0.1:{client.base_url.port}"
    answer = client.post(
        "/api/similar", files={"image": b"x"}, headers={"origin": own, "sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 400  # it is read, and found to be no picture


def test_other_sites_get_no_leave_to_read(client: httpx.Client) -> None:
    asked = {"origin": "http://evil.test", "access-control-request-method": "POST"}
    for answer in (
        client.options("/api/similar", headers=asked),
        client.get("/api/search", headers={"origin": "http://evil.test"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/similar", "text/plain"),
        ("/api/search", "application/x-www-form-urlencoded"),
        ("/similar", "x/y"),
    ],
)
def test_other_kinds_of_bodies_are_refused(client: httpx.Client, path: str, kind: str) -> None:
    assert client.post(path, content=b"image=1", headers={"content-type": kind}).status_code == 415


def test_a_packed_body_is_refused(client: httpx.Client) -> None:
    packed = {"content-encoding": "gzip", "content-type": "application/json"}
    assert client.post("/api/search", content=b"\x1f\x8b", headers=packed).status_code == 415


def chunks(count: int, size: int = 1 << 20) -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
    for _ in range(count):
        yield b"\x00" * size


def test_a_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    form = {"content-type": "multipart/form-data; boundary=b"}
    told = f"Content-Type: multipart/form-data; boundary=b\nContent-Length: {40 << 20}"
    request = f"POST /api/similar HTTP/1.1\nHost: localhost\n{told}\nConnection: close\n\n"
    assert raw(str(client.base_url), request) == 413
    answer = client.post("/api/similar", content=chunks(40), headers=form)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_every_answer_is_dressed(client: httpx.Client) -> None:
    paths = ("/", "/api/search", "/api/nothing", "/nothing", "/static/main.js", "/api/docs", "/api/models/0")
    for path in paths:
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/static/../pages.py", "/static/%2e%2e/pages.py", "/static/..%2fpages.py", "/static//etc/passwd"]
)
def test_only_static_files_are_served(address: str, path: str) -> None:
    assert raw(address, f"GET {path} HTTP/1.1\nHost: localhost\nConnection: close\n\n") == 404


def test_many_ranges_cost_nothing(client: httpx.Client) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(2000))
    answer = client.get("/static/main.js", headers={"range": ranges})
    assert answer.status_code in (200, 206, 400, 416)
    assert len(answer.content) < 100_000


def test_nothing_changes_by_get(demo_home: Settings) -> None:
    unsafe = {
        (path.removeprefix("/api/"), method)
        for path, methods in create_app(demo_home).openapi()["paths"].items()
        for method in methods
        if method != "get"
    }
    # These only ask: a picture, a stack, a wish or many hashes are too large for an address.
    asking = ("search", "similar", "check", "plan", "stack/export")
    by_hash = ("v1/model-versions/by-hash", "v1/model-versions/by-hash/ids")
    own = {("models/{model_id}/marks", "put"), *(("saved", method) for method in ("post", "patch", "delete"))}
    assert unsafe == {(name, "post") for name in (*asking, *by_hash)} | own


@pytest.mark.parametrize(
    ("host", "open_to_others"),
    [
        *(
            ("127.0.0.1", False),
            ("localhost", False),
            ("::1", False),
            ("127.0.0.5", False),
            ("0.0.0.0", True),
        ),
        *(("::", True), ("192.168.1.5", True), ("models.lan", True), ("", True)),
    ],
)
def test_a_token_is_needed_where_others_can_connect(host: str, open_to_others: bool) -> None:
    assert require_token(host) is open_to_others


def test_without_a_token_the_server_does_not_open_to_others(demo_home: Settings) -> None:
    with pytest.raises(UsageError, match="0.0.0.0"):
        create_app(demo_home.model_copy(update={"host": "0.0.0.0"}))


def test_an_open_server_answers_to_addresses_and_its_own_name() -> None:
    rules = Rules("0.0.0.0", "secret")
    assert rules.knows("192.168.1.5")
    assert rules.knows(socket.gethostname())
    assert not rules.knows("evil.test")
    assert not rules.knows("0.0.0.0")
    assert Rules("models.lan", "secret").knows("Models.LAN")


@pytest.fixture(scope="module")
def guarded(demo_home: Settings) -> Iterator[str]:
    with serving(demo_home, token="open sesame") as address:
        yield address


def test_with_a_token_nothing_is_told_without_it(guarded: str) -> None:
    with httpx.Client(base_url=guarded, timeout=60, trust_env=False) as client:
        for path in ("/api/search", "/api/previews/1", "/api/openapi.json", "/api/docs", "/health"):
            assert client.get(path).status_code == 401
        assert client.get("/api/search", params={"token": "open sesame"}).status_code == 401
        for wrong in ("Bearer nothing", "Bearer", "Basic open sesame", "open sesame", "Bearer é"):
            answer = client.get("/api/search", headers=[(b"authorization", wrong.encode())])
            assert answer.status_code == 401
        told = client.get("/api/search", headers={"authorization": "Bearer open sesame"})
        assert told.status_code == 200
        assert told.headers["cache-control"] == "no-store"


def test_people_sign_in_with_a_form(guarded: str) -> None:
    with httpx.Client(base_url=guarded, timeout=60, trust_env=False) as client:
        sent = client.get("/", headers={"accept": "text/html"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/login")
        assert client.get("/login").status_code == 200
        assert client.post("/login", data={"token": "wrong"}).status_code == 401
        answer = client.post("/login", data={"token": "open sesame"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "sesame" not in cookie
        assert client.get("/").status_code == 200
        forged = client.post("/api/similar", files={"image": b"x"}, headers={"origin": "http://evil.test"})
        assert forged.status_code == 403


def test_a_sender_that_drips_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "BODY_SECONDS", 0.2)
    head = "Content-Type: multipart/form-data; boundary=b\nContent-Length: 1000\nConnection: close"
    assert raw(address, f"POST /api/similar HTTP/1.1\nHost: localhost\n{head}\n\n--b") == 408


def test_a_crowd_is_asked_to_come_again(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "MOST", 0)
    answer = client.get("/api/fields")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
