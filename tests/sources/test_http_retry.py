"""Waits, retries and circuits (HR-01 to HR-10, HR-48, HR-50)."""

from email.utils import formatdate

import pytest

from indexer.errors import BadFileError, TemporaryError
from indexer.sources.http import Limits
from tests.hub_server import HubServer, Reply, json_reply
from tests.sources.http_support import Clock, client, error_of

OK = json_reply({"ok": True})


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "1000000000"}, 3600.0),
        ({"Retry-After": "9" * 5000}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": formatdate(1e9 + 30, usegmt=True), "Date": formatdate(1e9, usegmt=True)}, 30.0),
        ({"Retry-After": formatdate(1e9, usegmt=True), "Date": formatdate(1e9 + 30, usegmt=True)}, 1.0),
        ({"Retry-After": formatdate(4e9, usegmt=True)}, 3600.0),
        ({"Retry-After": "Mon, 99 Foo 99999 99:99:99 GMT"}, 1.0),
        ({"RateLimit": '"resolvers";r=0;t=87'}, 87.0),
        ({"RateLimit": '"api";r=12;t=5, "resolvers";r=0;t=87'}, 87.0),
        ({"RateLimit": '"api";r=0;t=-4'}, 1.0),
        ({"RateLimit": '"api";r=0;t=87', "Retry-After": "100"}, 100.0),
        ({}, 1.0),
    ],
)
def test_a_host_that_asks_for_time_gets_it(headers: dict[str, str], wait: float) -> None:
    clock = Clock()
    with HubServer() as hub, client(hub, clock=clock) as hubs:
        hub.route("/models", [Reply(429, headers=headers), OK])
        assert hubs.get_json(hub.url + "/models").value == {"ok": True}
    assert clock.waits == [wait]


def test_backoff_doubles_with_full_jitter_and_is_capped() -> None:
    clock = Clock()
    with HubServer() as hub, client(hub, clock=clock, limits=Limits(backoff_cap=10)) as hubs:
        hub.route("/models", Reply(503))
        error = error_of(hubs.get_json, hub.url + "/models")
    assert clock.waits == [1, 2, 4, 8, 10, 10]
    assert (error.code, error.status) == ("server", 503)
    assert isinstance(error, TemporaryError)


def test_rate_limited_for_ever_ends_and_other_hosts_go_on() -> None:
    notes: list[str] = []
    with HubServer() as busy, HubServer() as calm, client(busy, calm, note=notes.append) as hubs:
        busy.route("/models", Reply(429, headers={"Retry-After": "60"}))
        calm.route("/models", OK)
        error = error_of(hubs.get_json, busy.url + "/models")
        assert hubs.get_json(calm.url + "/models").value == {"ok": True}
        assert len(busy.requests) == 7
    assert (error.code, error.wait) == ("rate_limited", 60.0)
    assert notes[0] == f"{busy.netloc}: rate_limited, status 429; waiting 60 s, then try 2 of 7"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 524])
def test_trouble_of_the_server_is_tried_again(status: int) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", [Reply(status), Reply(status), OK])
        assert hubs.get_json(hub.url + "/models").status == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "auth"), (403, "auth"), (404, "not_found"), (410, "gone"), (451, "gone"), (400, "bad_answer")],
)
def test_a_clear_no_is_asked_once(status: int, code: str) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models/7", Reply(status, b"<html>no</html>"))
        error = error_of(hubs.get_json, hub.url + "/models/7")
        assert len(hub.requests) == 1
    assert (error.code, error.status) == (code, status)
    assert isinstance(error, BadFileError)
    assert f"{hub.url}/models/7" in str(error)


def test_a_hub_that_finds_nothing_any_more_is_not_believed() -> None:
    clock = Clock()
    with HubServer() as hub, client(hub, clock=clock) as hubs:
        codes = [error_of(hubs.get_json, f"{hub.url}/models/{n}").code for n in range(6)]
        assert codes == ["not_found"] * 4 + ["circuit_open"] * 2
        assert len(hub.requests) == hubs.misses(hub.url) == 5
        hub.route("/models/9", OK)
        clock.now += 61
        assert hubs.get_json(hub.url + "/models/9").status == 200
        assert hubs.misses(hub.url) == 0


def test_unknown_hashes_are_no_outage() -> None:
    with HubServer() as hub, client(hub) as hubs:
        codes = {error_of(hubs.get_json, f"{hub.url}/by-hash/{n}", may_be_absent=True).code for n in range(9)}
        assert (codes, len(hub.requests), hub.connections) == ({"not_found"}, 9, 1)


def test_a_host_that_only_fails_is_left_alone() -> None:
    clock, limits = Clock(), Limits(retries=0)
    with HubServer() as hub, client(hub, clock=clock, limits=limits) as hubs:
        hub.route("/models", Reply(500))
        codes = [error_of(hubs.get_json, hub.url + "/models").code for _ in range(7)]
        assert codes == ["server"] * 5 + ["circuit_open"] * 2
        clock.now += 61
        assert error_of(hubs.get_json, hub.url + "/models").code == "server"
        clock.now += 61
        assert error_of(hubs.get_json, hub.url + "/models").code == "circuit_open"
        clock.now += 61
        hub.route("/models", OK)
        assert hubs.get_json(hub.url + "/models").status == 200
        hub.route("/models", Reply(500))
        assert error_of(hubs.get_json, hub.url + "/models").code == "server"


def test_no_network_is_one_clear_line() -> None:
    with HubServer() as hub:
        pass
    with client(hub, limits=Limits(retries=1)) as hubs:
        refused = error_of(hubs.get_json, hub.url + "/models")
        unknown = error_of(hubs.get_json, "http://no-such-host.invalid/models")
    assert refused.code == unknown.code == "net"
    assert "no-such-host.invalid/models: the name cannot be resolved" in str(unknown)
    assert "\n" not in str(refused) + str(unknown)


def test_a_connection_that_breaks_is_tried_again() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/models", [Reply(raw=b""), Reply(raw=b"HTTP/1.1 200"), OK])
        assert hubs.get_json(hub.url + "/models").status == 200
