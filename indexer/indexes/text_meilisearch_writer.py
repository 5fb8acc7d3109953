"""Putting documents into Meilisearch: some batches under way at a time; a bad document loses only itself.

A task is refused as a whole for one document in it. So a refused batch is cut in halves and tried again,
until what is refused is a single document; that one is noted with Meilisearch's error code, and its
neighbours go in.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from indexer.domain.records import Document
from indexer.indexes.text import RefusedDocument
from indexer.indexes.text_meilisearch_documents import row_of
from indexer.indexes.text_meilisearch_server import Refused, Server

__all__ = ["MeilisearchWriter"]

# The server works on all that waits at once, and much of its work is the same for few documents and for many.
_PAYLOAD = 24 << 20
_ROWS = 20_000
_UNDER_WAY = 4
_DELETED = 20_000


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    line: bytes


class MeilisearchWriter:
    """Puts documents into the index ``uid``; the same id again replaces."""

    def __init__(self, server: Server, uid: str, refused: list[RefusedDocument]) -> None:
        self._server = server
        self._path = f"indexes/{uid}/documents"
        self._refused = refused
        self._rows: list[_Row] = []
        self._size = 0
        self._under_way: deque[tuple[Mapping[str, Any], Sequence[_Row]]] = deque()

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents."""
        for document in documents:
            row = row_of(document)
            try:
                line = orjson.dumps(row)
            except orjson.JSONEncodeError as error:  # half a character, a number beyond 64 bits
                self._refuse(document.id, "invalid_document", str(error))
                continue
            self._rows.append(_Row(document.id, line))
            self._size += len(line) + 1
            if self._size >= _PAYLOAD or len(self._rows) >= _ROWS:
                self._send()

    def delete(self, ids: Iterable[int]) -> None:
        """Take documents out; unknown ids are no fault."""
        wanted = list(ids)
        if not wanted:
            return
        self.finish()  # so that no document is put again after it was taken out
        for start in range(0, len(wanted), _DELETED):
            task = self._server.post(f"{self._path}/delete-batch", wanted[start : start + _DELETED])
            self._server.wait(task)

    def finish(self) -> None:
        """Send what is left and wait until all is in."""
        self._send()
        while self._under_way:
            self._settle()

    def _send(self) -> None:
        if not self._rows:
            return
        while len(self._under_way) >= _UNDER_WAY:
            self._settle()
        rows, self._rows, self._size = self._rows, [], 0
        try:
            self._under_way.append((self._post(rows), rows))
        except Refused as error:
            self._halve(rows, error.code, str(error))

    def _post(self, rows: Sequence[_Row]) -> Mapping[str, Any]:
        lines = b"\n".join(row.line for row in rows)
        task: Mapping[str, Any] = self._server.post(self._path, lines, kind="application/x-ndjson")
        return task

    def _settle(self) -> None:
        """Wait for the oldest batch."""
        task, rows = self._under_way.popleft()
        try:
            self._server.wait(task)
        except Refused as error:
            newer = {row.id for _, later in self._under_way for row in later}
            self._halve([row for row in rows if row.id not in newer], error.code, str(error))

    def _halve(self, rows: Sequence[_Row], code: str, message: str) -> None:
        """Put the halves of a refused batch, each alone; a single row is what was refused."""
        if len(rows) <= 1:
            for row in rows:
                self._refuse(row.id, code, message)
            return
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            try:
                self._server.wait(self._post(half))
            except Refused as error:
                self._halve(half, error.code, str(error))

    def _refuse(self, id_: int, code: str, message: str) -> None:
        self._refused.append(RefusedDocument(id_, code, message[:300]))
