"""Parents read from claims, whatever is written there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.lineage import Parent, parents_of

HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"trained_on": "Base.safetensors"}, [("trained_on", "base", None, None)]),
        ({"trained_on": "org/name"}, [("trained_on", "name", None, "org/name")]),
        ({"trained_on": "x.ckpt", "trained_on_hash": HASH.upper()}, [("trained_on", None, HASH, None)]),
        ({"trained_on": HASH[:10]}, [("trained_on", None, HASH[:10], None)]),
        (
            {"merged_from": ["One [0123456789]", "two"]},
            [("merged_from", "one", HASH[:10], None), ("merged_from", "two", None, None)],
        ),
        (
            {"trained_on": "org/one", "merged_from": ["org/one", "org/two"]},
            [("merged_from", "one", None, "org/one"), ("merged_from", "two", None, "org/two")],
        ),
        ({"trained_on": "model.safetensors"}, [("trained_on", None, None, None)]),
        ({"trained_on": ""}, []),
        ({"trained_on": 5, "merged_from": "no list"}, []),
    ],
)
def test_what_claims_tell(claims: dict[str, object], expected: list[tuple[object, ...]]) -> None:
    found = parents_of([("header:kohya", claims)])
    assert [(p.relation, p.stem, p.hash, p.repository) for p in found] == expected


def test_each_parent_once_by_the_first_source() -> None:
    rows = [("civitai", {"trained_on": "base.ckpt"}), ("header:kohya", {"trained_on": "Base.safetensors"})]
    assert parents_of(rows) == (Parent("trained_on", "civitai", "base.ckpt"),)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["trained_on", "trained_on_hash", "merged_from"]), st.text() | st.lists(st.text())
        )
    )
)
def test_strangers_words_do_no_harm(claims: list[dict[str, object]]) -> None:
    for parent in parents_of(("x", one) for one in claims):
        assert parent.name or parent.hash
        assert len(parent.name or "") <= 300
