"""Percentiles by root and age, and where an entry stands among them."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.norms import NO_NORMS, SHARES, Norms, age_bucket, norms_of

attentions = st.floats(0, 20)
seen = st.lists(
    st.tuples(st.sampled_from((0, 7, 9)), st.sampled_from((-1, 0, 100, 5000)), attentions),
    min_size=60,
    max_size=300,
)


@given(seen, attentions, attentions, st.sampled_from((0, 7, 9, 11)), st.integers(-1, 9000))
def test_more_attention_never_falls_behind(
    entries: list[tuple[int, int, float]], one: float, other: float, root: int, age: int
) -> None:
    norms = norms_of(entries)
    cell = norms.cell(root, age)
    assert cell is not None
    low, high = sorted((one, other))
    assert 0.0 <= norms.place(low, cell) <= norms.place(high, cell) <= 1.0


@given(seen)
def test_a_place_is_about_the_share_that_gets_less(entries: list[tuple[int, int, float]]) -> None:
    norms = norms_of(entries)
    values = sorted(attention for _, _, attention in entries)
    for value in values[::20]:
        less = sum(v < value for v in values) / len(values)
        most = sum(v <= value + 1e-4 for v in values) / len(values)
        assert less - 0.08 <= norms.place(value, (-1, -1)) <= most + 0.08


@given(seen)
def test_norms_come_back_from_storage(entries: list[tuple[int, int, float]]) -> None:
    norms = norms_of(entries)
    assert Norms.from_json(norms.to_json()) == norms


def test_thin_cells_fall_back_to_wider_ones() -> None:
    old, young = 5000, 10
    norms = norms_of([*[(7, old, 1.0)] * 60, *[(7, young, 1.0)] * 10, *[(9, young, 1.0)] * 45])
    assert norms.cell(7, old) == (7, age_bucket(old))
    assert norms.cell(7, young) == (7, -1)
    assert norms.cell(9, young) == (-1, age_bucket(young))
    assert norms.cell(11, -1) == (-1, -1)


def test_few_entries_make_no_norms() -> None:
    assert norms_of([(7, 10, 1.0)] * 49) == NO_NORMS
    assert NO_NORMS.cell(7, 10) is None


def test_norms_of_another_number_of_shares_are_not_read() -> None:
    assert Norms.from_json({"7:1": [0.0] * (len(SHARES) - 1)}) == NO_NORMS
