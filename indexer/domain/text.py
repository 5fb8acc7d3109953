"""How text becomes words: one pure function for indexes, queries and ``match()`` alike.

Names in this field are glued together (``DetailTweakerXL_v1.2|fp16``), full-width or accented; people type
``detail tweaker xl``. Both sides pass through ``words``, so an index needs no tokenizer of its own.
"""

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["MAX_WORD", "fold", "words"]

MAX_WORD = 64
"""Longer runs are cut: they are hashes or noise, and engines limit a term's length."""

# A word is a run of letters and digits, with camel case broken at aB, at ABc and at 11Abc. Otherwise
# letters and digits stay together ("sd15", "1Girl"), since both sides are cut the same way.
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?:(?<=[A-Z])|(?<=[0-9]{2}))(?=[A-Z][a-z]{2})")
_WIDE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_SCRIPTS = re.compile(f"[{_WIDE}]+|[^{_WIDE}]+")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_STEM = re.compile(r"([a-z]{4,})[0-9]{1,3}")


_VOICED = "\u3099\u309a"  # part of a kana as the dot is of an i


def fold(text: str) -> str:
    """Lower case, full-width and ligature forms unified (NFKC), diacritics dropped."""
    if text.isascii():
        return text.lower()  # most text, and much faster
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if c in _VOICED or not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare.casefold())


def words(text: str, *, glued: bool = True) -> list[str]:
    """Cut text into folded words, in order; further forms follow at the end: camel-case words in one, and
    words of four letters or more without the number behind them.

    Documents keep these forms, so that ``detailtweaker`` and ``realistic`` find them too; queries pass
    ``glued=False``.

    >>> words("DetailTweaker_XL realistic2")
    ['detail', 'tweaker', 'xl', 'realistic2', 'detailtweaker', 'realistic']
    """
    if text.isascii() and text.islower():  # most prompts and tags: nothing to split or fold
        plain = [run[:MAX_WORD] for run in _WORD.findall(text)]
        stems = (_STEM.fullmatch(run) for run in plain if run[-1].isdecimal()) if glued else ()
        return plain + [stem[1] for stem in stems if stem]
    parts: list[str] = []
    more: list[str] = []
    for run in _WORD.findall(unicodedata.normalize("NFKC", text)):
        if run.isascii() and (run.islower() or run.isdigit()):
            parts.append(run[:MAX_WORD])  # most words have nothing to split or fold
        else:
            pieces = _CAMEL.split(run)
            for piece in pieces:
                parts.extend(_clip(fold(piece)))
            if len(pieces) > 1:
                more.extend(_clip(fold(run)))
        if glued and run[-1].isdecimal() and (stem := _STEM.fullmatch(parts[-1])):
            more.append(stem[1])
    return parts + more if glued else parts


def _clip(word: str) -> Iterator[str]:
    """Cut long runs; CJK runs become overlapping pairs, since they have no blanks between words."""
    if word.isascii():
        if word:
            yield word[:MAX_WORD]
        return
    for part in _SCRIPTS.findall(word):
        if len(part) > 2 and _IS_WIDE.match(part):
            yield from (part[i : i + 2] for i in range(len(part) - 1))
        else:
            yield part[:MAX_WORD]
