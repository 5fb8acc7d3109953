"""A query cut into tokens by one table, and the error that draws a caret under a mistake."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.domain.fields import field_named
from indexer.domain.text import words
from indexer.errors import UsageError

__all__ = [
    "TOKENS",
    "QueryError",
    "Span",
    "Token",
    "after_blanks",
    "literals",
    "outside_quotes",
    "straightened",
    "tokenise",
    "typed_words",
]

TOKENS: dict[str, str] = {
    "blank": r"[\s,]+",
    "open": r"\(",
    "close": r"\)",
    "link": r'https?://[^\s()"<>]+',
    "air": (
        r"(?i:(?:urn:)?air:[^\s()\",]+"
        r"|(?:[\w.-]+:[\w.-]+:)?(?:civitai(?:-r2)?:\d|huggingface:[\w.-]+/)[^\s()\",]*)"
    ),
    "field": r"[^\W\d]\w*:(?!//)",
    "compared": r"[^\W\d]\w*(?=[<>]=?\d)",
    "phrase": r'"[^"]*"',
    "quote": r'"',
    "minus": r'-(?=[\w"(])',
    "word": r'[^\s()"]+',
}
"""Names and patterns of the tokens, tried in this order.

``field`` stays one where the table of fields knows the name, or where a value follows at once (then the name
is a mistake); ``compared`` (``rank>8``) where the field is one of numbers. Else both are words.
"""

_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in TOKENS.items()))
_WORD = re.compile(TOKENS["word"])
_LITERAL = re.compile(r'(?:[<>]=?|=)?(?:"[^"]*"|[^\s(),"]+)')
_BLANKS = re.compile(r"\s*")

_STRAIGHT = str.maketrans("（），、：＞＜－\u00a0\u3000", "(),,:><-  ")
"""What East Asian keyboards type for the language's signs, one for one."""

_QUOTED = re.compile(r'"[^"]*"')
_CURLY = re.compile(r'[“„‟«＂]([^"“”„‟«»＂]*)[”“»＂]')
"""A phrase in the quotes of phones, word processors and other languages."""

_SHOWN = 100
_LONGEST = 500
_LONGEST_WIDE = 200  # one sign may stand for a dozen letters
_BEFORE = 40


class QueryError(UsageError):
    """A query that cannot be understood. ``start`` and ``end`` are the places of the fault in the query; the
    text draws a caret under it, of a long query only the part around it."""

    def __init__(self, query: str, start: int, end: int, message: str) -> None:
        self.start, self.end, self.message = start, end, message
        line, start, end = _excerpt(query, start, end)
        before = "".join(_column(c) for c in line[:start])
        caret = "".join(_column(c).replace(" ", "^") for c in line[start:end]) or "^"
        super().__init__("query", f"{message}\n    {line}\n    {before}{caret}")


def _excerpt(query: str, start: int, end: int) -> tuple[str, int, int]:
    line = "".join(c if c.isprintable() else " " for c in query)
    if len(line) <= _SHOWN:
        return line, start, end
    first = max(0, min(start - _BEFORE, len(line) - _SHOWN))
    last = min(len(line), first + _SHOWN)
    head, tail = "…" if first else "", "…" if last < len(line) else ""
    shift = first - len(head)
    return f"{head}{line[first:last]}{tail}", start - shift, min(end, last) - shift


def _column(character: str) -> str:
    """As many blanks as a terminal's columns that a character fills."""
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a query."""

    query: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.query[self.start : self.end]

    def part(self, start: int, end: int | None = None) -> "Span":
        """A part of it, places counted from its beginning."""
        return Span(self.query, self.start + start, self.end if end is None else self.start + end)

    def error(self, message: str) -> QueryError:
        """The error to raise for this part."""
        return QueryError(self.query, self.start, self.end, message)


@dataclass(frozen=True, slots=True)
class Token(Span):
    """A span with the name of its row in the table."""

    kind: str = "word"

    def says(self, word: str) -> bool:
        """Whether it is this bare word."""
        return self.kind == "word" and self.text == word


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """The text with all that stands outside of "quotes" changed, the quoted parts as they are."""
    place, parts = 0, []
    for found in _QUOTED.finditer(text):
        parts += [change(text[place : found.start()]), found.group()]
        place = found.end()
    return "".join((*parts, change(text[place:])))


def straightened(query: str) -> str:
    """The query with typographic quotes, brackets and signs as ASCII ones; as long as before."""
    if query.count('"') % 2:
        # An odd quote behind a digit is an inch: 5'11".
        query = re.sub(r'(?<=\d)"', " ", query, count=1)
    return outside_quotes(query, lambda part: _CURLY.sub(r'"\1"', part).translate(_STRAIGHT))


def tokenise(query: str) -> list[Token]:
    """The tokens of a query, blanks left out. Raises ``QueryError`` for a quote that is never closed."""
    tokens, place = [], 0
    while found := _TOKEN.match(query, place):
        kind = found.lastgroup or "word"
        if kind in ("field", "compared") and not _is_field(query, found, kind):
            found, kind = _WORD.match(query, place) or found, "word"
        token = Token(query, place, found.end(), kind)
        if kind == "quote":
            raise token.error('This " is never closed. Add another " at the phrase\'s end.')
        if kind != "blank":
            tokens.append(token)
        place = found.end()
    return tokens


def _is_field(query: str, found: re.Match[str], kind: str) -> bool:
    field = field_named(found.group().rstrip(":"))
    if kind == "compared":
        return field is not None and field.type.ranged
    follows = query[found.end() : found.end() + 1]
    return field is not None or bool(follows.strip(',()"'))


def literals(query: str, place: int) -> Iterator[Span]:
    """The values that stand from ``place`` on: ``a,"b c",>4``. A comma before a blank ends the list."""
    while found := _LITERAL.match(query, place):
        yield Span(query, *found.span())
        place = found.end() + 1
        if query[found.end() : place] != ",":
            return


def typed_words(text: str) -> tuple[str, ...]:
    """The folded words of a word or a phrase; of a very long one, those of its beginning."""
    return tuple(words(text[: _LONGEST if text.isascii() else _LONGEST_WIDE], glued=False))


def after_blanks(query: str, place: int) -> int:
    """The place of the next sign that is no blank."""
    found = _BLANKS.match(query, place)
    return found.end() if found else place
