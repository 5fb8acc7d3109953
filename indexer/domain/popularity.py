"""How much use an entry gets, from counts that can be bought or farmed.

Downloads cost nothing to make up; votes, favourites and pictures take many people. So each sign of use
vouches for a number of downloads (``indexer/data/popularity.toml``), and downloads that nothing vouches for
do not count. Honest models have far more signs than that: ``scripts/evaluate popularity`` counts them.
"""

from collections.abc import Mapping
from functools import cache
from math import log1p
from typing import Any

from indexer.domain.records import Document
from indexer.domain.vocabulary import read_table

__all__ = ["attention", "believed_attention", "believed_downloads", "trusted"]


def attention(document: Document) -> float:
    """Natural logarithm of one more than the downloads that are believed."""
    return log1p(trusted(document))


def believed_attention(stored: Mapping[str, Any]) -> float:
    """The same of a document as plain JSON data."""
    names = ("favourites", "comments", "uses", "tips")
    told = {name: stored.get(name) for name in names}
    return log1p(believed_downloads(stored.get("downloads"), votes=stored.get("rating_count"), **told))


def trusted(document: Document) -> float:
    """How many of its downloads are believed."""
    return believed_downloads(
        document.downloads,
        votes=document.rating_count,
        favourites=document.favourites,
        comments=document.comments,
        uses=document.uses,
        tips=document.tips,
    )


def believed_downloads(
    downloads: int | None,
    *,
    votes: int | None = None,
    favourites: int | None = None,
    comments: int | None = None,
    uses: int | None = None,
    tips: int | None = None,
) -> float:
    """Downloads, but no more than signs of use vouch for. Never falls when any of the numbers grows.

    Comments and tips cost one person little, so they count up to the number of people who did anything else;
    tips by their logarithm.
    """
    each = _vouchers()
    people = _count(votes) + _count(favourites) + _count(uses)
    vouched = (
        _unseen()
        + _count(votes) * each["vote"]
        + _count(favourites) * each["favourite"]
        + _count(uses) * each["use"]
        + min(_count(comments), people) * each["comment"]
        + min(log1p(_count(tips)), people) * each["tip"]
    )
    return min(float(_count(downloads)), vouched)


def _count(number: int | None) -> int:
    return max(0, number or 0)


@cache
def _vouchers() -> dict[str, float]:
    rows = read_table("popularity.toml")["vouchers"]
    return {name: float(row["downloads"]) for name, row in rows.items() if name != "why"}


@cache
def _unseen() -> float:
    return float(read_table("popularity.toml")["unseen"]["downloads"]["value"])
