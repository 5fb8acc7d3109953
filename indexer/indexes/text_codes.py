"""Values of fields in which people write as they like, as numbers, so that counting them takes no dictionary.

The engine counts a column of text by the places of its values in a sorted dictionary of a million names, and
reads half of that to tell a hundred of them. Numbers are counted in the time that the matches take; the names
of the hundred that are told are looked up by their numbers, and remembered: a number always has one name.
"""

from hashlib import blake2b
from typing import Any

__all__ = ["CODED", "NAMES", "NameBook", "code_column", "code_of", "named_code"]

CODED = ("tag", "mytag", "creator")
"""Facets of so many values that they are counted by number."""

NAMES = "coded_names"
"""The column of the names, each after its number."""

_BITS, _DIGITS = 52, 13
"""A code is a whole number that a float holds too; a million names meet with a chance of one in 9,000."""

_REMEMBERED = 200_000


def code_column(name: str) -> str:
    """Name of the column of a field's codes."""
    return f"{name}_code"


def code_of(value: str) -> int:
    """The code of a value, 0 to 2**52 - 1."""
    digest = blake2b(value.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)


def named_code(value: str) -> str:
    """What the column of names keeps of a value: found by its beginning, the code."""
    return f"{code_of(value):0{_DIGITS}x}{value}"


class NameBook:
    """Names of codes, looked up once. Many threads may share it."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def name(self, searcher: Any, code: int) -> str | None:
        """The value that has a code; None where the index does not say."""
        known = self._names.get(code)
        if known is None:
            found = searcher.terms_with_prefix(NAMES, f"{code:0{_DIGITS}x}", limit=1)
            if not found:
                return None
            if len(self._names) >= _REMEMBERED:
                self._names.clear()
            known = self._names[code] = found[0][0][_DIGITS:]
        return known
