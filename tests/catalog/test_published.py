"""Published models read back, on both databases, in a number of queries that does not grow."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import event

from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.published import published_models, siblings
from indexer.catalog.published_find import count_models, model_ids, owners, versions_by_hash
from indexer.catalog.published_images import ImageSpan, images_page
from indexer.catalog.published_words import creators_page, tags_page
from indexer.importing import import_dumps
from indexer.progress import Silent
from indexer.settings import Settings
from tests.api.v1.items import digest, model, models


@pytest.fixture
def filled(both: Settings, tmp_path: Path) -> Any:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in models(60)))
    import_dumps([path], both, Silent())
    catalog = open_catalog(both)
    yield catalog
    catalog.close()


def test_models_come_back_as_they_were_told(filled: Catalog) -> None:
    with filled.read() as session:
        ids = model_ids(session, ["civitai:3", "civitai:5", "civitai:404"])
        assert ids.keys() == {"civitai:3", "civitai:5"}
        found = published_models(session, ids.values())[ids["civitai:3"]]
    told = model(3)
    assert found.said is not None and found.said["name"] == told["name"]
    assert found.creator == "artist3" and found.numbers["tips"] == 3
    assert [version.key for version in found.versions] == ["civitai:3@30", "civitai:3@31", "civitai:3@32"]
    (weights, config) = found.versions[0].offered
    assert (weights.key, weights.primary, config.type) == ("300", True, "Config")
    assert weights.hashes["sha256"] == digest(30).lower() and weights.file_id is None
    assert [image.url for image in found.versions[0].images] == [
        image["url"] for image in told["modelVersions"][0]["images"]
    ]


def test_queries_do_not_grow_with_the_page(filled: Catalog) -> None:
    told: list[str] = []
    event.listen(filled.engine, "before_cursor_execute", lambda *arguments: told.append(arguments[2]))

    def asked(count: int) -> int:
        told.clear()
        with filled.read() as session:
            ids = model_ids(session, [f"civitai:{n}" for n in range(1, count + 1)])
            models = published_models(session, ids.values())
            siblings(session, models)
        return len(told)

    assert asked(5) == asked(60) <= 25


def test_hashes_find_the_surest_file(filled: Catalog) -> None:
    with filled.read() as session:
        keys = [digest(30).lower(), digest(31, "b3").lower(), "0" * 64, "e3b0c44298fc"]
        found = versions_by_hash(session, keys)
        assert found.keys() == set(keys[:2])
        assert len(set(owners(session, found.values()).values())) == 1
        assert count_models(session, found.values()) == 1


@pytest.mark.parametrize("newest", [True, False, None])
def test_pictures_are_read_on(filled: Catalog, newest: bool | None) -> None:
    seen: list[int] = []
    span = ImageSpan(newest=newest)
    with filled.read() as session:
        while rows := images_page(session, span, 17):
            seen += [image.id for _, image in rows if image is not None]
            span = ImageSpan(newest=newest, after=rows[-1][0])
    assert len(seen) == len(set(seen)) == 2 * (60 + 2 * 20)


def test_creators_and_tags(filled: Catalog) -> None:
    with filled.read() as session:
        page = creators_page(session, "ARTIST", 2, 2)
        assert (page.total, page.words) == (6, [("artist2", 10), ("artist3", 10)])
        assert [name for name, _ in tags_page(session, "", 10, 0).words] == [
            "ink",
            *(f"tag{n}" for n in range(5)),
        ]
        assert tags_page(session, "_", 10, 0).total == 0
