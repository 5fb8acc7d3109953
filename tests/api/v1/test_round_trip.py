"""Our own crawler pointed at our own drop-in: the second library says what the first one says."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.entries import changed_entries
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.schema import Model, Preview, Version
from indexer.crawl import civitai_question, crawl_hub
from indexer.domain.records import Document
from indexer.progress import Silent
from indexer.settings import Settings
from tests.api.serving import serving
from tests.api.v1.schema import Client

FILE = "key name type size format precision primary"
IMAGE = "location position media width height blurhash nsfw_level"


def crawled(base: str, home: Path, key: str | None = None) -> Settings:
    settings = Settings(
        home=home, decode_workers=1, allow_hosts=urlsplit(base).netloc, requests_per_second=1_000
    )
    if key is not None:
        settings = settings.model_copy(update={"civitai_token": SecretStr(key)})
    run = crawl_hub(civitai_question(nsfw=True), settings, Silent(), base_url=base)
    assert (run.crawl.state, run.crawl.taken.refused) == ("done", 0), run.crawl.detail
    return settings


def contents(settings: Settings) -> dict[str, object]:
    """What a library knows, by natural keys."""
    catalog = open_catalog(settings)
    with catalog.read() as session:
        keys = {id_: key for id_, key in session.execute(select(Version.id, Version.key))}  # noqa: C416
        files = session.scalars(select(HubFileRow)).all()
        hashes = session.execute(select(HashRow.hub_file_id, HashRow.kind, HashRow.value)).all()
        images = session.scalars(select(Preview)).all()
        names = {file.id: (keys[file.version_id], file.key) for file in files}
        found = {
            "models": sorted(session.scalars(select(Model.key))),
            "versions": sorted(keys.values()),
            "files": sorted((keys[file.version_id], *_told(file, FILE)) for file in files),
            "hashes": sorted((*names[row[0] or 0], row[1], row[2]) for row in hashes),
            "images": sorted((keys[image.version_id], *_told(image, IMAGE)) for image in images),
            "documents": {
                keys[id_]: comparable(document)
                for _, id_, document in changed_entries(session, 0, 10_000)
                if document is not None
            },
        }
    catalog.close()
    return found


def _told(row: object, names: str) -> list[str]:
    return [str(getattr(row, name)) for name in names.split()]


def comparable(document: Document) -> Document:
    """Without ids of rows; numbers and levels that nobody told come back as zero."""
    return replace(
        document,
        id=0,
        model_id=0,
        fold=0,
        preview_id=None,
        tips=document.tips or 0,
        favourites=document.favourites or 0,
        comments=document.comments or 0,
        nsfw_level=document.nsfw_level or 0,
    )


def test_the_second_library_equals_the_first(hub: Client, hub_home: Settings, tmp_path: Path) -> None:
    second = contents(crawled(hub.base, tmp_path / "second"))
    first = contents(hub_home)
    for name, value in first.items():
        assert second[name] == value, name


def test_a_third_library_equals_the_second(hub: Client, tmp_path: Path) -> None:
    """Nothing is worn off by being passed on."""
    second = crawled(hub.base, tmp_path / "second")
    with serving(second) as base:
        third = crawled(base, tmp_path / "third")
        mine, theirs = Client(base), hub
        for number in (3, 11, 1_001):
            here, there = mine.get(f"models/{number}"), theirs.get(f"models/{number}")
            assert str(here).replace(base, "") == str(there).replace(hub.base, "")
        mine.http.close()
    assert contents(third) == contents(second)


def test_the_demo_library_can_be_crawled(demo: Client, tmp_path: Path) -> None:
    found = contents(crawled(demo.base, tmp_path / "second"))
    listed = [item["id"] for page in demo.pages("models", limit=50, nsfw="true") for item in page]
    assert found["models"] == sorted(f"civitai:{number}" for number in listed)
    assert len(found["images"]) > 20  # type: ignore[arg-type]


def test_a_key_is_asked_and_given(hub_home: Settings, tmp_path: Path) -> None:
    with serving(hub_home, token="quill") as base:
        for client in (Client(base), Client(base, "wrong")):
            assert client.refused("models")[0] == 401
            client.http.close()
        client = Client(base, "quill")
        assert client.get("models", limit=3)["items"]
        assert client.http.get("/api/v1/models?limit=3", headers={"Authorization": ""}).status_code == 401
        bare = Client(base)
        page = bare.get("models", limit=3, token="quill")
        assert page["items"] and "quill" not in str(page)
        assert bare.http.get("/api/search?token=quill").status_code == 401
        crawled(base, tmp_path / "second", key="quill")
        client.http.close()
        bare.http.close()
