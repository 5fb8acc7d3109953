"""What a text engine tells of its candidates beside their scores, so that they can be compared word by word.

The same for every engine; ``search.matching`` reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

__all__ = ["LONG", "NO_EVIDENCE", "Evidence", "least_words", "pick_terms", "rarity"]

LONG = 9
"""A query of so many words is a text that was pasted, a prompt for instance, rather than a name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """``documents`` are all entries of the index; ``frequencies`` maps each word looked for to how many have
    it, or a form of it, in any field.

    Of the first hits, in their order: ``briefs`` are texts of ``Brief``; ``present`` has a bit for each of
    ``terms`` (bit 0 the first) that the entry has in any field. What an engine cannot tell, or nobody
    compares (of a pasted text), is empty.
    """

    documents: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)
    briefs: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    present: tuple[int, ...] = ()


NO_EVIDENCE = Evidence()


def rarity(frequency: int, documents: int) -> float:
    """The inverse document frequency of BM25: how much a word tells; never negative."""
    frequency = min(frequency, documents)
    return log(1.0 + (documents - frequency + 0.5) / (frequency + 0.5))


def pick_terms(terms: Sequence[str], frequencies: Mapping[str, int], count: int) -> tuple[str, ...]:
    """The ``count`` words that tell most, in the order of the query: the rarest that are known first, unknown
    ones last."""
    if len(terms) <= count:
        return tuple(terms)
    known = sorted((t for t in terms if frequencies.get(t, 0) > 0), key=lambda term: frequencies[term])
    chosen = set(known[:count])
    chosen.update([t for t in terms if frequencies.get(t, 0) <= 0][: count - len(chosen)])
    return tuple(term for term in terms if term in chosen)


def least_words(count: int) -> int:
    """How many of ``count`` known words an entry must have to be an answer at all.

    All of one or two; all but one of up to eight, since one is often remembered wrongly. Of a pasted text any
    one: nine in ten of its words tell nothing of the model, and asking for a tenth of them already lost one
    wanted model in twenty. Entries with fewer are not counted.
    """
    if count < LONG:
        return count if count <= 2 else count - 1
    return 1
