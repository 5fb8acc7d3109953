"""The Hugging Face Hub's API: routes to raw pages and records. Nothing is understood here but paging.

Routes are those of the ``huggingface_hub`` package, which is not used for traffic: it follows redirects and
reads proxies, caches and bodies by its own rules, and all requests here keep to those of ``HubClient``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from indexer.sources.addresses import same_origin
from indexer.sources.http import HubClient, Params
from indexer.sources.http_errors import HubRefused
from indexer.sources.http_records import Answer
from indexer.sources.pages import Page

__all__ = ["PAGE_SIZE", "HuggingFace"]

PAGE_SIZE: Final = 20
"""Repositories a page: each costs two more requests, and a page is what a killed crawl may ask for again."""

_TREE_PAGE: Final = 1000
_TREE_PAGES: Final = 10
_LONGEST_CURSOR: Final = 4000
_ABSENT = ("not_found", "gone", "auth")
_UNREADABLE = ("body_size", "bad_answer")
_NEXT = re.compile(r'<([^<>]{1,8000})>\s*;[^,]*\brel="?next"?')
_TOKEN = "Set HF_TOKEN to a token that may see this, and accept its terms on its page where it asks for that."

Wanted = Callable[[Mapping[str, Any]], bool]


class HuggingFace:
    """The API at ``base_url``. Methods raise ``HubUnavailable`` and ``HubRefused`` (``http_errors``)."""

    def __init__(self, client: HubClient, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._client = client

    def models(
        self,
        question: Params,
        cursor: str | None = None,
        *,
        size: int = PAGE_SIZE,
        wanted: Wanted = lambda _: True,
    ) -> Page:
        """A page of repositories, as ``{id, info, card}``: what the API says with all files, and README.md.

        ``question`` has the route's own parameter names. A repository that is not ``wanted`` for what the
        listing says of it costs no further request.
        """
        params: dict[str, Any] = {**question, "limit": str(size), "full": "true"}
        if cursor is not None:
            params["cursor"] = cursor.partition(":")[2]
        answer = self._listing(params)
        if not isinstance(answer.value, list):
            raise self._odd("its answer is no list of models")
        items = [self._item(listed, wanted) for listed in answer.value]
        return Page(items, self._next(answer))

    def repo(self, name: str) -> dict[str, Any] | None:
        """One repository as ``{id, info, card}``; None where it is not shown to us or past all size."""
        try:
            info = self._json(f"api/models/{quote(name)}", {"blobs": "true"}, may_be_absent=True).value
        except HubRefused as error:
            if error.code in (*_ABSENT, *_UNREADABLE):
                return None
            raise
        if not isinstance(info, dict):
            return None
        if not isinstance(info.get("siblings"), list):
            info["siblings"] = list(self.tree(name))
        return {"id": name, "info": info, "card": self._card(name, info["siblings"])}

    def tree(self, name: str) -> Iterator[Any]:
        """All entries of a repository, 10,000 at most."""
        params: dict[str, Any] = {"recursive": "true", "limit": str(_TREE_PAGE)}
        for _ in range(_TREE_PAGES):
            answer = self._json(f"api/models/{quote(name)}/tree/main", params, may_be_absent=True)
            yield from answer.value if isinstance(answer.value, list) else ()
            cursor = self._next(answer)
            if cursor is None:
                return
            params["cursor"] = cursor.partition(":")[2]

    def _listing(self, params: dict[str, Any]) -> Answer:
        """With the names of files; without, where one of the repositories has more of them than is read."""
        try:
            return self._json("api/models", params)
        except HubRefused as error:
            if error.code != "body_size":
                raise
        return self._json("api/models", {key: value for key, value in params.items() if key != "full"})

    def _item(self, listed: Any, wanted: Wanted) -> dict[str, Any]:
        name = (listed.get("id") or listed.get("modelId")) if isinstance(listed, dict) else None
        known = {"id": name if isinstance(name, str) else None, "info": listed, "card": None}
        if not isinstance(name, str) or not wanted(listed):
            return known
        return self.repo(name) or known

    def _card(self, name: str, files: list[Any]) -> str | None:
        names = (file.get("rfilename") or file.get("path") for file in files if isinstance(file, dict))
        if "README.md" not in names:
            return None
        url = f"{self.base_url}/{quote(name)}/resolve/main/README.md"
        try:
            text: str = self._client.get_text(url, may_be_absent=True).value
        except HubRefused as error:
            if error.code in (*_ABSENT, *_UNREADABLE):
                return None
            raise
        return text

    def _next(self, answer: Answer) -> str | None:
        """The cursor in the ``Link`` header's address of the next page. The address itself is never asked."""
        found = _NEXT.search(answer.headers.get("link", "")[:10_000])
        if found is None:
            return None
        url = urljoin(answer.url, found[1])
        if not same_origin(url, self.base_url):
            raise HubRefused(
                "refused_address",
                f"{self.base_url} says that its next page is on another host. Nothing was sent there; what "
                "was read so far is kept.",
                urlsplit(self.base_url).netloc,
            )
        cursor = parse_qs(urlsplit(url).query).get("cursor", [""])[0]
        if not 0 < len(cursor) <= _LONGEST_CURSOR:
            raise self._odd("the address of its next page names no cursor")
        return f"cursor:{cursor}"

    def _json(self, route: str, params: Params, *, may_be_absent: bool = False) -> Answer:
        try:
            return self._client.get_json(f"{self.base_url}/{route}", params, may_be_absent=may_be_absent)
        except HubRefused as error:
            if error.code != "auth":
                raise
            text = f"{self.base_url} answered with status {error.status}. {_TOKEN}"
            raise HubRefused(error.code, text, error.host, error.status, error.wait) from None

    def _odd(self, text: str) -> HubRefused:
        return HubRefused(
            "bad_answer",
            f"{self.base_url}: {text}. Is this the address of a Hugging Face Hub? What was read so far "
            "is kept.",
            urlsplit(self.base_url).netloc,
        )
