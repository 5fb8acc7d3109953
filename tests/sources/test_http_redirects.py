"""Redirects, hop by hop (HR-21, HR-26, HR-27, HR-33, HR-47)."""

import re

import pytest
from pydantic import SecretStr

from indexer.sources.addresses import same_origin
from tests.hub_server import HubServer, Reply, Request, json_reply
from tests.sources.http_support import client, error_of

TOKEN = SecretStr("token-of-the-first-host")


def _to(target: str, status: int = 302) -> Reply:
    return Reply(status, b"see there", {"Location": target})


def _countdown(request: Request) -> Reply:
    assert request.match is not None
    left = int(request.match[1])
    return _to(f"/hop/{left - 1}") if left else json_reply("there")


def test_five_redirects_are_followed_and_six_are_not() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route(re.compile(r"/hop/(\d+)"), _countdown)
        answer = hubs.get_json(hub.url + "/hop/5")
        assert (answer.value, answer.url) == ("there", hub.url + "/hop/5")
        assert hub.connections == 1
        assert error_of(hubs.get_json, hub.url + "/hop/6").code == "redirect"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_all_kinds_of_redirects(status: int) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/old", _to("new?a=1", status))
        hub.route("/new", lambda request: json_reply(request.query))
        assert hubs.get_json(hub.url + "/old").value == {"a": ["1"]}


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/circle", "redirect"),
        ("file:///etc/passwd", "redirect"),
        ("gopher://127.0.0.1/", "redirect"),
        ("javascript:alert(1)", "redirect"),
        ("http://user:word@127.0.0.1/", "redirect"),
        ("http://", "redirect"),
        ("http://[::1/", "redirect"),
        ("http://a:99999999/", "redirect"),
        ("http://a/\x7f", "redirect"),
        ("http://127.0.0.1:9/admin", "refused_address"),
        ("http://localhost:9/admin", "refused_address"),
        ("//[::ffff:169.254.169.254]/latest", "refused_address"),
        ("http://caf\xe9.invalid/", "redirect"),
        ("/new\r\nSet-Cookie: a=b", "not_found"),
        ("", "redirect"),
    ],
)
def test_redirects_that_lead_astray(target: str, code: str) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/circle", _to(target))
        assert error_of(hubs.get_json, hub.url + "/circle").code == code


def test_a_redirect_without_a_target() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", Reply(302))
        assert error_of(hubs.get_json, hub.url + "/models").code == "bad_answer"


def test_a_token_stays_with_its_host() -> None:
    with HubServer() as hub, HubServer() as storage:
        secrets = {hub.url: TOKEN, storage.url: SecretStr("token-of-the-storage")}
        with client(hub, storage, secrets=secrets) as hubs:
            hub.route("/file", _to("/file2"))
            hub.route("/file2", _to(storage.url + "/signed?X-Amz-Signature=s"))
            storage.route("/signed", _to(hub.url + "/back"))
            hub.route("/back", json_reply([]))
            hubs.get_json(hub.url + "/file")
        sent = [request.headers.get("authorization") for request in hub.requests + storage.requests]
        assert sent == [f"Bearer {TOKEN.get_secret_value()}"] * 2 + [None, None]
        assert all("referer" not in request.headers for request in storage.requests)


def test_questions_are_not_redirected_elsewhere() -> None:
    with HubServer() as hub, HubServer() as other, client(hub, other) as hubs:
        hub.route("/a", _to("/b", 308))
        hub.route("/b", lambda request: json_reply(request.json()))
        hub.route("/c", _to("/b", 302))
        hub.route("/d", _to(other.url + "/b", 307))
        assert hubs.post_json(hub.url + "/a", ["AB"]).value == ["AB"]
        assert error_of(hubs.post_json, hub.url + "/c", []).code == "redirect"
        assert error_of(hubs.post_json, hub.url + "/d", []).code == "redirect"
        assert other.requests == []


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://civitai.com/api/v1/models?cursor=2", True),
        ("https://CIVITAI.com:443/x", True),
        ("http://civitai.com/api", False),
        ("https://civitai.com.evil.org/", False),
        ("https://civitai.com@evil.org/", False),
        ("https://evil.org\\@civitai.com/", False),
        ("http://127.0.0.1:8080/admin", False),
        ("/api/v1/models", False),
        ("https://civitai.com:8443/", False),
        ("", False),
    ],
)
def test_a_next_page_stays_with_its_hub(url: str, same: bool) -> None:
    assert same_origin(url, "https://civitai.com/api/v1") is same
