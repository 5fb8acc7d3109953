"""The query language: what it understands, and the whole text of what it says when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, AnyOf, Not, Or, Range, Words
from search.query import MAX_QUERY, ParsedQuery, QueryError, parse_query

TYPE, ARCH, TAG, SIZE, CREATED, RATING, RANK = (
    FIELDS[n] for n in ("type", "arch", "tag", "size", "created", "rating", "rank")
)


def test_words_and_phrases_rank() -> None:
    parsed = parse_query('Watercolour "Soft Light" XL')
    assert parsed.terms == ("watercolour", "xl")
    assert parsed.phrases == (("soft", "light"),)
    assert parsed.where == ALL


def test_camel_case_is_cut_as_in_documents() -> None:
    assert parse_query("DetailTweakerXL").terms == ("detail", "tweaker", "xl")


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("type:LoRA", AnyOf(TYPE, ("lora",))),
        ("kind:lora", AnyOf(TYPE, ("lora",))),
        ("type:lora,vae", AnyOf(TYPE, ("lora", "vae"))),
        ('tag:"Soft  Light",ink', AnyOf(TAG, ("soft light", "ink"))),
        ("-type:lora", Not(AnyOf(TYPE, ("lora",)))),
        ("NOT type:lora", Not(AnyOf(TYPE, ("lora",)))),
        ("type:lora OR arch:sdxl", Or((AnyOf(TYPE, ("lora",)), AnyOf(ARCH, ("sdxl",))))),
        ("size:<200MB", Range(SIZE, high=2e8, high_open=True)),
        ("size:1GiB..2GiB", Range(SIZE, low=2.0**30, high=2.0**31)),
        ("rank:8..32", Range(RANK, low=8.0, high=32.0)),
        ("rank:8..", Range(RANK, low=8.0)),
        ("rank:16", Range(RANK, low=16.0, high=16.0)),
        ("rating:>4", Range(RATING, low=4.0, low_open=True)),
        ("rating:>=4", Range(RATING, low=4.0)),
        ("created:2025", Range(CREATED, "2025-01-01", "2025-12-31")),
        ("created:>2025", Range(CREATED, low="2025-12-31", low_open=True)),
        ("created:<2025-06", Range(CREATED, high="2025-06-01", high_open=True)),
        ("created:2024-01..2024-06", Range(CREATED, "2024-01-01", "2024-06-31")),
        ("name:ink", Words(FIELDS["name"], ("ink",))),
        ('name:"ink wash"', Words(FIELDS["name"], ("ink", "wash"), True)),
    ],
)
def test_clauses(query: str, node: object) -> None:
    assert parse_query(query).where == And((node,))  # type: ignore[arg-type]


def test_and_binds_before_or() -> None:
    parsed = parse_query("type:lora arch:sdxl OR type:vae")
    both = And((AnyOf(TYPE, ("lora",)), AnyOf(ARCH, ("sdxl",))))
    assert parsed.where == And((Or((both, AnyOf(TYPE, ("vae",)))),))


def test_brackets_group_and_words_inside_filter() -> None:
    parsed = parse_query("(ink OR type:vae) harbour")
    assert parsed.terms == ("harbour",)
    (node,) = parsed.where.nodes  # type: ignore[attr-defined]
    assert isinstance(node, Or)


def test_a_bare_hash_is_looked_up() -> None:
    assert parse_query(" 2FD8A3C9E1 ").where == AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))


def test_an_address_is_no_field() -> None:
    assert "example" in parse_query("https://example.org/models/12").terms


def test_the_query_tells_which_fields_it_uses() -> None:
    parsed = parse_query("ink type:lora -tag:photo")
    assert parsed.fields == {"type", "tag"}
    assert parsed.filters == ("type:lora", "tag:photo")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("ink (wash", "This ( is never closed. Add ) where the group ends.\n    ink (wash\n        ^"),
        ("ink) wash", "This ) closes nothing. Remove it, or add ( before.\n    ink) wash\n       ^"),
        ('soft "light', "This \" is never closed. Add another \" at the phrase's end.\n    soft \"light\n         ^"),
        ("rank:wide", "rank: takes a number, not 'wide'.\n    rank:wide\n         ^^^^"),
        ("size:<10miles", "size: takes a size like 200MB or 2.5GB, not '10miles'.\n    size:<10miles\n          ^^^^^^^"),
        (
            "created:2025-13",
            "created: takes a date like 2025, 2025-06 or 2025-06-30, not '2025-13'.\n"
            "    created:2025-13\n            ^^^^^^^",
        ),
        ("rank:32..8", "The range runs backwards: the smaller bound goes first.\n    rank:32..8\n         ^^^^^"),
        ("ink OR", "Here a word, a filter or ( should follow.\n    ink OR\n          ^"),
        ("name:--", "name: takes words; this has none.\n    name:--\n         ^^"),
    ],
)  # fmt: skip
def test_a_mistake_gets_a_caret(query: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert str(caught.value) == message


def test_an_unknown_field_lists_the_known_ones() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("ink colour:red")
    lines = str(caught.value).split("\n")
    assert lines[0].startswith("There is no field 'colour'. Fields are: adapter, arch, base, ")
    assert lines[1:] == ["    ink colour:red", "        ^^^^^^^"]


@pytest.mark.parametrize(
    "query", ["(" * 60 + "a" + ")" * 60, "-" * 1 + "NOT " * 60 + "a", " ".join(map(str, range(99)))]
)
def test_too_much_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="at most|nested more"):
        parse_query(query)


def test_a_very_long_query_is_refused() -> None:
    with pytest.raises(QueryError, match="at most"):
        parse_query("a" * (MAX_QUERY + 1))


pieces = st.sampled_from(
    [
        "ink",
        "type:",
        "lora",
        '"',
        "(",
        ")",
        "-",
        "OR",
        "AND",
        "NOT",
        ",",
        "rank:",
        "8..",
        ">",
        "size:<",
        "1GB",
        " ",
        "é",
        "\x00",
        "::",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=20).map("".join)))
def test_anything_typed_is_a_query_or_a_caret(query: str) -> None:
    try:
        parsed = parse_query(query)
    except QueryError as error:
        assert 0 <= error.start <= len(query)
        assert str(error).count("^") >= 1
    else:
        assert isinstance(parsed, ParsedQuery)
