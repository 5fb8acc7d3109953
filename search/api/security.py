"""Who may ask? One guard around the whole application: it answers, or refuses, before any handler runs.

It checks the Host name (against DNS rebinding), the origin of unsafe requests (against forged ones), the
token when there is one, and the body's type and size; it puts the security headers on every answer.
"""

import hashlib
import hmac
import ipaddress
import re
import socket
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from search.api.signing import signed_well
from search.api.wrapping import Dressed, Limited, Refusal, refuse

__all__ = ["COOKIE", "Guard", "Rules", "cookie_value", "require_token", "same_token"]

COOKIE = "pinakes"
BODY = 1 << 20
UPLOAD = 32 << 20
MOST = 128
"""Requests in work at one time; more would only wait for each other."""

SLACK = 64 << 10
"""Room for the frame of a multipart body around a picture of the full size."""

_SAFE = {"GET", "HEAD", "OPTIONS"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>\d{1,5}))?")
_OPEN_TO_ALL = ("/login", "/static/")
_CIVITAI = ("/api/v1/", "/api/download/")
_BODY_TYPES = ("application/json", "multipart/form-data")
_TAKING_PICTURES = ("/api/search", "/api/similar", "/similar", "/fragment/similar", "/stack/open")
_FORM = "application/x-www-form-urlencoded"


def require_token(host: str) -> bool:
    """Whether binding to ``host`` lets other machines in, so that ``serve`` must refuse without a token."""
    if host.lower() == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return True


def same_token(given: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def cookie_value(token: str) -> str:
    """What the cookie holds: proof of the token, not the token."""
    return hmac.new(token.encode(), b"pinakes cookie", hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Rules:
    """What the guard goes by. ``host`` is the address that the server binds to."""

    host: str
    token: str | None = None
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        own = self.host.lower().strip("[]")
        names = _LOOPBACK | {own}
        if require_token(own):
            machine = socket.gethostname().lower()
            names |= {machine, f"{machine}.local"}
        object.__setattr__(self, "names", frozenset(names - {"0.0.0.0", "::", ""}))

    def knows(self, name: str) -> bool:
        """Whether a Host is ours. A server open to others answers any address: rebinding needs a name."""
        name = name.strip("[]").lower()
        if name in self.names:
            return True
        if not require_token(self.host):
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return not address.is_unspecified and not address.is_multicast


class Guard:
    """ASGI application around another; see the module."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules
        self.active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # there are no web sockets here
            return
        dressed = Dressed(send, scope, private=self.rules.token is not None)
        refusal = self._refusal(scope)
        if refusal is not None:
            civitai = scope["path"].startswith(_CIVITAI)
            await refuse(dressed, replace(refusal, told_as="error") if civitai else refusal)
            return
        if scope["method"] == "HEAD":
            # Every GET answers HEAD too; the body is left out on its way, and files are not even read.
            scope = {**scope, "method": "GET", "pinakes.bare": True}
        limited = Limited(receive, dressed, _limit(scope))
        self.active += 1
        try:
            await self.app(scope, limited.receive, limited.send)
        finally:
            self.active -= 1

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        return (
            self._wrong_host(headers)
            or _wrong_origin(scope, headers)
            or self._no_token(scope, headers)
            or _wrong_body(scope, headers)
            or self._crowded()
        )

    def _crowded(self) -> Refusal | None:
        if self.active < MOST:
            return None
        return Refusal(503, "busy", "Too many requests at once; ask again.", {"Retry-After": "1"})

    def _wrong_host(self, headers: Headers) -> Refusal | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return Refusal(400, "host", "A request needs exactly one Host header.")
        match = _HOST.fullmatch(hosts[0])
        if match is None or int(match["port"] or 0) > 65_535 or not self.rules.knows(match["name"]):
            return Refusal(
                421,
                "host",
                "This server does not answer to the name in the Host header. Use the address that "
                "pinakes serve printed, or bind it to that name with --host.",
            )
        return None

    def _no_token(self, scope: Scope, headers: Headers) -> Refusal | None:
        token, path = self.rules.token, scope["path"]
        if token is None or path.startswith(_OPEN_TO_ALL) or _has_token(headers, token):
            return None
        if path.startswith(_CIVITAI) and (_token_asked(scope, token) or _signed(scope, token)):
            return None
        if scope["method"] in _SAFE and "text/html" in headers.get("accept", "") and path[:5] != "/api/":
            return Refusal(303, "token", "Sign in first.", {"Location": "/login"})
        return Refusal(
            401,
            "token",
            "This server needs its token: send it as Authorization: Bearer TOKEN.",
            {"WWW-Authenticate": "Bearer"},
        )


def _has_token(headers: Headers, token: str) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and same_token(given.strip(), token):
        return True
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return False
    return COOKIE in cookies and same_token(cookies[COOKIE].value, cookie_value(token))


def _token_asked(scope: Scope, token: str) -> bool:
    """Civitai's clients may show their key as ``?token=``; only those routes take it, for addresses leak."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=1_000)
    return any(name == "token" and same_token(value, token) for name, value in pairs)


def _signed(scope: Scope, token: str) -> bool:
    return signed_well(scope["path"], scope["query_string"].decode("latin-1"), token)


def _wrong_origin(scope: Scope, headers: Headers) -> Refusal | None:
    """Browsers tell where an unsafe request comes from; programs that tell nothing forge for nobody."""
    if scope["method"] in _SAFE:
        return None
    origins = headers.getlist("origin")
    own = f"{scope['scheme']}://{headers['host']}".lower()
    site = headers.get("sec-fetch-site", "none")
    if any(origin.lower() != own for origin in origins) or site not in ("same-origin", "none"):
        return Refusal(
            403, "origin", "Requests that change or compute something must come from this server's own page."
        )
    return None


def _wrong_body(scope: Scope, headers: Headers) -> Refusal | None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Refusal(415, "encoding", "Send the body without a Content-Encoding.")
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"\d{1,15}", length):
        return Refusal(400, "length", "The Content-Length is no number.")
    if int(length) > _limit(scope):
        return _too_large(scope)
    if scope["method"] in _SAFE or (length == "0" and "transfer-encoding" not in headers):
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _BODY_TYPES or (kind == _FORM and scope["path"] == "/login"):
        return None
    return Refusal(
        415, "type", f"Send the body as {' or '.join(_BODY_TYPES)}, not as {kind[:80] or 'nothing'}."
    )


def _limit(scope: Scope) -> int:
    """Largest body in bytes that a path takes."""
    return UPLOAD + SLACK if scope["path"] in _TAKING_PICTURES else BODY


def _too_large(scope: Scope) -> Refusal:
    return Refusal(
        413, "too_large", f"The body is larger than {_limit(scope) >> 20} MiB.", {"Connection": "close"}
    )
