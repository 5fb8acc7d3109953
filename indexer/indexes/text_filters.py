"""A filter tree in tantivy's terms. Nothing typed reaches the engine as syntax: only terms and numbers do."""

from collections.abc import Sequence
from typing import Any

import tantivy

from indexer.domain.fields import Field, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words, anywhere
from indexer.indexes.text_schema import EVERY, date_number, words_column

__all__ = ["FilterBuilder", "Parts", "all_of"]

_QUERY = tantivy.Query
_FEW = 8
_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot

Parts = list[tuple[Any, Any]]
"""Conditions of one query."""


class FilterBuilder:
    """Builds queries that score nothing."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def build(self, node: Filter) -> Any:
        """The query of a filter tree. Raises ``TypeError`` for a node that is none of ours."""
        parts = self.parts(node)
        if all(occur == _MUST_NOT for occur, _ in parts):
            parts.insert(0, (_MUST, _QUERY.const_score_query(_QUERY.all_query(), 0.0)))
        return _QUERY.boolean_query(parts)

    def parts(self, node: Filter) -> Parts:
        """A filter tree as conditions beside others of one query: what must and what must not hold. Nothing
        where everything passes, so that the engine need not ask every entry."""
        if isinstance(node, And):
            return [part for inner in node.nodes for part in self.parts(inner)]
        if isinstance(node, Not):
            return [(_MUST_NOT, self._node(node.node))]
        return [(_MUST, _QUERY.const_score_query(self._node(node), 0.0))]

    def _node(self, node: Filter) -> Any:
        match node:
            case And(nodes):
                return self.build(And(nodes))
            case Or(nodes):
                if not nodes:
                    return _QUERY.empty_query()
                if (word := _said_anywhere(node)) is not None:
                    return _QUERY.term_query(self._schema, EVERY, word, index_option="basic")
                return _QUERY.boolean_query([(_SHOULD, self._node(n)) for n in nodes])
            case Not(inner):
                return _QUERY.boolean_query([(_MUST, _QUERY.all_query()), (_MUST_NOT, self._node(inner))])
            case AnyOf(field, values):
                return self._any_of(field, values)
            case Words(field, terms, phrase):
                return self._words(field, terms, phrase)
            case Range():
                return self._range(node)
        raise TypeError(f"unknown filter {node!r}")

    def _any_of(self, field: Field, values: Sequence[str]) -> Any:
        if field.name == "hash":
            return _QUERY.boolean_query([(_SHOULD, self._begins(field, v)) for v in dict.fromkeys(values)])
        if len(values) == 1:  # a list of postings can be skipped through; a set is gathered whole first
            return self._is(field, values[0])
        if len(values) <= _FEW:  # and so can the lists of a few
            return _QUERY.boolean_query([(_SHOULD, self._is(field, value)) for value in values])
        return _QUERY.term_set_query(self._schema, field.name, list(values))

    def _is(self, field: Field, value: str) -> Any:
        return _QUERY.term_query(self._schema, field.name, value, index_option="basic")

    def _begins(self, field: Field, beginning: str) -> Any:
        """Values that begin so: one stretch of the sorted terms, and nothing of it is a pattern."""
        return _QUERY.fuzzy_term_query(self._schema, field.name, beginning, distance=0, prefix=True)

    def _words(self, field: Field, terms: Sequence[str], phrase: bool) -> Any:
        name = words_column(field)
        if phrase and len(terms) > 1:
            return _QUERY.phrase_query(self._schema, name, list(terms))
        each = [(_MUST, _QUERY.term_query(self._schema, name, term, index_option="basic")) for term in terms]
        return _QUERY.boolean_query(each or [(_MUST, _QUERY.all_query())])

    def _range(self, node: Range) -> Any:
        low, high = node.low, node.high
        if low is None and high is None:
            return _QUERY.exists_query(node.field.name)
        kind = tantivy.FieldType.Float
        if node.field.type is FieldType.DATE:
            kind = tantivy.FieldType.Integer
            low, high = (None if bound is None else date_number(str(bound)) for bound in (low, high))
        else:
            low, high = (None if bound is None else float(bound) for bound in (low, high))
        with_low, with_high = low is None or not node.low_open, high is None or not node.high_open
        return _QUERY.range_query(self._schema, node.field.name, kind, low, high, with_low, with_high)


def _said_anywhere(node: Or) -> str | None:
    """The word that a filter asks for in any searched field, if it does: one column holds those."""
    first = node.nodes[0]
    if isinstance(first, Words) and len(first.words) == 1 and node == anywhere(first.words):
        return first.words[0]
    return None


def all_of(parts: Parts) -> Any:
    """A query of conditions; with none that must hold, all entries are looked at."""
    if all(occur == _MUST_NOT for occur, _ in parts):
        parts = [(_MUST, _QUERY.all_query()), *parts]
    return _QUERY.boolean_query(parts)
