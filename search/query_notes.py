"""Filters that contradict each other: an empty answer can say why."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from indexer.domain.fields import EXCLUSIVE, Field, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Range, Words
from indexer.domain.vocabulary import architectures, is_under

__all__ = ["contradictions"]

_MAX_NODES = 64
_TOLD = 3


def contradictions(where: Filter) -> Iterator[str]:
    """A sentence for each pair of the wanted filters that nothing can pass. Each is looked at with each
    other, so of long queries only the first are."""
    nodes = list(_conjunction(where))[:_MAX_NODES]
    for one, other in combinations(nodes, 2):
        for judge in _JUDGES:
            if told := judge(one, other) or judge(other, one):
                yield told
                break


def _conjunction(node: Filter) -> Iterator[Filter]:
    """What must hold all at once."""
    if isinstance(node, And):
        for child in node.nodes:
            yield from _conjunction(child)
    else:
        yield node


def _two_values(one: Filter, other: Filter) -> str | None:
    if not (isinstance(one, AnyOf) and isinstance(other, AnyOf) and one.field == other.field):
        return None
    field = one.field
    if field.type is FieldType.FLAG:
        return _exclusive(one, other)
    if field.many or any(_together(field, a, b) for a in one.values for b in other.values):
        return None
    return f"Nothing can be both {_told(field, one.values)} and {_told(field, other.values)}."


def _exclusive(one: AnyOf, other: AnyOf) -> str | None:
    for flags in EXCLUSIVE:
        a, b = set(one.values), set(other.values)
        if a <= flags and b <= flags and not a & b:
            return f"Nothing can be both {_or(one.values)} and {_or(other.values)}."
    return None


def _together(field: Field, a: str, b: str) -> bool:
    """Whether an entry can have both values: the same, or in a tree one below the other."""
    if a == b:
        return True
    known = architectures()
    if field.type is not FieldType.TREE or a not in known or b not in known:
        return False
    return is_under(a, b) or is_under(b, a)


def _wanted_and_not(one: Filter, other: Filter) -> str | None:
    if not isinstance(other, Not):
        return None
    inner = other.node
    if isinstance(one, AnyOf) and isinstance(inner, AnyOf) and one.field == inner.field:
        if set(one.values) <= set(inner.values):
            return f"Nothing can be {_told(one.field, one.values)} and not {_told(one.field, inner.values)}."
        return None
    if isinstance(one, Words) and isinstance(inner, Words) and one == inner:
        return f'Nothing can have "{" ".join(one.words)}" in its {one.field.name} and not have it.'
    if isinstance(one, Range) and isinstance(inner, Range) and one == inner:
        return f"Nothing can have {_span(one)} and not have it."
    return None


def _two_ranges(one: Filter, other: Filter) -> str | None:
    if not (isinstance(one, Range) and isinstance(other, Range) and one.field == other.field):
        return None
    low, high = one.low, other.high
    if low is None or high is None:
        return None
    if low > high or (low == high and (one.low_open or other.high_open)):  # type: ignore[operator]  # one field
        return f"Nothing can have {_span(one)} and {_span(other)}."
    return None


def _span(node: Range) -> str:
    parts = []
    if node.low is not None:
        parts.append(f"{'above' if node.low_open else 'at least'} {_number(node.low)}")
    if node.high is not None:
        parts.append(f"{'below' if node.high_open else 'at most'} {_number(node.high)}")
    return f"{node.field.name} {' and '.join(parts)}"


def _number(bound: float | str) -> str:
    return bound if isinstance(bound, str) else f"{bound:,.10g}"


def _told(field: Field, values: Sequence[str]) -> str:
    return _or(values) if field.type is FieldType.FLAG else f"{field.name} {_or(values)}"


def _or(values: Iterable[str]) -> str:
    named = list(values)
    rest = [f"{len(named) - _TOLD} more"] if len(named) > _TOLD else []
    *others, last = [*named[:_TOLD], *rest]
    return f"{', '.join(others)} or {last}" if others else last


_JUDGES: tuple[Callable[[Filter, Filter], str | None], ...] = (_two_values, _wanted_and_not, _two_ranges)
