"""The one HTTP client for hubs: polite, bounded, and mistrustful.

Polite: so many requests a second to a host, ``Retry-After`` and ``RateLimit`` obeyed, failures tried again
with full jitter, a host that only fails left alone. Bounded: time, redirects, headers, bytes after
decompression. Mistrustful: no address of the own machine or network unless allowed, every redirect checked,
tokens for their host only and never in a message, no cookies, no proxies or passwords from the environment.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack

import httpcore
import httpx
import orjson
from pydantic import SecretStr

from indexer.errors import UsageError
from indexer.sources.addresses import Resolve, origin, origin_key, parse_url, resolve
from indexer.sources.http_body import media_type, read_body, read_up_to
from indexer.sources.http_errors import RETRIED, Fault, HubUnavailable
from indexer.sources.http_files import save_body
from indexer.sources.http_hops import Ask, Courier
from indexer.sources.http_json import load_json
from indexer.sources.http_range import range_headers, read_range, stated_etag
from indexer.sources.http_records import Answer, Fetched, Limits, RangeAnswer, Timing
from indexer.sources.http_wire import PinnedTransport
from indexer.sources.rates import Hosts

__all__ = ["Answer", "Conditions", "Fetched", "HubClient", "Limits", "Params", "RangeAnswer", "Timing"]

Params = Mapping[str, str | int | Sequence[str]]
_T = TypeVar("_T")


class Conditions(TypedDict, total=False):
    """How a question is put. With ``etag`` or ``last_modified`` of an earlier answer it is answered only if
    that changed since; ``may_be_absent``: "not found" is no sign of trouble."""

    etag: str | None
    last_modified: str | None
    may_be_absent: bool


_KEPT_HEADERS = (
    "content-type",
    "date",
    "link",
    "ratelimit",
    "x-error-code",
    "x-linked-etag",
    "x-linked-size",
    "x-repo-commit",
    "x-total-count",
)


class HubClient:
    """Use it as a context manager; threads may share it.

    ``allowed_hosts``: configured base URLs (or ``host:port``), which alone may lie on the own machine or
    network. ``secrets``: base URL or host -> bearer token; sent to that host only, in clear only to an
    allowed host. ``note`` hears one line for each wait that a host causes. Raises ``UsageError`` for a token
    that no header can carry. All methods raise ``HubUnavailable`` and ``HubRefused`` (``http_errors``).
    """

    def __init__(
        self,
        *,
        allowed_hosts: Iterable[str] = (),
        secrets: Mapping[str, SecretStr] = MappingProxyType({}),
        per_second: float = 4.0,
        limits: Limits = Limits(),
        note: Callable[[str], None] | None = None,
        timing: Timing = Timing(),
        tls: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        self._limits, self._timing, self._note = limits, timing, note
        self._hosts = Hosts(per_second, limits, timing)
        allowed = frozenset(map(_key, allowed_hosts))
        context = tls or httpcore.default_ssl_context()
        self._client = httpx.Client(
            transport=PinnedTransport(allowed, context, resolver),
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(limits.idle, connect=limits.connect, pool=limits.total),
            headers={
                "User-Agent": f"pinakes/{version('pinakes')}",
                "Accept": "application/json, */*;q=0.5",
                "Accept-Encoding": "gzip",
            },
        )
        self._courier = Courier(self._client, self._hosts, allowed, _usable(secrets), limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def misses(self, url: str) -> int:
        """How many answers "not found" in a row this URL's host has given (``may_be_absent`` ones apart).

        A crawl marks what it missed as gone only once this is 0 again: after a good answer from the same
        host. When all is missing the host's circuit opens (``circuit_open``) and nothing is to be marked.
        """
        return self._hosts.misses(origin(self._url(url, None)))

    def get_json(self, url: str, params: Params | None = None, **how: Unpack[Conditions]) -> Answer:
        """A JSON value, under ``Conditions``."""
        return self._answer(self._conditional(url, params, how), load_json)

    def get_text(self, url: str, params: Params | None = None, **how: Unpack[Conditions]) -> Answer:
        """A text (UTF-8, faulty bytes as U+FFFD), under ``Conditions``."""
        return self._answer(self._conditional(url, params, how), _text)

    def post_json(self, url: str, value: Any, *, may_be_absent: bool = False) -> Answer:
        """Ask with a JSON value. It may be sent several times, so only for questions."""
        ask = Ask(
            self._url(url, None),
            "POST",
            {"Content-Type": "application/json"},
            orjson.dumps(value),
            may_be_absent=may_be_absent,
        )
        return self._answer(ask, load_json)

    def get_range(self, url: str, start: int, length: int, *, if_match: str | None = None) -> RangeAnswer:
        """``length`` (1 or more) bytes of a file from ``start`` on; ``if_match``: ETag of an earlier range.

        Reads at most ``length`` bytes, or ``Limits.ignored_range`` where a host ignores ranges. Holds them in
        memory.
        """
        if start < 0 or length < 1:
            raise UsageError(
                "range", f"There is no range of {length} bytes from {start} on; ask for 1 or more."
            )
        ask = Ask(
            self._url(url, None),
            headers=range_headers(start, length, if_match),
            accepts=frozenset({200, 206}),
        )
        return self._work(
            ask, lambda answer: read_range(answer, start, length, if_match, self._limits.ignored_range)
        )

    def get_file(self, url: str, target: Path, *, limit: int, types: Iterable[str]) -> Fetched:
        """Fetch a file of at most ``limit`` bytes whose media type is one of ``types`` (``image/png`` …)."""
        wanted = frozenset(types)
        headers = {"Accept": ", ".join(sorted(wanted)), "Accept-Encoding": "identity"}
        ask = Ask(self._url(url, None), headers=headers)
        return self._work(ask, lambda answer: save_body(answer, target, limit, wanted))

    def _conditional(self, url: str, params: Params | None, how: Conditions) -> Ask:
        given = {"If-None-Match": how.get("etag"), "If-Modified-Since": how.get("last_modified")}
        headers = {name: value for name, value in given.items() if value and value.isascii()}
        accepts = frozenset({200, 304} if headers else {200})
        absent = how.get("may_be_absent", False)
        return Ask(self._url(url, params), headers=headers, accepts=accepts, may_be_absent=absent)

    def _url(self, text: str, params: Params | None) -> httpx.URL:
        try:
            url = parse_url(text)
            url = url.copy_merge_params(dict(params)) if params else url
            self._courier.check(url)
        except Fault as fault:
            raise fault.told(self._courier.place(text), "") from None
        return url

    def _answer(self, ask: Ask, load: Callable[[bytes, str], Any]) -> Answer:
        def read(response: httpx.Response) -> Answer:
            fresh = response.status_code != 304
            # An "unchanged" has no body, but may carry the headers of one.
            body = read_body(response, self._limits.body) if fresh else read_up_to(response, 1)
            value = load(body, media_type(response)) if fresh else None
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            changed = response.headers.get("last-modified")
            return Answer(
                value, str(ask.url), response.status_code, stated_etag(response), changed, headers, fresh
            )

        return self._work(ask, read)

    def _work(self, ask: Ask, read: Callable[[httpx.Response], _T]) -> _T:
        """Try, and try again what may pass by itself."""
        for attempt in range(self._limits.retries + 1):
            try:
                with self._courier.fetch(ask) as response:
                    return read(response)
            except HubUnavailable as error:
                if error.code not in RETRIED:
                    raise
                last = error
            if attempt < self._limits.retries:
                self._pause(ask, last, attempt)
        if last.code != "rate_limited":
            self._hosts.failed(last.host)
        raise last

    def _pause(self, ask: Ask, error: HubUnavailable, attempt: int) -> None:
        """Leave the hosts alone for a while: as long as asked, or by exponential backoff with full jitter."""
        most = min(self._limits.backoff * 2**attempt, self._limits.backoff_cap)
        wait = error.wait or most * self._timing.dice()
        for host in {origin(ask.url), error.host}:
            self._hosts.hold(host, wait)
        if self._note:
            told = f"{error.code}, status {error.status}" if error.status else error.code
            tries = f"try {attempt + 2} of {self._limits.retries + 1}"
            self._note(f"{error.host}: {told}; waiting {wait:.0f} s, then {tries}")


def _text(data: bytes, media_type: str) -> str:
    return data.decode("utf-8", "replace")


def _key(text: str) -> str:
    try:
        return origin_key(text)
    except Fault as fault:
        raise UsageError("base_url", f"A configured address cannot be used: {fault.text}.") from None


def _usable(secrets: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    """Tokens by ``host:port``, without white space around; empty ones are none."""
    usable = {}
    for name, secret in secrets.items():
        token = secret.get_secret_value().strip()
        if not token:
            continue
        if not (token.isascii() and token.isprintable() and " " not in token):
            host = _key(name)
            raise UsageError(
                "token", f"The token for {host} holds characters that no token has; set it again."
            )
        usable[_key(name)] = SecretStr(token)
    return usable
