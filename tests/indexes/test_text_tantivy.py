"""The tantivy index against ``match()``, and what a user expects of words."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.domain.brief import Brief
from indexer.domain.cards import card_of
from indexer.domain.evidence import LONG
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, AnyOf, Filter, Range, Words
from indexer.domain.ordering import sort_key
from indexer.domain.records import Document, FileRef
from indexer.errors import CatalogError, UsageError
from indexer.indexes.text import ORDERS, TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from search.query import parse_query
from search.ranking import load_weights
from tests.strategies import documents, filters

LIBRARY = (
    Document(1, 1, "Watercolour Harbour", kind="lora", architecture_path=("sdxl",), tags=("Ink", "soft light"),
             created="2025-03-01", rating=4.5, size=100_000_000, files=(FileRef("/m/wc_v1.safetensors", None, 1),)),
    Document(2, 2, "DetailTweaker", kind="lora", architecture_path=("flux1", "flux1-dev"), tags=("detail",),
             created="2024-03-01", rank=16, downloads=5, updated="2025-06-01",
             description="adds soft detail to light"),
    Document(3, 3, "photoreal xl", kind="checkpoint", architecture_path=("sdxl",), hashes=("ab12" * 16,)),
)  # fmt: skip


@pytest.fixture
def index(tmp_path: Path) -> TantivyIndex:
    made = TantivyIndex(tmp_path / "text")
    with made.writing() as writer:
        writer.put(LIBRARY)
    return made


def ask(index: TantivyIndex, query: str, order: str | None = None) -> tuple[int, ...]:
    parsed = parse_query(query)
    return index.search(
        TextQuery(parsed.terms, parsed.phrases, parsed.where, load_weights().fields, order), 10
    ).ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("watercolour", (1,)),
        ("waterc", (1,)),
        ("watercolor harbour", (1,)),  # one letter wrong
        ("detail tweaker", (2,)),  # camel case
        ("detailtweaker", (2,)),
        ('"soft light"', (1,)),  # a phrase does not run over words between
        ("type:lora", (1, 2)),
        ("-type:lora", (3,)),
        ("arch:flux1", (2,)),  # the tree: variants too
        ('tag:"soft light"', (1,)),
        ("created:2025", (1,)),
        ("size:<200MB rating:>4", (1,)),
        ("hash:ab12", (3,)),
        ("file:wc", (1,)),
        ("(ink OR tweaker) type:lora", (1, 2)),
        ("zebra", ()),
    ],
)
def test_queries_find_what_they_say(index: TantivyIndex, query: str, ids: tuple[int, ...]) -> None:
    assert ask(index, query) == ids


def test_words_of_a_pasted_text_are_not_corrected(index: TantivyIndex) -> None:
    others = " ".join(f"other{number}" for number in range(LONG))
    assert ask(index, "watrcolour") == (1,)
    assert ask(index, f"watrcolour {others}") == ()
    assert ask(index, f"watercolour {others}") == (1,)


TITLES = (
    "水彩画 Harbour", "한국어 ink", "Knights of Ink", "grey armor", "Ｆｕｌｌ wídth", "realistic2 mix", "detailtweaker",
    "balloon boat", "balloon barge sail",
)  # fmt: skip


@pytest.fixture
def titles(tmp_path: Path) -> TantivyIndex:
    made = TantivyIndex(tmp_path / "titles")
    with made.writing() as writer:
        writer.put(Document(place, place, title) for place, title in enumerate(TITLES))
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("水彩", {0}),
        ("彩画", {0}),
        ("水彩画", {0}),
        ("水", {0}),  # a beginning
        ("국어", {1}),
        ("knight", {2}),  # singular and plural
        ("inks", {1, 2}),
        ("gray", {3}),  # another word by table
        ("armour", {3}),
        ("full width", {4}),
        ("realistic", {5}),  # without its number
        ("detail tweaker", {6}),  # typed as two, written as one
        ("hrabour", {0}),  # letters swapped at the beginning
        ("harbor", {0}),
        ("baloon", {7, 8}),
        ("knihgts of inkk", {2}),
        ("balloon boat", {7}),  # both of two
        ("balloon barge zeppelin", {8}),  # a word that nothing has is not asked for
        ("balloon sail xyzzy", {8}),
        ("harbour armor", {0, 3}),  # nothing has both: either
        ("balloon barge boat", {7, 8}),  # all but one of three
    ],
)
def test_words_find_what_is_meant(titles: TantivyIndex, query: str, found: set[int]) -> None:
    assert set(ask(titles, query)) == found


def test_typing_takes_the_last_word_as_begun(titles: TantivyIndex) -> None:
    def typed(*terms: str) -> set[int]:
        return set(titles.search(TextQuery(terms, typing=True), 10).ids)

    assert typed("ha") == {0}
    assert typed("balloon", "bo") == {7}
    assert typed("b") == {7, 8}


def test_hits_come_with_scores_cards_and_evidence(index: TantivyIndex) -> None:
    hits = index.search(TextQuery(("soft", "watercolour")), 10)
    assert hits.cards == tuple(card_of(LIBRARY[id_ - 1]) for id_ in hits.ids)
    assert all(0 < score <= 1 for score in hits.scores)
    told = hits.evidence
    assert told.documents == 3
    assert told.frequencies == {"soft": 2, "watercolour": 1}
    assert [Brief.from_text(text).name for text in told.briefs] == ["watercolour harbour"]
    assert told.present == (0b11,)


def test_a_pasted_text_finds_who_has_any_of_it_the_rarest_first(index: TantivyIndex) -> None:
    pasted = ["a", "quiet", "place", "of", "soft", "light", "where", "the", "watercolour", "dries"]
    hits = index.search(TextQuery(tuple(pasted)), 10)
    assert hits.ids == (1, 2)
    assert hits.scores[0] > hits.scores[1]
    assert hits.evidence.frequencies["soft"] == 2
    assert not hits.evidence.briefs


def test_a_name_outranks_a_description(index: TantivyIndex) -> None:
    assert ask(index, "detail")[0] == 2


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("newest", (1, 2, 3)),
        ("updated", (2, 1, 3)),
        ("rating", (1, 2, 3)),
        ("downloads", (2, 1, 3)),
        ("size", (1, 2, 3)),
        ("name", (2, 3, 1)),
    ],
)
def test_orders_with_ties_by_id(index: TantivyIndex, order: str, ids: tuple[int, ...]) -> None:
    assert ask(index, "", order) == ids


@pytest.mark.parametrize("order", [order for order in ORDERS if order != "random"])
def test_orders_agree_with_the_slow_way_over_several_commits(tmp_path: Path, order: str) -> None:
    library = [
        Document(
            id_, id_, name, rating=id_ % 4 or None, downloads=id_ % 3 or None, size=10**9 * (id_ % 5) or None,
            created=f"2024-01-{1 + id_ % 7:02}" if id_ % 6 else None, updated=f"2025-01-{1 + id_ % 3:02}",
        )
        for id_, name in enumerate(["ink", "Ink wash", "ink-wash", "Öl", "a b", "ab", "水彩", ""] * 3, 1)
    ]  # fmt: skip
    index = TantivyIndex(tmp_path / "orders")
    for start in range(0, len(library), 7):
        with index.writing() as writer:
            writer.put(library[start : start + 7])
    wanted = [d.id for d in sorted(library, key=lambda d: sort_key(d, order))]
    assert list(index.search(TextQuery((), order=order), 100).ids) == wanted
    pages = [index.search(TextQuery((), order=order), 5, offset=place).ids for place in range(0, 25, 5)]
    assert [id_ for page in pages for id_ in page] == wanted


def test_an_unknown_order_is_a_clear_error(index: TantivyIndex) -> None:
    with pytest.raises(UsageError, match="Choose one of: newest"):
        index.search(TextQuery((), order="random"), 1)


def test_counts_beyond_the_exact_ones_are_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.indexes.text_facets.EXACT_FACETS", 1_000)
    monkeypatch.setattr("indexer.indexes.text_facets.SAMPLED", 1_000)
    index = TantivyIndex(tmp_path / "many")
    with index.writing() as writer:
        writer.put(Document(id_, id_, "ink", kind="lora" if id_ % 4 else "vae") for id_ in range(4_000))
    few = index.search(TextQuery((), where=AnyOf(FIELDS["type"], ("vae",))), 1, ("type",))
    assert (few.total, few.facets, few.estimated) == (1_000, {"type": {"vae": 1_000}}, False)
    many = index.search(TextQuery(("ink",)), 1, ("type",))
    assert (many.total, many.estimated) == (4_000, True)
    assert many.facets["type"]["lora"] == pytest.approx(3_000, rel=0.1)
    assert sum(many.facets["type"].values()) == pytest.approx(4_000, abs=1)


@pytest.mark.parametrize(
    "word",
    [
        "*",
        "a*",
        "~",
        "field:x",
        "^",
        "(",
        "\\",
        "/.*/",
        "\x00",
        "\x01",
        "NOT",
        "a" * 64,
        "💥",
        "\u202e",
        ".",
        "[a-z]{9}",
    ],
)
def test_no_word_means_anything_to_the_engine(titles: TantivyIndex, word: str) -> None:
    assert titles.search(TextQuery((word,), ((word, word),)), 5).total == 0
    assert titles.matching(AnyOf(FIELDS["hash"], (word,)), 5) == []
    assert titles.matching(AnyOf(FIELDS["tag"], (word,)), 5) == []
    assert titles.matching(Words(FIELDS["name"], (word,)), 5) == []


def test_facets_count_every_node_of_the_tree(index: TantivyIndex) -> None:
    facets = index.search(TextQuery(()), 1, ("arch", "type")).facets
    assert facets == {"arch": {"sdxl": 2, "flux1": 1, "flux1-dev": 1}, "type": {"lora": 2, "checkpoint": 1}}


def test_putting_again_replaces_and_deleting_removes(index: TantivyIndex) -> None:
    with index.writing() as writer:
        writer.put([Document(1, 1, "Renamed")])
        writer.delete([2, 99])
    assert ask(index, "") == (1, 3)
    assert ask(index, "watercolour") == ()
    assert ask(index, "renamed") == (1,)


def test_files_of_a_killed_commit_do_not_stop_the_next(tmp_path: Path, index: TantivyIndex) -> None:
    # A killed process leaves the deletions it wrote, but not the meta.json that names them. Its next run does
    # the same under the same name, and tantivy never writes over a file.
    killed = tmp_path / "killed"
    shutil.copytree(index.folder, killed)
    with TantivyIndex(killed).writing() as writer:
        writer.delete([1])
    left = [path for path in killed.glob("*.del") if not (index.folder / path.name).exists()]
    assert left
    for path in (*left, killed / ".managed.json"):
        shutil.copy(path, index.folder)
    with TantivyIndex(index.folder).writing() as writer:
        writer.delete([1])
    assert ask(index, "") == (2, 3)


def test_pages_follow_each_other(index: TantivyIndex) -> None:
    pages = [index.search(TextQuery((), order="name"), 1, offset=place).ids for place in range(3)]
    assert [id_ for page in pages for id_ in page] == [2, 3, 1]


def test_another_format_starts_the_index_anew(tmp_path: Path, index: TantivyIndex) -> None:
    before = index.generation
    assert TantivyIndex(index.folder).generation == before
    (index.folder / "format.json").write_text("{}")
    again = TantivyIndex(index.folder)
    assert again.generation != before
    assert again.count() == 0


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="pinakes rebuild"):
        TantivyIndex(tmp_path / "file" / "text")


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyIndex]:
    yield TantivyIndex(tmp_path_factory.mktemp("text") / "index")


libraries = st.lists(documents(), min_size=3, max_size=8)


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(library=libraries, wanted=st.lists(filters(), min_size=10, max_size=40))
@example(library=[Document(1, 1, "a")], wanted=[Range(FIELDS["rating"]), AnyOf(FIELDS["hash"], ("",))])
def test_filters_agree_with_match(
    shared_index: TantivyIndex, library: list[Document], wanted: list[Filter]
) -> None:
    from dataclasses import replace

    numbered = [replace(document, id=place + 1) for place, document in enumerate(library)]
    with shared_index.writing() as writer:
        writer.delete(range(1, 10))
        writer.put(numbered)
    assert set(shared_index.matching(ALL, 100)) == {d.id for d in numbered}
    for node in wanted:
        assert set(shared_index.matching(node, 100)) == {d.id for d in numbered if node.match(d)}, node
