"""A fake Civitai on real sockets: the public routes of its REST API v1, with its limits, pages and error shapes.

    with FakeCivitai(generated(500)) as hub:
        crawl_hub({}, settings, Silent(), base_url=hub.url)
        assert len(hub.asked("/api/v1/models")) == 5

``hub.items`` maps ids to items and may be changed while it runs. Fields of ``FakeCivitai`` switch its manners: ``paging``
(``cursor``, ``link``: only the address of the next page, ``number``), ``token`` (a key is needed), ``per_second`` (more
are answered 429, with Retry-After if ``retry_after``), ``outage`` (a status that everything is answered with),
``most`` (models on a page, however many were asked for), ``gallery`` (images that others made, by version),
``countless`` (lists of creators and tags do not say how many there are), ``remembers`` (an answer is made once, so
that a measurement is not of this server).
"""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Self

from tests.hub_server import HubServer, Reply, Request, json_reply
from tests.parsers.civitai_items import item, version

__all__ = ["FakeCivitai", "generated", "hash_of", "model", "release"]

_PAGED = 1_000
_NSFW = 4 | 8 | 16 | 32


def hash_of(number: int) -> str:
    """The SHA-256 of the file of a generated version."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def release(number: int, **more: Any) -> dict[str, Any]:
    """A version with one file and one image of its own."""
    base = version(number)
    hashes = {"SHA256": hash_of(number).upper(), "AutoV2": hash_of(number)[:10].upper()}
    file = base["files"][0] | {"id": number * 10, "name": f"v{number}.safetensors", "hashes": hashes}
    image = base["images"][0] | {"url": f"https://image.invalid/{number}.jpeg"}
    return base | {"name": f"v{number}", "files": [file], "images": [image]} | more


def model(number: int, *versions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A model; without ``versions`` it has one, whose number is ten times the model's."""
    return item(number, name=f"Model {number}", modelVersions=list(versions) or [release(number * 10)]) | more


def generated(count: int, start: int = 1) -> Iterator[dict[str, Any]]:
    """So many models with ids from ``start`` on, of several kinds, bases, tags and creators."""
    for number in range(start, start + count):
        yield model(
            number,
            release(number * 10, baseModel=("SDXL 1.0", "Pony", "SD 1.5")[number % 3]),
            type=("LORA", "Checkpoint")[number % 2],
            tags=["ink", f"tag{number % 7}"],
            creator={"username": f"user{number % 5}", "image": None},
        )


