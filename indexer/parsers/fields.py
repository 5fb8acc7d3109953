"""Turning strangers' values into ours: dates, numbers, hashes, lists of words, each within bounds."""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

__all__ = [
    "MAX_TEXT",
    "MAX_WORD",
    "MAX_WORDS",
    "epoch_date",
    "hex_digest",
    "iso_date",
    "natural",
    "real",
    "split_words",
    "unique_words",
]

MAX_TEXT = 1 << 20  # characters of one text
MAX_WORD = 1000  # characters of one tag or trigger word
MAX_WORDS = 1000  # items of one list

_YEARS = range(2000, 2101)
_NATURAL = re.compile(r"\+?([0-9]{1,18})(?:\.0*)?")
_HEX = re.compile(r"[0-9a-f]+")


def natural(text: str) -> int:
    """A whole number from 0 up, written as ``16`` or ``16.0``. Raises ValueError."""
    match = _NATURAL.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a whole number")
    return int(match[1])


def real(text: str) -> float:
    """A finite number. Raises ValueError."""
    value = float(text) if len(text) <= 64 else math.inf
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def iso_date(text: str) -> str:
    """ISO 8601 to the second, in UTC where the zone is known. Raises ValueError outside 2000 to 2100."""
    moment = datetime.fromisoformat(text.strip()[:64])
    if moment.year not in _YEARS:
        raise ValueError("year out of range")
    if moment.tzinfo is None:
        return moment.isoformat(timespec="seconds")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def epoch_date(text: str) -> str:
    """ISO 8601 of seconds since 1970. Raises ValueError outside 2000 to 2100."""
    seconds = real(text)
    if not 946_684_800 <= seconds < 4_133_980_800:
        raise ValueError("date out of range")
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def hex_digest(text: str, *lengths: int) -> str:
    """Lower-case hex without ``0x``, of one of ``lengths`` digits. Raises ValueError."""
    digest = text.strip().lower().removeprefix("0x")
    if len(digest) not in lengths or _HEX.fullmatch(digest) is None:
        raise ValueError(f"not a hash of {' or '.join(map(str, lengths))} hex digits")
    return digest


def split_words(text: str) -> list[str]:
    """Words or phrases of a comma-separated text."""
    return unique_words(text.replace("\n", ",").split(","))


def unique_words(words: Iterable[str]) -> list[str]:
    """``words`` trimmed, without empty, overlong and repeated ones (case aside), in order."""
    found: dict[str, str] = {}
    for word in words:
        trimmed = word.strip()
        if trimmed and len(trimmed) <= MAX_WORD:
            found.setdefault(trimmed.casefold(), trimmed)
    return list(found.values())
