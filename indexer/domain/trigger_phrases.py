"""Trigger phrases: the few words that a model was trained to answer to, the first of them mostly its name."""

import re
from collections.abc import Iterable, Iterator, Sequence

from indexer.domain.text import words

__all__ = ["is_phrase", "phrase_place", "trigger_phrases"]

_COMMAS = re.compile(r"[,，、;]")


def trigger_phrases(values: Iterable[str]) -> Iterator[str]:
    """Single phrases, in order: hubs give several as one text with commas."""
    return (phrase for value in values for phrase in _COMMAS.split(value))


def is_phrase(cut: Sequence[str], typed: str) -> bool:
    """Whether a phrase, as ``words`` cuts it for an index, is what was typed, wherever that has blanks;
    ``typed`` are words of a query, joined.

    >>> is_phrase(["ink", "wash", "inkwash"], "inkwash"), is_phrase(["ink", "wash", "style"], "inkwash")
    (True, False)
    """
    length = 0
    for place, word in enumerate(cut):
        if not typed.startswith(word, length):
            return False
        length += len(word)
        if length == len(typed):
            # What follows may only be further forms of the same: written as one, or without a number.
            return all(more in typed for more in cut[place + 1 :])
    return False


def phrase_place(values: Iterable[str], asked: Sequence[str]) -> int | None:
    """The place of the first phrase that is wholly the folded words ``asked``, 0 the first; None: none is."""
    cut = (found for phrase in trigger_phrases(values) if (found := words(phrase)))
    return next((place for place, found in enumerate(cut) if is_phrase(found, "".join(asked))), None)
