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

# A word is a run of letters and digits, with camel case broken at aB, at ABc and between letters and digits
# kept whole ("sd15", "xl2"), since both sides are cut the same way.
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


def fold(text: str) -> str:
    """Lower case, full-width and ligature forms unified (NFKC), diacritics dropped."""
    if text.isascii():
        return text.lower()  # most text, and much faster
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str, *, glued: bool = True) -> list[str]:
    """Cut text into folded words, in order; glued forms of camel-case words follow at the end.

    Documents keep the glued forms, so that ``detailtweaker`` finds them too; queries pass ``glued=False``.

    >>> words("DetailTweaker_XL")
    ['detail', 'tweaker', 'xl', 'detailtweaker']
    """
    parts: list[str] = []
    whole: list[str] = []
    for run in _WORD.findall(unicodedata.normalize("NFKC", text)):
        if run.isascii() and (run.islower() or run.isdigit()):
            parts.append(run[:MAX_WORD])  # most words have nothing to split or fold
            continue
        pieces = _CAMEL.split(run)
        for piece in pieces:
            parts.extend(_clip(fold(piece)))
        if len(pieces) > 1:
            whole.extend(_clip(fold(run)))
    return parts + whole if glued else parts


def _clip(word: str) -> Iterator[str]:
    """Cut long runs; CJK runs become overlapping pairs, since they have no blanks between words."""
    if _WIDE.search(word) and len(word) > 2:
        yield from (word[i : i + 2] for i in range(min(len(word), MAX_WORD) - 1))
    elif word:
        yield word[:MAX_WORD]
