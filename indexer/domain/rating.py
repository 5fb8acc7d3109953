"""Ratings of all shapes as one cautious number: a lower confidence bound, in stars 0..5.

Three fives must not beat a thousand 4.8s, so what counts is what the true mean exceeds with 95% confidence.
Every vote is a number of stars: thumbs are five or none. All votes of an entry are pooled, with five more of
3.5 stars that nobody gave; so an entry without votes is unknown, and neither good nor bad.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

__all__ = ["NEUTRAL", "Rating", "rated", "stars_lower_bound", "thumbs_lower_bound"]

_Z = 1.96
_PRIOR_STARS = 3.5
_PRIOR_COUNT = 5.0
_SPREAD = 1.1
"""Standard deviation of a single vote: that of thumbs of which 95% are up (1.09), and of five-point scales
with a positive skew. One for all shapes, so that they can be pooled."""

_UNTOLD_DOWN = 0.03
"""Hubs show few thumbs down or none (Civitai's versions have none at all); so many an up are assumed."""


@dataclass(frozen=True, slots=True)
class Rating:
    """``stars`` is a lower bound 0..5, ``count`` how many people voted."""

    stars: float
    count: int


@dataclass(frozen=True, slots=True)
class _Votes:
    """Stars given in all, by how many votes; ``people`` are those a hub told of."""

    stars: float = 0.0
    votes: float = 0.0
    people: int = 0

    def __add__(self, other: "_Votes") -> "_Votes":
        return _Votes(self.stars + other.stars, self.votes + other.votes, self.people + other.people)

    def bound(self) -> float:
        votes = self.votes + _PRIOR_COUNT
        mean = (self.stars + _PRIOR_STARS * _PRIOR_COUNT) / votes
        return max(0.0, min(5.0, mean - _Z * _SPREAD / sqrt(votes)))


NEUTRAL = _Votes().bound()
"""Where an entry stands that nobody has voted on: one good vote lifts it, one bad vote lowers it."""


def stars_lower_bound(mean: float, count: int) -> float:
    """The bound for ``count`` votes of ``mean`` stars: mean with the prior, less 1.96 standard errors."""
    return _of_stars(mean, count).bound()


def thumbs_lower_bound(up: int, down: int | None) -> float:
    """The bound for thumbs; ``down`` is None where it is not told. More ups never lower it, more downs never
    raise it."""
    return _of_thumbs(up, down or 0).bound()


def rated(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Rating | None:
    """The rating of an entry from what sources claim, as (source, claims), nearest first; None without votes.

    Of each hub the first source with votes counts, since a sidecar repeats what the hub said, and a hub's
    word about a version comes before that about its model. Numbers of two sources are never mixed into one
    vote; different hubs add up. Where a hub tells stars and thumbs, the same people gave both: the larger
    count stands.
    """
    hubs: dict[str, _Votes] = {}
    for source, claims in rows:
        hub = _hub(source)
        if hub not in hubs and (votes := _votes(claims)).people:
            hubs[hub] = votes
    if not hubs:
        return None
    pooled = sum(hubs.values(), _Votes())
    return Rating(round(pooled.bound(), 4), pooled.people)


def _hub(source: str) -> str:
    """Sidecars are copies of Civitai's records."""
    first = source.partition(":")[0]
    return "civitai" if first == "sidecar" else first


def _votes(claims: Mapping[str, Any]) -> _Votes:
    stars = _of_stars(float(claims.get("rating") or 0.0), int(claims.get("rating_count") or 0))
    thumbs = _of_thumbs(int(claims.get("thumbs_up") or 0), int(claims.get("thumbs_down") or 0))
    return max(thumbs, stars, key=lambda votes: votes.people)


def _of_stars(mean: float, count: int) -> _Votes:
    people = max(0, count)
    return _Votes(max(0.0, min(5.0, mean)) * people, people, people)


def _of_thumbs(up: int, down: int) -> _Votes:
    up, down = max(0, up), max(0, down)
    return _Votes(5.0 * up, up + max(down, _UNTOLD_DOWN * up), up + down)
