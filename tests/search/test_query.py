"""The query language: what it understands, and the whole text of what it says when it does not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, AnyOf, Not, Or, Range, Words
from search.query import MAX_QUERY, MAX_TERMS, ParsedQuery, QueryError, narrowed, parse_query
from tests.clocks import in_time

TYPE, ARCH, TAG, SIZE, CREATED, RATING, RANK, DOWNLOADS, IS = (
    FIELDS[n] for n in ("type", "arch", "tag", "size", "created", "rating", "rank", "downloads", "is")
)
TODAY = date(2026, 3, 1)


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
        ("rating:4", Range(RATING, low=3.5, high=4.5, high_open=True)),  # what rounds to it
        ("size:2.5GB", Range(SIZE, low=2.45e9, high=2.55e9, high_open=True)),
        ("size:<=2.5GB", Range(SIZE, high=2.5e9)),
        ("downloads:>10k", Range(DOWNLOADS, low=1e4, low_open=True)),
        ("rank:=16", Range(RANK, low=16.0, high=16.0)),
        ("rank>8", Range(RANK, low=8.0, low_open=True)),
        ("rank:8,16..32", Or((Range(RANK, low=8.0, high=8.0), Range(RANK, low=16.0, high=32.0)))),
        ("type: lora", AnyOf(TYPE, ("lora",))),
        ("type:=lora", AnyOf(TYPE, ("lora",))),
        ("type:lora,", AnyOf(TYPE, ("lora",))),
        ("type：lora", AnyOf(TYPE, ("lora",))),
        ("is:Favorite,poi", AnyOf(IS, ("favourite", "real_person"))),
        ('is:"of tomorrow"', AnyOf(IS, ("of tomorrow",))),  # as a link of a facet asks for it
        ("created:2025", Range(CREATED, "2025-01-01", "2025-12-31")),
        ("created:>2025", Range(CREATED, low="2025-12-31", low_open=True)),
        ("created:<2025-06", Range(CREATED, high="2025-06-01", high_open=True)),
        ("created:2024-01..2024-06", Range(CREATED, "2024-01-01", "2024-06-31")),
        ("created:2025-06-30T12:00:00Z", Range(CREATED, "2025-06-30", "2025-06-30")),
        ("created:yesterday", Range(CREATED, "2026-02-28", "2026-02-28")),
        ("created:<30d", Range(CREATED, low="2026-01-30", low_open=True)),  # younger
        ("created:>2w", Range(CREATED, high="2026-02-15", high_open=True)),  # older
        ("created:<=1y", Range(CREATED, low="2025-03-01")),
        ("created:30d", Range(CREATED, low="2026-01-30")),
        ("created:1w..3mo", Range(CREATED, "2025-12-01", "2026-02-22")),
        ("created:..1w", Range(CREATED, low="2026-02-22")),
        ("created:>99999y", Range(CREATED, high="0001-01-01", high_open=True)),
        ("name:ink", Words(FIELDS["name"], ("ink",))),
        ('name:"ink wash"', Words(FIELDS["name"], ("ink", "wash"), True)),
    ],
)
def test_clauses(query: str, node: object) -> None:
    assert parse_query(query, TODAY).where == And((node,))  # type: ignore[arg-type]


def test_and_binds_before_or() -> None:
    parsed = parse_query("type:lora arch:sdxl OR type:vae")
    both = And((AnyOf(TYPE, ("lora",)), AnyOf(ARCH, ("sdxl",))))
    assert parsed.where == And((Or((both, AnyOf(TYPE, ("vae",)))),))


def test_brackets_group_and_words_inside_filter() -> None:
    parsed = parse_query("(ink OR type:vae) harbour")
    assert parsed.terms == ("harbour",)
    (node,) = parsed.where.nodes  # type: ignore[attr-defined]
    assert isinstance(node, Or)


def test_an_address_is_no_field() -> None:
    assert "example" in parse_query("https://example.org/models/12").terms


def test_the_query_tells_which_fields_it_uses() -> None:
    parsed = parse_query("ink type:lora -tag:photo")
    assert parsed.fields == {"type", "tag"}
    assert parsed.filters == ("type:lora", "tag:photo")


@pytest.mark.parametrize(
    ("query", "typed"),
    [
        ("ink type:lora, -tag:photo", ["type:lora", "-tag:photo"]),
        ("(ink AND rank:>8) AND NOT sea", ["rank:>8", "NOT sea"]),
        ("(type:lora OR type:vae) has:preview", ["(type:lora OR type:vae)", "has:preview"]),
        (" type:lora OR type:vae ", ["type:lora OR type:vae"]),
        ("https://civitai.com/models/7 type:lora", ["type:lora", "source:civitai:7"]),
    ],
)
def test_each_filter_is_told_as_it_was_written(query: str, typed: list[str]) -> None:
    assert [part for part, _ in parse_query(query).parts] == typed


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
            "created: takes a date like 2025, 2025-06 or 2025-06-30, or an age like 30d, 2w, 6mo or 1y, not '2025-13'.\n"
            "    created:2025-13\n            ^^^^^^^",
        ),
        (
            "created:2024..30d",
            "created: takes a range of two dates or of two ages, not one of each.\n"
            "    created:2024..30d\n            ^^^^^^^^^",
        ),
        (
            "name:>4",
            "name: holds words, and > compares numbers, sizes and dates. "
            "Write it like name:watercolour, or the sign itself in quotes.\n    name:>4\n         ^^",
        ),
        (
            "tag:1..5",
            "tag: holds names, and .. spans numbers, sizes and dates. "
            "Write it like tag:anime, or the sign itself in quotes.\n    tag:1..5\n        ^^^^",
        ),
        (
            "has:trigers",
            "has: does not know 'trigers'. Did you mean trigger? It knows: preview, prompt, trigger, description, "
            "rating, sidecar, metadata, sha256.\n    has:trigers\n        ^^^^^^^",
        ),
        (
            "ink tipe:lora",
            "There is no field 'tipe'. Did you mean type? For the words themselves, write \"tipe:lora\".\n"
            "    ink tipe:lora\n        ^^^^^",
        ),
        ("ink type:", "A value should follow type: as in type:lora\n    ink type:\n        ^^^^^"),
        ('tag:""', 'tag: takes a value; this one is empty.\n    tag:""\n        ^^'),
        ("hash:xyz", "hash: takes hexadecimal digits, all of a hash or its beginning.\n    hash:xyz\n         ^^^"),
        ("rank:..", "rank: has a range without bounds. Give one, like rank:8..32.\n    rank:..\n         ^^"),
        ("水彩 rank:x", "rank: takes a number, not 'x'.\n    水彩 rank:x\n              ^"),
        ("a\x1b[31m\t(", "Here a word, a filter or ( should follow.\n    a [31m (\n            ^"),
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
    ("query", "message"),
    [
        ("(" * 60 + "a" + ")" * 60, "nested more than 50 deep"),
        ("NOT " * 60 + "a", "nested more than 50 deep"),
        ("a" * (MAX_QUERY + 1), "has 10,001 characters; at most 10,000"),
        ("type:" + ",".join(f"a{n}" for n in range(1001)), "has 1,001 values; at most 1,000"),
        ("type:lora " * 129, "More than 128 filters"),
        (" OR ".join(f"w{n}" for n in range(200)), "More than 128 filters"),
    ],
)
def test_too_much_is_refused(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        parse_query(query)
    assert all(len(line) < 250 for line in str(caught.value).split("\n"))


def test_of_a_thousand_words_the_first_count() -> None:
    parsed = parse_query(" ".join(f"w{n}" for n in range(1000)) + ' type:lora "a b"')
    assert parsed.terms == tuple(f"w{n}" for n in range(MAX_TERMS))
    assert parsed.phrases == ()
    assert parsed.where == And((AnyOf(TYPE, ("lora",)),))
    assert parsed.notes == ("The query has 1,002 words; the first 64 count.",)


def test_a_long_query_shows_the_part_with_the_fault() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("ink " * 500 + "rank:wide" + " wash" * 500)
    _, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^") : caret.rindex("^") + 1] == "wide"
    assert (caught.value.start, caught.value.end) == (2005, 2009)


@given(st.sampled_from(["harbour", "a OR b", 'x "y z"', "(a:1.2), b", "5'11\"", "“a b”", "0d4a1185", "-c"]))
def test_a_query_is_narrowed_by_clauses(query: str) -> None:
    alone, both = parse_query(query), parse_query(narrowed(query, 'type:"lora"'))
    assert (both.terms, both.phrases) == (alone.terms, alone.phrases)
    nodes = {*alone.where.nodes, AnyOf(TYPE, ("lora",))}  # type: ignore[attr-defined]
    assert set(both.where.nodes) == nodes  # type: ignore[attr-defined]


def test_a_refused_query_stands_alone() -> None:
    assert narrowed("(a", "type:lora") == "(a"
    assert narrowed("  ", "type:lora") == "type:lora"
    assert narrowed("a", "") == "a"


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


def check(query: str) -> None:
    try:
        parsed = parse_query(query)
    except QueryError as error:
        assert 0 <= error.start <= len(query)
        assert str(error).count("^") >= 1
        assert str(error).count("\n") == 2
    else:
        assert isinstance(parsed, ParsedQuery)
        assert len(parsed.terms) + sum(map(len, parsed.phrases)) <= MAX_TERMS
        assert And(tuple(node for _, node in parsed.parts)) == parsed.where
        assert all(typed for typed, _ in parsed.parts)


@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=20).map("".join)))
def test_anything_typed_is_a_query_or_a_caret(query: str) -> None:
    check(query)


PIECES = (
    "a", "a ", "(", "-", '"', '"a" ', "a:", "type:a,", "a OR ", "<lora:", "[a:", "a:1)", "civitai:", "https://", "urn:air:",
    "水", "ﷺ", "ab12cd34 ", "size:<", "rank:1..2,", '1"', "a.ckpt ", "\\(", "is:", ",", "name:a ", "\x00",
)  # fmt: skip


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", PIECES)
def test_ten_thousand_characters_take_no_time(piece: str) -> None:
    query = (piece * MAX_QUERY)[:MAX_QUERY]
    # The aim is 0.05 s; here nothing may grow with the square of the length.
    in_time(0.5, lambda: check(query))
