"""The query language of the search box, the command and the API.

    query   = or
    or      = and (OR and)*
    and     = unary (AND? unary)*
    unary   = (NOT | "-") unary | "(" or ")" | clause
    clause  = FIELD ":" values | PHRASE | WORD
    values  = value ("," value)*
    value   = (">" | ">=" | "<" | "<=") literal | literal ".." literal | literal

Words and phrases at the top level are ranked; inside OR and NOT they filter. Anything typed is a query, or an
error with a caret under the fault; nothing reaches an engine as that engine's own syntax.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from indexer.domain.fields import FIELDS, Field, FieldType, field_named
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words, keyword
from indexer.domain.hubs import hash_values
from indexer.domain.text import words
from indexer.errors import UsageError

__all__ = ["MAX_QUERY", "ParsedQuery", "QueryError", "parse_query"]

MAX_QUERY = 2_000
MAX_TERMS = 64
_MAX_DEPTH = 50

_TOKENS: dict[str, str] = {
    "blank": r"\s+",
    "open": r"\(",
    "close": r"\)",
    "field": r"[^\W\d][\w]*:(?=\S)(?!//)",
    "phrase": r'"[^"]*"',
    "quote": r'"',
    "minus": r"-(?=\S)",
    "word": r'[^\s()"]+',
}
"""Names and patterns of the tokens, tried in this order."""

_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _TOKENS.items()))
_LITERAL = re.compile(r'"[^"]*"|[^\s(),"]+')
_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_HASH = re.compile(r"(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,64}")


class QueryError(UsageError):
    """A query that cannot be understood; the text draws a caret under the fault."""

    def __init__(self, query: str, start: int, end: int, message: str) -> None:
        self.start, self.end, self.message = start, end, message
        line = "".join(" " if c in "\r\n\t" else c for c in query)
        caret = " " * start + "^" * max(1, end - start)
        super().__init__("query", f"{message}\n    {line}\n    {caret}")


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """What a user meant: ranked ``terms`` and ``phrases`` (folded words), and a filter.

    ``filters`` are the clauses as typed, ``fields`` the names of the fields they use.
    """

    text: str
    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    where: Filter
    filters: tuple[str, ...]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Text(Filter):
    """Bare words, until it is known whether they rank or filter."""

    words: tuple[str, ...]
    phrase: bool


def parse_query(query: str) -> ParsedQuery:
    """Understand a query. Raises ``QueryError`` with a caret under the first fault."""
    if len(query) > MAX_QUERY:
        raise QueryError(
            query[:40] + "…", 0, 40, f"The query has {len(query)} characters; at most {MAX_QUERY} are read."
        )
    if _HASH.fullmatch(query.strip()):
        found = AnyOf(FIELDS["hash"], hash_values(query))
        return ParsedQuery(query.strip(), (), (), found, (f"hash:{query.strip()}",), frozenset({"hash"}))
    return _Parser(query).parse()


class _Parser:
    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = self._tokenise()
        self.place = 0
        self.depth = 0
        self.fields: set[str] = set()
        self.filters: list[str] = []

    def parse(self) -> ParsedQuery:
        """query = or"""
        nodes: list[Filter] = []
        if self.tokens:
            top = self._or()
            if self.place < len(self.tokens):
                self._fail(self.tokens[self.place], "This ) closes nothing. Remove it, or add ( before.")
            nodes = list(top.nodes) if isinstance(top, And) else [top]
        texts = [node for node in nodes if isinstance(node, _Text)]
        terms = [word for node in texts if not node.phrase for word in node.words]
        if len(terms) > MAX_TERMS:
            raise QueryError(
                self.query,
                0,
                len(self.query),
                f"The query has {len(terms)} words; at most {MAX_TERMS} are read.",
            )
        rest = tuple(_as_filter(node) for node in nodes if not isinstance(node, _Text))
        return ParsedQuery(
            text=self.query.strip(),
            terms=tuple(dict.fromkeys(terms)),
            phrases=tuple(node.words for node in texts if node.phrase),
            where=And(rest),
            filters=tuple(self.filters),
            fields=frozenset(self.fields),
        )

    def _tokenise(self) -> list[_Token]:
        tokens = []
        for match in _TOKEN.finditer(self.query):
            kind = match.lastgroup or ""
            if kind == "quote":
                raise QueryError(
                    self.query,
                    match.start(),
                    match.end(),
                    'This " is never closed. Add another " at the phrase\'s end.',
                )
            if kind != "blank":
                tokens.append(_Token(kind, match.group(), match.start(), match.end()))
        return tokens

    def _peek(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _fail(self, token: _Token, message: str) -> None:
        raise QueryError(self.query, token.start, token.end, message)

    def _is_word(self, text: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "word" and token.text == text

    def _or(self) -> Filter:
        """or = and (OR and)*"""
        nodes = [self._and()]
        while self._is_word("OR"):
            self.place += 1
            nodes.append(self._and())
        return nodes[0] if len(nodes) == 1 else Or(tuple(_as_filter(node) for node in nodes))

    def _and(self) -> Filter:
        """and = unary (AND? unary)*"""
        nodes = [self._unary("a word, a filter or (")]
        while (token := self._peek()) is not None and token.kind != "close" and not self._is_word("OR"):
            if self._is_word("AND"):
                self.place += 1
            nodes.append(self._unary("a word, a filter or ( after AND"))
        flat = [n for node in nodes for n in (node.nodes if isinstance(node, And) else (node,))]
        return flat[0] if len(flat) == 1 else And(tuple(flat))

    def _unary(self, wanted: str) -> Filter:
        """unary = (NOT | "-") unary | "(" or ")" | clause"""
        token = self._peek()
        if token is None or token.kind == "close" or (token.kind == "word" and token.text in ("AND", "OR")):
            at = token or _Token("end", "", len(self.query), len(self.query) + 1)
            raise QueryError(self.query, at.start, at.end, f"Here {wanted} should follow.")
        self.place += 1
        if token.kind == "minus" or (token.kind == "word" and token.text == "NOT"):
            return Not(_as_filter(self._deeper(token, lambda: self._unary("a word or a filter after NOT"))))
        if token.kind == "open":
            return self._deeper(token, lambda: self._group(token))
        if token.kind == "field":
            return self._clause(token)
        return _text(token.text.strip('"'), token.kind == "phrase")

    def _deeper(self, token: _Token, parse: Callable[[], Filter]) -> Filter:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self._fail(token, f"The query is nested more than {_MAX_DEPTH} deep.")
        node = parse()
        self.depth -= 1
        return node

    def _group(self, opened: _Token) -> Filter:
        node = self._or()
        token = self._peek()
        if token is None or token.kind != "close":
            self._fail(opened, "This ( is never closed. Add ) where the group ends.")
        self.place += 1
        return node

    def _clause(self, token: _Token) -> Filter:
        """clause = FIELD ":" values"""
        name = token.text[:-1]
        field = field_named(name)
        if field is None:
            known = ", ".join(sorted(FIELDS))
            self._fail(
                token,
                f'There is no field {name!r}. Fields are: {known}. For the word itself, write "{name}".',
            )
        assert field is not None
        end, values = self._values(token)
        self.fields.add(field.name)
        self.filters.append(self.query[token.start : end])
        nodes = [self._value(field, at, stop) for at, stop in values]
        if all(isinstance(node, AnyOf) for node in nodes):
            return AnyOf(
                field, tuple(dict.fromkeys(v for n in nodes if isinstance(n, AnyOf) for v in n.values))
            )
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _values(self, token: _Token) -> tuple[int, list[tuple[int, int]]]:
        """values = value ("," value)*: the places of the literals; the tokens they cover are passed over."""
        place, spans = token.end, []
        while True:
            match = _LITERAL.match(self.query, place)
            if match is None:
                raise QueryError(self.query, place, place + 1, f"A value should follow {token.text}")
            start, end = match.span()
            # An operator may stand before a quoted literal: >"2025-01-01".
            if match.group() in (">", "<", ">=", "<=") and self.query[end : end + 1] == '"':
                quoted = _LITERAL.match(self.query, end)
                end = quoted.end() if quoted else end
            spans.append((start, end))
            if self.query[end : end + 1] != ",":
                break
            place = end + 1
        while self.place < len(self.tokens) and self.tokens[self.place].start < end:
            self.place += 1
        return end, spans

    def _value(self, field: Field, start: int, end: int) -> Filter:
        raw = self.query[start:end]
        if field.name == "hash":
            return AnyOf(field, hash_values(raw.strip('"')))
        if field.type in (FieldType.KEYWORD, FieldType.TREE, FieldType.FLAG):
            return AnyOf(field, (keyword(raw.strip('"')),))
        if field.type is FieldType.TEXT:
            found = tuple(words(raw, glued=False))
            if not found:
                raise QueryError(self.query, start, end, f"{field.name}: takes words; this has none.")
            return Words(field, found, raw.startswith('"') or len(found) > 1)
        return self._range(field, raw, start, end)

    def _range(self, field: Field, raw: str, start: int, end: int) -> Filter:
        """value = (">" | ">=" | "<" | "<=") literal | literal ".." literal | literal"""
        for sign in (">=", "<=", ">", "<"):
            if raw.startswith(sign):
                low, high = self._literal(field, raw[len(sign) :].strip('"'), start + len(sign), end)
                match sign:
                    case ">=":
                        return Range(field, low=low)
                    case ">":
                        return Range(field, low=high, low_open=True)
                    case "<=":
                        return Range(field, high=high)
                    case _:
                        return Range(field, high=low, high_open=True)
        left, dots, right = raw.strip('"').partition("..")
        if not dots:
            low, high = self._literal(field, left, start, end)
            return Range(field, low=low, high=high)
        first = self._literal(field, left, start, start + len(left))[0] if left else None
        last = self._literal(field, right, end - len(right), end)[1] if right else None
        if first is not None and last is not None and first > last:  # type: ignore[operator]
            raise QueryError(
                self.query, start, end, "The range runs backwards: the smaller bound goes first."
            )
        return Range(field, low=first, high=last)

    def _literal(self, field: Field, raw: str, start: int, end: int) -> tuple[float | str, float | str]:
        """A number or a date as its first and last value (``2025`` is all of that year)."""
        parse = _day_span if field.type is FieldType.DATE else _number_span
        span = parse(raw, field)
        if span is None:
            wanted = {
                FieldType.DATE: "a date like 2025, 2025-06 or 2025-06-30",
                FieldType.SIZE: "a size like 200MB or 2.5GB",
            }.get(field.type, "a number")
            raise QueryError(
                self.query, start, max(end, start + 1), f"{field.name}: takes {wanted}, not {raw!r}."
            )
        return span


def _number_span(raw: str, field: Field) -> tuple[float, float] | None:
    match = _NUMBER.fullmatch(raw)
    if match is None or (field.type is not FieldType.SIZE and match[2]):
        return None
    unit = _UNITS.get(match[2].upper())
    if unit is None or len(match[1]) > 30:
        return None
    value = float(match[1]) * unit
    return value, value


def _day_span(raw: str, _field: Field) -> tuple[str, str] | None:
    match = _DATE.fullmatch(raw)
    if match is None:
        return None
    year, month, day = match[1], match[2], match[3]
    try:
        date(max(1, int(year)), int(month or 1), int(day or 1))
    except ValueError:
        return None
    first = f"{year}-{int(month or 1):02}-{int(day or 1):02}"
    return first, f"{year}-{int(month or 12):02}-{int(day or 31):02}"


def _text(raw: str, phrase: bool) -> Filter:
    found = tuple(words(raw, glued=False))
    return _Text(found, phrase and len(found) > 1) if found else And(())


def _as_filter(node: Filter) -> Filter:
    """Bare words as a filter: each word in any of the searched fields, a phrase whole in one of them."""
    if isinstance(node, And):
        return And(tuple(_as_filter(n) for n in node.nodes))
    if not isinstance(node, _Text):
        return node
    searched = [field for field in FIELDS.values() if field.weight is not None]
    groups: Sequence[tuple[str, ...]] = [node.words] if node.phrase else [(word,) for word in node.words]
    return And(tuple(Or(tuple(Words(f, group, node.phrase) for f in searched)) for group in groups))
