"""Judges what a pickle imports, by the table ``indexer/data/pickle_imports.toml``.

Allowed are exact pairs of module and name and nothing else; a dotted name is a name of its own. Dangerous are
modules with all their submodules, or some of their names. Everything else is unknown.
"""

import re
import string
from collections.abc import Iterator
from functools import cache
from heapq import merge
from typing import Final

from indexer.domain.vocabulary import read_table

__all__ = ["ALLOWED", "DANGEROUS", "UNKNOWN", "dotted", "judge", "named_in", "takes_state"]

ALLOWED: Final = "allowed"
DANGEROUS: Final = "dangerous"
UNKNOWN: Final = "unknown"

_TABLE = "pickle_imports.toml"
_LONGEST = 200
_MEMO_STEP = 8  # bytes that storing to the memo may take between two texts
_NAME = re.compile(rb"[A-Za-z_][\w.]{0,199}")
_LINE = re.compile(rb"\n(?=([A-Za-z_][\w.]{0,199})\n)")
_WORD: Final = string.ascii_letters.encode() + string.digits.encode() + b"_."
_TEXT = re.compile(rb"(?:[\x8cU]([\x01-\xc8])|[XT]([\x01-\xc8])\0\0\0|\x8d([\x01-\xc8])\0{7})(?=[A-Za-z_])")
_TEXT_LINE = re.compile(rb"[VS]['\"]?(?=[A-Za-z_])")


@cache
def _allowed() -> frozenset[tuple[str, str]]:
    return frozenset((row["module"], name) for row in read_table(_TABLE)["allow"] for name in row["names"])


@cache
def _stateful() -> frozenset[tuple[str, str]]:
    rows = (row for row in read_table(_TABLE)["allow"] if row.get("state"))
    return frozenset((row["module"], name) for row in rows for name in row["names"])


@cache
def _dangerous() -> dict[str, frozenset[str] | None]:
    """Module -> its dangerous names, or None for all of them and of its submodules."""
    table: dict[str, frozenset[str] | None] = {}
    for row in read_table(_TABLE)["dangerous"]:
        for module in row["modules"]:
            table[module] = frozenset(row["names"]) if "names" in row else None
    return table


def takes_state(module: str, name: str) -> bool:
    """Whether setting state on what this import makes is part of how it is rebuilt."""
    return (module, name) in _stateful()


def judge(module: str, name: str) -> str:
    """``allowed``, ``dangerous`` or ``unknown``. Never imports anything."""
    if (module, name) in _allowed():
        return ALLOWED
    if _is_dangerous(module, name):
        return DANGEROUS
    # An attribute of an attribute reaches whatever the module imported itself: pathlib's "os.system".
    parts = name.split(".", 8)
    if any(_is_dangerous(parts[i], ".".join(parts[i + 1 :])) for i in range(len(parts) - 1)):
        return DANGEROUS
    return UNKNOWN


def _is_dangerous(module: str, name: str) -> bool:
    table = _dangerous()
    parts = module.split(".", 8)
    for end in range(1, len(parts) + 1):
        prefix = ".".join(parts[:end])
        if prefix not in table:
            continue
        names = table[prefix]
        rest = ".".join((*parts[end:], name)) if parts[end:] else name
        if names is None or rest.split(".", 1)[0] in names:
            return True
    return False


def dotted(module: str, name: str) -> str:
    """``module.name`` with everything outside plain ASCII escaped, at most 400 characters."""
    full = f"{module[:_LONGEST]}.{name[:_LONGEST]}"
    return full.encode("unicode_escape").decode("ascii")[:400]


def named_in(data: bytes) -> Iterator[tuple[str, str]]:
    """Dangerous imports that stand anywhere in ``data`` as a pickle would spell them.

    For bytes that the strict reading does not reach, where another reader may start elsewhere. Linear in
    ``data``; yields a pair once for each place.
    """
    for line in _LINE.finditer(data):
        end = line.start()
        first = max(end - _LONGEST - 1, 0)
        before = data[max(first, data.rfind(b"\n", first, end) + 1) : end]
        word = before[len(before.rstrip(_WORD)) :]
        yield from _spelled(word, line[1].decode("ascii"))
    if b"\x93" in data:
        yield from _stacked(data)


def _spelled(word: bytes, name: str) -> Iterator[tuple[str, str]]:
    """GLOBAL and INST: ``c`` or ``i``, then the module up to the line's end."""
    for start, letter in enumerate(word[:-1], 1):
        if letter in b"ci" and judge(module := word[start:].decode("ascii"), name) == DANGEROUS:
            yield module, name


def _stacked(data: bytes) -> Iterator[tuple[str, str]]:
    """STACK_GLOBAL right behind two texts, of which the first is a dangerous module."""
    begin, place = 0, data.find(b"\x93")
    while place >= 0:
        before, reach = "", -1
        for start, text, end in _texts(data[max(begin, place - 2 * _LONGEST) : place]):
            if start <= reach and judge(before, text) == DANGEROUS:
                yield before, text
            before, reach = text, end + _MEMO_STEP
        begin, place = place + 1, data.find(b"\x93", place + 1)


def _texts(data: bytes) -> Iterator[tuple[int, str, int]]:
    """Short texts that read like names: where their opcode stands, the text, where it ends."""
    for match in merge(_TEXT.finditer(data), _TEXT_LINE.finditer(data), key=lambda place: place.start()):
        size = b"".join(group for group in match.groups() if group)
        end = match.end() + size[0] if size else match.end() + _LONGEST
        word = _NAME.match(data, match.end(), end)
        if word is not None and (not size or word.end() == end):
            yield match.start(), word[0].decode("ascii"), word.end()
