"""What can go wrong between us and a hub: one code a fault, told with host and path, never with a secret.

Inside the client a ``Fault`` says what happened; the client adds where and raises ``HubUnavailable`` (try the
same thing later) or ``HubRefused`` (it will not get better by itself).
"""

from dataclasses import dataclass

import h11
import httpcore
import httpx

from indexer.errors import BadFileError, PinakesError, TemporaryError

__all__ = [
    "LASTING",
    "RETRIED",
    "TEMPORARY",
    "WIRE_ERRORS",
    "Fault",
    "HubError",
    "HubRefused",
    "HubUnavailable",
    "fault_of",
]

TEMPORARY = {
    "rate_limited": "Try later, or ask for fewer requests a second.",
    "server": "The host has trouble; try later.",
    "net": "Check the network, and the address if you set it; then try again.",
    "timeout": "Try again when the network or the host is faster.",
    "not_json": "The host may be under repair or ask for a login in a browser; try later.",
    "short_body": "The transfer broke off; try again.",
    "range": "Its header cannot be read remotely; try later, or download the file and inspect it here.",
    "changed": "It was replaced while it was read; try again.",
    "circuit_open": "It is left alone for a while; try later.",
}
"""Codes of faults that may pass by themselves -> what to do."""

LASTING = {
    "auth": "Give or renew its token in the settings, and accept the model's terms on its page if it asks.",
    "not_found": "Check the address; it may have been deleted there.",
    "gone": "It was taken down there; what is known of it stays in the catalog.",
    "refused_address": "Nothing was sent; only a base URL in the settings may name your own network.",
    "redirect": "Use the address that it finally leads to, if you trust it.",
    "body_size": "Nothing was kept; ask for a smaller part.",
    "too_short": "The file ends before the bytes that were asked for; it is no whole model file.",
    "bad_answer": "The host does not keep to the protocol; nothing was kept.",
}
"""Codes of faults that stay -> what to do."""

RETRIED = frozenset({"rate_limited", "server", "net", "timeout", "not_json", "short_body"})
"""Temporary faults that the client itself tries again before it tells its caller."""


class HubError(PinakesError):
    """A hub did not give what was asked. ``host`` is ``name:port``; ``status`` is None where none was read.

    ``wait`` is how many seconds the host asked to be left alone, where it said so.
    """

    def __init__(
        self, code: str, detail: str, host: str, status: int | None = None, wait: float | None = None
    ) -> None:
        super().__init__(code, detail)
        self.host = host
        self.status = status
        self.wait = wait


class HubUnavailable(HubError, TemporaryError):
    """Temporary; ``code`` is one of ``TEMPORARY``."""


class HubRefused(HubError, BadFileError):
    """Lasting; ``code`` is one of ``LASTING``."""


@dataclass
class Fault(Exception):
    """What happened, before it is said where. ``text`` completes "host/path: …" and holds no URL."""

    code: str
    text: str
    status: int | None = None
    wait: float | None = None

    def told(self, place: str, host: str) -> HubError:
        """The error for callers. ``place`` is host and path as they may be shown."""
        advice = TEMPORARY.get(self.code) or LASTING[self.code]
        kind = HubUnavailable if self.code in TEMPORARY else HubRefused
        return kind(self.code, f"{place}: {self.text}. {advice}", host, self.status, self.wait)


WIRE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpx.HTTPError,
    httpx.InvalidURL,
)
"""What the libraries below may raise for a fault of the network or of the other side."""


def fault_of(error: Exception, *, in_body: bool) -> Fault:
    """The fault behind an error of the network libraries; ``in_body``: the answer's head had been read."""
    if isinstance(error, httpcore.TimeoutException):
        return Fault("timeout", "no answer in time")
    if isinstance(error, httpcore.ConnectError):
        return Fault("net", f"no connection ({error})")
    if isinstance(error, httpcore.NetworkError):
        return Fault("net", "the connection broke")
    if isinstance(error, httpcore.RemoteProtocolError):
        if in_body:
            return Fault("short_body", "the body broke off or is badly framed")
        if any(isinstance(reason, h11.RemoteProtocolError) for reason in error.args):
            return Fault("bad_answer", "the head of the answer is no proper HTTP/1.1")
        return Fault("net", "the connection was closed without an answer")
    return Fault("bad_answer", f"the request cannot be sent ({type(error).__name__})")
