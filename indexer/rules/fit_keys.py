"""Which weights an adapter changes, under names that do not depend on its dialect.

A fused matrix goes by the names of its pieces, so that an adapter of query, key and value in one and an
adapter of each by itself are seen to change the same.
"""

from collections.abc import Iterable, Sequence

from indexer.domain.fit import DENOISER, Change
from indexer.rules.fit_base import BaseTable
from indexer.rules.namings import Naming, naming_of

__all__ = ["WeightKeys"]


class WeightKeys:
    """The names of weights on one base. ``tables`` are those of ``base_tables``; without any, the naming of
    the models below ``root`` serves."""

    def __init__(self, tables: Sequence[BaseTable], root: str | None = None) -> None:
        self._table = tables[0] if tables else None
        self._naming = self._table.naming if self._table else naming_of(root)
        self._encoders = [encoder.id for encoder in self._table.encoders] if self._table else []

    def keys(self, part: str, name: str) -> tuple[str, ...]:
        """The weights behind a module, one name a piece, in their order."""
        if part == DENOISER:
            return self._naming.canonical(name)
        encoder = self._encoder(part)
        naming: Naming = naming_of(encoder)
        return tuple(f"{encoder}:{piece}" for piece in naming.canonical(name))

    def changed(self, changes: Iterable[Change]) -> frozenset[str]:
        """All weights that an adapter changes; biases count with their weights."""
        return frozenset(key for change in changes for key in self.keys(change.part, change.name))

    def rows(self, key: str) -> int | None:
        """The rows of a weight of the denoiser, where they are known."""
        weight = self._table.weights.get(key) if self._table else None
        return None if weight is None else weight.rows

    def _encoder(self, part: str) -> str:
        if part.startswith("te:"):
            return part[3:]
        place = int(part[2:]) if part[2:].isdigit() else 1
        return self._encoders[place - 1] if 0 < place <= len(self._encoders) else part
