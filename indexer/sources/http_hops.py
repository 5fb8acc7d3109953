"""One attempt to get something from a hub: its redirects, its credentials, its status.

Every hop is checked like the first one. Credentials go to the host they belong to, and no further than the
first redirect to another host: Civitai and the Hub lead to presigned addresses of their storage, which refuse
requests with an ``Authorization`` they do not know, and nobody else may see it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import httpx
from pydantic import SecretStr

from indexer.sources.addresses import origin, parse_url
from indexer.sources.http_body import declared_size
from indexer.sources.http_errors import WIRE_ERRORS, Fault, fault_of
from indexer.sources.http_records import Limits
from indexer.sources.http_wire import LOCATION, exchange, extend
from indexer.sources.rates import Hosts, asked_wait

__all__ = ["Ask", "Courier"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_USER = re.compile(r"//[^/]*@")
_TELLING = 8  # a shorter token is a word that any address may hold
_SMALL = 16 * 1024  # an unread answer costs a new connection; reading so much is cheaper


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for. ``accepts``: status codes that are an answer; ``may_be_absent``: 404 is one of the
    expected answers (look-ups by hash) and says nothing of the host."""

    url: httpx.URL
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    accepts: frozenset[int] = frozenset({200})
    may_be_absent: bool = False


class Courier:
    """Sends requests hop by hop. ``secrets`` and ``allowed`` are keyed by ``host:port``."""

    def __init__(
        self,
        client: httpx.Client,
        hosts: Hosts,
        allowed: frozenset[str],
        secrets: Mapping[str, SecretStr],
        limits: Limits,
    ) -> None:
        self._client = client
        self._hosts = hosts
        self._allowed = allowed
        self._secrets = secrets
        self._limits = limits

    @contextmanager
    def fetch(self, ask: Ask) -> Iterator[httpx.Response]:
        """The answer, its body unread; closed afterwards. What goes wrong within becomes a ``HubError``."""
        trail = [ask.url]
        try:
            with exchange(self._limits.total):
                response = self._checked(ask, trail)
                try:
                    yield response
                except WIRE_ERRORS as error:
                    raise fault_of(error, in_body=True) from None
                finally:
                    response.close()
        except Fault as fault:
            raise fault.told(self.place(trail[-1]), origin(trail[-1])) from None
        self._hosts.answered(origin(trail[-1]))

    def place(self, url: httpx.URL | str) -> str:
        """Scheme, host and path of a URL for people: no query, user name or secret; one line."""
        text = unquote(str(url).partition("?")[0].partition("#")[0])
        for secret in self._secrets.values():
            text = text.replace(secret.get_secret_value(), "***")
        return ascii(_USER.sub("//", text)[:300])[1:-1]

    def check(self, url: httpx.URL) -> None:
        """Raises ``Fault`` where one of our secrets is in the URL: it would reach logs of others."""
        text = unquote(str(url))
        tokens = (secret.get_secret_value() for secret in self._secrets.values())
        if any(len(token) >= _TELLING and token in text for token in tokens):
            raise Fault("refused_address", "the address holds a secret of ours")

    def _checked(self, ask: Ask, trail: list[httpx.URL]) -> httpx.Response:
        response = self._follow(ask, trail)
        try:
            if response.status_code not in ask.accepts:
                raise self._status_fault(ask, response, origin(trail[-1]))
            if len(response.headers.raw) > self._limits.headers:
                raise Fault("bad_answer", f"the answer has more than {self._limits.headers} headers")
        except Fault:
            self._discard(response)
            raise
        return response

    def _follow(self, ask: Ask, trail: list[httpx.URL]) -> httpx.Response:
        """Send, and follow redirects; ``trail`` gets every URL that is asked."""
        with_secret = True
        while True:
            self.check(trail[-1])
            extend(self._hosts.turn(origin(trail[-1])))
            response = self._send(ask, trail[-1], with_secret=with_secret)
            if response.status_code not in _REDIRECTS or LOCATION not in response.extensions:
                return response
            self._discard(response)
            self._hosts.answered(origin(trail[-1]))
            trail.append(self._next(ask, trail, response))
            with_secret = with_secret and origin(trail[-1]) == origin(trail[0])

    def _send(self, ask: Ask, url: httpx.URL, *, with_secret: bool) -> httpx.Response:
        headers = dict(ask.headers)
        if with_secret and (secret := self._secret_for(url)):
            headers["Authorization"] = f"Bearer {secret.get_secret_value()}"
        request = self._client.build_request(ask.method, url, headers=headers, content=ask.content)
        try:
            return self._client.send(request, stream=True, follow_redirects=False)
        except WIRE_ERRORS as error:
            raise fault_of(error, in_body=False) from None

    def _secret_for(self, url: httpx.URL) -> SecretStr | None:
        """A host's token; never in clear over the network, only to a host that was allowed by name."""
        host = origin(url)
        return self._secrets.get(host) if url.scheme == "https" or host in self._allowed else None

    def _next(self, ask: Ask, trail: list[httpx.URL], response: httpx.Response) -> httpx.URL:
        if len(trail) > self._limits.redirects:
            raise Fault("redirect", f"it redirects more than {self._limits.redirects} times")
        try:
            target = parse_url(str(trail[-1].join(response.extensions[LOCATION]).copy_with(fragment=None)))
        except (Fault, httpx.InvalidURL, ValueError):
            raise Fault("redirect", "it redirects to something that is no http(s) address") from None
        host = origin(target)
        if trail[-1].scheme == "https" and target.scheme != "https":
            raise Fault("redirect", "it redirects from https to http")
        if target in trail:
            raise Fault("redirect", "it redirects in a circle")
        if ask.method != "GET" and (response.status_code not in _KEEPS_METHOD or host != origin(trail[0])):
            raise Fault("redirect", f"it redirects a {ask.method} elsewhere")
        if host in self._allowed and origin(trail[0]) not in self._allowed:
            raise Fault(
                "refused_address", "it redirects to an address that is only allowed when asked directly"
            )
        return target

    def _status_fault(self, ask: Ask, response: httpx.Response, host: str) -> Fault:
        status = response.status_code
        wait = asked_wait(response.headers, self._limits.obey)
        code = _code_of(status)
        if code in ("not_found", "gone") and not ask.may_be_absent and self._hosts.missed(host):
            return Fault("circuit_open", "it finds nothing any more, whatever is asked", status)
        if code == "auth" or (code in ("not_found", "gone") and ask.may_be_absent):
            self._hosts.answered(host)
        return Fault(code, f"it answered with status {status}", status, wait)

    def _discard(self, response: httpx.Response) -> None:
        """Close an answer that nobody wants; keep its connection where that is cheap. Nothing is decoded."""
        try:
            if (declared_size(response) or _SMALL + 1) <= _SMALL:
                for _ in response.iter_raw():
                    pass
        except WIRE_ERRORS:
            pass  # only the connection was to be saved
        finally:
            response.close()


def _code_of(status: int) -> str:
    known = {401: "auth", 403: "auth", 404: "not_found", 410: "gone", 451: "gone", 412: "changed"}
    known |= {416: "too_short", 429: "rate_limited", 408: "server", 425: "server"}
    return known.get(status, "server" if status >= 500 else "bad_answer")
