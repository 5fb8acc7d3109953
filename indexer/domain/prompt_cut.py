"""Prompts and texts of an entry as numbers: what a pasted prompt is compared with. Pure.

Two numbers of 16 bits that are equal by chance are one in 65,536: a likeness of many survives that, and half
a thousand entries are compared in a few milliseconds.
"""

import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from indexer.domain.records import Document
from indexer.domain.text import fold, words
from indexer.domain.vocabulary import read_table

__all__ = [
    "HABITS",
    "KINDS",
    "MAX_PROMPTS",
    "PLACES",
    "TEXTS",
    "Prompt",
    "cut",
    "number",
    "read_prompt",
    "rules",
]

MAX_PROMPTS = 8
"""So many prompts of an entry are kept."""

TEXTS = ("named", "tagged", "described", "called")
"""What the first places hold: words of the name, of tags, of the description, of trigger words and files."""

HABITS = len(TEXTS)
"""The place of two numbers a prompt: how many tags it has, and ``joined`` in parts of 65,535."""

KINDS = ("words", "tags", "pairs")
"""What the places of a prompt hold; those of the first prompt begin behind ``HABITS``."""

PLACES = HABITS + 1 + len(KINDS) * MAX_PROMPTS
"""So many places an entry has; of each its count of numbers comes first, then all numbers in that order."""

_VERSION = 1
_MAX_READ, _MAX_WORDS, _MAX_PHRASES = 4_000, 2_000, 400
_TAG = re.compile(r"<[^<>]{0,500}>")
_SYNTAX = re.compile(r"[()\[\]{}\\|]|:\s*-?[0-9.]+|\b(?:BREAK|AND)\b")
_COMMAS = re.compile(r"[,，、;\n]")
_RUN = re.compile(r"[^\W_]+")
_MOST = 0xFFFF

Phrases = Mapping[str, Sequence[tuple[str, ...]]]
"""Phrases as their words, by the first word."""


class Prompt(NamedTuple):
    """A prompt's distinct words, tags (what stands between commas) and pairs of neighbouring words, as they
    come; how many tags it has, and the share of blanks that are written as underscores."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    pairs: tuple[str, ...]
    listed: int
    joined: float

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """One of each of ``KINDS``."""
        return self.words, self.tags, self.pairs


def read_prompt(text: str, own: Iterable[str] = ()) -> Prompt:
    """Cut a prompt; weights, brackets, ``<lora:…>``, phrases of quality and the phrases ``own`` to a model
    are left out: who pastes it may not have said them.

    >>> read_prompt("1girl, (silver_hair:1.2), best quality, <lora:x:1>").tags
    ('1girl', 'silver hair')
    """
    return _read(text, _by_first(own))


def _read(text: str, own: Phrases) -> Prompt:
    text = text[:_MAX_READ]
    plain = fold(_SYNTAX.sub(" ", _TAG.sub(" , ", text)).replace("_", " "))
    cut = (_without(_RUN.findall(part), own) for part in _COMMAS.split(plain))
    tags = [tag for words in cut if words and (tag := " ".join(words)) not in _quality()]
    run = " ".join(tags).split()
    joined, blanks = text.count("_") + 1, text.count(" ")
    pairs = (f"{one} {other}" for one, other in pairwise(run))
    return Prompt(
        tuple(dict.fromkeys(run)),
        tuple(dict.fromkeys(tags)),
        tuple(dict.fromkeys(pairs)),
        len(tags),
        joined / (joined + 1 + blanks),
    )


def _without(words: list[str], phrases: Phrases) -> list[str]:
    """Words that belong to none of the phrases."""
    if phrases.keys().isdisjoint(words):
        return words
    kept, place = [], 0
    while place < len(words):
        known = phrases.get(words[place], ())
        met = next((p for p in known if tuple(words[place : place + len(p)]) == p), None)
        if met is None:
            kept.append(words[place])
        place += len(met) if met else 1
    return kept


def _by_first(phrases: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
    """Longer phrases first."""
    cut = {tuple(_RUN.findall(fold(phrase[:200]))) for phrase in phrases}
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted((p for p in cut if p), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return found


@cache
def _quality() -> frozenset[str]:
    return frozenset(read_table("quality_phrases.toml")["phrases"]["values"])


def rules() -> str:
    """By what rules entries are cut; what was kept of other rules is of no use."""
    return f"{_VERSION} {MAX_PROMPTS} {sorted(_quality())}"


@lru_cache(maxsize=200_000)
def number(part: str) -> int:
    """The number of a word, tag or pair."""
    return crc32(part.encode("utf-8", "surrogatepass")) & _MOST


def cut(document: Document) -> bytes:
    """The numbers of a document, little-endian: counts of all ``PLACES``, then the numbers place by place,
    those of a place distinct but for ``HABITS``."""
    own = _by_first(_own(document))
    prompts = [_read(text, own) for text in document.prompts[:MAX_PROMPTS]]
    habits = [value for p in prompts for value in (min(p.listed, _MOST), round(p.joined * _MOST))]
    texts = [list(dict.fromkeys(map(number, text[:_MAX_WORDS]))) for text in _texts(document)]
    parts = [list(dict.fromkeys(map(number, part))) for prompt in prompts for part in prompt.parts]
    places = [*texts, habits, *parts]
    places += [[]] * (PLACES - len(places))
    found = array("H", map(len, places))
    for place in places:
        found.extend(place)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def _own(document: Document) -> Iterator[str]:
    """Phrases that call a model: its trigger phrases and names of files."""
    triggers = (phrase for value in document.trigger_words for phrase in _COMMAS.split(value[:_MAX_READ]))
    stems = (name.rpartition(".")[0] for name in document.file_names)
    for place, phrase in enumerate((*triggers, *stems)):
        if place >= _MAX_PHRASES:
            return
        yield phrase


def _texts(document: Document) -> tuple[list[str], ...]:
    """Words of each of ``TEXTS``."""
    files = [word for name in document.file_names for word in words(name)]
    return (
        words(document.name),
        _RUN.findall(fold(" ".join(document.tags))),
        _RUN.findall(fold(document.description[:_MAX_READ])),
        _RUN.findall(fold(" ".join(document.trigger_words)[:_MAX_READ])) + files,
    )