class FakeCivitai:
    """The server; use it as a context manager."""

    def __init__(self, items: Iterable[dict[str, Any]] = ()) -> None:
        self.items = {int(one["id"]): one for one in items}
        self.server = HubServer()
        self.url = self.server.url
        self.paging = "cursor"
        self.token: str | None = None
        self.per_second: float | None = None
        self.retry_after = True
        self.outage: int | None = None
        self.most = 100
        self.broken: set[str] = set()
        self.gallery: dict[int, list[dict[str, Any]]] = {}
        self.enums: Any = {"ModelType": ["LORA"], "BaseModel": ["SDXL 1.0"]}
        self.countless = False
        self.remembers = False
        self._answers: dict[str, Reply] = {}
        self._turns: list[float] = []
        routes: dict[str, Callable[[Request], Any]] = {
            r"/api/v1/models": self._models,
            r"/api/v1/models/(\d+)": self._model,
            r"/api/v1/model-versions/(\d+)": self._version,
            r"/api/v1/model-versions/by-hash/(\w+)": self._by_hash,
            r"/api/v1/model-versions/by-hash": self._by_hashes,
            r"/api/v1/model-versions/by-hash/ids": self._hash_ids,
            r"/api/v1/images": self._images,
            r"/api/v1/creators": self._creators,
            r"/api/v1/tags": self._tags,
            r"/api/v1/enums": lambda _: self.enums,
        }
        for path, handler in routes.items():
            self.server.route(re.compile(path), self._guarded(path, handler))

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.server.__exit__(*error)

    def asked(self, path: str = "/api/v1/models") -> list[Request]:
        """Requests to this path so far."""
        return [request for request in self.server.requests if request.path == path]

    def _guarded(self, path: str, handler: Callable[[Request], Any]) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            if (known := self._answers.get(request.target)) is not None:
                return known
            if self.outage is not None:
                return json_reply({"error": "Not found"}, self.outage)
            if path in self.broken:
                return json_reply({"error": "Not found"}, 404)
            if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
                return json_reply({"error": "Unauthorized"}, 401)
            if self._is_too_often():
                return json_reply(
                    {"error": "Too many"}, 429, {"Retry-After": "1"} if self.retry_after else {}
                )
            found = handler(request)
            reply = found if isinstance(found, Reply) else _tagged(request, found)
            if self.remembers:
                self._answers[request.target] = reply
            return reply

        return answer

    def _is_too_often(self) -> bool:
        with self.server.lock:
            now = time.monotonic()
            self._turns = [at for at in self._turns if at > now - 1]
            if self.per_second is not None and len(self._turns) >= self.per_second:
                return True
            self._turns.append(now)
            return False

    def _models(self, request: Request) -> Any:
        size = int(request.param("limit", "100") or 0)
        page = request.param("page")
        if not 1 <= size <= 100 or (page and request.param("query")):
            return json_reply({"error": {"name": "ZodError", "issues": [{"path": ["limit"]}]}}, 400)
        if page and int(page) * size > _PAGED:
            return json_reply({"error": "You've requested too many pages, please use cursors instead"}, 429)
        size = min(size, self.most)
        matches = _filter(request)
        after = _opened(request.param("cursor"))
        bases = _listed(request, "baseModels")
        left = (one for one in self._newest_first() if (after is None or one["id"] < after) and matches(one))
        found = (_pruned(one, bases) for one in left)
        if self.paging == "number":
            return _numbered(list(found), int(page or 1), size)
        shown = list(islice(found, size + 1))
        return {"items": shown[:size], "metadata": self._metadata(request, shown, size)}

    def _metadata(self, request: Request, left: list[dict[str, Any]], size: int) -> dict[str, Any]:
        if len(left) <= size:
            return {}
        cursor = _sealed(left[size - 1]["id"])
        link = f"{self.url}{request.path}?limit={size}&cursor={cursor}"
        return {"nextPage": link} if self.paging == "link" else {"nextCursor": cursor, "nextPage": link}

    def _newest_first(self) -> list[dict[str, Any]]:
        with self.server.lock:
            return [self.items[number] for number in sorted(self.items, reverse=True)]

    def _model(self, request: Request) -> Any:
        assert request.match is not None
        return self.items.get(int(request.match[1])) or _missing("No model with id")

    def _versions(self) -> Iterator[dict[str, Any]]:
        for one in self._newest_first():
            named = {name: one[name] for name in ("name", "type", "nsfw", "poi") if name in one}
            for release in one["modelVersions"]:
                yield release | {"modelId": one["id"], "model": named}

    def _version(self, request: Request) -> Any:
        assert request.match is not None
        number = int(request.match[1])
        return next((v for v in self._versions() if v["id"] == number), None) or _missing("No model version")

    def _with_hash(self, value: str) -> dict[str, Any] | None:
        folded = value.upper()
        for release in self._versions():
            hidden = [h.upper() for h in release.get("secretHashes", [])]
            if (
                any(folded in file.get("hashes", {}).values() for file in release["files"])
                or folded in hidden
            ):
                return release
        return None

    def _by_hash(self, request: Request) -> Any:
        assert request.match is not None
        return self._with_hash(request.match[1]) or _missing("Model not found")

    def _by_hashes(self, request: Request) -> Any:
        values = request.json()
        if len(values) > 100:
            return json_reply({"error": "Too many hashes"}, 400)
        return [found for value in values if (found := self._with_hash(value))]

    def _hash_ids(self, request: Request) -> Any:
        values = request.json()
        if len(values) > 10_000:
            return json_reply({"error": "Too many hashes"}, 400)
        known = {h: v["id"] for v in self._versions() for f in v["files"] for h in f["hashes"].values()}
        known |= {h.upper(): v["id"] for v in self._versions() for h in v.get("secretHashes", [])}
        found = [value.upper() for value in values if value.upper() in known]
        return [{"modelVersionId": known[value], "hash": value} for value in found]

    def _images(self, request: Request) -> Any:
        size, after = int(request.param("limit", "50") or 50), _opened(request.param("cursor")) or 0
        wanted = {name: request.param(name) for name in ("modelId", "modelVersionId") if request.param(name)}
        rows = [
            row
            for release in self._versions()
            for row in (*_shown_images(release), *self.gallery.get(release["id"], []))
            if wanted.get("modelId", str(release["modelId"])) == str(release["modelId"])
            and wanted.get("modelVersionId", str(release["id"])) == str(release["id"])
        ]
        if request.param("withMeta") != "true":
            rows = [row | {"meta": None} for row in rows]
        shown = rows[after : after + size]
        more = {"nextCursor": _sealed(after + size)} if len(rows) > after + size else {}
        return {"items": shown, "metadata": more}

    def _creators(self, request: Request) -> Any:
        names = Counter(one["creator"]["username"] for one in self.items.values())
        link = f"{self.url}/api/v1/models?username="
        rows = [
            {"username": n, "modelCount": names[n], "link": link + n, "image": None} for n in sorted(names)
        ]
        return self._words(request, rows)

    def _tags(self, request: Request) -> Any:
        names = Counter(tag for one in self.items.values() for tag in one["tags"])
        link = f"{self.url}/api/v1/models?tag="
        rows = [{"name": name, "modelCount": names[name], "link": link + name} for name in sorted(names)]
        return self._words(request, rows)

    def _words(self, request: Request, rows: list[dict[str, Any]]) -> Any:
        words = (request.param("query") or "").lower()
        found = [row for row in rows if words in str(row.get("username") or row.get("name")).lower()]
        size = min(self.most, int(request.param("limit", "20") or 20))
        answer = _numbered(found, int(request.param("page", "1") or 1), size)
        if self.countless:
            answer["metadata"] |= {"totalItems": 0, "totalPages": 0}
        return answer


