"""A model file behind a URL: where it really lies, and its bytes by ranges that are all of one version.

Pages of hubs are turned into the addresses of their files: a reader copies what the browser shows. A key in
the query of a Civitai link moves into a header, so that it is in no log and follows no redirect.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import SecretStr

from indexer.errors import BadFileError, TemporaryError
from indexer.settings import Settings
from indexer.sources.http import HubClient

__all__ = ["BUDGET", "FIRST", "FIRST_GGUF", "Address", "RemoteFile", "beside", "file_address", "known_hubs"]

FIRST: Final = 128 << 10
"""Bytes asked for before it is known how many are needed; the headers of most adapters fit in."""

FIRST_GGUF: Final = 256 << 10
"""The same for GGUF, whose reader takes blocks of this size."""

BUDGET: Final = 26_000_000
"""Bytes of one file at most: the largest header that is read (25,000,000), and the front."""

_NO_ORGANISATIONS = ("datasets", "spaces", "api", "models", "docs", "papers", "collections")

_HARMLESS = ("modelVersionId", "type", "format", "size", "fp", "download")
"""Parameters that tell files apart and are no secrets; all others are left out where a URL is shown."""


@dataclass(frozen=True, slots=True)
class Address:
    """``url`` is asked for, ``shown`` is told (no secrets), ``name`` is the file's name as far as the URL
    says it; ``token`` is a key for Civitai that stood in the query. ``repository`` is set where the URL is
    the page of a whole repository of the Hub."""

    url: str
    shown: str
    name: str
    token: str | None = None
    repository: str | None = None


def file_address(text: str, settings: Settings) -> Address:
    """Where the file lies that a person means by a URL; nothing is checked here, the client does."""
    parts = urlsplit(text.strip())
    query, token = parse_qsl(parts.query, keep_blank_values=True), None
    path, netloc, scheme, repository = parts.path, parts.netloc, parts.scheme, None
    hub, civitai = urlsplit(settings.huggingface_url), urlsplit(settings.civitai_url)
    if netloc.lower() in (hub.netloc.lower(), "hf.co"):
        scheme, netloc, path = hub.scheme, hub.netloc, _hub_file(path)
        repository = _hub_repository(path)
    elif netloc.lower() == civitai.netloc.lower():
        token = next((value for key, value in query if key == "token" and value), None)
        query = [(key, value) for key, value in query if key != "token"]
        path, query = _civitai_file(path, query)
    url = urlunsplit((scheme, netloc, path, urlencode(query), ""))
    told = urlencode([(key, value) for key, value in query if key in _HARMLESS])
    shown = urlunsplit((scheme, netloc.rpartition("@")[2], path, told, ""))
    return Address(url, shown, unquote(path).rstrip("/").rpartition("/")[2], token, repository)


def _hub_file(path: str) -> str:
    """``/ORG/NAME/blob/main/FILE`` is a page about a file, ``resolve`` the file."""
    parts = path.split("/")
    if len(parts) > 5 and parts[3] == "blob":
        parts[3] = "resolve"
    return "/".join(parts)


def _hub_repository(path: str) -> str | None:
    """``ORG/NAME`` of a repository's page, also of the page that lists its files."""
    parts = unquote(path).strip("/").split("/")
    whole = len(parts) == 2 or (len(parts) == 4 and parts[2:] == ["tree", "main"])
    return "/".join(parts[:2]) if whole and parts[0] not in _NO_ORGANISATIONS else None


def _civitai_file(path: str, query: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    version = dict(query).get("modelVersionId", "")
    if path.startswith("/models/") and version.isascii() and version.isdigit():
        return f"/api/download/models/{version}", []
    return path, query


def beside(url: str, name: str) -> str:
    """The URL of another file in the same folder; ``name`` is a bare name."""
    return urljoin(url.partition("?")[0], quote(name, safe=""))


def known_hubs(settings: Settings, keys: Iterable[str | None] = ()) -> dict[str, SecretStr | None]:
    """The configured hubs with their tokens; a key of ``keys`` wins over Civitai's own."""
    hubs = {
        settings.huggingface_url: settings.huggingface_token,
        settings.civitai_url: settings.civitai_token,
    }
    for key in keys:
        if key:
            hubs[settings.civitai_url] = SecretStr(key)
    return hubs


class RemoteFile:
    """The bytes of a file by ranges: the front at once, the rest as it is asked for.

    ``size`` is in bytes; ``fetched`` counts bytes that came, ``requests`` the ranges asked for. Every range
    must be of the version (ETag, size) of the first one: else TemporaryError ``changed``. Raises
    ``HubError``; BadFileError ``remote_budget`` past ``budget`` bytes; TemporaryError ``range`` where the
    host does not say how large the file is.
    """

    def __init__(self, client: HubClient, url: str, *, first: int = FIRST, budget: int = BUDGET) -> None:
        self._client, self._url, self._budget = client, url, budget
        self._shown = url.partition("?")[0]
        answer = client.get_range(url, 0, first)
        if answer.total is None and len(answer.data) == first:
            raise TemporaryError(
                "range",
                f"{self._shown}: the host does not say how large the file is, so its header cannot be "
                "checked. Download the file to inspect it.",
            )
        self.size = len(answer.data) if answer.total is None else answer.total
        self._etag = answer.etag
        self._front = self._last = (0, answer.data)
        self.fetched, self.requests = len(answer.data), 1

    def read(self, offset: int, count: int) -> bytes:
        """At most ``count`` bytes at ``offset``: fewer only at the end. Bytes at hand are not asked for
        again."""
        count = max(0, min(count, self.size - offset))
        at_hand = max(self._held(place, offset, count) for place in (self._front, self._last))
        held, data = at_hand
        if held < count:
            rest = self._fetch(offset + held, count - held)
            self._last = (offset + held, rest)
            data += rest
        return data

    @staticmethod
    def _held(place: tuple[int, bytes], offset: int, count: int) -> tuple[int, bytes]:
        start, data = place
        if not start <= offset < start + len(data):
            return 0, b""
        found = data[offset - start : offset - start + count]
        return len(found), found

    def _fetch(self, offset: int, count: int) -> bytes:
        if self.fetched + count > self._budget:
            raise BadFileError(
                "remote_budget",
                f"{self._shown}: more than {self._budget:,} bytes would have to be read. Download the file "
                "to inspect it.",
            )
        answer = self._client.get_range(self._url, offset, count, if_match=self._etag)
        self.fetched += len(answer.data)
        self.requests += 1
        if answer.total not in (None, self.size) or len(answer.data) != count:
            raise TemporaryError(
                "changed", f"{self._shown}: its size changed while it was read. It was replaced; try again."
            )
        return answer.data
