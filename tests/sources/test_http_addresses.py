"""Nothing of the own machine or network is spoken to (HR-27 to HR-32): no spelling, no name, no trick of time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sources.addresses import checked_addresses, refusal, resolve
from indexer.sources.http import HubClient, Limits
from indexer.sources.http_errors import Fault
from indexer.sources.http_hops import Ask, Courier
from indexer.sources.http_wire import PinnedTransport
from indexer.sources.rates import Hosts
from tests.hub_server import HubServer, Reply, json_reply
from tests.sources.http_support import QUICK, Clock, client, error_of

ONCE = Limits(connect=1, idle=1, total=2, retries=0)

_connected: list[object] = []
_watching = False


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event == "socket.connect":
        _connected.append(arguments[1])


sys.addaudithook(_listen)


@contextmanager
def connections() -> Iterator[list[object]]:
    """Addresses that any code of this process connects to meanwhile."""
    global _watching
    _connected.clear()
    _watching = True
    try:
        yield _connected
    finally:
        _watching = False


_SPELLINGS = """
    127.0.0.1 127.1 127.0.1 0 0.0.0.0 2130706433 017700000001 0x7f000001 0x7f.1 0x7f.0x0.0x0.0x1 0177.0.0.1
    127.0.0.1. 127.127.127.127 localhost localhost. LOCALHOST 127.000.000.001 00000177.0.0.01 1.0x7f000001
    [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [0:0:0:0:0:ffff:127.0.0.1]
    10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.1.254 100.64.0.1 100.127.255.254
    169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 [::ffff:169.254.169.254]
    [::ffff:a9fe:a9fe] 192.0.0.192 168.63.129.16 [fe80::1] [fe80::1%25lo] [fec0::1] [fc00::1] [fd00:ec2::254]
    224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 [ff02::1] [ff0e::1] 198.18.0.1 192.88.99.1
    [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b:1::10.0.0.1] [2002:7f00:1::] [2002:a00:1::1] [2001:0:7f00:1::]
    [2001:db8::1] [3fff::1] [100::1] [::ffff:0:127.0.0.1] [5f00::1] 192.0.2.1 198.51.100.7 203.0.113.9
    ①②⑦.⓪.⓪.① 127。0。0。1 １２７.0.0.1 ⑯⑨.②⑤④.⑯⑨.②⑤④ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ 127.0.0.1\\@a 127.0.0.1# 127.0.0.1? user@127.0.0.1
    user:word@localhost a@b@127.0.0.1 127.0.0.1:80 [::1]:80 127.0.0.1%00.example.com 127.0.0.1%2f.example.com
    %31%32%37.0.0.1 127.0.0.1%09 localhost%23.example.com ①②⑦。① 0x7f.0.0.0x1 4294967296 0.0.0.0:22 -1 ..
"""


def test_no_spelling_of_a_private_address_gets_a_connection() -> None:
    with connections() as connected, client(limits=ONCE) as hubs:
        for spelling in _SPELLINGS.split():
            for scheme in ("http", "https"):
                error = error_of(hubs.get_json, f"{scheme}://{spelling}/x")
                assert error.code in ("refused_address", "net", "circuit_open"), spelling
    # Resolving may try out routes over UDP; a port of ours is never among them.
    assert [
        address for address in connected if isinstance(address, tuple) and address[1] in (22, 80, 443)
    ] == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/",
        "//a/x",
        "a/x",
        "",
        "http:///x",
        "http:a",
        "javascript:x",
        "data:,x",
        "\n",
    ],
)
def test_only_web_addresses_are_read(url: str) -> None:
    with client() as hubs:
        assert error_of(hubs.get_json, url).code == "refused_address"


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "104.18.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_public_addresses_are_fine(address: str) -> None:
    assert refusal(address) is None


@given(st.ip_addresses())
def test_what_python_calls_private_is_refused(address: object) -> None:
    found = ip_address(str(address))
    if not found.is_global or found.is_multicast or found.is_reserved or found.is_loopback:
        assert refusal(str(address)) is not None


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_refused(address: object) -> None:
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
        assert refusal(wrapped) is not None


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Fault, match="10.0.0.1"):
        checked_addresses("a", 80, allowed=False, resolver=lambda *_: ["1.1.1.1", "10.0.0.1"])


def test_a_name_that_changes_its_mind_reaches_only_what_was_checked() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with HubServer() as hub:
        hub.route("/models", json_reply([1]))
        base = f"http://hub.test:{hub.port}"
        timing = Clock().timing()
        with (
            connections() as connected,
            HubClient(allowed_hosts=[base], limits=QUICK, timing=timing, resolver=rebinding) as hubs,
        ):
            assert hubs.get_json(base + "/models").value == hubs.get_json(base + "/models").value == [1]
        assert (asked, connected) == (["hub.test"], [("127.0.0.1", hub.port)])
        assert hub.requests[0].headers["host"] == f"hub.test:{hub.port}"


def test_a_public_name_that_turns_private_is_refused_at_the_next_connection() -> None:
    with HubServer() as hub, client(limits=ONCE, resolver=lambda *_: ["127.0.0.1"]) as hubs:
        assert error_of(hubs.get_json, f"http://hub.test:{hub.port}/").code == "refused_address"
        assert hub.connections == 0


def test_the_next_address_of_a_host_is_tried() -> None:
    with HubServer("127.0.0.3") as hub:
        hub.route("/models", json_reply([1]))
        base = f"http://hub.test:{hub.port}"
        both = ["127.0.0.4", "127.0.0.3"]
        with HubClient(allowed_hosts=[base], limits=QUICK, resolver=lambda *_: both) as hubs:
            assert hubs.get_json(base + "/models").value == [1]


def test_only_the_very_port_is_allowed() -> None:
    with HubServer() as hub, HubServer() as other, client(hub) as hubs:
        assert error_of(hubs.get_json, other.url + "/models").code == "refused_address"
        assert other.connections == 0


def test_a_stranger_cannot_redirect_to_an_allowed_address() -> None:
    with HubServer() as stranger, HubServer() as hub:
        stranger.route("/models", Reply(302, headers={"Location": hub.url}))
        # On the wire both may be reached here; what is tested is the rule above it.
        wire = PinnedTransport(
            frozenset({stranger.netloc, hub.netloc}), httpcore.default_ssl_context(), resolve
        )
        hosts = Hosts(1000, ONCE, Clock().timing())
        with httpx.Client(transport=wire) as plain:
            courier = Courier(plain, hosts, frozenset({hub.netloc}), {}, ONCE)
            error = error_of(courier.fetch(Ask(httpx.URL(stranger.url + "/models"))).__enter__)
        assert (error.code, hub.connections) == ("refused_address", 0)


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    with HubServer() as hub, HubServer() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        netrc = f"{tmp_path}/netrc"
        with open(netrc, "w") as file:
            file.write("default login me password secret\n")
        monkeypatch.setenv("NETRC", netrc)
        with client(hub) as hubs:
            hub.route("/models", json_reply([1]))
            assert hubs.get_json(hub.url + "/models").value == [1]
        assert proxy.connections == 0
        assert "authorization" not in hub.requests[0].headers
