"""Model cards: what people wrote is read, what attacks is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.model_card import MAX_FRONT, read_card
from tests.clocks import in_time
from tests.hubs.fake_huggingface import LORA_CARD


def test_front_matter_and_text_are_told_apart() -> None:
    card = read_card(LORA_CARD)
    assert card.data["base_model"] == "black-forest-labs/FLUX.1-dev"
    assert card.data["widget"][0]["output"] == {"url": "images/tea pot.png"}
    assert card.text.startswith("# Ink wash") and card.triggers == ("TOK",)
    assert not card.warnings


@pytest.mark.parametrize(
    ("text", "data", "body"),
    [
        ("", {}, ""),
        ("# only text", {}, "# only text"),
        ("---\nlicense: no\ncount: 007\nday: 2026-01-02\n---\nx", {"license": "no", "count": "007", "day": "2026-01-02"}, "x"),
        ("\ufeff---\r\na: b\r\n---\r\ntext\r\n", {"a": "b"}, "text"),
        ("\n\n---\na: b\n---", {"a": "b"}, ""),
        ("---\n- a\n- b\n---\ntext", {}, "text"),
        ("---\nnever closed: 1\n", {}, "---\nnever closed: 1"),
        ("---\n---\ntext", {}, "text"),
    ],
)  # fmt: skip
def test_odd_cards(text: str, data: dict[str, str], body: str) -> None:
    card = read_card(text)
    assert (card.data, card.text) == (data, body)


BOMB = "a: &a [x, x]\n" + "".join(
    f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    "front",
    [
        BOMB,
        "a: !!python/object/apply:os.system ['true']",
        "a: !!str b",
        "a: &x 1\nb: *x",
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 50 + "}" * 50,
        "x: [" + "1," * 30_000 + "]",
        "a: " + "b" * MAX_FRONT,
        "a: 'open",
        "? {a: b}\n: c",
        "a\x00: b",
        "\t: :\n - [",
    ],
    ids=range(12),
)
def test_hostile_front_matter_is_a_warning(front: str) -> None:
    card = in_time(2, lambda: read_card(f"---\n{front}\n---\ntext stays"))
    assert (card.data, card.text) == ({}, "text stays")
    assert [warning.code for warning in card.warnings] == ["card_yaml"]


@given(st.text(st.sampled_from("---\n:[]{}&*!|>'\"ab \ud800\x00\u2028#%@`"), max_size=200))
def test_any_text_is_a_card(text: str) -> None:
    read_card(text)
    read_card(f"---\n{text}\n---\n{text}")
