"""Which hosts may be spoken to. Nothing of the own machine or the own network, unless a base URL names it.

A name is resolved once, all its addresses are judged, and the connection goes to an address that was judged:
what the name means a moment later (DNS rebinding) changes nothing. All spellings of an address (``127.1``,
``0x7f000001``, ``[::ffff:127.0.0.1]`` …) are judged as what the resolver makes of them.
"""

import socket
from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from indexer.domain.vocabulary import read_table
from indexer.sources.http_errors import Fault

__all__ = [
    "Resolve",
    "checked_addresses",
    "origin",
    "origin_key",
    "parse_url",
    "refusal",
    "resolve",
    "same_origin",
]

Resolve = Callable[[str, int], list[str]]
"""(host name, port) -> numeric addresses; raises ``OSError``."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")


@cache
def _refused() -> tuple[tuple[IPv4Network | IPv6Network, str], ...]:
    rows = read_table("addresses.toml")["refused"]
    return tuple((ip_network(row["network"]), row["why"]) for row in rows)


def refusal(address: str) -> str | None:
    """Why a numeric address may not be spoken to; None where it may."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return "no IP address"
    if isinstance(found, IPv6Address) and found not in _GLOBAL_UNICAST:
        return "outside global unicast (RFC 4291)"
    return next((why for network, why in _refused() if found in network), None)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(host: str, port: int, *, allowed: bool, resolver: Resolve = resolve) -> list[str]:
    """Addresses of a host that may be connected to, in the resolver's order.

    Raises ``Fault``: ``refused_address`` when any of them is not public and the host is not ``allowed``;
    ``net`` when the name has none.
    """
    try:
        found = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise Fault("net", f"the name cannot be resolved ({error})") from None
    for address in found:
        if not allowed and (why := refusal(address)):
            raise Fault("refused_address", f"it means {address}, which is not on the public Internet: {why}")
    if not found:
        raise Fault("net", "the name has no address")
    return found


def parse_url(text: str) -> httpx.URL:
    """An absolute ``http`` or ``https`` URL with a host and without a user name.

    Raises ``Fault`` (``refused_address``); its text does not repeat the URL, which may hold secrets.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Fault("refused_address", "this is no valid URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise Fault("refused_address", "only http:// and https:// addresses with a host name are read")
    if url.port is not None and not 0 < url.port < 65_536:
        raise Fault("refused_address", "its port is no port")
    if url.userinfo:
        raise Fault(
            "refused_address", "the address holds a user name or password; tokens belong into settings"
        )
    return url


def origin(url: httpx.URL) -> str:
    """``host:port`` of a URL, lower case."""
    host = f"[{url.host}]" if ":" in url.host else url.host.lower()
    return f"{host}:{url.port or (80 if url.scheme == 'http' else 443)}"


def origin_key(text: str) -> str:
    """``host:port`` of a base URL, of ``host:port`` or of a bare host (then port 443)."""
    return origin(parse_url(text if "://" in text else f"https://{text}"))


def same_origin(url: str, base: str) -> bool:
    """Does a URL that a hub gave (a next page …) lead to the very host, port and scheme that was
    configured?"""
    try:
        first, second = parse_url(url), parse_url(base)
    except Fault:
        return False
    return first.scheme == second.scheme and origin(first) == origin(second)
