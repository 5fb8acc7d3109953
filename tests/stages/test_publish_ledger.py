"""Publishing what a text server is not asked for: it follows the catalog, and speaks for one state of the index."""

import uuid
from contextlib import closing

import pytest
from pydantic import SecretStr

from indexer.catalog import changes
from indexer.catalog.database import Catalog, open_catalog
from indexer.domain.cards import card_of
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, Not, Words
from indexer.indexes.text import TextQuery
from indexer.indexes.text_ledger_read import Ledger
from indexer.indexes.text_meilisearch import MeilisearchIndex
from indexer.indexes.text_open import open_text_index
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages import changed
from indexer.stages.publish import publish_text
from indexer.stages.publish_ledger import publish_ledger
from tests.meilisearch import Running
from tests.search.planning import model
from tests.stages.test_publish_gist import store

LIBRARY = {
    n: model(
        n,
        f"Ink {n}",
        tags=("ink", f"t{n % 3}"),
        creator="Mira" if n % 2 else None,
        description="soft light at sea" if n < 3 else "light soft sea",
        prompts=("old harbour at night", "lanterns") if n % 2 else ("harbour lanterns",),
        flags=("adult",) if n == 7 else (),
    )
    for n in range(1, 9)
}
PASTED = ("old", "harbour", "at", "night", "with", "lanterns", "fog", "boats", "ropes", "gulls")
ASKED = (
    TextQuery((), where=Words(FIELDS["description"], ("soft", "light"), True)),
    TextQuery((), where=Not(Words(FIELDS["prompt"], ("old", "harbour", "at"), True))),
    TextQuery((), (("soft", "light"),), kept_back=("adult",)),
    TextQuery(("ink",), kept_back=("adult",)),
    TextQuery(("ink", "harbour", "zebra", "lanterns"), kept_back=("adult",)),
    TextQuery(PASTED, kept_back=("adult",)),
    TextQuery((), order="name"),
)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "PAGE", 2)


def there(settings: Settings, stamp: str) -> set[int]:
    return {card.id for card in Ledger(settings.text_ledger_file).cards(stamp, range(1, 20)) or ()}


def test_changes_are_followed(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 6)})
    assert publish_ledger(catalog, both, "one", Silent()) == 5
    assert publish_ledger(catalog, both, "two", Silent()) == 0
    assert there(both, "one") == set()
    assert there(both, "two") == {1, 2, 3, 4, 5}
    store(catalog, {3: None, 7: model(7)})
    assert publish_ledger(catalog, both, "two", Silent()) == 2
    assert there(both, "two") == {1, 2, 4, 5, 7}
    assert publish_ledger(catalog, both, "two", Silent(), afresh=True) >= 5
    assert there(both, "two") == {1, 2, 4, 5, 7}


def test_a_file_of_another_catalog_is_not_believed(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 4)})
    publish_ledger(catalog, both, "one", Silent())
    with catalog.write() as session:
        changes.write_watermark(session, "text_ledger", 3, {"generation": "another"})
    assert publish_ledger(catalog, both, "one", Silent()) == 3
    both.text_ledger_file.unlink()
    assert publish_ledger(catalog, both, "one", Silent()) == 3
    assert there(both, "one") == {1, 2, 3}


@pytest.mark.meilisearch
def test_answers_are_the_same_with_a_ledger(both: Settings, meilisearch_server: Running) -> None:
    """Who has phrases, counts, cards, words of a pasted text: from the ledger as from the server."""
    at_server = both.model_copy(
        update={
            "meilisearch_url": meilisearch_server.url,
            "meilisearch_key": SecretStr(meilisearch_server.key),
            "meilisearch_index": f"test-{uuid.uuid4().hex}",
        }
    )
    with closing(open_catalog(at_server)) as catalog:
        store(catalog, dict(LIBRARY))
        publish_text(catalog, at_server, Silent())
    knowing = open_text_index(at_server)
    bare = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, at_server.meilisearch_index)
    assert there(at_server, knowing.stamp) == set(LIBRARY)
    for asked in ASKED:
        first, second = (index.search(asked, 30, ("tag", "creator", "type")) for index in (knowing, bare))
        assert first == second, asked
    for where in (*(asked.where for asked in ASKED), ALL):
        matching = {id_ for id_, document in LIBRARY.items() if where.match(document)}
        assert set(knowing.matching(where, 30)) == set(bare.matching(where, 30)) == matching
    assert (
        sorted(knowing.cards([3, 1])) == sorted(bare.cards([1, 3])) == [card_of(LIBRARY[n]) for n in (1, 3)]
    )
    with knowing.writing() as writer:
        writer.delete([1])
    assert not Ledger(at_server.text_ledger_file).knows(knowing.stamp)
    assert sorted(knowing.matching(ASKED[0].where, 30)) == [2]
    bare.drop()
