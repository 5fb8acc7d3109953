"""The text signal: how well an entry answers the words typed, 0..1, by what a text engine tells of its hits.

A few words are a name, a trigger word or a subject: the first hits are compared word by word (``matching``).
"""

from collections.abc import Mapping, Sequence
from functools import cache

from indexer.domain.brief import BRIEF_FIELDS, Brief
from indexer.domain.evidence import LONG, Evidence
from indexer.domain.vocabulary import read_table
from search.matching import Match, Matcher
from search.weights import table_of

__all__ = ["text_scores"]


def text_scores(
    terms: Sequence[str],
    scores: Sequence[float],
    evidence: Evidence,
    fields: Mapping[str, float],
    *,
    typing: bool = False,
    long: bool | None = None,
) -> tuple[float, ...]:
    """The text signal of hits, in their order.

    ``terms`` are the words of the query in order, those of phrases among them; ``scores`` the engine's;
    ``fields`` weights of fields by name (``ranking.toml``). Without evidence the engine's scores stand.
    ``long``: it is a pasted text, None: where it has so many words; there the engine's scores stand too, and
    what was pasted is compared by ``search.prompted``.
    """
    pasted = len(set(terms)) >= LONG if long is None else long
    if not terms or pasted or not evidence.briefs:
        return tuple(scores)
    matcher = Matcher(terms, evidence, _factors(fields), *_rest(fields), typing=typing)
    present = evidence.present or (0,) * len(evidence.briefs)
    matches = [
        matcher.match(Brief.from_text(text), bits)
        for text, bits in zip(evidence.briefs, present, strict=True)
    ]
    compared = _typed(matches, scores)
    behind = table_of("text")["behind"]
    return (*compared, *(behind * value for value in scores[len(compared) :]))


def _typed(matches: Sequence[Match], scores: Sequence[float]) -> list[float]:
    """Mostly how much of the query an entry has; then how much else its name or trigger phrase has."""
    n = table_of("text")
    found = []
    for match, score in zip(matches, scores, strict=False):
        title = n["named"] * match.named + n["called"] * max(match.named, match.called)
        if match.alone:  # the query is one of its trigger phrases
            title += n["both"] * min(match.named, match.called) + n["alone"] * match.alone
        inner = n["covered"] + title + n["ordered"] * match.ordered
        found.append(min(1.0, match.covered ** n["coverage_power"] * inner + n["engine"] * score))
    return found


def _factors(fields: Mapping[str, float]) -> dict[str, float]:
    """What a word is worth in a short field, in the best one 1. By the third root, so that a weak field is
    not nothing."""
    most = max(fields.values())
    return {name: float((fields[name] / most) ** (1 / 3)) for name in BRIEF_FIELDS}


def _rest(fields: Mapping[str, float]) -> tuple[float, frozenset[str]]:
    most = max(fields.values())
    rest = max(weight for name, weight in fields.items() if name not in BRIEF_FIELDS)
    return float((rest / most) ** (1 / 3)) * table_of("text")["elsewhere"], _noise()


@cache
def _noise() -> frozenset[str]:
    return frozenset(read_table("synonyms.toml")["noise"]["words"])
