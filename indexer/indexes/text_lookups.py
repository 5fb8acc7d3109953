"""Entries of a tantivy index by their ids, and the numbers that are kept of them."""

from collections.abc import Sequence
from typing import Any

import tantivy

from indexer.domain.cards import CARD_FIELDS, Card
from indexer.indexes.text_schema import card_column

__all__ = ["cards_of", "largest_id", "these"]

_LOOKED_UP = 4_096
"""So many ids are looked up one by one, in half the time that a set of them takes; more in a set."""


def these(schema: Any, ids: Sequence[int]) -> Any:
    """Entries with these ids; scores nothing."""
    if not ids or len(ids) > _LOOKED_UP:
        return tantivy.Query.const_score_query(tantivy.Query.term_set_query(schema, "id", list(ids)), 0.0)
    each = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "id", id_)) for id_ in ids]
    return tantivy.Query.const_score_query(tantivy.Query.boolean_query(each), 0.0)


def cards_of(searcher: Any, addresses: Sequence[Any]) -> list[Card]:
    """The cards of hits, read column by column."""
    columns = ["id", *(card_column(name) for name in CARD_FIELDS[1:])]
    rows = zip(*(searcher.fast_field_values(column, addresses) for column in columns), strict=True)
    return list(map(Card._make, rows))  # the columns have the card's own types


def largest_id(searcher: Any) -> int:
    """The largest id of an index; -1 of none."""
    found = searcher.search(tantivy.Query.all_query(), limit=1, count=False, order_by_field="id").hits
    return int(found[0][0]) if found else -1
