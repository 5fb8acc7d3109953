"""What is kept beside a text server: values as numbers, words in order, cards; and whom it speaks for."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.domain.cards import card_of
from indexer.domain.fields import FIELDS
from indexer.domain.filters import Words, keyword
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.errors import CatalogError
from indexer.indexes import text_ledger
from indexer.indexes.following import connected
from indexer.indexes.text_ledger import LedgerWriter
from indexer.indexes.text_ledger_read import Ledger
from indexer.indexes.text_ledger_rows import LONG_FIELDS
from indexer.indexes.text_meilisearch_documents import coded_value, coded_word
from tests.strategies import documents

BOAT = Document(
    1,
    1,
    "boat",
    creator="Mira",
    tags=("Ink", "soft light"),
    description="a boat at sea",
    prompts=("a sea", "boat"),
)
SEA = Document(300, 2, "sea", creator="Mira", tags=("ink",), rating=4.5, description="sea at a boat")


def having(ledger: Ledger, stamp: str, field: str, *terms: str) -> list[int]:
    """Who has a phrase in a field."""
    found = ledger.having(stamp, terms, [field])
    assert found is not None
    ids: list[int] = found[field].tolist()
    return ids


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "ledger.sqlite3"
    writer = LedgerWriter(path)
    writer.start("one")
    writer.put([(1, BOAT), (300, SEA)], 2)
    writer.sign("now")
    return path


def test_values_are_counted(path: Path) -> None:
    counts = Ledger(path).counts("now", [1, 300, 7], ("tag", "creator", "mytag"), 10)
    assert counts == {"tag": {"ink": 2, "soft light": 1}, "creator": {"mira": 2}, "mytag": {}}


def test_the_most_frequent_values_are_told(path: Path) -> None:
    assert Ledger(path).counts("now", [1, 300], ("tag",), 1) == {"tag": {"ink": 2}}
    assert Ledger(path).counts("now", [], ("tag",), 1) == {"tag": {}}


def test_phrases_lie_in_one_value_of_one_field(path: Path) -> None:
    ledger = Ledger(path)
    assert having(ledger, "now", "description", "a", "boat") == [1, 300]
    assert having(ledger, "now", "description", "at", "sea") == [1]
    assert having(ledger, "now", "prompt", "a", "sea") == [1]
    assert having(ledger, "now", "prompt", "sea", "boat") == []


def test_words_are_known_of_all_fields(path: Path) -> None:
    assert Ledger(path).present("now", ("soft", "sea", "zebra", "mira"), [300, 1, 7]) == [0b1010, 0b1011, 0]


def test_cards_are_read_back(path: Path) -> None:
    assert Ledger(path).cards("now", [300, 7]) == [card_of(SEA)]


def test_what_was_put_last_counts(path: Path) -> None:
    ledger = Ledger(path)
    assert ledger.knows("now")
    LedgerWriter(path).put([(1, None), (300, SEA), (300, Document(300, 2, "sea", tags=("blue",)))], 5)
    assert not Ledger(path).knows("now")  # until it is signed
    LedgerWriter(path).sign("later")
    assert ledger.counts("later", [1, 300], ("tag", "creator"), 9) == {"tag": {"blue": 1}, "creator": {}}
    assert having(ledger, "later", "description", "at", "sea") == []
    assert LedgerWriter(path).state() == ("one", 5)


def test_another_state_of_the_index_is_not_spoken_for(path: Path) -> None:
    ledger = Ledger(path)
    assert ledger.counts("before", [1], ("tag",), 9) is None
    assert ledger.having("", ("a", "sea"), ["prompt"]) is None
    assert ledger.cards("before", [1]) is None
    assert not ledger.knows("")


def test_a_file_that_is_missing_or_damaged_says_nothing(path: Path, tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none").cards("now", [1]) is None
    assert not Ledger(tmp_path / "none").knows("now")
    assert LedgerWriter(tmp_path / "none").state() == ("", 0)
    path.write_bytes(b"no database" * 1_000)
    assert not Ledger(path).knows("now")
    assert Ledger(path).counts("now", [1], ("tag",), 9) is None
    assert Ledger(path).present("now", ("sea",), [1]) is None
    assert LedgerWriter(path).state() == ("", 0)
    LedgerWriter(path).start("two")
    assert LedgerWriter(path).state() == ("two", 0)


def test_rows_of_nonsense_are_passed_over(path: Path) -> None:
    with connected(path, writing=True) as connection, connection:
        connection.execute("UPDATE entry SET card = X'00', words = X'0102030405'")
        connection.execute("UPDATE block SET body = X'000102'")
        connection.execute("UPDATE pair SET body = X'000102'")
    ledger = Ledger(path)
    assert ledger.cards("now", [1]) == []
    assert having(ledger, "now", "description", "a", "boat") == []
    assert ledger.present("now", ("boat",), [1]) == [0]
    assert ledger.counts("now", [1], ("tag",), 9) == {"tag": {}}


def test_another_format_is_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_ledger, "FORMAT", 0)
    assert not Ledger(path).knows("now")
    assert LedgerWriter(path).state() == ("", 0)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="ledger.sqlite3"):
        LedgerWriter(tmp_path / "file" / "ledger.sqlite3").start("one")


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(library=st.lists(documents(), min_size=1, max_size=8), data=st.data())
def test_the_ledger_agrees_with_documents(
    tmp_path_factory: pytest.TempPathFactory, library: list[Document], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    writer = LedgerWriter(path)
    writer.start("one")
    held = dict(zip(range(1_020, 1_040), library, strict=False))
    for part in ([*held.items()][:3], [*held.items()][3:]):
        writer.put(part, len(held))
    changes = data.draw(st.lists(st.tuples(st.sampled_from(list(held)), st.sampled_from([None, *library]))))
    writer.put(changes, len(held) + 1)
    held = {id_: document for id_, document in (held | dict(changes)).items() if document}
    writer.sign("now")
    ledger, ids = Ledger(path), list(held)
    tags = Counter(tag for d in held.values() for tag in {coded_value(keyword(tag)) for tag in d.tags})
    assert ledger.counts("now", np.array(ids), ("tag",), 1_000) == {"tag": tags}
    name = data.draw(st.sampled_from(LONG_FIELDS))
    said = [word for d in held.values() for text in (d.description, *d.prompts) for word in words(text)]
    phrase = data.draw(st.lists(st.sampled_from(said or ["a"]), min_size=2, max_size=3))
    wanted = Words(FIELDS[name], tuple(phrase), True)
    found = [id_ for id_, document in held.items() if wanted.match(document)]
    assert having(ledger, "now", name, *map(coded_word, phrase)) == found
