"""Text and JSON of strangers, fit for both databases."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.columns import clean, clean_json

ODD = st.text(st.characters(codec=None) | st.sampled_from("\x00\ud800\udfff"), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=10,
)


@given(PLAIN)
def test_the_fast_way_equals_the_slow_one(value: object) -> None:
    slow = json.dumps(clean(value), ensure_ascii=False, separators=(",", ":"))
    assert clean_json(value) == slow
    slow.encode()
    assert "\x00" not in json.dumps(json.loads(slow), ensure_ascii=False)


def test_what_databases_refuse_is_replaced() -> None:
    assert json.loads(clean_json({"a\x00": ["\ud800", math.nan]})) == {"a\ufffd": ["\ufffd", None]}
