"""Civitai's public REST API v1: routes to raw pages and records. Nothing is understood here but paging.

Routes and their faults: developer.civitai.com, reference of the site's API. Cursors are kept as text with
their sort, ``cursor:OPAQUE`` or ``page:NUMBER``, so that a listing can be read on in another process.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Unpack
from urllib.parse import parse_qs, urljoin, urlsplit

from indexer.errors import UsageError
from indexer.sources.addresses import same_origin
from indexer.sources.http import Conditions, HubClient, Params
from indexer.sources.http_errors import HubRefused
from indexer.sources.http_records import Answer
from indexer.sources.pages import Page

__all__ = ["PAGE_SIZE", "Civitai", "Heard"]

PAGE_SIZE = 100
"""Most models that a listing gives at once."""

_NUMBERED = 1_000
"""Pages by number end here: page x limit may not be more (the hub would answer 429 for ever)."""

_HASHES_AT_ONCE = 100
_IDS_AT_ONCE = 10_000
_LONGEST_CURSOR = 4_000
_ABSENT = ("not_found", "gone")
_ADVICE = {
    401: "Set CIVITAI_API_KEY (or CIVITAI_TOKEN, or CIVITAI_API_TOKEN) to a valid key of your account there.",
    403: "Set CIVITAI_API_KEY (or CIVITAI_TOKEN, or CIVITAI_API_TOKEN) to a key that may see this.",
    400: "It does not understand the question: check types, base models, sort and period.",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """Items by id. ``fresh`` is False, and ``items`` empty, where nothing changed since the validators."""

    items: Sequence[Any]
    etag: str | None
    last_modified: str | None
    fresh: bool


class Civitai:
    """The API below ``base_url``. All methods raise ``HubUnavailable`` and ``HubRefused`` (``http_errors``);
    what is merely not there is None or left out."""

    def __init__(self, client: HubClient, base_url: str) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/api/v1")
        self._client = client

    def models(self, question: Params, cursor: str | None = None, *, size: int = PAGE_SIZE) -> Page:
        """A page of models; ``question`` has the route's own parameter names. Raises ``HubRefused``
        (``page_limit``) where only pages by number are left and they end."""
        return self._listing("models", question, cursor, size)

    def images(self, question: Params, cursor: str | None = None, *, size: int = 200) -> Page:
        """A page of images."""
        return self._listing("images", question, cursor, size)

    def creators(self, question: Params, cursor: str | None = None, *, size: int = 200) -> Page:
        """A page of creators."""
        return self._words("creators", question, cursor, size)

    def tags(self, question: Params, cursor: str | None = None, *, size: int = 200) -> Page:
        """A page of tags."""
        return self._words("tags", question, cursor, size)

    def enums(self) -> Mapping[str, Any]:
        """The words that the hub uses now: ModelType, BaseModel …"""
        value = self._get("enums").value
        return value if isinstance(value, dict) else {}

    def models_url(self, numbers: Sequence[int]) -> str:
        """The address that ``models_by_id`` asks; names the answer among stored validators."""
        return f"{self._route('models')}?ids={','.join(map(str, numbers))}"

    def models_by_id(
        self, numbers: Sequence[int], *, etag: str | None = None, last_modified: str | None = None
    ) -> Heard:
        """At most 100 models by their ids, adult ones too. Those that are not shown are left out."""
        if len(numbers) > PAGE_SIZE:
            raise UsageError("ids", f"Ask for at most {PAGE_SIZE} models at once, not {len(numbers)}.")
        params: Params = {"ids": ",".join(map(str, numbers)), "limit": str(PAGE_SIZE), "nsfw": "true"}
        answer = self._get("models", params, etag=etag, last_modified=last_modified)
        items = self._items(answer) if answer.fresh else []
        return Heard(items, answer.etag, answer.last_modified, answer.fresh)

    def model(self, number: int) -> Any | None:
        """One whole model."""
        return self._one(f"models/{number}")

    def version(self, number: int) -> Any | None:
        """One version, with its model's id."""
        return self._one(f"model-versions/{number}")

    def by_hash(self, value: str) -> Any | None:
        """The version that has a file of this hash, of any kind."""
        return self._one(f"model-versions/by-hash/{value}")

    def by_hashes(self, values: Iterable[str]) -> Iterator[Any]:
        """The versions that have files of these SHA-256 (64 digits), 100 a request; one by one where the hub
        has no such route."""
        for piece in _pieces(values, _HASHES_AT_ONCE):
            found = self._post("model-versions/by-hash", piece)
            if isinstance(found, list):
                yield from found
            else:
                yield from filter(None, map(self.by_hash, piece))

    def version_ids(self, values: Iterable[str]) -> dict[str, int] | None:
        """Which of these SHA-256 the hub knows, with the version's id; 10,000 a request. None where the hub
        has no such route."""
        known: dict[str, int] = {}
        for piece in _pieces(values, _IDS_AT_ONCE):
            found = self._post("model-versions/by-hash/ids", piece)
            if not isinstance(found, list):
                return None
            known.update(_hash_and_id(row) for row in found if isinstance(row, dict) and _is_hit(row))
        return known

    def is_alive(self) -> bool:
        """Whether it shows any model at all: what it does not show is believed to be gone only then."""
        return bool(self._listing("models", {}, None, 1).items)

    def _words(self, route: str, question: Params, cursor: str | None, size: int) -> Page:
        """Pages by number, of a hub that may not say how many there are: then an empty one is the last."""
        number = int((cursor or "page:1").removeprefix("page:"))
        answer = self._get(route, {**question, "limit": str(size), "page": str(number)})
        items = self._items(answer)
        told = answer.value.get("metadata")
        metadata = told if isinstance(told, dict) else {}
        on = f"page:{number + 1}" if items and not metadata.get("totalPages") else None
        return Page(items, self._next(metadata, answer) or on)

    def _listing(self, route: str, question: Params, cursor: str | None, size: int) -> Page:
        sort, _, place = (cursor or "").partition(":")
        if sort == "page" and int(place) * size > _NUMBERED:
            raise HubRefused(
                "page_limit",
                f"{self.base_url} numbers its pages and ends at {_NUMBERED:,} items. Ask for less at once: "
                "by type, tag, base model or period.",
                urlsplit(self.base_url).netloc,
            )
        params = {**question, "limit": str(size), **({sort: place} if sort else {})}
        answer = self._get(route, params)
        items = self._items(answer)
        metadata = answer.value.get("metadata")
        return Page(items, self._next(metadata if isinstance(metadata, dict) else {}, answer))

    def _items(self, answer: Answer) -> list[Any]:
        items = answer.value.get("items") if isinstance(answer.value, dict) else None
        if not isinstance(items, list):
            raise self._odd("its answer holds no list of items")
        return items

    def _next(self, metadata: Mapping[str, Any], answer: Answer) -> str | None:
        cursor, link = metadata.get("nextCursor"), metadata.get("nextPage")
        if (isinstance(cursor, str) and cursor) or type(cursor) is int:
            return self._bounded(f"cursor:{cursor}")
        if isinstance(link, str) and link:
            return self._linked(link, answer.url)
        current, total = metadata.get("currentPage"), metadata.get("totalPages")
        if type(current) is int and type(total) is int and 0 < current < total:
            return f"page:{current + 1}"
        return None

    def _linked(self, link: str, asked: str) -> str:
        """The cursor in an address of the next page. The address itself is never asked."""
        try:
            url = urljoin(asked, link)
        except ValueError:
            url = ""
        if not same_origin(url, self.base_url):
            raise HubRefused(
                "refused_address",
                f"{self.base_url} says that its next page is on another host. Nothing was sent there; "
                "what was read so far is kept.",
                urlsplit(self.base_url).netloc,
            )
        query = parse_qs(urlsplit(url).query)
        if "cursor" in query:
            return self._bounded(f"cursor:{query['cursor'][0]}")
        page = query.get("page", [""])[0]
        if not (page.isascii() and page.isdigit() and len(page) < 10):
            raise self._odd("the address of its next page names neither a cursor nor a page")
        return f"page:{int(page)}"

    def _bounded(self, cursor: str) -> str:
        if len(cursor) > _LONGEST_CURSOR:
            raise self._odd(f"its cursor has {len(cursor):,} characters")
        return cursor

    def _odd(self, text: str) -> HubRefused:
        return HubRefused(
            "bad_answer",
            f"{self.base_url}: {text}. Is this the address of a Civitai API? What was read so far is kept.",
            urlsplit(self.base_url).netloc,
        )

    def _one(self, route: str) -> Any | None:
        try:
            value = self._get(route, may_be_absent=True).value
        except HubRefused as error:
            if error.code in _ABSENT:
                return None
            raise
        return value if isinstance(value, dict) else None

    def _post(self, route: str, values: Sequence[str]) -> Any | None:
        """None where there is no such route."""
        try:
            return self._client.post_json(self._route(route), list(values), may_be_absent=True).value
        except HubRefused as error:
            if error.code in _ABSENT or error.status == 405:
                return None
            raise self._explained(error) from None

    def _get(self, route: str, params: Params | None = None, **how: Unpack[Conditions]) -> Answer:
        try:
            return self._client.get_json(self._route(route), params, **how)
        except HubRefused as error:
            raise self._explained(error) from None

    def _route(self, route: str) -> str:
        return f"{self.base_url}/api/v1/{route}"

    def _explained(self, error: HubRefused) -> HubRefused:
        advice = _ADVICE.get(error.status or 0)
        if advice is None:
            return error
        text = f"{self.base_url} answered with status {error.status}. {advice}"
        return HubRefused(error.code, text, error.host, error.status, error.wait)


def _pieces(values: Iterable[str], size: int) -> Iterator[list[str]]:
    left = iter(values)
    while piece := list(islice(left, size)):
        yield piece


def _is_hit(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("hash"), str) and type(row.get("modelVersionId")) is int


def _hash_and_id(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["hash"].lower(), row["modelVersionId"]
