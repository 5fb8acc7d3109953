"""A real server on a free port of this machine, and a library whose every text is an attack."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.api.app import create_app
from tests.clocks import patiently
from tests.models import write_picture, write_safetensors
from tests.web.payloads import PAYLOADS


@contextmanager
def serving(settings: Settings, token: str | None = None, app: FastAPI | None = None) -> Iterator[str]:
    """The address of a server over a library, for as long as the block lasts."""
    app = app or create_app(settings, token)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, ws="none", log_level="critical", lifespan="on")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patiently(lambda: server.started or not thread.is_alive(), every=0.005)
    assert server.started, "the server did not start"
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def hostile_home(folder: Path, payloads: Sequence[str] = PAYLOADS) -> Settings:
    """Settings of an indexed library where each model is named, tagged and described by one payload."""
    for place, payload in enumerate(payloads):
        name = payload.replace("/", "\u2215").replace("\x00", "")[:80]
        path = folder / "library" / "loras" / f"{place:02}{name}.safetensors"
        write_safetensors(path, metadata={"ss_output_name": payload, "ss_tag_frequency": _tags(payload)})
        write_picture(path.with_suffix(".png"), (place * 9 % 255, 90, 140))
        path.with_suffix(".civitai.info").write_text(json.dumps(_record(place, payload)), "utf-8")
    refused = folder / "library" / "loras" / "broken<img src=x onerror=alert(1)>.safetensors"
    refused.write_bytes(b"\xff" * 64)
    settings = Settings(home=folder / "home", decode_workers=1, unstable_seconds=0)
    index_folders([folder / "library"], settings, Silent())
    return settings


def _tags(payload: str) -> str:
    return json.dumps({"set": {payload: 3}})


def _record(place: int, payload: str) -> dict[str, object]:
    """A hub's version record, as other tools lay it beside the file."""
    return {
        "id": 9000 + place,
        "modelId": 8000 + place,
        "name": payload,
        "description": f"<p>{payload}</p>{payload}",
        "baseModel": payload,
        "trainedWords": [payload, f"a{payload}"],
        "nsfwLevel": 1,
        "model": {"name": f"{payload} {place}", "type": "LORA", "description": payload, "tags": [payload]},
        "creator": {"username": payload},
    }
