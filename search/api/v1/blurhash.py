"""Blurhashes of one colour, for pictures of which no more is known.

The format is that of github.com/woltapp/blurhash, Algorithm.md.
"""

__all__ = ["flat_blurhash"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_ONE_COMPONENT = "00"
"""One component across and one down, and no others whose largest value would have to be told."""


def flat_blurhash(colour: str) -> str | None:
    """The blurhash that is this colour all over, six characters; None for what is not ``#rrggbb``."""
    try:
        value = int(colour.removeprefix("#"), 16) if len(colour) == 7 else -1
    except ValueError:
        value = -1
    if value < 0:
        return None
    base = len(_DIGITS)
    return _ONE_COMPONENT + "".join(_DIGITS[value // base**place % base] for place in (3, 2, 1, 0))
