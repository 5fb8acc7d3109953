"""Colours of the style sheet against WCAG 2.2: text at least 4.5 to 1 on every ground it stands on."""

import re
from pathlib import Path

import pytest

import search.web

TOKENS = (Path(search.web.__file__).parent / "static" / "tokens.css").read_text("utf-8")
THEMES = {
    "light": TOKENS[TOKENS.index(":root {") :],
    "dark": TOKENS[TOKENS.index(':root[data-theme="dark"]') :],
}
PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("ground", "raised", "sunk")),
    *(("accent-ink", "accent"), ("warn", "raised"), ("warn", "ground"), ("ink", "warn-wash")),
    *(
        ("ink", "accent-wash"),
        ("ink", "mark"),
        ("ground", "ink"),
        ("warn", "warn-wash"),
        ("soft", "accent-wash"),
    ),
]


def colour(theme: str, name: str) -> str:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}});", THEMES[theme])
    assert found is not None, name
    return found[1]


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    light, dark = sorted((luminance(colour(theme, ink)), luminance(colour(theme, ground))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_both_ways_to_dark_are_the_same() -> None:
    by_system = TOKENS[TOKENS.index("prefers-color-scheme") : TOKENS.index(':root[data-theme="dark"]')]
    for name, value in re.findall(r"--([a-z-]+): ([^;]+);", by_system):
        assert f"--{name}: {value};" in THEMES["dark"]
