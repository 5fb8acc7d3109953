"""Requests to one Meilisearch index, several at a time where one has to wait for none of the others."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import Card
from indexer.indexes.text_ledger_read import Ledger
from indexer.indexes.text_meilisearch_server import Refused, Server
from indexer.indexes.text_meilisearch_settings import (
    MAX_VALUES,
    PART,
    both,
    ids_of,
    listed,
    listing,
    parts,
    searched,
    words_attribute,
)

__all__ = ["Reader", "exactly"]

_REMEMBERED, _SECONDS = 20_000, 60.0
"""How many have a word is remembered so long: it decides how rare it is, not who is found."""

_STAMPED = 1.0
"""So many seconds the state of the index is believed."""

_PAGE = 50_000
_QUERIES = 100
_AT_ONCE = 8
_NEVER = (-1e9, 0)

_One = TypeVar("_One")
_Other = TypeVar("_Other")


class Reader:
    """Reads the index ``name``; an index that is not there has no documents.

    ``ledger`` is asked what the server would take long to tell, as far as it knows. All methods raise
    ``CatalogError`` when the server cannot be asked.
    """

    def __init__(self, server: Server, name: str, ledger: Path | None = None) -> None:
        self._server = server
        self._name = name
        self._ledger = None if ledger is None else Ledger(ledger)
        self._stamp = (_NEVER[0], "")
        self._totals: dict[str, tuple[float, int]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, "pinakes-meilisearch")  # each thread keeps its connection
        self._beside = ThreadPoolExecutor(_AT_ONCE, "pinakes-meilisearch-beside")

    def stamp(self) -> str:
        """Another value after every change of the index, of a second ago at most; empty without an index."""
        now = time.monotonic()
        if now - self._stamp[0] > _STAMPED:
            self._stamp = (now, self._stamp_now())
        return self._stamp[1]

    def _stamp_now(self) -> str:
        try:
            told = self._server.get(f"indexes/{self._name}")
        except Refused as error:
            if error.code != "index_not_found":
                raise
            return ""
        return f"{told['createdAt']} {told['updatedAt']}"

    def forget(self) -> None:
        """The index has just changed."""
        self._stamp = (_NEVER[0], "")

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

    def ask_halved(self, queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The same as ``ask_all``, in two requests that the server works on beside each other."""
        if len(queries) < 2:
            return self.ask_all(queries)
        middle = len(queries) // 2
        halves = self._pool.map(self.ask_all, (queries[:middle], queries[middle:]))
        return [answer for found in halves for answer in found]

    def beside(self, one: Callable[[], _One], other: Callable[[], _Other]) -> tuple[_One, _Other]:
        """What two calls answer, made at the same time. Neither calls this itself: it might wait for ever."""
        waiting = self._beside.submit(one)
        told = other()
        return waiting.result(), told

    def knows_values(self) -> bool:
        """Whether ``counts`` and ``having`` know the index as it is."""
        return self._ledger is not None and self._ledger.knows(self.stamp())

    def counts(self, ids: NDArray[np.int64], names: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How many entries have which value of the fields, the most frequent ones, as the server keeps
        values; nothing where the ledger does not know."""
        found = self._ledger.counts(self.stamp(), ids, names, MAX_VALUES) if self._ledger else None
        return found or {name: {} for name in names}

    def having(self, coded: Sequence[str], fields: Sequence[str]) -> Mapping[str, NDArray[np.int64]] | None:
        """Ids (n,) of entries in which the words follow each other, by field of ``LONG_FIELDS``; None where
        the ledger does not know."""
        return self._ledger.having(self.stamp(), coded, fields) if self._ledger else None

    def present(self, ids: Sequence[int], coded: Sequence[str]) -> list[int]:
        """For each entry a bit for each of the words (bit 0 the first) that it has."""
        told = self._ledger.present(self.stamp(), coded, ids) if self._ledger else None
        if told is not None:
            return told
        names = [words_attribute(field) for field in searched()]
        rows = self.by_id(ids, names)
        have = [{word for name in names for word in rows.get(id_, {}).get(name, ())} for id_ in ids]
        return [sum(1 << place for place, word in enumerate(coded) if word in some) for some in have]

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """The cards of entries, in no order."""
        told = self._ledger.cards(self.stamp(), ids) if self._ledger else None
        if told is not None:
            return told
        return [Card.from_row(row["card"]) for row in self.by_id(ids, ["card"]).values()]

    def totals(self, texts: Sequence[str]) -> list[int]:
        """How many documents each text finds; of a minute ago at most."""
        return self.ask_with_totals((), texts)[1]

    def ask_with_totals(
        self, queries: Sequence[Mapping[str, Any]], texts: Sequence[str]
    ) -> tuple[list[Mapping[str, Any]], list[int]]:
        """Answers of ``queries`` and ``totals`` of ``texts``; the first, which may fetch hits, beside the
        others."""
        now = time.monotonic()
        new = [text for text in dict.fromkeys(texts) if now - self._totals.get(text, _NEVER)[0] > _SECONDS]
        if len(self._totals) + len(new) > _REMEMBERED:
            self._totals, new = {}, list(dict.fromkeys(texts))
        asked = [*queries, *({"q": text, "hitsPerPage": 0} for text in new)]
        if asked[1:] and asked[0].get("hitsPerPage"):
            first, others = self.beside(lambda: self.ask_all(asked[:1]), lambda: self.ask_all(asked[1:]))
            answers = [*first, *others]
        else:
            answers = self.ask_all(asked)
        told = dict(self._totals)
        for text, answer in zip(new, answers[len(queries) :], strict=True):
            total = int(answer.get("totalHits", 0))
            told[text] = (now, total)
            if total:  # a word that is new is known at once
                self._totals[text] = told[text]
        return answers[: len(queries)], [told[text][1] for text in texts]

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

    def ids(self, expression: str, limit: int) -> list[int]:
        """Ids of entries that pass an expression, at most ``limit``."""
        total = int(self.ask({"q": "", "hitsPerPage": 0, "filter": expression or None}).get("totalHits", 0))
        if total > max(limit, PART):
            return [int(row["id"]) for row in self.rows(expression, ["id"], limit)]
        queries = [listing("", both(expression, part)) for part in parts(total)]  # no document is read
        answers = self.ask_halved(queries)
        return [id_ for answer in answers for id_ in ids_of(listed(answer)).tolist()][:limit]

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


def exactly(word: str) -> str:
    """The query that finds a word as it is: no beginnings, no typing errors. Words hold letters and digits
    only, so nothing in them is syntax."""
    return f'"{word}"'
