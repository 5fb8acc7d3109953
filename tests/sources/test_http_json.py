"""The JSON reader against the standard library's."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sources.http_errors import Fault
from indexer.sources.http_json import load_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_writes_is_read(value: Any) -> None:
    assert load_json(json.dumps(value).encode()) == value
    assert load_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(VALUES)
def test_the_patient_reading_agrees(value: Any) -> None:
    odd = json.dumps([value, "half \ud800", {"\udfff": "\ud800"}]).encode()
    assert load_json(odd) == [value, "half \ufffd", {"\ufffd": "\ufffd"}]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_fault(data: bytes) -> None:
    try:
        load_json(data)
    except Fault as fault:
        assert fault.code in ("not_json", "bad_answer")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'["caf\xe9"]', ["caf\ufffd"]),
        (b'{"big": 1e999, "n": 1}', {"big": None, "n": 1}),
        (b"[" + b"9" * 5_000 + b"]", [None]),
        (b'["' + b"[" * 5_000 + b'\\""]', ["[" * 5_000 + '"']),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    ],
)
def test_odd_but_whole(text: bytes, value: Any) -> None:
    assert load_json(text) == value


def test_long_integers_become_floats() -> None:
    assert math.isclose(load_json(b"[12345678901234567890123]")[0], 1.2345678901234568e22)
