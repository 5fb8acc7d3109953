"""The settings line: cut as a person would, whatever is in it, in linear time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.generation.a1111 import read_infotext
from indexer.parsers.generation.settings_text import split_settings
from tests.clocks import in_time


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("Steps: 20, CFG scale: 7", {"Steps": "20", "CFG scale": "7"}),
        ('Prompt: "a, \\"b\\": c", X: 1', {"Prompt": 'a, "b": c', "X": "1"}),
        ('Hashes: {"a": "b, c"}, List: [1, 2], X: 1', {"Hashes": {"a": "b, c"}, "List": [1, 2], "X": "1"}),
        ("Crop: (0, 0), X: 1", {"Crop": "(0, 0)", "X": "1"}),
        ("Name: a, b and c, X: 1", {"Name": "a, b and c", "X": "1"}),
        ("Date: 2026-01-04T01:27:21Z, X: 1", {"Date": "2026-01-04T01:27:21Z", "X": "1"}),
        ('Broken: {"a": , X: 1', {"Broken": '{"a":', "X": "1"}),
        ('Open: "never ends, X: 1', {"Open": '"never ends', "X": "1"}),
        ("X: 1, X: 2", {"X": "1"}),
        ("no pair at all", {}),
        ("", {}),
    ],
)
def test_pairs(text: str, pairs: dict[str, Any]) -> None:
    assert split_settings(text) == pairs


KEYS = st.sampled_from(["Steps", "CFG scale", "Model hash", "ControlNet 0", "Lora hashes", "2nd pass"])
PLAIN = (
    st.text("abc012.+- ()é", min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: text and text[0] not in "(")
)
QUOTED = st.text(max_size=12).map(lambda text: (json.dumps(text), text))
OBJECTS = st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=3).map(
    lambda value: (json.dumps(value), value)
)
VALUES = st.one_of(PLAIN.map(lambda text: (text, text)), QUOTED, OBJECTS)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_was_written_is_read_again(pairs: dict[str, tuple[str, Any]]) -> None:
    text = ", ".join(f"{key}: {written}" for key, (written, _) in pairs.items())
    assert split_settings(text) == {key: value for key, (_, value) in pairs.items()}


NASTY = st.text('Steps: 12,\n"{[()]}<lora:a:1>Negativeprompt\\\0\ud800é', max_size=300)


@given(NASTY, NASTY)
def test_no_text_raises(before: str, after: str) -> None:
    draft = read_infotext(f"{before}\nSteps: 20, {after}")
    assert draft is not None
    draft.record()


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "Steps: 1, " + "a, " * 300_000,
        "Steps: 1, " + "a: 1, " * 150_000,
        "Steps: 1, " + 'a: ["' * 100_000,
        "Steps: 1, " + "a: {" * 100_000,
        "Steps: 1, " + 'a: "' * 100_000,
        "\nSteps: 1" * 100_000,
        "Negative prompt: a\n" * 50_000 + "Steps: 1, Seed: 2",
        "<lora:" * 100_000 + "\nSteps: 1, Seed: 2",
        "<lora:a:" * 100_000 + "\nSteps: 1, Seed: 2",
        "embedding:" * 100_000 + "\nSteps: 1, Seed: 2",
        'a\nSteps: 1, Lora hashes: "' + "a: " * 300_000 + '"',
    ],
    ids=lambda text: repr(text[:30]),
)
def test_long_texts_take_linear_time(text: str) -> None:
    in_time(3, lambda: read_infotext(text))
