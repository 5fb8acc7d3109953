"""Publishing what pasted prompts are compared with."""

import pytest

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.indexes.prompt_cuts import read_cuts
from indexer.indexes.prompt_makers import makers_state
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages import changed, publish_cuts
from tests.search.planning import model
from tests.stages.test_publish_gist import store


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "PAGE", 2)


def publish(catalog: Catalog, settings: Settings, *, afresh: bool = False) -> int:
    return publish_cuts.publish_cuts(catalog, settings, Silent(), afresh=afresh)


def there(settings: Settings) -> set[int]:
    return set(read_cuts(settings.prompt_cuts_file, range(1, 20)))


def test_changes_are_followed(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 6)})
    assert publish(catalog, both) == 5
    assert publish(catalog, both) == 0
    store(catalog, {3: None, 7: model(7)})
    assert publish(catalog, both) == 2
    assert there(both) == {1, 2, 4, 5, 7}
    assert publish(catalog, both, afresh=True) >= 5
    assert there(both) == {1, 2, 4, 5, 7}


def test_a_file_of_another_catalog_is_not_believed(catalog: Catalog, both: Settings) -> None:
    store(catalog, {id_: model(id_) for id_ in range(1, 4)})
    publish(catalog, both)
    with catalog.write() as session:
        changes.write_watermark(session, "prompt_cuts", 3, {"generation": "another"})
    assert publish(catalog, both) == 3
    both.prompt_cuts_file.unlink()
    assert publish(catalog, both) == 3
    assert there(both) == {1, 2, 3}


def test_words_of_creators_are_counted_again_when_enough_changed(catalog: Catalog, both: Settings) -> None:
    file = both.prompt_makers_file
    store(catalog, {id_: model(id_) for id_ in range(1, 41)})
    publish(catalog, both)
    first = makers_state(file)
    assert first.entries == 40
    store(catalog, {1: None, 2: model(2)})
    publish(catalog, both)
    assert makers_state(file) == first
    store(catalog, {3: None})
    publish(catalog, both)
    assert makers_state(file).entries == 38
    file.unlink()
    publish(catalog, both)
    assert makers_state(file).entries == 38
    publish(catalog, both, afresh=True)
    assert makers_state(file).generation != first.generation
