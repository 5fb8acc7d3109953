"""Who is asked: Pinakes by its real search, its text engine alone, and the peers."""

import os
import re
import secrets
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from indexer.settings import Settings
from scripts.evaluations.search_catalog import model_ids
from scripts.evaluations.search_models import versions_of
from search.query import QueryError, parse_query
from search.retrieval import Way, text_candidates
from search.service import Pinakes

__all__ = ["Asked", "Candidates", "FullText", "Meilisearch", "Ours", "Server", "peer_documents", "server"]

_TAGS = re.compile(r"<[^>]{0,2000}>")
_WEIGHTS = {"name": 8.0, "triggers": 4.0, "tags": 3.0, "creator": 3.0, "versions": 1.0, "files": 2.0}
_BATCH = 1_000


class Asked(Protocol):
    """Anything that answers a query with ids of models, best first, each once."""

    name: str

    def search(self, query: str, limit: int) -> list[int]:
        """The first models of the answer."""


class Ours:
    """The program's own search as a user calls it; nothing is hidden."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.pinakes = Pinakes(settings)
        self._models = model_ids(settings)

    def search(self, query: str, limit: int) -> list[int]:
        """Models of the first ``limit`` hits. A query that is refused finds nothing."""
        try:
            hits = self.pinakes.search(query, limit=limit).hits
        except QueryError:
            return []
        return self.models_of(hit.document.id for hit in hits)

    def models_of(self, entries: Iterable[int]) -> list[int]:
        """The models of entries, each once."""
        return list(dict.fromkeys(self._models[id_] for id_ in entries))


class Candidates:
    """The text engine alone, before ranking: what ranking can choose from."""

    def __init__(self, ours: Ours) -> None:
        self.name = f"{ours.name}, candidates"
        self._ours = ours

    def search(self, query: str, limit: int) -> list[int]:
        """Models of the engine's first ``limit`` entries."""
        try:
            parsed = parse_query(query)
        except QueryError:
            return []
        found = text_candidates(self._ours.pinakes.text, parsed, parsed.where, Way(), ())
        return self._ours.models_of(found.ids[:limit])


def peer_documents(items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One document a model, most telling field first, as a search engine out of the box would be given it."""
    for item in items:
        versions = versions_of(item)
        images = [image for v in versions for image in v.get("images") or ()]
        files = [file for v in versions for file in v.get("files") or ()]
        prompts = (m.get("prompt") for image in images if isinstance(m := image.get("meta"), dict))
        told = [item.get("description"), *(v.get("description") for v in versions)]
        yield {
            "id": item["id"],
            "name": item["name"],
            "triggers": [str(w) for v in versions for w in v.get("trainedWords") or ()],
            "tags": [str(tag) for tag in item.get("tags") or ()],
            "creator": str((item.get("creator") or {}).get("username") or ""),
            "versions": [str(v.get("name") or "") for v in versions],
            "files": [str(file.get("name") or "") for file in files],
            "description": " ".join(_TAGS.sub(" ", text) for text in told if isinstance(text, str)),
            "prompts": list(dict.fromkeys(p for p in prompts if isinstance(p, str))),
            "hashes": [h for file in files for h in (file.get("hashes") or {}).values()],
        }


class FullText:
    """SQLite's FTS5 with bm25: the words of the query in quotes, joined by OR.

    ``whole``: all fields, weighted; else name and description alone, alike.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]], *, whole: bool) -> None:
        self.name = "FTS5, all fields weighted" if whole else "FTS5, name + description"
        fields = [*_WEIGHTS, "description", "prompts"] if whole else ["name", "description"]
        weights = [_WEIGHTS.get(field, 1.0) if whole else 1.0 for field in fields]
        self._order = f"bm25(model, {', '.join(map(str, weights))})"
        self._base = sqlite3.connect(":memory:")
        self._base.execute(f"CREATE VIRTUAL TABLE model USING fts5({', '.join(fields)})")
        places = ", ".join("?" * (len(fields) + 1))
        self._base.executemany(
            f"INSERT INTO model(rowid, {', '.join(fields)}) VALUES ({places})",
            ([doc["id"], *(_plain(doc[field]) for field in fields)] for doc in documents),
        )

    def search(self, query: str, limit: int) -> list[int]:
        """The best models by bm25."""
        quoted = " OR ".join(f'"{word}"' for word in dict.fromkeys(query.replace('"', " ").split()))
        rows = self._base.execute(
            f"SELECT rowid FROM model WHERE model MATCH ? ORDER BY {self._order} LIMIT ?", (quoted, limit)
        )
        return [int(row[0]) for row in rows]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else "\n".join(value)


