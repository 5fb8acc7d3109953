"""A real, small HTTP/1.1 server for tests of everything that talks to a hub. It can be as odd as hubs are.

    with HubServer() as hub:
        hub.route("/api/v1/models", json_reply({"items": []}))              # one answer for ever
        hub.route("/busy", [Reply(429, headers={"Retry-After": "2"}), json_reply({})])  # in turn; the last stays
        hub.route(re.compile(r"/files/(\\d+)"), download)                    # a function of the request
        client.get_json(hub.url + "/api/v1/models", {"limit": "10"})
        assert hub.requests[0].param("limit") == "10"

A handler gets a ``Request`` and gives a ``Reply``; ``json_reply`` and ``file_reply`` (ranges, ETag, 304, 412) make the
common ones. A later route wins over an earlier one, so a test may override what a fake hub registered. Unknown
paths answer 404. ``hub.requests`` holds every request in order of arrival with its headers and its time
(``time.monotonic``); ``hub.paths()`` only their paths. A handler that raises answers 500 and fails the test when the
server closes. Handlers run in the thread of their connection, so what they share needs a lock (``hub.lock``).

Faults are fields of ``Reply``: ``delay`` and ``pause`` (slow start, slow drip), ``cut_after`` (the connection breaks
within the body), ``headers`` as pairs (duplicates, wrong lengths), ``raw`` (bytes sent as they are). ``length``
says what Content-Length claims. A body of many parts is sent chunked, unless a length is claimed. Two servers are two
hosts: they differ in their port, and ``HubServer("127.0.0.2")`` in its address as well. All threads have ended when
the ``with`` block is left.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedReader
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Handler", "Headers", "HubServer", "Reply", "Request", "file_reply", "json_reply"]

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """What a client sent. ``headers`` has lower-case names; ``at`` is in seconds of ``time.monotonic``.

    ``connection`` numbers the TCP connection; ``match`` is that of a route with a regular expression.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    match: re.Match[str] | None = None

    @property
    def path(self) -> str:
        """Decoded path without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, list[str]]:
        """Decoded query parameters, each with all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def param(self, name: str, default: str | None = None) -> str | None:
        """First value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer, with its faults.

    ``delay``: seconds before the first byte; ``pause``: seconds before each part of the body; ``cut_after``: bytes
    of the body after which the connection breaks; ``length``: Content-Length as claimed; ``raw``: sent instead of
    everything else, then the connection closes.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Headers = field(default_factory=dict)
    delay: float = 0.0
    pause: float = 0.0
    cut_after: int | None = None
    length: int | None = None
    raw: bytes | Iterable[bytes] | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """Headers as they are sent, with the framing that the body needs."""
        given = list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)
        framed = {name.lower() for name, _ in given} & {"content-length", "transfer-encoding"}
        if self.length is not None:
            # The connection ends after such an answer; unsaid, a client may ask on just before it does.
            given += [("Content-Length", str(self.length)), ("Connection", "close")]
        elif not framed and self.status not in (204, 304):
            body = self.body
            length = ("Content-Length", str(len(body))) if isinstance(body, bytes) else None
            given.append(length or ("Transfer-Encoding", "chunked"))
        return given


Handler = Callable[[Request], Reply]


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """``value`` as a JSON answer."""
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def file_reply(
    request: Request, data: bytes, etag: str | None = None, media_type: str = "application/octet-stream"
) -> Reply:
    """``data`` as a server of files gives it: one byte range, ETag, If-Match, If-None-Match, If-Range."""
    headers = {"Content-Type": media_type, "Accept-Ranges": "bytes"} | ({"ETag": etag} if etag else {})
    if etag and request.headers.get("if-match", etag) != etag:
        return Reply(412, headers=headers)
    if etag and request.headers.get("if-none-match") == etag:
        return Reply(304, headers=headers)
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return Reply(200, data, headers)
    start, stop = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1) + 1
    if start >= len(data):
        return Reply(416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    return Reply(206, data[start:stop], {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})


class HubServer:
    """The server. ``host`` is the loopback address to listen at, ``tls`` makes it speak HTTPS."""

    def __init__(self, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.faults: list[BaseException] = []
        self.lock = threading.Lock()
        self.connections = 0
        self.sent = 0  # bytes of all answers given to the sockets so far
        self._routes: list[tuple[str | re.Pattern[str], Handler]] = []
        self._tls = tls
        self._stop = threading.Event()
        self._open: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0), backlog=128)
        # Connections inherit it, so that ``sent`` is close to what a client has read.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        self.host, self.port = host, int(self._listener.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    @property
    def netloc(self) -> str:
        """``host:port``, as lists of allowed hosts have it."""
        return f"{self.host}:{self.port}"

    def route(self, path: str | re.Pattern[str], handler: Handler | Reply | Sequence[Reply]) -> None:
        """Answer a path (exact, or a pattern that the whole path must match) from now on.

        ``handler``: a function, one reply for ever, or replies in turn of which the last one stays.
        """
        if isinstance(handler, Reply):
            handler = [handler]
        self._routes.insert(0, (path, handler if callable(handler) else _in_turn(handler, self.lock)))

    def paths(self) -> list[str]:
        """Decoded paths of all requests so far."""
        return [request.path for request in self.requests]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        _shut(self._listener)
        with self.lock:
            for connection in self._open.values():
                _shut(connection)
        for thread in list(self._threads):
            thread.join()
        self._listener.close()
        if self.faults and kind is None:
            raise AssertionError(f"a handler failed: {self.faults[0]!r}") from self.faults[0]

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self._open[number] = connection
            self._start(self._serve, number, connection)

    def _serve(self, number: int, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._secured(number, connection) as stream, stream.makefile("rb") as reader:
                while not self._stop.is_set() and self._exchange(number, stream, reader):
                    pass
        except (OSError, ValueError):
            pass  # the client went away, or sent no HTTP
        finally:
            with self.lock:
                del self._open[number]
            connection.close()

    def _secured(self, number: int, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        connection.settimeout(5)
        stream = self._tls.wrap_socket(connection, server_side=True)
        with self.lock:
            self._open[number] = stream
        return stream

    def _exchange(self, number: int, stream: socket.socket, reader: BufferedReader) -> bool:
        """One request and its answer; False when the connection is to be closed."""
        line = reader.readline(65_536).split()
        if len(line) != 3:
            return False
        headers = {}
        while (text := reader.readline(65_536).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = text.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        request = Request(line[0].decode(), line[1].decode(), headers, body, time.monotonic(), number)
        with self.lock:
            self.requests.append(request)
        reply = self._answer(request)
        if reply.delay and self._stop.wait(reply.delay):
            return False
        return self._send(stream, request, reply) and headers.get("connection", "").lower() != "close"

    def _answer(self, request: Request) -> Reply:
        for path, handler in list(self._routes):
            match = path.fullmatch(request.path) if isinstance(path, re.Pattern) else None
            if match or path == request.path:
                try:
                    return handler(Request(**{**vars(request), "match": match}))
                except Exception as error:  # noqa: BLE001 - told when the server closes, whatever it was
                    self.faults.append(error)
                    return Reply(500, b"a handler of the test failed")
        return json_reply({"error": "not found"}, 404)

    def _send(self, stream: socket.socket, request: Request, reply: Reply) -> bool:
        if reply.raw is not None:
            for part in _parts(reply.raw):
                self._write(stream, part, reply.pause)
            return False
        pairs = reply.pairs()
        known = reply.status in HTTPStatus._value2member_map_
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase if known else 'Unknown'}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in pairs)
        self._write(stream, head.encode("latin-1") + b"\r\n")
        if request.method == "HEAD" or reply.status in (204, 304):
            return True
        chunked = ("transfer-encoding", "chunked") in {(n.lower(), v) for n, v in pairs}
        left = reply.cut_after
        for part in _parts(reply.body):
            piece = part if left is None else part[:left]
            if piece:
                framed = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
                self._write(stream, framed, reply.pause)
            left = None if left is None else left - len(piece)
            if left == 0:
                return False
        if chunked:
            self._write(stream, b"0\r\n\r\n")
        return reply.length is None

    def _write(self, stream: socket.socket, data: bytes, pause: float = 0.0) -> None:
        if self._stop.wait(pause) if pause else self._stop.is_set():
            raise ConnectionAbortedError
        stream.sendall(data)
        with self.lock:
            self.sent += len(data)


def _in_turn(replies: Sequence[Reply], lock: threading.Lock) -> Handler:
    left = list(replies)

    def answer(request: Request) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def _parts(body: bytes | Iterable[bytes]) -> Iterator[bytes]:
    yield from (body,) if isinstance(body, bytes) else body


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
