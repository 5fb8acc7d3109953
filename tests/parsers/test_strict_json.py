"""JSON from strangers, strictly and leniently."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.strict_json import (
    MAX_DEPTH,
    JsonFault,
    decode_text,
    has_surrogate,
    is_too_deep,
    load_lenient,
    load_strict,
    replace_surrogates,
    shorten,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('abc\\"{[', max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values, st.booleans())
def test_right_json_is_read_by_both(value: Any, escape: bool) -> None:
    text = json.dumps(value, ensure_ascii=escape)
    assert load_strict(text) == value
    assert load_lenient(text) == (value, ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json"),
        ("{", "json"),
        ("[1,]", "json"),
        ("{'a':1}", "json"),
        ("[1] 2", "json"),
        ("\ufeff{}", "json"),
        ('["\t"]', "json"),
        ("[01]", "json"),
        ("[NaN]", "json"),
        ("[-Infinity]", "json"),
        ("[" * 100_000, "json_depth"),
        ('{"a":' * 100_000, "json_depth"),
        ('{"a":1,"a":1}', "duplicate_key"),
        ('{"a":1,"\\u0061":2}', "duplicate_key"),
        ('[{"b":{"x":[],"x":1}}]', "duplicate_key"),
        ("[18446744073709551616]", "number_range"),
        ("[-9223372036854775809]", "number_range"),
        (f"[{'9' * 5000}]", "number_range"),
        ("[1e400]", "number_range"),
    ],
)
def test_strict_reader_names_the_fault(text: str, code: str) -> None:
    with pytest.raises(JsonFault) as caught:
        load_strict(text)
    assert caught.value.code == code
    assert caught.value.detail


def test_strict_reader_keeps_minus_zero_apart() -> None:
    (zero,) = load_strict("[-0]")
    assert type(zero) is float


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 10_000])
def test_depth_is_counted_outside_strings(depth: int) -> None:
    assert is_too_deep("[" * depth + "]" * depth) == (depth > MAX_DEPTH)
    assert is_too_deep("[]" * depth) is False
    assert is_too_deep(json.dumps(["[" * depth, '\\"' + "{" * depth])) is False


@pytest.mark.parametrize(
    ("text", "value", "codes"),
    [
        ('{"a":1,"a":2}', {"a": 2}, ["duplicate_key"]),
        ("[NaN,Infinity,-Infinity]", [None] * 3, ["number_range"]),
        ("[1e400]", [None], ["number_range"]),
        ("[9223372036854775807,9223372036854775808]", [2**63 - 1, str(2**63)], ["number_range"]),
        (f"[{'1' * 5000}]", ["1" * 64], ["number_range"]),
        ('["\\ud800","\\ud83d\\ude00"]', ["\ufffd", "\U0001f600"], ["surrogate"]),
        ('{"\\udfff":1}', {"\ufffd": 1}, ["surrogate"]),
        ('["a\\u0000"]', ["a\0"], ["nul"]),
        ('["\\ud83d\\ude00"]', ["\U0001f600"], []),
    ],
)
def test_lenient_reader_tells_what_it_mended(text: str, value: Any, codes: list[str]) -> None:
    found, warnings = load_lenient(text)
    assert found == value
    assert [warning.code for warning in warnings] == codes


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nul", "[" * 1000, '{"a":1}}'])
def test_lenient_reader_mends_no_broken_syntax(text: str) -> None:
    with pytest.raises(JsonFault):
        load_lenient(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    text, warnings = decode_text('{"name":"café"}'.encode(encoding))
    assert text == '{"name":"café"}'
    assert [warning.code for warning in warnings] == ([] if encoding == "utf-8" else ["encoding"])


@given(st.binary(max_size=40))
def test_no_bytes_stop_the_decoder(data: bytes) -> None:
    text, _ = decode_text(data)
    assert isinstance(text, str)


@given(st.text(st.characters()))
def test_replaced_text_can_be_stored(text: str) -> None:
    clean = replace_surrogates(text)
    clean.encode()
    assert (clean != text) == has_surrogate(text)


@pytest.mark.parametrize("value", ["x" * 10**6, "\x1b[2J\u202e\n", ["x"] * 10**5, None])
def test_messages_are_short_and_plain(value: object) -> None:
    text = shorten(value)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 100
