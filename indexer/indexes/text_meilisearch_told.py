"""What is known of the words of a query, as ranking is told it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.evidence import Evidence
from indexer.indexes.text import COMPARED

__all__ = ["Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """``documents`` are all entries; ``frequencies`` tells how many have each word. ``present`` has, by entry
    id, a bit for each of ``terms`` (bit 0 the first) that it has; ``every`` where that does not say."""

    documents: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    present: Mapping[int, int] = field(default_factory=dict)
    every: int = 0

    def evidence(self, rows: Sequence[Mapping[str, Any]]) -> Evidence:
        """What tells of the first hits."""
        first = rows[:COMPARED]
        return Evidence(
            self.documents,
            self.frequencies,
            tuple(str(row.get("brief", "")) for row in first),
            self.terms,
            tuple(self.present.get(int(row["id"]), self.every) for row in first),
        )
