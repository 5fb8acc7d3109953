"""What every hub's listing gives: one page of raw items, and where the next one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Page"]


@dataclass(frozen=True, slots=True)
class Page:
    """``items`` are as the hub spells them; ``next_cursor`` is for the same listing, None at its end."""

    items: Sequence[Any]
    next_cursor: str | None
