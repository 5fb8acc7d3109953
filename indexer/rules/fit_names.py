"""The weights of a base under all the names by which adapters may call them.

Stacks such as fused query, key and value are split into their pieces, and pieces put together into stacks.
"""

from collections.abc import Mapping, Sequence

from indexer.domain.fit import Weight
from indexer.rules.namings import Naming

__all__ = ["Names", "under_all_names"]

Names = Mapping[str, Weight]


def under_all_names(own: Names, naming: Naming) -> dict[str, Weight]:
    """The weights under their own, canonical and other names; stacks are split and put together."""
    canonical: dict[str, Weight] = {}
    for name, weight in own.items():
        pieces = naming.canonical(name)
        for piece, part in zip(pieces, _split(weight, len(pieces)), strict=True):
            canonical.setdefault(piece, part)
    stacks: dict[str, dict[int, Weight]] = {}
    sizes: dict[str, int] = {}
    for name, weight in canonical.items():
        for origin in naming.origins(name):
            stacks.setdefault(origin.name, {})[origin.part] = weight
            sizes[origin.name] = origin.parts
    found = {name: _stack(parts) for name, parts in stacks.items() if len(parts) == sizes[name]}
    return found | canonical | dict(own)


def _split(weight: Weight, parts: int) -> list[Weight]:
    """The pieces of a stack: equal ones, or query, key and value as wide as they read and the rest after."""
    if parts == 1:
        return [weight]
    rows = _heights(weight, parts)
    biases = rows if weight.bias and weight.bias == weight.rows else [weight.bias and None] * parts
    return [
        weight._replace(rows=height, bias=bias, cells=None, kernel=weight.kernel)
        for height, bias in zip(rows, biases, strict=True)
    ]


def _heights(weight: Weight, parts: int) -> Sequence[int | None]:
    rows, wide = weight.rows, weight.columns
    if rows is None or wide is None:
        return [None] * parts
    if parts == 4 and rows > 3 * wide:
        return [wide, wide, wide, rows - 3 * wide]
    if parts == 3 and wide < rows < 3 * wide and (rows - wide) % 2 == 0:
        return [wide, (rows - wide) // 2, (rows - wide) // 2]
    return [rows // parts] * parts if rows % parts == 0 else [None] * parts


def _stack(parts: Mapping[int, Weight]) -> Weight:
    pieces = [parts[place] for place in sorted(parts)]
    first = pieces[0]
    if len(pieces) == 1:
        return first
    rows = [piece.rows for piece in pieces]
    biases = [piece.bias for piece in pieces]
    alike = len({(piece.columns, piece.kernel) for piece in pieces}) == 1
    return Weight(
        sum(row for row in rows if row is not None) if None not in rows and alike else None,
        first.columns if alike else None,
        first.kernel if alike else None,
        sum(bias for bias in biases if bias is not None) if None not in biases else None,
    )
