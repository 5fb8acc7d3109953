"""The stack in an address: what is understood, what is left out, and that it says the same again."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.web.stack_asked import Pick, StackAsked, read_asked
from tests.web.payloads import PAYLOADS

PICKS = st.lists(
    st.builds(Pick, st.integers(0, 10**17), st.none() | st.floats(-10, 10).map(lambda w: round(w, 4))),
    max_size=6,
    unique_by=lambda pick: pick.id,
).map(tuple)
ASKED = st.builds(
    StackAsked,
    base=st.sampled_from([None, "42", "sdxl", "wan2.1-t2v-1.3b"]),
    picks=PICKS,
    q=st.text(max_size=20).map(str.strip),
    kind=st.sampled_from(["", "lora", "vae"]),
    everywhere=st.booleans(),
    deep=st.booleans(),
    lost=st.lists(st.text(min_size=1, max_size=20), max_size=3).map(tuple),
)


def of(address: str) -> StackAsked:
    return read_asked(parse_qsl(urlsplit(address).query, keep_blank_values=True))


@given(ASKED)
def test_an_address_says_it_again(asked: StackAsked) -> None:
    assert of(asked.url()) == asked
    alone = of(asked.url(whole=False))
    assert (alone.base, alone.picks, alone.deep) == (asked.base, asked.picks, asked.deep)


@given(st.lists(st.tuples(st.sampled_from(["add", "base", "weight", "new", "up", "q", "lost"]), st.text())))
def test_whatever_is_sent_it_is_read(pairs: list[tuple[str, str]]) -> None:
    asked = read_asked(pairs)
    assert of(asked.url()).picks == asked.picks


@pytest.mark.parametrize("payload", PAYLOADS)
def test_attacks_name_nothing(payload: str) -> None:
    asked = read_asked([("base", payload), ("add", payload), ("kind", payload), ("picture", payload)])
    assert asked == StackAsked()


@pytest.mark.parametrize(
    ("pressed", "ids"),
    [
        (("remove", "2"), [1, 3]),
        (("up", "2"), [2, 1, 3]),
        (("down", "2"), [1, 3, 2]),
        (("up", "1"), [1, 2, 3]),
        (("down", "3"), [1, 2, 3]),
        (("remove", "9"), [1, 2, 3]),
    ],
)
def test_buttons(pressed: tuple[str, str], ids: list[int]) -> None:
    asked = of("/stack?base=9&add=1:0.5&add=2&add=3")
    after = read_asked([*parse_qsl(urlsplit(asked.url()).query), pressed])
    assert [pick.id for pick in after.picks] == ids
    assert after.acted == (ids != [1, 2, 3])


def test_weights_beside_count_and_lead_to_an_address() -> None:
    asked = read_asked([("add", "1"), ("weight", "0,75"), ("add", "2"), ("weight", ""), ("add", "3")])
    assert asked.picks == (Pick(1, 0.75), Pick(2), Pick(3))
    assert asked.acted and not of(asked.url()).acted
    assert read_asked([("add", "1"), ("weight", "99")]).picks == (Pick(1, 10.0),)


def test_a_base_takes_the_bases_place_and_nothing_is_added_twice() -> None:
    asked = of("/stack?base=9&add=1")
    assert asked.with_new(Pick(5), "checkpoint").base == "5"
    assert asked.with_new(Pick(1), "lora") == asked
    assert asked.with_new(Pick(2, 0.5), "lora").picks == (Pick(1), Pick(2, 0.5))
    assert of("/stack?base=9&without=base").base is None
    assert of("/stack?base=9&as_base=4").base == "4"


def test_a_stack_is_bounded() -> None:
    asked = read_asked([*(("add", str(n)) for n in range(200)), *(("lost", "x" * 500) for _ in range(99))])
    assert len(asked.picks) == 50 and len(asked.lost) == 20 and len(asked.lost[0]) == 80
    assert len(asked.with_new(Pick(999), "lora").picks) == 50
