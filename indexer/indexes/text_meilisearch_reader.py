"""Requests to one Meilisearch index, several at a time where one has to wait for none of the others."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from indexer.domain.fields import Field
from indexer.indexes.text_meilisearch_server import Refused, Server
from indexer.indexes.text_meilisearch_settings import words_attribute

__all__ = ["Phrases", "Reader", "exactly"]

MAX_LOOKED_UP = 600
"""So many entries are looked through for a phrase, in a tenth of a second; where more have its words,
those count as having it."""

_REMEMBERED, _SECONDS = 20_000, 60.0
"""How many have a word is remembered so long: it decides how rare it is, not who is found."""

_PAGE = 50_000
_QUERIES = 100
_AT_ONCE = 8
_NEVER = (-1e9, 0)


class Reader:
    """Reads the index ``name``; an index that is not there has no documents.

    All methods raise ``CatalogError`` when the server cannot be asked.
    """

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name
        self._totals: dict[str, tuple[float, int]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, "pinakes-meilisearch")  # each thread keeps its connection

    def ask(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer of one search, empty without an index."""
        return self._post(f"indexes/{self._name}/search", query)

    def ask_all(self, queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Answers of several searches, in their order."""
        answers: list[Mapping[str, Any]] = []
        for start in range(0, len(queries), _QUERIES):
            asked = [{"indexUid": self._name, **query} for query in queries[start : start + _QUERIES]]
            answers += self._post("multi-search", {"queries": asked}).get("results") or [{}] * len(asked)
        return answers

    def ask_together(self, queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The same as ``ask_all`` for queries that take long: the server works on all of them at once."""
        if len(queries) < 2:
            return self.ask_all(queries)
        return [
            answer for found in self._pool.map(self.ask_all, ([one] for one in queries)) for answer in found
        ]

    def totals(self, texts: Sequence[str]) -> list[int]:
        """How many documents each text finds; of a minute ago at most."""
        now = time.monotonic()
        new = [text for text in dict.fromkeys(texts) if now - self._totals.get(text, _NEVER)[0] > _SECONDS]
        if len(self._totals) + len(new) > _REMEMBERED:
            self._totals, new = {}, list(dict.fromkeys(texts))
        answers = self.ask_all([{"q": text, "hitsPerPage": 0} for text in new])
        told = dict(self._totals)
        for text, answer in zip(new, answers, strict=True):
            total = int(answer.get("totalHits", 0))
            told[text] = (now, total)
            if total:  # a word that is new is known at once
                self._totals[text] = told[text]
        return [told[text][1] for text in texts]

    def count(self) -> int:
        """How many documents the index holds."""
        return int(self._fetch({"limit": 0, "fields": ["id"]}).get("total", 0))

    def rows(self, expression: str, attributes: Sequence[str], limit: int) -> Iterator[Mapping[str, Any]]:
        """Rows that pass an expression, at most ``limit``, fetched page by page."""
        fetched = 0
        while fetched < limit:
            body = {"fields": list(attributes), "limit": min(_PAGE, limit - fetched), "offset": fetched}
            page = self._fetch(body | ({"filter": expression} if expression else {}))
            found = page.get("results", ())
            yield from found
            fetched += len(found)
            if not found or fetched >= int(page["total"]):
                return

    def by_id(self, ids: Sequence[int], attributes: Sequence[str]) -> dict[int, Mapping[str, Any]]:
        """Rows by their ids."""
        body = {"ids": list(ids), "fields": ["id", *attributes], "limit": len(ids)}
        return {int(row["id"]): row for row in self._fetch(body).get("results", ())} if ids else {}

    def _fetch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._post(f"indexes/{self._name}/documents/fetch", body)

    def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self._server.post(path, body)
        except Refused as error:
            if error.code != "index_not_found":
                raise
            return {}  # nothing was indexed yet
        return answer


class Phrases:
    """Looks phrases up in the words of those who have all of them; ``gave_up``: there were too many."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: dict[tuple[str, ...], Sequence[int] | None] = {}
        self.gave_up = False

    def look_up(self, field: Field, coded: Sequence[str], expression: str) -> Sequence[int] | None:
        """See ``PhraseLookup``."""
        if (field.name, *coded) in self._found:  # who is shown and who is kept back have the same phrases
            return self._found[field.name, *coded]
        found = self._found[field.name, *coded] = self._look_up(field, coded, expression)
        return found

    def _look_up(self, field: Field, coded: Sequence[str], expression: str) -> Sequence[int] | None:
        name = words_attribute(field)
        wanted = f" {' '.join(coded)} "
        rows = list(self._reader.rows(expression, ["id", name], MAX_LOOKED_UP + 1))
        if len(rows) > MAX_LOOKED_UP:
            self.gave_up = True
            return None
        return [int(row["id"]) for row in rows if wanted in f" {' '.join(row.get(name, ()))} "]


def exactly(word: str) -> str:
    """The query that finds a word as it is: no beginnings, no typing errors. Words hold letters and digits
    only, so nothing in them is syntax."""
    return f'"{word}"'
