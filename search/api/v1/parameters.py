"""Parameters of an address as the hub reads them: repeated or with commas, unknown ones ignored."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from search.api.v1.errors import wrong

__all__ = ["LARGEST", "Parameters", "day_before"]

LARGEST: Final = 2**63 - 1
_LONGEST = 2_000
_MOST = 1_000
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Parameters:
    """What a request asks. Every method raises ``HubError`` (400) for what it cannot read."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.removesuffix("[]"), []).append(value)

    def text(self, name: str) -> str | None:
        """A text; None when it is absent or empty."""
        value = self._values.get(name, [""])[-1].strip()
        if len(value) > _LONGEST:
            raise wrong(name, f"It has {len(value):,} characters; at most {_LONGEST:,} are read.", "too_big")
        return value or None

    def flag(self, name: str) -> bool | None:
        """True or false; None when it is absent."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _FLAGS:
            raise wrong(name, f"Expected true or false, received {value[:100]!r}.", "invalid_type")
        return _FLAGS[value.lower()]

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number between the bounds; None when it is absent."""
        value = self.text(name)
        return None if value is None else _whole(name, value, low, high)

    def number(self, name: str) -> float | None:
        """A number such as 4.5; None when it is absent."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.replace(".", "", 1).isdigit() and len(value) < 20):
            raise wrong(name, f"Expected a number, received {value[:100]!r}.", "invalid_type")
        return float(value)

    def many(self, name: str) -> list[str]:
        """All values, repeated or between commas, each once."""
        parts = [part.strip() for value in self._values.get(name, ()) for part in value.split(",")]
        found = list(dict.fromkeys(part for part in parts if part))
        if len(found) > _MOST or any(len(part) > _LONGEST for part in found):
            raise wrong(name, f"At most {_MOST:,} values are read, of {_LONGEST:,} characters.", "too_big")
        return found

    def numbers(self, name: str) -> list[int]:
        """Several whole numbers."""
        return [_whole(name, value, 0, LARGEST) for value in self.many(name)]

    def choice(self, name: str, known: Iterable[str]) -> str | None:
        """One of the words that are known, however it is cased; None when it is absent."""
        value = self.text(name)
        return None if value is None else _known(name, value, known)

    def choices(self, name: str, known: Sequence[str]) -> list[str]:
        """Some of the words that are known."""
        return [_known(name, value, known) for value in self.many(name)]


def _whole(name: str, value: str, low: int, high: int) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise wrong(name, f"Expected a whole number, received {value[:100]!r}.", "invalid_type")
    if not low <= int(value) <= high:
        code = "too_small" if int(value) < low else "too_big"
        raise wrong(name, f"Expected a number from {low} to {high}, received {value}.", code)
    return int(value)


def _known(name: str, value: str, known: Iterable[str]) -> str:
    words = {word.lower().replace(" ", ""): word for word in known if word != "why"}
    found = words.get(value.lower().replace(" ", ""))
    if found is None:
        text = "|".join(repr(word) for word in words.values())
        raise wrong(name, f"Expected one of {text}, received {value[:100]!r}.", "invalid_enum_value")
    return found


def day_before(today: date, days: int) -> str:
    """The day so many days ago, as an ISO date."""
    return date.fromordinal(max(1, today.toordinal() - days)).isoformat()
