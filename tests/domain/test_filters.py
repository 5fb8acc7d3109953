"""``match()`` is the twin that every engine is held against; here it is held against plain Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.filters import ALL, And, AnyOf, Filter, Not, Or, Range, Words, keyword, values_of
from indexer.domain.records import Document, FileRef
from indexer.domain.text import words
from tests.strategies import asked, documents, filters, leaf, ranges

INK = Document(
    1, 1, "Ink Wash", tags=("Soft  Light", "水彩"), rank=16, created="2025-02-28", hashes=("ab12" * 16,),
    architecture_path=("flux1", "flux1-dev"), files=(FileRef("C:\\m\\InkWash_v2.safetensors", None, 1),),
)  # fmt: skip


def of_type(*types: FieldType) -> list[Field]:
    return [field for field in FIELDS.values() if field.type in types]


@pytest.mark.parametrize(
    ("node", "passes"),
    [
        (AnyOf(FIELDS["tag"], ("soft light",)), True),
        (AnyOf(FIELDS["tag"], ("soft",)), False),
        (AnyOf(FIELDS["tag"], ("anime", "水彩")), True),
        (AnyOf(FIELDS["arch"], ("flux1",)), True),
        (AnyOf(FIELDS["arch"], ("flux1-kontext-dev",)), False),
        (AnyOf(FIELDS["hash"], ("ab12",)), True),
        (AnyOf(FIELDS["hash"], ("b12a",)), False),
        (Words(FIELDS["file"], ("ink", "v2")), True),
        (Words(FIELDS["file"], ("ink", "v2"), True), False),
        (Words(FIELDS["name"], ("wash", "ink")), True),
        (Words(FIELDS["name"], ("wash", "ink"), True), False),
        (Range(FIELDS["rank"], low=16), True),
        (Range(FIELDS["rank"], low=16, low_open=True), False),
        (Range(FIELDS["rank"], low=8, high=16, high_open=True), False),
        (Range(FIELDS["created"], "2025-01-01", "2025-12-31"), True),
        (Range(FIELDS["rating"]), False),
        (Not(Range(FIELDS["rating"])), True),
        (Or(()), False),
        (ALL, True),
    ],
)
def test_what_passes(node: Filter, passes: bool) -> None:
    assert node.match(INK) is passes


@given(documents(), st.sampled_from(of_type(FieldType.KEYWORD, FieldType.TREE, FieldType.FLAG)), st.data())
def test_any_of_is_membership(document: Document, field: Field, data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from([*asked(field), "zebra"]))
    have = [keyword(str(value)) for value in values_of(document, field)]
    begins = str.startswith if field.name == "hash" else str.__eq__
    assert AnyOf(field, (keyword(wanted),)).match(document) == any(begins(h, keyword(wanted)) for h in have)


@given(documents(), st.sampled_from(of_type(FieldType.TEXT)), st.data())
def test_words_are_all_there(document: Document, field: Field, data: st.DataObject) -> None:
    wanted = tuple(words(data.draw(st.sampled_from([w for w in asked(field) if w])), glued=False))
    have = [word for value in values_of(document, field) for word in words(str(value))]
    assert Words(field, wanted).match(document) == all(word in have for word in wanted)
    if Words(field, wanted, phrase=True).match(document):
        assert Words(field, wanted).match(document)


@given(documents(), st.sampled_from(of_type(FieldType.NUMBER, FieldType.SIZE, FieldType.DATE)), st.data())
def test_a_range_is_two_comparisons(document: Document, field: Field, data: st.DataObject) -> None:
    node = data.draw(ranges(field))
    assert isinstance(node, Range)
    passes = bool(values_of(document, field))
    for value in values_of(document, field):
        if node.low is not None:
            passes &= value > node.low if node.low_open else value >= node.low
        if node.high is not None:
            passes &= value < node.high if node.high_open else value <= node.high
    assert node.match(document) == passes


@given(documents(), filters(), filters())
def test_the_tree_is_boolean(document: Document, one: Filter, other: Filter) -> None:
    a, b = one.match(document), other.match(document)
    assert And((one, other)).match(document) == (a and b)
    assert Or((one, other)).match(document) == (a or b)
    assert Not(one).match(document) == (not a)


@pytest.mark.parametrize("name", FIELDS)
def test_random_filters_know_every_field(name: str) -> None:
    assert asked(FIELDS[name])
    leaf(FIELDS[name])