class Server:
    """A running Meilisearch server."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request; raises ``httpx.HTTPStatusError`` for a refusal."""
        answer = self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def done(self, task: Mapping[str, Any]) -> None:
        """Wait for a task. Raises ``RuntimeError`` with what the server says when it failed."""
        while (state := self.ask("GET", f"/tasks/{task['taskUid']}"))["status"] in ("enqueued", "processing"):
            time.sleep(0.05)
        if state["status"] != "succeeded":
            raise RuntimeError(f"Meilisearch: task {task['taskUid']} failed: {state['error']}")


@contextmanager
def server(folder: Path) -> Iterator[Server | None]:
    """A server on a free port with its data in ``folder``; None where ``MEILISEARCH_BIN`` names none."""
    program = os.environ.get("MEILISEARCH_BIN")
    if not program:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    key = secrets.token_hex(16)
    command = [program, "--db-path", str(folder / "data"), "--http-addr", address, "--no-analytics"]
    with (folder / "log.txt").open("ab") as log:
        running = subprocess.Popen([*command, "--master-key", key], cwd=folder, stdout=log, stderr=log)
    asked = Server(f"http://{address}", key)
    try:
        yield _ready(asked, running)
    finally:
        asked.close()
        running.terminate()
        running.wait(30)


def _ready(asked: Server, running: "subprocess.Popen[bytes]") -> Server:
    for _ in range(300):
        if running.poll() is not None:
            break
        try:
            asked.ask("GET", "/health")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return asked
    raise RuntimeError(f"Meilisearch did not start at {asked.url}; its log tells why.")


class Meilisearch:
    """A Meilisearch index with settings as they come, or searching only ``fields``."""

    def __init__(self, name: str, asked: Server, index: str, fields: Sequence[str] = ("*",)) -> None:
        self.name = name
        self._asked = asked
        self._index = index
        self._fields = fields

    def fill(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Put the documents in, unless the index is there: its name says what is in it."""
        held = self._asked.ask("GET", "/indexes?limit=1000")["results"]
        if any(index["uid"] == self._index for index in held):
            return
        aside = self._index + "-making"
        if any(index["uid"] == aside for index in held):
            self._asked.done(self._asked.ask("DELETE", f"/indexes/{aside}"))
        self._asked.done(self._asked.ask("POST", "/indexes", {"uid": aside, "primaryKey": "id"}))
        if tuple(self._fields) != ("*",):
            change = {"searchableAttributes": list(self._fields)}
            self._asked.done(self._asked.ask("PATCH", f"/indexes/{aside}/settings", change))
        tasks = [
            self._asked.ask("POST", f"/indexes/{aside}/documents", list(documents[start : start + _BATCH]))
            for start in range(0, len(documents), _BATCH)
        ]
        for task in tasks:
            self._asked.done(task)
        self._asked.done(self._asked.ask("PATCH", f"/indexes/{aside}", {"uid": self._index}))

    def search(self, query: str, limit: int) -> list[int]:
        """The first models of the answer."""
        body = {"q": query, "limit": limit, "attributesToRetrieve": ["id"]}
        return [hit["id"] for hit in self._asked.ask("POST", f"/indexes/{self._index}/search", body)["hits"]]
