"""A small Hugging Face Hub: listing, repositories, cards, trees, and files behind a storage of another host.

Repositories are made by ``repo``; their files are bytes. ``resolve`` leads to the storage (a server of its own) with
a presigned address, and the storage refuses whoever shows a token, as the real one does.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.hub_server import HubServer, Reply, Request, file_reply, json_reply

__all__ = ["LORA_CARD", "FakeHuggingFace", "Repo", "repo"]

LORA_CARD = """---
license: other
license_name: flux-1-dev-non-commercial-license
base_model: black-forest-labs/FLUX.1-dev
instance_prompt: TOK, ink wash
tags:
- text-to-image
- lora
- diffusers
widget:
- text: a teapot, ink wash
  output:
    url: images/tea pot.png
  parameters:
    negative_prompt: photo
thumbnail: https://h.example/thumb.webp
---
# Ink wash

You should use `TOK` to trigger the image generation.
"""


@dataclass
class Repo:
    """``info`` is what the API says besides id and files."""

    name: str
    files: dict[str, bytes]
    info: dict[str, Any] = field(default_factory=dict)

    def listed(self) -> dict[str, Any]:
        return {
            "id": self.name,
            "modelId": self.name,
            **self.info,
            "siblings": [{"rfilename": f} for f in self.files],
        }

    def whole(self) -> dict[str, Any]:
        return {**self.listed(), "siblings": [_sibling(name, data) for name, data in self.files.items()]}


def repo(
    name: str = "ann/ink", files: Mapping[str, bytes] | None = None, card: str | None = None, **info: Any
) -> Repo:
    """A repository; ``info`` overrides what the API says of a LoRA for Flux."""
    texts = {"README.md": card.encode()} if card is not None else {}
    told = {
        "author": name.partition("/")[0],
        "pipeline_tag": "text-to-image",
        "library_name": "diffusers",
        "tags": [
            "diffusers",
            "lora",
            "base_model:adapter:black-forest-labs/FLUX.1-dev",
            "license:other",
            "ink",
        ],
        "downloads": 1234,
        "likes": 5,
        "createdAt": "2026-02-03T04:05:06.000Z",
        "gated": False,
    }
    return Repo(name, {**texts, **(files or {"ink.safetensors": b"12345678"})}, told | info)


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
    if not name.endswith((".md", ".json")):
        sibling["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return sibling


class FakeHuggingFace(HubServer):
    """Serves ``repos``, ``page`` of them at a time unless asked for fewer."""

    def __init__(self, *repos: Repo) -> None:
        super().__init__()
        self.repos = {item.name: item for item in repos}
        self.storage = HubServer("127.0.0.2")
        self.next_base = self.url
        self.route("/api/models", self._listing)
        name = r"(?P<name>[^/]+/[^/]+)"
        self.route(re.compile(f"/{name}/resolve/main/(?P<path>.+)"), self._resolve)
        self.route(re.compile(f"/api/models/{name}/tree/main"), self._tree)
        self.route(re.compile(f"/api/models/{name}"), self._info)
        self.storage.route(re.compile(r"/blob/(?P<name>[^/]+/[^/]+)/(?P<path>.+)"), self._blob)

    def __enter__(self) -> Self:
        self.storage.__enter__()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.storage.__exit__(kind, error, trace)

    def asked(self, start: str = "/api/models") -> list[str]:
        """Paths asked for so far that begin so."""
        return [path for path in self.paths() if path.startswith(start)]

    def _listing(self, request: Request) -> Reply:
        author, search = request.param("author"), request.param("search", "") or ""
        tags = request.query.get("filter", [])
        found = [
            item.listed()
            for item in self.repos.values()
            if search in item.name
            and author in (None, item.info.get("author"))
            and set(tags) <= {*item.info.get("tags", []), item.info.get("library_name")}
        ]
        size, start = int(request.param("limit") or 20), int(request.param("cursor") or 0)
        more = start + size < len(found)
        link = f'<{self.next_base}/api/models?limit={size}&cursor={start + size}>; rel="next"'
        return json_reply(found[start : start + size], headers={"Link": link} if more else {})

    def _repo(self, request: Request) -> Repo | None:
        assert request.match is not None
        return self.repos.get(request.match["name"])

    def _info(self, request: Request) -> Reply:
        item = self._repo(request)
        return json_reply(item.whole()) if item else json_reply({"error": "Repository not found"}, 401)

    def _tree(self, request: Request) -> Reply:
        item = self._repo(request)
        start = int(request.param("cursor") or 0)
        entries = (
            [{"type": "file", "path": n, "size": len(d), "oid": "0"} for n, d in item.files.items()]
            if item
            else []
        )
        link = f'<{self.url}{request.path}?cursor={start + 1000}>; rel="next"'
        return json_reply(
            entries[start : start + 1000], headers={"Link": link} if start + 1000 < len(entries) else {}
        )

    def _resolve(self, request: Request) -> Reply:
        item = self._repo(request)
        assert request.match is not None
        path = request.match["path"]
        if item is None or path not in item.files:
            return json_reply({"error": "Entry not found"}, 404)
        if item.info.get("gated") and "authorization" not in request.headers:
            return Reply(
                401, b"<html>Access is restricted", {"X-Error-Code": "GatedRepo", "Content-Type": "text/html"}
            )
        if path.endswith((".md", ".json")):
            return Reply(200, item.files[path], {"Content-Type": "text/plain"})
        where = f"{self.storage.url}/blob/{item.name}/{path}?X-Amz-Signature=1".replace(" ", "%20")
        return Reply(302, headers={"Location": where})

    def _blob(self, request: Request) -> Reply:
        item = self._repo(request)
        assert item is not None and request.match is not None
        if "authorization" in request.headers:
            return Reply(400, b"Only one auth mechanism allowed")
        data = item.files[request.match["path"]]
        return file_reply(request, data, f'"{hashlib.sha256(data).hexdigest()}"')
