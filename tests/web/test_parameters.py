"""From parameters to one query and back, held against the query language itself."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Not
from indexer.domain.records import Document
from indexer.errors import UsageError
from search.query import QueryError, parse_query
from search.web.parameters import PARAMETERS, Clause, Wanted, read_wanted

KEYWORDS = ("type", "tag", "creator", "arch", "licence", "has", "is", "category")

values = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(
    lambda text: '"' not in text and text == text.strip() and text.strip(" -,")
)
clauses = st.builds(
    Clause,
    st.sampled_from([FIELDS[name] for name in KEYWORDS]),
    st.lists(values, min_size=1, max_size=3, unique=True).map(tuple),
    st.booleans(),
)
typed = st.one_of(
    st.sampled_from(["", "harbour", "a OR b", "(a OR b) -c", '"two words"', "type:lora", "NOT x", "a AND b"]),
    st.text(max_size=20),
)


def test_every_field_is_a_parameter_and_base_is_the_architecture() -> None:
    assert set(PARAMETERS.values()) == set(FIELDS.values())
    assert "base" not in PARAMETERS
    assert read_wanted([("base", "sdxl")]).base == "sdxl"


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        ([("type", "lora")], 'type:"lora"'),
        ([("type", "lora"), ("type", "vae")], 'type:"lora","vae"'),
        ([("tag", "sea"), ("tag", "sky")], 'tag:"sea" tag:"sky"'),
        ([("tag", "-sea"), ("tag", "-sky")], '-tag:"sea","sky"'),
        ([("tag", '"sea, sky"')], 'tag:"sea, sky"'),
        ([("rank", "8..32"), ("size", "<2GB")], "rank:8..32 size:<2GB"),
        ([("q", "a OR b"), ("type", "lora")], '(a OR b) type:"lora"'),
        ([("q", "  "), ("type", "lora")], 'type:"lora"'),
        ([("q", '"open'), ("type", "lora")], '"open'),
        ([("q", "a) OR (b"), ("type", "lora")], "a) OR (b"),
        ([("q", "("), ("type", "lora")], "("),
        ([("type", ""), ("tag", " , "), ("creator", "-")], ""),
    ],
)
def test_parameters_become_a_query(pairs: list[tuple[str, str]], query: str) -> None:
    assert read_wanted(pairs).query() == query


@pytest.mark.parametrize("value", ["8 OR type:lora", "abc def", "1)", "", "<", '"8"'])
def test_a_range_cannot_carry_more_than_a_range(value: str) -> None:
    wanted = Wanted(clauses=(Clause(FIELDS["rank"], (value,)),))
    with pytest.raises(UsageError), wanted.asking():
        parse_query(wanted.query())


@given(typed, st.lists(clauses, max_size=4))
def test_filters_narrow_what_was_typed_and_nothing_else(q: str, given: list[Clause]) -> None:
    wanted = Wanted(q=q, clauses=tuple(given))
    try:
        alone = parse_query(q)
    except QueryError as error:
        with pytest.raises((QueryError, UsageError)) as told, wanted.asking():
            parse_query(wanted.query())
        if isinstance(told.value, QueryError):
            assert (told.value.start, told.value.message) == (error.start, error.message)
        return
    if alone.fields == {"hash"} and not alone.terms:
        return  # a bare hash is one only when it stands alone
    both = parse_query(wanted.query())
    assert (both.terms, both.phrases) == (alone.terms, alone.phrases)
    ours = And(tuple(_filter(clause) for clause in given))
    for document in _documents(given):
        assert both.where.match(document) == (alone.where.match(document) and ours.match(document))


def _filter(clause: Clause) -> AnyOf | Not:
    wanted = parse_query(Clause(clause.field, clause.values).text()).where
    assert isinstance(wanted, And)
    found = wanted.nodes[0]
    assert isinstance(found, AnyOf)
    return Not(found) if clause.negated else found


def _documents(given: list[Clause]) -> list[Document]:
    words = [value for clause in given for value in clause.values]
    return [
        Document(1, 1, "x", kind="lora", tags=("sea",)),
        Document(2, 2, "a", kind=words[0] if words else "vae", tags=tuple(words), has=tuple(words)),
        Document(3, 3, "b", creator=words[-1] if words else None, architecture_path=tuple(words)),
    ]


@given(st.text(max_size=20), st.lists(clauses, max_size=4))
def test_a_link_asks_for_the_same(q: str, given: list[Clause]) -> None:
    pairs = [("q", q.encode("utf-8", "replace").decode()), *(clause.parameter for clause in given)]
    wanted = read_wanted(pairs)
    link = urlsplit(wanted.url())
    again = read_wanted(parse_qsl(link.query, keep_blank_values=True))
    assert again.query().strip() == wanted.query().strip() or not wanted.q.strip()
    assert {(c.field.name, frozenset(c.values), c.negated) for c in again.clauses} == {
        (c.field.name, frozenset(c.values), c.negated) for c in wanted.clauses
    }


def test_toggling_twice_is_nothing() -> None:
    start = read_wanted([("q", "x"), ("type", "vae")])
    once = start.toggled(FIELDS["type"], "lora")
    assert once.state(FIELDS["type"], "lora") == "include"
    assert once.toggled(FIELDS["type"], "lora").query() == start.query()
    other = once.toggled(FIELDS["type"], "lora", negated=True)
    assert other.state(FIELDS["type"], "lora") == "exclude"


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(UsageError, match="at most"):
        read_wanted([("tag", f"t{n}") for n in range(65)])
