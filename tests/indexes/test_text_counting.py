"""What is counted beside the hits, and how large indexes are spared: against counting and sorting everything."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.evidence import least_words
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, Range, keyword
from indexer.domain.ordering import SAMPLES, sample_of, sample_order
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex, TextQuery
from indexer.indexes.text_beginnings import Beginnings
from indexer.indexes.text_codes import NameBook, code_of
from indexer.indexes.text_schema import name_key
from indexer.indexes.text_tantivy import TantivyIndex

ODD = ("", "~", "a b", "木", "ı", "x" * 300, '"', "\x01")


def library(count: int) -> list[Document]:
    """Entries with a common word; every fourth is adult, every eighth a person too."""
    return [
        Document(
            n, n, f"ink {n % 10}", tags=(f"tag {n % 7}", ODD[n % len(ODD)]), creator=f"maker{n % 5}",
            description="common" if n % 3 else "", flags=("adult", "real_person")[: (n % 4 == 0) + (n % 8 == 0)],
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    made = TantivyIndex(tmp_path / "text")
    documents = library(120)
    for start in range(0, 120, 50):
        with made.writing() as writer:
            writer.put(documents[start : start + 50])
    yield made


def test_who_is_kept_back_is_counted_and_not_found(text_engine: TextIndex) -> None:
    with text_engine.writing() as writer:
        writer.put(library(40))
    for query in (TextQuery(()), TextQuery(("ink",)), TextQuery(("ink", "common")), TextQuery(("inc",))):
        whole = text_engine.search(query, 100)
        kept = text_engine.search(
            TextQuery(query.terms, kept_back=("adult", "real_person")), 100, ("is", "tag")
        )
        adult = {n for n in whole.ids if n % 4 == 0}
        assert set(kept.ids) == set(whole.ids) - adult
        assert (kept.total, kept.hidden) == (len(kept.ids), len(adult))
        by = {"adult": len(adult), "real_person": sum(n % 8 == 0 for n in adult)}
        assert kept.hidden_by == {flag: n for flag, n in by.items() if n}
        assert kept.facets["is"] == {}


def test_facets_in_which_people_write_as_they_like(text_engine: TextIndex) -> None:
    documents = library(40)
    with text_engine.writing() as writer:
        writer.put(documents)
    found = text_engine.search(TextQuery(("ink",)), 1, ("tag", "creator"))
    assert found.facets["tag"] == Counter(tag for d in documents for tag in {keyword(t) for t in d.tags})
    assert found.facets["creator"] == Counter(d.creator for d in documents)


def test_samples_part_the_entries(text_engine: TextIndex) -> None:
    with text_engine.writing() as writer:
        writer.put(library(40))
    some = sample_order(3)[:100]
    cards = text_engine.sampled(ALL, some, 100)
    assert {card.id for card in cards} == {n for n in range(1, 41) if sample_of(n) in some}
    assert len(text_engine.sampled(ALL, range(SAMPLES), 7)) == 7


@pytest.mark.parametrize("terms", [("common",), ("ink",), ("ink", "common"), ("ink", "3", "common")])
def test_very_common_words_are_paged_through_once(
    index: TantivyIndex, monkeypatch: pytest.MonkeyPatch, terms: tuple[str, ...]
) -> None:
    query = TextQuery(terms, kept_back=("adult",))
    wanted = index.search(query, 200)
    monkeypatch.setattr("indexer.indexes.text_tantivy_search.COMMON", 20)
    monkeypatch.setattr("indexer.indexes.text_tantivy_search._ENOUGH", 5)
    pages = [index.search(query, 9, offset=place) for place in range(0, 130, 9)]
    ids = [id_ for page in pages for id_ in page.ids]
    assert sorted(ids) == sorted(wanted.ids)
    assert {page.total for page in pages} == {wanted.total}
    assert {page.hidden for page in pages} == {wanted.hidden}


@pytest.mark.parametrize("terms", [(), ("ink",)])
def test_very_common_phrases_are_paged_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terms: tuple[str, ...]
) -> None:
    index = TantivyIndex(tmp_path / "said")
    said = ("soft light", "light soft", "a soft light too")
    with index.writing() as writer:
        writer.put(
            Document(
                n,
                n,
                "Soft Light" if n % 17 == 0 else "ink",
                description=said[n % 3],
                flags=("adult",)[n % 4 :],
            )
            for n in range(1, 2_001)
        )
    query = TextQuery(terms, (("soft", "light"),), kept_back=("adult",))
    wanted = index.search(query, 2_000)
    monkeypatch.setattr("indexer.indexes.text_tantivy_search.COMMON_PHRASE", 1)
    monkeypatch.setattr("indexer.indexes.text_tantivy_search.MANY_SAID", 1)
    monkeypatch.setattr("indexer.indexes.text_tantivy_search._ENOUGH", 50)
    pages = [index.search(query, 100, offset=place) for place in range(0, 1_400, 100)]
    ids = [id_ for page in pages for id_ in page.ids]
    assert sorted(ids) == sorted(wanted.ids)
    assert {page.total for page in pages} == {wanted.total}
    assert terms or all(id_ % 17 == 0 for id_ in ids[:50])


QUERIES = {
    "a word": TextQuery(("ink",)),
    "words": TextQuery(("ink", "common", "3")),
    "a phrase": TextQuery((), (("soft", "light"),)),
    "words and a phrase": TextQuery(("ink",), (("soft", "light"),)),
    "a filter": TextQuery((), where=Range(FIELDS["rank"], 3)),
    "a word and a filter": TextQuery(("common",), where=Range(FIELDS["rank"], 3)),
    "everything": TextQuery(()),
    "a prompt": TextQuery(("ink", "common", "soft"), listed=True),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> TantivyIndex:
    """More entries than are counted one by one, once the limits are low."""
    made = TantivyIndex(tmp_path_factory.mktemp("many") / "text")
    said = ("soft common", "common soft light")
    with made.writing() as writer:
        writer.put(
            Document(n, n, f"ink {n % 4}", description=said[n % 2], rank=n % 5, flags=("adult",)[n % 6 :])
            for n in range(1_500)
        )
    return made


@pytest.mark.parametrize("order", [None, "newest", "name"])
@pytest.mark.parametrize("name", QUERIES)
def test_all_pages_tell_one_total(
    many: TantivyIndex, monkeypatch: pytest.MonkeyPatch, name: str, order: str | None
) -> None:
    for constant, value in {"COMMON": 200, "COMMON_PHRASE": 200, "MANY_SAID": 100, "_ENOUGH": 100}.items():
        monkeypatch.setattr(f"indexer.indexes.text_tantivy_search.{constant}", value)
    monkeypatch.setattr("indexer.indexes.text_ahead._LARGE", 1)
    monkeypatch.setattr("indexer.indexes.text_bands._SIZES", dict.fromkeys(("newest", "name"), (150, 600)))
    monkeypatch.setattr("indexer.indexes.text_facets.EXACT_FACETS", 300)
    monkeypatch.setattr("indexer.indexes.text_facets.SAMPLED", 300)
    query = replace(QUERIES[name], order=order, kept_back=("adult",))
    told, ids = set(), list[int]()
    for place in range(0, 1_600, 200):
        for facets in ((), ("type",)):
            many._kept.counter._counts.clear()  # what was counted for another page is forgotten
            found = many.search(query, 200, facets, place)
            told.add((found.total, found.hidden, found.estimated))
        ids += found.ids
    assert len(told) == 1
    assert len(ids) == len(set(ids))
    assert next(iter(told))[0] == pytest.approx(len(ids), rel=0.3)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8])
def test_entries_have_all_of_the_words_but_one(tmp_path: Path, count: int) -> None:
    words = ("anvil", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath")[:count]
    library = {
        n: [word for bit, word in enumerate(words) if n * 37 % 256 >> bit & 1 and (bit or n % 3)]
        for n in range(1, 257)
    }
    index = TantivyIndex(tmp_path / "some")
    with index.writing() as writer:
        writer.put(Document(n, n, "x", description=" ".join(has)) for n, has in library.items())
    found = index.search(TextQuery(words, kept_back=("adult",)), 300, ("type",))
    least = least_words(count)
    assert set(found.ids) == {n for n, has in library.items() if len(has) >= least}
    assert found.total == len(found.ids) == index.search(TextQuery(words, order="newest"), 1).total


def test_counts_are_made_anew_when_the_index_changes(index: TantivyIndex) -> None:
    query = TextQuery(("ink",))
    before = index.search(query, 1, ("creator",)).facets["creator"]
    assert index.search(query, 5, ("creator",), 5).facets["creator"] == before
    with index.writing() as writer:
        writer.put([Document(500, 500, "ink", creator="maker0")])
    assert index.search(query, 1, ("creator",)).facets["creator"]["maker0"] == before["maker0"] + 1


def test_another_program_s_changes_are_seen(index: TantivyIndex) -> None:
    assert index.search(TextQuery(("zebra",)), 1).total == 0
    with TantivyIndex(index.folder).writing() as writer:
        writer.put([Document(500, 500, "zebra")])
    assert index.search(TextQuery(("zebra",)), 1).ids == (500,)


@pytest.mark.parametrize("value", ODD)
def test_a_code_leads_back_to_its_name(index: TantivyIndex, value: str) -> None:
    searcher, book = index._searcher(), NameBook()
    assert 0 <= code_of(value) < 2**52
    assert book.name(searcher, code_of(value)) == value
    assert book.name(searcher, code_of("nobody has this")) is None


def test_beginnings_gathered_ahead_are_those_asked_for(
    index: TantivyIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher, asked = index._searcher(), Beginnings()
    wanted = {
        word: asked.words(searcher, word, 5)
        for word in ("m", "ma", "mak", "make", "ink", "t", "1", "zz", "zzz")
    }
    monkeypatch.setattr("indexer.indexes.text_ahead._LARGE", 1)
    gathered = Beginnings()
    gathered._gather(searcher)
    for word, words in wanted.items():
        assert list(gathered.words(searcher, word, 5)) == list(words)


@given(st.text(max_size=14), st.text(max_size=14))
def test_keys_of_names_never_contradict_their_order(one: str, other: str) -> None:
    first, second = sorted((one, other))
    assert name_key(first) <= name_key(second) < 2**63
