"""Addresses of files that need no token: signed for one file and some hours.

Civitai answers a download with the address of its store, which clients fetch without their key (some in a new
connection that knows nothing of the first); ours must hold then too where the server has a token.
"""

import hashlib
import hmac
import re
import time
from urllib.parse import parse_qs, urlencode

__all__ = ["FILES", "signed", "signed_well"]

FILES = "/api/download/files/"
"""The address of a file goes on with its number."""

_SECONDS = 6 * 3600
"""So long large files may take slow lines, with what is resumed."""

_PATH = re.compile(re.escape(FILES) + r"\d{1,19}")


def signed(path: str, token: str | None, now: float | None = None) -> str:
    """The parameters that open ``path`` for some hours; empty where no token is asked for."""
    if token is None:
        return ""
    until = int((time.time() if now is None else now) + _SECONDS)
    return urlencode({"expires": until, "signature": _signature(path, until, token)})


def signed_well(path: str, query: str, token: str, now: float | None = None) -> bool:
    """Whether the parameters ``query`` open ``path``, which must be that of a file."""
    asked = parse_qs(query, max_num_fields=20) if _PATH.fullmatch(path) and query.count("&") < 20 else {}
    until, given = (asked.get(name, [""])[-1] for name in ("expires", "signature"))
    if not re.fullmatch(r"[0-9]{1,12}", until) or int(until) < (time.time() if now is None else now):
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), _signature(path, int(until), token).encode())


def _signature(path: str, until: int, token: str) -> str:
    return hmac.new(token.encode(), f"pinakes file {path} {until}".encode(), hashlib.sha256).hexdigest()
