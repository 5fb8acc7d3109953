"""One weight, several names: what the original release calls it and what diffusers calls it.

The table is ``indexer/data/namings.toml``. Names are flat here (dots made underscores), as adapters spell
them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

from indexer.domain.layouts import expand
from indexer.domain.vocabulary import read_table

__all__ = ["Naming", "Origin", "naming_of"]

_NUMBER = re.compile("[0-9]+")
_ALTERNATIVES = re.compile("<([^<>]*)>")
_Numbers = tuple[str, ...]


class Origin(NamedTuple):
    """A canonical name is part number ``part`` of ``parts``, stacked, of the weight ``name``."""

    name: str
    part: int
    parts: int


class _Pattern(NamedTuple):
    """A name in which some numbers are free: its template, and the fixed numbers by place (``None`` is
    free)."""

    template: str
    numbers: tuple[str | None, ...]

    @classmethod
    def parse(cls, text: str) -> "_Pattern":
        flat = text.replace(".", "_")
        found = [None if number == "#" else number for number in re.findall("[0-9]+|#", flat)]
        return cls(_NUMBER.sub("#", flat), tuple(found))

    def free(self, numbers: _Numbers) -> _Numbers | None:
        """The numbers of a name at the free places, where the fixed ones agree."""
        if len(numbers) != len(self.numbers):
            return None
        pairs = list(zip(numbers, self.numbers, strict=True))
        if any(fixed is not None and fixed != number for number, fixed in pairs):
            return None
        return tuple(number for number, fixed in pairs if fixed is None)

    def fill(self, free: _Numbers) -> str:
        """The name with these numbers at its free places."""
        rest = iter(free)
        every = [next(rest) if fixed is None else fixed for fixed in self.numbers]
        pieces = self.template.split("#")
        return pieces[0] + "".join(number + piece for number, piece in zip(every, pieces[1:], strict=True))


_Key = tuple[str, _Numbers]


class _Index:
    """Patterns by template and fixed numbers, so that a name is found by one look-up a shape of pattern."""

    def __init__(self) -> None:
        self.places: dict[str, list[tuple[int, ...]]] = {}
        self.found: dict[tuple[str, tuple[int, ...], _Numbers], list[tuple[_Pattern, Any]]] = {}

    def add(self, pattern: _Pattern, value: Any) -> None:
        fixed = tuple(place for place, number in enumerate(pattern.numbers) if number is not None)
        known = self.places.setdefault(pattern.template, [])
        if fixed not in known:
            known.append(fixed)
            known.sort(key=lambda places: -len(places))  # the more that is fixed, the truer
        literal = tuple(number for number in pattern.numbers if number is not None)
        self.found.setdefault((pattern.template, fixed, literal), []).append((pattern, value))

    def look_up(self, name: str) -> Iterator[tuple[_Numbers, Any]]:
        """Free numbers and value of the patterns that fit ``name``: those with the most numbers fixed."""
        template = _NUMBER.sub("#", name)
        places = self.places.get(template)
        if places is None:
            return
        numbers = tuple(_NUMBER.findall(name))
        for fixed in places:
            key = (template, fixed, tuple(numbers[place] for place in fixed if place < len(numbers)))
            if hits := self.found.get(key):
                for pattern, value in hits:
                    free = pattern.free(numbers)
                    if free is not None:
                        yield free, value
                return


class Naming:
    """The names of one model: from the original's to the canonical ones (those of diffusers) and back."""

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        self._forward = _Index()
        self._back = _Index()
        for original, *others in rows:
            source, targets = _Pattern.parse(original), [_Pattern.parse(other) for other in others]
            self._forward.add(source, targets)
            for part, target in enumerate(targets):
                self._back.add(target, (source, part, len(targets)))

    def canonical(self, name: str) -> tuple[str, ...]:
        """The canonical names that ``name`` stands for, in their order; itself where no row speaks of it."""
        for free, targets in self._forward.look_up(name):
            return tuple(target.fill(free) for target in targets)
        return (name,)

    def origins(self, name: str) -> list[Origin]:
        """The other names under which a canonical weight, or a stack that holds it, is known."""
        return [
            Origin(source.fill(free), part, parts) for free, (source, part, parts) in self._back.look_up(name)
        ]


def _choice(place: int, found: re.Match[str]) -> str:
    return found[1].split("|")[place]


def _pair(row: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A row with all its alternatives."""
    choices = {len(found.split("|")) for side in row for found in _ALTERNATIVES.findall(side)} or {1}
    if len(choices) > 1:
        raise ValueError(f"namings.toml: {row} has alternatives of different number; make them equal")
    for place in range(choices.pop()):
        sides = [_ALTERNATIVES.sub(partial(_choice, place), side) for side in row]
        yield from zip(*(list(expand(side)) for side in sides), strict=True)


def _rows(naming: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in naming.get("rows", ()):
        yield from _pair(row)
    for block in naming.get("blocks", ()):
        heads = [pair for head in block["heads"] for pair in _pair(head)]
        tails = [pair for tail in block["tails"] for pair in _pair(tail)]
        for (source, target), (tail, *others) in product(heads, tails):
            yield (f"{source}.{tail}", *(f"{target}.{other}" for other in others))


@cache
def naming_of(root: str | None) -> Naming:
    """The naming of the models below ``root``, an architecture or an encoder; one without rows where there is
    none."""
    tables = read_table("namings.toml")["naming"]
    return Naming(row for table in tables if root in table["roots"] for row in _rows(table))
