"""Pages behind the candidates that are ranked: each fold once, wherever its versions lie in the engine's
order.

Whether a fold was shown before is known only of those that were read, so everything before the page is read,
in steps that double: which places one step holds does not depend on the page, and so the pages agree.
"""

from collections.abc import Callable, Sequence

from indexer.domain.cards import Card
from search.ranking import Scored, fold_hits

__all__ = ["DEEP", "page_behind"]

DEEP = 20_000
"""So many entries are read before a page, about. Of what lies deeper every page shows those at the places
that it would have if each entry were a hit, less what was shown among those that were read: versions of one
model may both be shown there if they lie further apart than a page."""

_STEP = 6_400
"""So many entries are read at once, at most."""

Read = Callable[[int, int], Sequence[Card]]
"""Cards of so many places from a place on, in the engine's order; fewer at its end."""


def page_behind(first: Sequence[Scored], start: int, read: Read, offset: int, limit: int) -> Sequence[Scored]:
    """Hits ``offset`` to ``offset + limit`` of an answer that begins with the ``first``, for which ``start``
    places of the engine's order were read."""
    places, seen = list(first), {scored.card.fold for scored in first}
    place, end = start, offset + limit
    while len(places) < end and place < DEEP:
        count = min(place, _STEP)
        cards = read(place, count)
        further = _unseen(cards, seen)
        places += further
        seen.update(scored.card.fold for scored in further)
        place += count
        if len(cards) < count:
            return places[offset:end]
    if len(places) >= end:
        return places[offset:end]
    beyond = max(offset, len(places))
    deep = read(place + beyond - len(places), end - beyond)
    return [*places[offset:], *_unseen(deep, seen)]


def _unseen(cards: Sequence[Card], seen: set[int]) -> list[Scored]:
    return fold_hits((card, 0.0) for card in cards if card.fold not in seen)
