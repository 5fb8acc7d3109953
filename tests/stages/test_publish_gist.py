"""Publishing gists: many changes are written, few are read by who asks, and both tell the same."""

import pytest
from sqlalchemy import delete, insert

from indexer.catalog import changes
from indexer.catalog.columns import JSONText
from indexer.catalog.database import Catalog
from indexer.catalog.entries import document_text
from indexer.catalog.schema import Entry, Model, Version
from indexer.catalog.upsert import upsert
from indexer.domain.records import Document
from indexer.indexes.gist import GistIndex, open_gists
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages import changed, publish_gist
from indexer.stages.publish_gist import read_gist
from tests.search.planning import model


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_gist, "MOST_UNNOTED", 4)
    monkeypatch.setattr(publish_gist, "_SEGMENT", 3)
    monkeypatch.setattr(changed, "PAGE", 2)


def store(catalog: Catalog, documents: dict[int, Document | None]) -> None:
    """Make these what the entries are."""
    with catalog.write() as session:
        upsert(session, Model, [{"id": id_, "key": f"m{id_}"} for id_ in documents], ["id"], update=False)
        rows = [{"id": id_, "model_id": id_, "key": f"v{id_}"} for id_ in documents]
        upsert(session, Version, rows, ["id"], update=False)
        session.execute(delete(Entry).where(Entry.version_id.in_(documents)))
        last = changes.count_up(session, "change", len(documents))
        texts: dict[int, JSONText | None] = {
            id_: None if document is None else document_text(document) for id_, document in documents.items()
        }
        session.execute(
            insert(Entry),
            [
                {"version_id": id_, "document": text, "seq": last - len(texts) + place}
                for place, (id_, text) in enumerate(texts.items(), 1)
            ],
        )


def publish(catalog: Catalog, settings: Settings, *, afresh: bool = False) -> int:
    return publish_gist.publish_gist(catalog, settings, Silent(), afresh=afresh)


def names(index: GistIndex) -> dict[int, str]:
    """Id -> category of the live entries."""
    rows = index.live.nonzero()[0].tolist()
    return {int(index.ids[row]): index.names[index.categories[row]] for row in rows}


def read(catalog: Catalog, settings: Settings) -> dict[int, str]:
    return names(read_gist(catalog, settings, Silent()))


def test_few_changes_are_read_and_many_are_written(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in (1, 2)})
    assert publish(catalog, both) == 0
    assert read(catalog, both) == {1: "style", 2: "style"}
    store(catalog, {id_: model(id_, category="concept") for id_ in range(2, 8)})
    assert publish(catalog, both) == 7
    assert publish(catalog, both) == 0
    assert sum(map(len, open_gists(both.gist_folder)[1])) == 7
    store(catalog, {3: None, 4: model(4, category="pose"), 9: model(9)})
    concepts = dict.fromkeys((2, 5, 6, 7), "concept")
    assert read(catalog, both) == {1: "style", 4: "pose", 9: "style"} | concepts
    store(catalog, {5: None})
    assert publish(catalog, both) == 4
    del concepts[5]
    assert read(catalog, both) == {1: "style", 4: "pose", 9: "style"} | concepts


def test_an_index_of_another_catalog_is_not_believed(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 6)})
    publish(catalog, both)
    with catalog.write() as session:
        changes.write_watermark(session, "gist", 5, {"generation": "another"})
        session.execute(delete(Entry).where(Entry.version_id > 2))
    assert read(catalog, both) == {1: "style", 2: "style"}
    store(catalog, {id_: model(id_) for id_ in (6, 7, 8)})
    assert publish(catalog, both) == 5
    assert sorted(read(catalog, both)) == [1, 2, 6, 7, 8]


def test_afresh_starts_from_nothing(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 6)})
    publish(catalog, both)
    assert publish(catalog, both, afresh=True) == 5
    assert sorted(read(catalog, both)) == [1, 2, 3, 4, 5]
