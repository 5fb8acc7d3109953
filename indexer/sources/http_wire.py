"""The wire below httpx: connections go to checked addresses only, and an attempt ends when its time is up.

httpx has no limit on the whole of an exchange (a byte a second lasts for ever), and resolves names again
after any check. Both are done here, in the network backend that httpcore lets one give (``NetworkBackend``);
redirects, proxies and credentials are never its business. TLS is verified for the name, not for the address.
"""

import logging
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

from indexer.sources.addresses import Resolve, checked_addresses

__all__ = ["LOCATION", "PinnedTransport", "exchange", "extend"]

LOCATION = "pinakes_location"

_ends: ContextVar[float | None] = ContextVar("_ends", default=None)


@contextmanager
def exchange(seconds: float) -> Iterator[None]:
    """All reading and writing within must end in time, or it raises ``httpcore.ReadTimeout``."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def extend(seconds: float) -> None:
    """Time that was spent waiting for a turn is not the exchange's."""
    if (ends := _ends.get()) is not None:
        _ends.set(ends + seconds)


def _left(timeout: float | None) -> float | None:
    ends = _ends.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole exchange is over")
    return left if timeout is None else min(left, timeout)


def _outside_an_exchange(record: logging.LogRecord) -> bool:
    """httpx logs whole URLs, httpcore whole headers: neither may be kept, since both may hold secrets."""
    return _ends.get() is None


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _PinnedBackend(httpcore.NetworkBackend):
    def __init__(self, allowed: frozenset[str], resolver: Resolve) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        key = f"[{host}]:{port}" if ":" in host else f"{host.lower()}:{port}"
        addresses = checked_addresses(host, port, allowed=key in self._allowed, resolver=self._resolver)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, socket_options)

    def _connect(
        self, address: str, port: int, timeout: float | None, options: Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._system.connect_tcp(address, port, _left(timeout), socket_options=options))


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class PinnedTransport(httpx.BaseTransport):
    """HTTP/1.1 with kept connections, for ``httpx.Client``; raises httpcore's errors and ``Fault``.

    ``allowed`` are ``host:port`` that may lie on the own machine or network.
    """

    def __init__(self, allowed: frozenset[str], tls: ssl.SSLContext, resolver: Resolve) -> None:
        for name in ("httpx", "httpcore.connection", "httpcore.http11"):
            logging.getLogger(name).addFilter(_outside_an_exchange)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=30.0,
            network_backend=_PinnedBackend(allowed, resolver),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read the head of its answer.

        ``Location`` goes into the extension ``LOCATION``: httpx reads that header even where it is not to
        follow it.
        """
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        headers = [(name, value) for name, value in answer.headers if name.lower() != b"location"]
        location = next((value for name, value in answer.headers if name.lower() == b"location"), None)
        extensions = {} if location is None else {LOCATION: location.decode("utf-8", "replace")}
        return httpx.Response(answer.status, headers=headers, stream=_Body(answer), extensions=extensions)

    def close(self) -> None:
        """Close all kept connections."""
        self._pool.close()
