"""What every text engine promises: the same words, filters, orders and pages, whichever is configured."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.domain.brief import Brief
from indexer.domain.cards import card_of
from indexer.domain.fields import FIELDS, FieldType
from indexer.domain.filters import ALL, And, AnyOf, Filter, Not, Or, Range, Words, keyword
from indexer.domain.norms import NO_NORMS
from indexer.domain.records import Document, FileRef
from indexer.domain.text import words
from indexer.errors import UsageError
from indexer.indexes.text import TextIndex, TextQuery
from search.query import parse_query
from search.ranking import load_weights, weigh
from search.relevance import text_scores
from tests.strategies import documents, filters

LIBRARY = (
    Document(1, 1, "Watercolour Harbour", kind="lora", architecture_path=("sdxl",), tags=("Ink", "soft light"),
             created="2025-03-01", rating=4.5, size=100_000_000, files=(FileRef("/m/wc_v1.safetensors", None, 1),)),
    Document(2, 2, "DetailTweaker", kind="lora", architecture_path=("flux1", "flux1-dev"), tags=("detail",),
             created="2024-03-01", rank=16, downloads=5, updated="2025-06-01",
             description="adds soft detail to light"),
    Document(3, 3, "photoreal xl", kind="checkpoint", architecture_path=("sdxl",), hashes=("ab12" * 16,)),
    Document(4, 4, "水彩画", kind="vae", trigger_words=("blue ink wash", "long hair"), tags=("~", 'a "b" \\')),
)  # fmt: skip


ENGINES = ("tantivy", pytest.param("meilisearch", marks=pytest.mark.meilisearch))


@contextmanager
def made(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[TextIndex]:
    """An index of the engine that ``request`` names, for a whole file."""
    if request.param == "tantivy":
        from indexer.indexes.text_tantivy import TantivyIndex

        yield TantivyIndex(factory.mktemp("text") / "index")
        return
    from indexer.indexes.text_meilisearch import MeilisearchIndex

    running = request.getfixturevalue("meilisearch_server")
    index = MeilisearchIndex(running.url, running.key, f"test-{uuid.uuid4().hex}")
    yield index
    index.drop()


@pytest.fixture(scope="module", params=ENGINES)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextIndex]:
    """``LIBRARY``, for asking only: making an index takes a second."""
    with made(request, tmp_path_factory) as index:
        with index.writing() as writer:
            writer.put(LIBRARY)
        yield index


@pytest.fixture
def changing(text_engine: TextIndex) -> TextIndex:
    """``LIBRARY`` in an index of this test alone."""
    with text_engine.writing() as writer:
        writer.put(LIBRARY)
    return text_engine


def asked(text: str, order: str | None = None) -> TextQuery:
    parsed = parse_query(text)
    return TextQuery(parsed.terms, parsed.phrases, parsed.where, load_weights().fields, order)


def ask(index: TextIndex, text: str, order: str | None = None) -> tuple[int, ...]:
    return index.search(asked(text, order), 10).ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("watercolour", (1,)),
        ("watercolor harbour", (1,)),  # one letter wrong
        ("detail tweaker", (2,)),  # camel case
        ("detailtweaker", (2,)),
        ('"soft light"', (1,)),  # a phrase does not run over words between
        ('"blue ink wash"', (4,)),
        ('"ink wash long"', ()),  # nor from one value into the next
        ("水彩", (4,)),
        ("type:lora", (1, 2)),
        ("-type:lora", (3, 4)),
        ("arch:flux1", (2,)),  # the tree: variants too
        ('tag:"soft light"', (1,)),
        ("tag:~", (4,)),
        ("created:2025", (1,)),
        ("size:<200MB rating:>4", (1,)),
        ("hash:ab12", (3,)),
        ("file:wc", (1,)),
        ('description:"detail to light"', (2,)),
        ('description:"soft light"', ()),
        ("(tag:ink OR name:tweaker) type:lora", (1, 2)),
        ("zebra", ()),
    ],
)
def test_queries_find_what_they_say(index: TextIndex, query: str, ids: tuple[int, ...]) -> None:
    assert ask(index, query) == ids


def test_a_word_under_way_finds_what_it_begins(index: TextIndex) -> None:
    query = replace(asked("waterc"), typing=True)
    assert index.search(query, 10).ids == (1,)


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("newest", (1, 2, 3, 4)),
        ("updated", (2, 1, 3, 4)),
        ("rating", (1, 2, 3, 4)),
        ("downloads", (2, 1, 3, 4)),
        ("size", (1, 2, 3, 4)),
        ("name", (2, 3, 1, 4)),
    ],
)
def test_orders_with_ties_by_id(index: TextIndex, order: str, ids: tuple[int, ...]) -> None:
    assert ask(index, "", order) == ids


def test_an_unknown_order_is_told(index: TextIndex) -> None:
    with pytest.raises(UsageError, match="cannot sort by 'colour'"):
        ask(index, "", "colour")


def test_facets_count_every_node_of_the_tree(index: TextIndex) -> None:
    facets = index.search(asked("type:lora,checkpoint"), 1, ("arch", "type")).facets
    assert facets == {"arch": {"sdxl": 2, "flux1": 1, "flux1-dev": 1}, "type": {"lora": 2, "checkpoint": 1}}


def test_facets_tell_values_as_they_are(index: TextIndex) -> None:
    found = index.search(asked("type:vae"), 1, ("tag", "mytag"))
    assert found.facets == {"tag": {"~": 1, 'a "b" \\': 1}, "mytag": {}}
    assert not found.estimated


def test_hits_bring_their_cards_and_scores(index: TextIndex) -> None:
    found = index.search(asked("soft"), 10)
    assert set(found.ids) == {1, 2}
    assert found.cards == tuple(card_of(LIBRARY[id_ - 1]) for id_ in found.ids)
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert all(score > 0.0 for score in found.scores)


def test_putting_again_replaces_and_deleting_removes(changing: TextIndex) -> None:
    with changing.writing() as writer:
        writer.put([Document(1, 1, "Renamed")])
        writer.delete([2, 99])
    assert ask(changing, "") == (1, 3, 4)
    assert ask(changing, "watercolour") == ()
    assert ask(changing, "renamed") == (1,)
    assert changing.count() == 3


def test_pages_follow_each_other(index: TextIndex) -> None:
    pages = [index.search(TextQuery((), order="name"), 1, offset=place) for place in range(5)]
    assert [id_ for page in pages for id_ in page.ids] == [2, 3, 1, 4]
    assert {page.total for page in pages} == {4}
    assert index.search(TextQuery((), order="name"), 3, offset=2).ids == (1, 4)


@pytest.mark.parametrize("typed", ["ink", "ink harbour", "ink harbour night", "harbour night zebra"])
def test_pages_of_words_follow_each_other(text_engine: TextIndex, typed: str) -> None:
    with text_engine.writing() as writer:
        writer.put(Document(n, n, f"ink {n} harbour night" if n % 3 else "ink harbour") for n in range(1, 41))
    whole = text_engine.search(asked(typed), 100)
    pages = [text_engine.search(asked(typed), 9, offset=place) for place in range(0, 45, 9)]
    assert [id_ for page in pages for id_ in page.ids] == list(whole.ids)
    assert {page.total for page in pages} == {whole.total} == {len(whole.ids)}


@pytest.mark.parametrize("order", [None, "downloads"])
def test_all_who_lack_one_word_of_three_are_counted_and_lie_on_some_page(
    text_engine: TextIndex, order: str | None
) -> None:
    told = ("ink harbour", "harbour night", "ink", "night ink", "night", "harbour")
    library = [
        Document(
            i,
            i,
            told[i % 6] if i % 25 else "night ink harbour",
            downloads=i % 9,
            kind=("lora", "vae")[i % 5 == 0],
            flags=("adult",) * (i % 7 == 0),
        )
        for i in range(1, 1_501)
    ]
    with text_engine.writing() as writer:
        writer.put(library)
    query = TextQuery(("ink", "harbour", "night"), order=order, kept_back=("adult",))
    with_two = [d for d in library if len(d.name.split()) >= 2]
    wanted = {d.id for d in with_two if not d.flags}
    loras = sum(d.id in wanted and d.kind == "lora" for d in library)
    pages = [text_engine.search(query, 300, ("type",), start) for start in range(0, 1_200, 300)]
    first = pages[0]
    assert sorted(id_ for page in pages for id_ in page.ids) == sorted(wanted)
    assert (first.total, first.hidden) == (len(wanted), len(with_two) - len(wanted))
    assert first.facets["type"]["lora"] == loras
    assert all(Brief.from_text(text).name for page in pages for text in page.evidence.briefs)
    assert {(page.total, page.hidden, page.estimated) for page in pages} == {
        (first.total, first.hidden, False)
    }


@pytest.mark.parametrize("order", [None, "downloads"])
def test_a_pasted_text_matches_who_has_any_of_its_words(text_engine: TextIndex, order: str | None) -> None:
    told = ("a misty harbour", "harbour at dawn", "nothing alike", "dawn, mist and a heron", "a heron")
    library = [
        Document(
            i + 1, i + 1, f"m{i}", description=told[i % 5], downloads=i % 7, flags=("adult",) * (i % 4 == 0)
        )
        for i in range(60)
    ]
    with text_engine.writing() as writer:
        writer.put(library)
    text = tuple(words("harbour dawn mist heron lantern gulls ropes salt wharf"))
    query = TextQuery(text, order=order, kept_back=("adult",))
    wanted = {d.id for d in library if set(words(d.description)) & set(text)}
    shown = wanted - {d.id for d in library if d.flags}
    pages = [text_engine.search(query, 7, ("is",), start) for start in range(0, len(shown) + 7, 7)]
    assert sorted(id_ for page in pages for id_ in page.ids) == sorted(shown)
    assert {(page.total, page.hidden, page.estimated) for page in pages} == {
        (len(shown), len(wanted) - len(shown), False)
    }


def test_an_empty_index_answers(text_engine: TextIndex) -> None:
    assert text_engine.search(asked("ink"), 10, ("tag",)).total == 0
    assert text_engine.matching(ALL, 10) == []
    assert text_engine.count() == 0


def test_the_generation_stays_while_documents_come_and_go(changing: TextIndex) -> None:
    before = changing.generation
    with changing.writing() as writer:
        writer.delete([1])
    assert before and changing.generation == before


def test_matching_stops_at_its_limit(index: TextIndex) -> None:
    assert len(index.matching(ALL, 2)) == 2
    assert sorted(index.matching(ALL, 1_000_000)) == [1, 2, 3, 4]


def test_a_tree_as_deep_as_a_query_may_be(index: TextIndex) -> None:
    node: Filter = AnyOf(FIELDS["type"], ("lora",))
    for depth in range(100):
        other = AnyOf(FIELDS["tag"], (f"t{depth}",))
        node = Not(Or((node, other))) if depth % 2 else Not(And((node, Not(other))))
    library = {document.id for document in LIBRARY if node.match(document)}
    assert set(index.matching(node, 10)) == library


def test_a_thousand_values(index: TextIndex) -> None:
    values = (*(f"tag {n}" for n in range(1_000)), "ink")
    assert index.matching(AnyOf(FIELDS["tag"], values), 10) == [1]
    nodes = tuple(AnyOf(FIELDS["tag"], (value,)) for value in values)
    assert index.matching(Or(nodes), 10) == [1]
    assert index.matching(And(tuple(map(Not, nodes))), 10) == [2, 3, 4]


class Both:
    """One index an engine for all examples: making one costs more than filling it."""

    def __init__(self, index: TextIndex) -> None:
        self.index = index
        self.held = 0

    def fill(self, library: list[Document]) -> list[Document]:
        numbered = [replace(document, id=place + 1) for place, document in enumerate(library)]
        with self.index.writing() as writer:
            writer.delete(range(len(numbered) + 1, self.held + 1))
            writer.put(numbered)
        self.held = len(numbered)
        return numbered


@pytest.fixture(scope="module", params=ENGINES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with made(request, tmp_path_factory) as index:
        yield Both(index)


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    library=st.lists(documents(), min_size=3, max_size=8),
    wanted=st.lists(filters(), min_size=20, max_size=40),
)
@example(library=[Document(1, 1, "a")], wanted=[Range(FIELDS["rating"]), AnyOf(FIELDS["hash"], ("",))])
@example(
    library=[Document(1, 1, "a", prompts=("x y z", "y")), Document(2, 1, "b", prompts=("x y", "y z"))],
    wanted=[
        Words(FIELDS["prompt"], ("x", "y", "z"), True),
        Not(Words(FIELDS["prompt"], ("x", "y", "z"), True)),
    ],
)
def test_filters_agree_with_match(shared: Both, library: list[Document], wanted: list[Filter]) -> None:
    numbered = shared.fill(library)
    assert set(shared.index.matching(ALL, 100)) == {d.id for d in numbered}
    for node in wanted:
        assert set(shared.index.matching(node, 100)) == {d.id for d in numbered if node.match(d)}, node


HOSTILE = ("", "~", "~~", "~#", '"', "\\", '\\"', "'", "`", "[x]", "a, b", "null", "TO", "x OR id EXISTS", '" OR "',
           "\x00", "\n", "\x1f", "ß", "ı", "İ", "ﬃ", "Ǆ", "\u200b", "e\u0301", "１２", "x" * 500, "y" * 500, "𝔞", "Ꭰ", "ꭰ")  # fmt: skip
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=20))


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(hostile, min_size=5, max_size=15))
@example(values=list(HOSTILE))
def test_any_text_is_a_value_and_a_word(shared: Both, values: list[str]) -> None:
    library = [Document(0, 0, value, tags=(value,), notes=(value,)) for value in values]
    numbered = shared.fill(library[:19])
    nodes: list[Filter] = [AnyOf(FIELDS["tag"], (keyword(value),)) for value in values]
    nodes += [
        Words(FIELDS["note"], tuple(words(value)), phrase) for value in values for phrase in (True, False)
    ]
    for node in nodes:
        assert set(shared.index.matching(node, 100)) == {d.id for d in numbered if node.match(d)}, node


def test_whose_first_trigger_phrase_it_is_comes_before_whose_third(text_engine: TextIndex) -> None:
    library = (
        Document(1, 1, "zebra", trigger_words=("boat", "gull", "ink wash"), downloads=900_000),
        Document(2, 2, "harbour", tags=("ink", "wash"), description="ink wash " * 20),
        Document(3, 3, "lantern", trigger_words=("ink_wash, boat, gull",)),
        Document(4, 4, "sail", trigger_words=("ink wash boat",), tags=("ink wash",)),
    )
    with text_engine.writing() as writer:
        writer.put(library)
    found = text_engine.search(asked("ink wash"), 10)
    weights = load_weights()
    scores = text_scores(("ink", "wash"), found.scores, found.evidence, weights.fields)
    text = {"text": dict(zip(found.ids, scores, strict=True))}
    hits = weigh(found.cards, text, None, date(2026, 1, 1), weights, NO_NORMS)
    assert [hit.card.id for hit in hits] == [3, 1, 4, 2]


def test_every_filterable_field_is_known(index: TextIndex) -> None:
    for field in FIELDS.values():
        node: Any = AnyOf(field, ("x",))
        if field.type.ranged:
            node = Range(field, "2025-01-01" if field.type is FieldType.DATE else 1.0)
        elif field.type is FieldType.TEXT:
            node = Words(field, ("x", "y"), True)
        index.matching(node, 10)