def _shown_images(release: dict[str, Any]) -> list[dict[str, Any]]:
    return [image | {"modelVersionIds": [release["id"]]} for image in release["images"]]


def _tagged(request: Request, value: Any) -> Reply:
    body = json.dumps(value).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == etag:
        return Reply(304, headers={"ETag": etag})
    return Reply(200, body, {"Content-Type": "application/json", "ETag": etag})


def _missing(text: str) -> Reply:
    return json_reply({"error": text}, 404)


def _sealed(number: int) -> str:
    return base64.urlsafe_b64encode(f"after|{number}".encode()).decode()


def _opened(cursor: str | None) -> int | None:
    return int(base64.urlsafe_b64decode(cursor).decode().partition("|")[2]) if cursor else None


def _listed(request: Request, name: str) -> set[str]:
    return {part for text in request.query.get(name, []) for part in text.split(",") if part}


def _filter(request: Request) -> Callable[[dict[str, Any]], bool]:
    ids, types, bases = (_listed(request, name) for name in ("ids", "types", "baseModels"))
    words = (request.param("query") or "").lower()
    tag, username = request.param("tag"), request.param("username")
    adult = request.param("nsfw") == "true"

    def matches(one: dict[str, Any]) -> bool:
        return (
            (not ids or str(one["id"]) in ids)
            and (not types or one["type"] in types)
            and (not bases or any(v["baseModel"] in bases for v in one["modelVersions"]))
            and (tag is None or tag in one["tags"])
            and (username is None or username == one["creator"]["username"])
            and words in one["name"].lower()
            and (adult or not one["nsfwLevel"] & _NSFW)
        )

    return matches


def _pruned(one: dict[str, Any], bases: set[str]) -> dict[str, Any]:
    """A listing by base shows only the versions of that base."""
    if not bases:
        return one
    return one | {"modelVersions": [v for v in one["modelVersions"] if v["baseModel"] in bases]}


def _numbered(rows: list[dict[str, Any]], page: int, size: int) -> dict[str, Any]:
    pages = max(1, -(-len(rows) // size))
    told = {"currentPage": page, "pageSize": size, "totalItems": len(rows), "totalPages": pages}
    return {"items": rows[(page - 1) * size : page * size], "metadata": told}
