"""What of a title survives a move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.gist import about, same_title, title_words
from tests.search.planning import model


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Wet Paper Watercolour SDXL v2", "wet paper watercolour"),
        ("Arcade Neon [Klein 4B]", "arcade neon"),
        ("Slow Pan - Wan 2.2 high noise", "slow pan"),
        ("InkHarbour_Flux1_D_lora", "ink harbour"),
        ("Ink Harbour (Pony)", "ink harbour"),
        ("SDXL 1.0", "sdxl 1 0"),
    ],
)
def test_bases_releases_and_kinds_leave_a_title(name: str, left: str) -> None:
    assert " ".join(title_words(name)) == left


def test_titles_are_compared_without_them() -> None:
    assert same_title(model(name="Ink Harbour XL v3"), model(name="Ink Harbour (Flux.1 D)"))
    assert not same_title(model(name="Ink Harbour XL"), model(name="Ink Bay XL"))


@given(st.text(max_size=200))
def test_any_title_is_like_itself_and_leaves_few_words(name: str) -> None:
    one = model(name=name)
    assert same_title(one, one) == bool(title_words(name))
    assert len(about(one)) <= 24
