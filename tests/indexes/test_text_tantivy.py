"""The tantivy index against ``match()``, and what a user expects of words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, AnyOf, Filter, Range
from indexer.domain.records import Document, FileRef
from indexer.errors import CatalogError
from indexer.indexes.text import ORDERS, TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from search.query import parse_query
from search.ranking import load_weights
from tests.strategies import documents, filters

LIBRARY = (
    Document(1, 1, "Watercolour Harbour", kind="lora", architecture_path=("sdxl",), tags=("Ink", "soft light"),
             created="2025-03-01", rating=4.5, size=100_000_000, files=(FileRef("/m/wc_v1.safetensors", None, 1),)),
    Document(2, 2, "DetailTweaker", kind="lora", architecture_path=("flux1", "flux1-dev"), tags=("detail",),
             created="2024-03-01", rank=16, downloads=5, description="adds soft detail to light"),
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


def test_a_name_outranks_a_description(index: TantivyIndex) -> None:
    assert ask(index, "detail")[0] == 2


@pytest.mark.parametrize(("order", "first"), [*zip(ORDERS, (1, 1, 2, 1, 2), strict=True)])
def test_orders(index: TantivyIndex, order: str, first: int) -> None:
    assert ask(index, "", order)[0] == first


def test_facets_count_every_node_of_the_tree(index: TantivyIndex) -> None:
    facets = index.search(TextQuery(()), 1, ("arch", "type")).facets
    assert facets == {"arch": {"sdxl": 2, "flux1": 1, "flux1-dev": 1}, "type": {"lora": 2, "checkpoint": 1}}


def test_putting_again_replaces_and_deleting_removes(index: TantivyIndex) -> None:
    with index.writing() as writer:
        writer.put([Document(1, 1, "Renamed")])
        writer.delete([2, 99])
    assert ask(index, "") == (3, 1)
    assert ask(index, "watercolour") == ()
    assert ask(index, "renamed") == (1,)


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
@given(library=libraries, wanted=st.lists(filters, min_size=10, max_size=40))
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
