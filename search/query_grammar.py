"""The grammar of the query language: tokens to a tree of filters, by recursive descent.

    query   = or
    or      = and (OR and)*
    and     = unary (AND? unary)*
    unary   = (NOT | "-") unary | "(" or ")" | clause
    clause  = FIELD ":" values | FIELD comparison | named | PHRASE | WORD
    values  = value ("," value)*
    named   = a hub's address | an AIR | a file's name | a hash

Tokens are the table of ``query_tokens``, values those of ``query_values``.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from indexer.domain.fields import ALIASES, FIELDS, field_named
from indexer.domain.filters import ALL, And, Filter, Not, Or, anywhere
from indexer.domain.named import Named, named_by_file, named_by_hash, named_by_hub
from search.query_tokens import Span, Token, after_blanks, literals, tokenise, typed_words
from search.query_values import merged, value_filter

__all__ = ["MAX_CLAUSES", "Outright", "Parser", "Text", "Told"]

MAX_CLAUSES = 128
"""So many filters are read: every one is a query of its own to an engine."""

MAX_VALUES = 1_000
_MAX_DEPTH = 50
_NOTED = 3
_LONG_HASH = 32
_NEAR_ENOUGH = 0.7
_LONGEST_NAME = 60
_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Text(Filter):
    """Bare words, until it is known whether they rank or filter."""

    words: tuple[str, ...]
    phrase: bool
    typed: str


@dataclass(frozen=True, slots=True)
class Outright(Filter):
    """A model named outright, until all that are named are known."""

    named: Named


@dataclass
class Told:
    """What a query uses, gathered while it is read; ``typed``: how each of its filters was written."""

    filters: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    typed: dict[Filter, str] = field(default_factory=dict)

    def used(self, name: str, typed: str, *notes: str) -> None:
        self.fields.add(name)
        self.filters.append(typed)
        self.notes.extend(note for note in notes if note)


class Parser:
    """Reads one query: ``plain`` is what is parsed, ``query`` the same as it was typed, place for place."""

    def __init__(self, query: str, plain: str, today: date) -> None:
        self.query, self.plain, self.today = query, plain, today
        self.tokens = tokenise(plain)
        self.place = 0
        self.depth = 0
        self.clauses = 0
        self.told = Told()

    def parse(self) -> list[Filter]:
        """query = or. The parts that must all hold, bare words and named models not yet made filters.

        Raises ``QueryError``.
        """
        if not self.tokens:
            return []
        top = self._or()
        if self.place < len(self.tokens):
            raise self.tokens[self.place].error("This ) closes nothing. Remove it, or add ( before.")
        return list(top.nodes) if isinstance(top, And) else [top]

    def _peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _is_word(self, text: str) -> bool:
        token = self._peek()
        return token is not None and token.says(text)

    def _or(self) -> Filter:
        """or = and (OR and)*"""
        nodes = [self._and()]
        while self._is_word("OR"):
            self.place += 1
            nodes.append(self._and())
        return nodes[0] if len(nodes) == 1 else Or(tuple(map(self._filter, nodes)))

    def _and(self) -> Filter:
        """and = unary (AND? unary)*"""
        nodes = [self._part("a word, a filter or (")]
        while (token := self._peek()) is not None and token.kind != "close" and not token.says("OR"):
            if token.says("AND"):
                self.place += 1
            nodes.append(self._part("a word, a filter or ( after AND"))
        flat = [n for node in nodes for n in (node.nodes if isinstance(node, And) else (node,))]
        return flat[0] if len(flat) == 1 else And(tuple(flat))

    def _part(self, wanted: str) -> Filter:
        """One unary of an and; how it was written is kept."""
        start = self.tokens[self.place].start if self.place < len(self.tokens) else 0
        node, behind = self._unary(wanted), self._peek()
        if not isinstance(node, And | Text):
            self.told.typed[node] = self.query[start : behind.start if behind else None].rstrip(" ,")
        return node

    def _unary(self, wanted: str) -> Filter:
        """unary = (NOT | "-") unary | "(" or ")" | clause"""
        token = self._peek()
        if token is None or token.kind == "close" or token.says("AND") or token.says("OR"):
            at = token or Span(self.plain, len(self.plain), len(self.plain) + 1)
            raise at.error(f"Here {wanted} should follow.")
        self.place += 1
        if token.kind == "minus" or token.says("NOT"):
            return Not(self._filter(self._deeper(token, lambda: self._unary("a word or a filter after NOT"))))
        if token.kind == "open":
            return self._deeper(token, lambda: self._group(token))
        if token.kind in ("field", "compared"):
            return self._clause(token)
        return _bare(token)

    def _deeper(self, token: Token, parse: Callable[[], Filter]) -> Filter:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise token.error(f"The query is nested more than {_MAX_DEPTH} deep.")
        node = parse()
        self.depth -= 1
        return node

    def _group(self, opened: Token) -> Filter:
        node = self._or()
        token = self._peek()
        if token is None or token.kind != "close":
            raise opened.error("This ( is never closed. Add ) where the group ends.")
        self.place += 1
        return node

    def _clause(self, token: Token) -> Filter:
        """clause = FIELD ":" values | FIELD comparison"""
        name = token.text.removesuffix(":")
        asked = field_named(name)
        values = list(literals(self.plain, after_blanks(self.plain, token.end)))
        if asked is None:
            return self._unknown(token, name, values)
        if not values:
            raise token.error(f"A value should follow {name}: as in {asked.example}")
        if len(values) > MAX_VALUES:
            raise values[MAX_VALUES].error(
                f"{name}: has {len(values):,} values; at most {MAX_VALUES:,} are read."
            )
        self._pass_over(values[-1].end)
        found = [value_filter(asked, v, self.today, noted=n < _NOTED) for n, v in enumerate(values)]
        self.told.used(asked.name, self.query[token.start : values[-1].end], *(note for _, note in found))
        nodes = [node for node, _ in found]
        whole = merged(asked, nodes)
        self._count(token, 1 if whole else len(nodes))
        return whole or (nodes[0] if len(nodes) == 1 else Or(tuple(nodes)))

    def _unknown(self, token: Token, name: str, values: Sequence[Span]) -> Filter:
        """A name that is no field: a mistake, but before a number rather a word with its weight."""
        near = _near_fields(name)
        number = _NUMBER.fullmatch(values[0].text) if values else None
        if number is None or near:
            advice = (
                f"Did you mean {' or '.join(near)}?" if near else f"Fields are: {', '.join(sorted(FIELDS))}."
            )
            typed = self.query[token.start : values[0].end if values else token.end].replace('"', "")
            raise token.error(
                f"There is no field {name[:_LONGEST_NAME]!r}. {advice} "
                f'For the words themselves, write "{typed[:_LONGEST_NAME]}".'
            )
        self._pass_over(values[0].end)
        typed = name if number[1] else f"{name} {number.group()}"
        return Text(typed_words(typed), False, typed)

    def _pass_over(self, end: int) -> None:
        """Leave out the tokens that a clause's values cover."""
        while self.place < len(self.tokens) and self.tokens[self.place].start < end:
            self.place += 1

    def _count(self, token: Token | None, clauses: int) -> None:
        self.clauses += clauses
        if self.clauses > MAX_CLAUSES:
            at = token or self.tokens[min(self.place, len(self.tokens)) - 1]
            raise at.error(f"More than {MAX_CLAUSES} filters are asked for. Leave some out.")

    def _filter(self, node: Filter) -> Filter:
        """A part of OR or NOT as a filter: each bare word in any of the searched fields, a phrase whole in
        one of them."""
        if isinstance(node, And):
            return And(tuple(map(self._filter, node.nodes)))
        if isinstance(node, Outright):
            self.told.used(node.named.field, node.named.clause)
            return node.named.where
        if not isinstance(node, Text):
            return node
        groups = [node.words] if node.phrase else [(word,) for word in node.words]
        self._count(None, len(groups))
        found = [anywhere(group, node.phrase) for group in groups]
        return found[0] if len(found) == 1 else And(tuple(found))


def _bare(token: Token) -> Filter:
    """A phrase, a word, or a model named outright."""
    typed = token.text.strip('"').rstrip(",;.!?")
    named = None if typed.isalpha() else _named(token, typed)
    if named is not None:
        return Outright(named)
    found = typed_words(typed)
    return Text(found, token.kind == "phrase" and len(found) > 1, token.text) if found else ALL


def _named(token: Token, typed: str) -> Named | None:
    if token.kind == "phrase":
        return named_by_file(typed)
    long_hash = named_by_hash(typed) if len(typed) >= _LONG_HASH else None
    return long_hash or named_by_hub(typed) or named_by_file(typed)


def _near_fields(name: str) -> list[str]:
    near = difflib.get_close_matches(name[:_LONGEST_NAME].lower(), (*FIELDS, *ALIASES), 3, _NEAR_ENOUGH)
    return list(dict.fromkeys(ALIASES.get(other, other) for other in near))
