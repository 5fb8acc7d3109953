"""A filter tree as a filter expression of Meilisearch. Values are quoted; names come from ``FIELDS`` alone.

Meilisearch reads at most some 90 nested parentheses, so NOT is pushed down to the leaves and AND inside OR
goes without parentheses: trees as deep as a query may be stay far below.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from indexer.domain.fields import Field, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words
from indexer.errors import UsageError
from indexer.indexes.text_meilisearch_documents import coded_value, coded_word, date_number
from indexer.indexes.text_meilisearch_settings import is_paired, pairs_attribute, searched, words_attribute

__all__ = ["FilterBuilder", "PhraseLookup", "has_any", "one_of", "phrase_checks", "quoted"]

PhraseLookup = Callable[[Field, Sequence[str]], Sequence[int] | None]
"""(field, coded words) -> ids that have the phrase; None: too many to look at, who passes
``phrase_checks`` counts as having it."""

_MAX_DEPTH, _MAX_LEVEL = 80, 300
_LARGEST = 1e308


@dataclass(frozen=True, slots=True)
class _Part:
    """An expression; ``any_of``: its outermost operator is OR. ``depth`` counts nested parentheses."""

    text: str
    any_of: bool = False
    depth: int = 0


_EVERY, _NONE = _Part("id EXISTS"), _Part("id NOT EXISTS")


class FilterBuilder:
    """Writes expressions; ``look_up`` answers phrases that words and pairs of words cannot prove."""

    def __init__(self, look_up: PhraseLookup) -> None:
        self._look_up = look_up

    def build(self, node: Filter) -> str:
        """The expression of a tree, empty when everything passes.

        Raises ``UsageError`` (``filter``) for a tree that is nested too deeply, ``TypeError`` for a node
        that is none of ours.
        """
        part = self._part(node, wanted=True, level=0)
        if part.depth > _MAX_DEPTH:
            raise _too_deep(_MAX_DEPTH)
        return "" if part == _EVERY else part.text

    def _part(self, node: Filter, *, wanted: bool, level: int) -> _Part:
        if level > _MAX_LEVEL:
            raise _too_deep(_MAX_LEVEL)
        match node:
            case And(nodes) | Or(nodes):
                parts = [self._part(inner, wanted=wanted, level=level + 1) for inner in nodes]
                return _all(parts) if isinstance(node, And) is wanted else _any(parts)
            case Not(inner):
                return self._part(inner, wanted=not wanted, level=level + 1)
            case AnyOf(field, values):
                return self._any_of(field, values, wanted)
            case Words(field, terms, phrase):
                coded = [coded_word(term) for term in terms]
                if phrase and len(coded) > 1:
                    return self._phrase(field, coded, wanted)
                return _each([_is(words_attribute(field), word) for word in coded], wanted)
            case Range():
                return _each(_bounds(node), wanted)
        raise TypeError(f"unknown filter {node!r}")

    def _any_of(self, field: Field, values: Sequence[str], wanted: bool) -> _Part:
        if not values:
            return _NONE if wanted else _EVERY
        coded = [quoted(coded_value(value)) for value in dict.fromkeys(values)]
        if field.name != "hash":
            return _leaf(f"{field.name} IN [{', '.join(coded)}]", wanted)
        if "" in values:  # every hash begins with nothing
            return _leaf("hash EXISTS", wanted)
        begins = [_leaf(f"hash STARTS WITH {value}", wanted) for value in coded]
        return _any(begins) if wanted else _all(begins)

    def _phrase(self, field: Field, coded: Sequence[str], wanted: bool) -> _Part:
        checks = phrase_checks(field, coded)
        if is_paired(field) and len(coded) == 2:
            return _each(checks, wanted)
        ids = self._look_up(field, coded)
        if ids is None:
            return _each(checks, wanted)
        return _leaf(one_of(ids), wanted)


def phrase_checks(field: Field, coded: Sequence[str]) -> list[str]:
    """What all who have a phrase in a field pass: its pairs of words, or its words; and others."""
    if is_paired(field):
        pairs = dict.fromkeys(f"{a} {b}" for a, b in pairwise(coded))
        return [_is(pairs_attribute(field), pair) for pair in pairs]
    return [_is(words_attribute(field), word) for word in dict.fromkeys(coded)]


def quoted(value: str) -> str:
    """A value as Meilisearch's filters read it back, whatever is in it."""
    clean = value.encode("utf-8", "replace").decode()
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_of(ids: Sequence[int]) -> str:
    """The expression of entries by their ids."""
    return f"id IN [{', '.join(map(str, ids))}]"


def has_any(terms: Sequence[str]) -> str:
    """The expression of what has any of the words, as they are kept, in a field that is searched."""
    if not terms:
        return _NONE.text
    some = ", ".join(map(quoted, terms))
    return " OR ".join(f"{words_attribute(field)} IN [{some}]" for field in searched())


def _too_deep(most: int) -> UsageError:
    return UsageError("filter", f"The filter is nested more than {most} deep. Make it simpler.")


def _is(attribute: str, value: str) -> str:
    return f"{attribute} = {quoted(value)}"


def _leaf(text: str, wanted: bool) -> _Part:
    return _Part(text if wanted else f"NOT {text}")


def _each(checks: Sequence[str], wanted: bool) -> _Part:
    """All of the checks, or not all of them."""
    parts = [_leaf(check, wanted) for check in checks]
    return _all(parts) if wanted else _any(parts)


def _all(parts: Sequence[_Part]) -> _Part:
    if _NONE in parts:
        return _NONE
    kept = [part for part in dict.fromkeys(parts) if part != _EVERY]
    if len(kept) == 1:
        return kept[0]
    if not kept:
        return _EVERY
    depth = max(part.depth + part.any_of for part in kept)
    return _Part(" AND ".join(f"({p.text})" if p.any_of else p.text for p in kept), depth=depth)


def _any(parts: Sequence[_Part]) -> _Part:
    if _EVERY in parts:
        return _EVERY
    kept = [part for part in dict.fromkeys(parts) if part != _NONE]
    if len(kept) == 1:
        return kept[0]
    if not kept:
        return _NONE
    return _Part(" OR ".join(part.text for part in kept), True, max(part.depth for part in kept))


def _bounds(node: Range) -> list[str]:
    name = node.field.name
    if node.low is None and node.high is None:
        return [f"{name} EXISTS"]
    checks = []
    for bound, sign, is_open in ((node.low, ">", node.low_open), (node.high, "<", node.high_open)):
        if bound is not None:
            number = date_number(str(bound)) if node.field.type is FieldType.DATE else _finite(float(bound))
            checks.append(f"{name} {sign}{'' if is_open else '='} {quoted(repr(number))}")
    return checks


def _finite(number: float) -> float:
    return max(-_LARGEST, min(number, _LARGEST))
