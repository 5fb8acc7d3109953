"""Servers over a library of a hub's models, and over the demo library of models that nobody published."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from indexer.importing import import_dumps
from indexer.progress import Silent
from indexer.settings import Settings
from tests.api.serving import serving
from tests.api.v1.items import models, old_model
from tests.api.v1.schema import Client

COUNT = 120


def imported(folder: Path, items: list[dict[str, object]]) -> Settings:
    """Settings of a library that holds these items of a hub."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dump.jsonl"
    path.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items))
    settings = Settings(home=folder / "home", decode_workers=1)
    import_dumps([path], settings, Silent())
    return settings


@pytest.fixture(scope="session")
def hub_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    items = [*models(COUNT), *(old_model(number) for number in range(1_000, 1_020))]
    return imported(tmp_path_factory.mktemp("hub"), items)


@pytest.fixture(scope="session")
def hub(hub_home: Settings) -> Iterator[Client]:
    with serving(hub_home) as base:
        client = Client(base)
        yield client
        client.http.close()


@pytest.fixture(scope="session")
def demo(address: str) -> Iterator[Client]:
    client = Client(address)
    yield client
    client.http.close()
