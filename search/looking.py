"""Entries that look like a picture or like an entry: by which ways, and what to do where one is blind."""

from collections.abc import Callable, Mapping
from pathlib import Path

from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.indexes.text import TextIndex
from search.narrowing import Narrowed
from search.retrieval import Candidates
from search.similar import Looks

__all__ = ["WAYS", "Scores", "by_looks", "look", "signals_of"]

WAYS = ("style", "content", "mix", "weights")
_SIGNALS = {"style": "style", "content": "semantic", "weights": "weights"}
_BLIND = ("no_preview", "no_vectors")

Scores = Mapping[int, float]


def by_looks(text: TextIndex, signals: Mapping[str, Scores], scores: Scores) -> Candidates:
    """Candidates that pictures alone gave, the most alike first."""
    cards = sorted(text.cards(list(scores)), key=lambda card: (-scores[card.id], card.id))
    return Candidates(cards, len(cards), signals)


def signals_of(looked: Mapping[str, Scores]) -> dict[str, Scores]:
    """The scores of each way of looking under the name of its signal."""
    return {_SIGNALS[way]: scores for way, scores in looked.items()}


def look(
    looks: Looks,
    find: Callable[[int | str], Document],
    what: int | str | Path | bytes,
    by: str,
    allowed: Narrowed | None,
) -> tuple[dict[str, dict[int, float]], Document | None]:
    """Way of looking -> id -> score, and the entry that was named, if one was.

    Raises ``UsageError`` when ``by`` is no way, ``what`` names nothing, or the entry has no preview.
    """
    if by not in WAYS:
        raise UsageError("by", f"similar by {by!r} is unknown. Choose style, content, mix or weights.")
    ways = ("style", "content") if by == "mix" else (by,)
    if isinstance(what, bytes | Path):
        if by == "weights":
            raise UsageError("by", "A picture has no weights. Choose style or content, or name a model.")
        return {way: looks.of_image(what, way, allowed) for way in ways}, None
    like = find(what)
    looked = [_like_entry(looks, like, way, allowed) for way in ways]
    return {way: scores for scores, way in looked}, like


def _like_entry(
    looks: Looks, entry: Document, by: str, allowed: Narrowed | None
) -> tuple[dict[int, float], str]:
    """Scores, and by what they were made: weights where a style is asked for that nobody has seen."""
    if by == "weights":
        return looks.of_weights(entry, allowed), by
    try:
        return looks.of_entry(entry, by, allowed), by
    except UsageError as error:
        if by != "style" or error.code not in _BLIND:
            raise
        try:
            return looks.of_weights(entry, allowed), "weights"
        except UsageError:
            raise error from None
