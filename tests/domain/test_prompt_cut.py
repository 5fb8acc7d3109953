"""Prompts cut into words, tags and pairs, and an entry into numbers."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.prompt_cut import HABITS, MAX_PROMPTS, PLACES, cut, number, read_prompt
from indexer.domain.records import Document, FileRef


def places(numbers: bytes) -> list[list[int]]:
    """The slow way back: the numbers of each place."""
    values = list(struct.unpack(f"<{len(numbers) // 2}H", numbers))
    counts, rest = values[:PLACES], values[PLACES:]
    found = []
    for count in counts:
        found.append(rest[:count])
        rest = rest[count:]
    assert not rest
    return found


def test_syntax_of_prompts_is_no_word() -> None:
    read = read_prompt("((1girl)), (Silver_Hair:1.2), <lora:boat:0.8> BREAK [sea|sky]")
    assert read.tags == ("1girl", "silver hair", "sea sky")
    assert "silver hair" in read.pairs
    assert read.listed == 3


def test_what_is_asked_of_quality_is_left_out() -> None:
    assert read_prompt("masterpiece, (best quality:1.4), a boat, ultra-detailed").tags == ("a boat",)


def test_phrases_of_the_model_itself_are_left_out() -> None:
    read = read_prompt("mira_dress, red Boat at sea, red", own=("mira dress", "red boat"))
    assert read.tags == ("at sea", "red")
    assert "sea red" in read.pairs


def test_an_entry_as_numbers() -> None:
    document = Document(
        1,
        1,
        "Ink Wash",
        tags=("boat",),
        trigger_words=("inkwash style, blue",),
        prompts=("inkwash style, a boat, sea",),
        files=(FileRef("x/old_ink.safetensors", None, 1),),
    )
    found = places(cut(document))
    assert found[0][:2] == [number("ink"), number("wash")]
    assert found[1] == [number("boat")]
    assert {number("inkwash"), number("old"), number("blue")} <= set(found[3])
    assert found[HABITS][0] == 2
    assert found[HABITS + 1] == [number("a"), number("boat"), number("sea")]
    assert found[HABITS + 2] == [number("a boat"), number("sea")]
    assert found[HABITS + 3] == [number("a boat"), number("boat sea")]
    assert not any(found[HABITS + 4 :])


@given(st.lists(st.text(max_size=100), max_size=12), st.text(max_size=100), st.lists(st.text(max_size=20)))
def test_any_entry_can_be_cut(prompts: list[str], text: str, triggers: list[str]) -> None:
    document = Document(1, 1, text, description=text, prompts=tuple(prompts), trigger_words=tuple(triggers))
    found = places(cut(document))
    assert len(found) == PLACES
    assert len(found[HABITS]) == 2 * min(len(prompts), MAX_PROMPTS)
    assert all(len(set(place)) == len(place) for i, place in enumerate(found) if i != HABITS)
