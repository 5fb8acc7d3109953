"""The query language of the search box, the command and the API: text in, words to rank by and a filter out.

The grammar is ``query_grammar``, the fields are ``indexer.domain.fields``. Words and phrases at the top level
are ranked; inside OR and NOT they filter. Models named outright (by address, AIR, hash, file name) are any of
those named. A pasted prompt is words (``query_prompts``). Anything typed is a query, or an error with a caret
under the fault; nothing reaches an engine as that engine's own syntax.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from indexer.domain.filters import ALL, And, Filter, Not, Or, Words
from indexer.domain.named import Named, named_by, named_by_file, named_by_hash
from search.query_grammar import MAX_CLAUSES, Outright, Parser, Text, Told
from search.query_notes import contradictions
from search.query_prompts import prompt_words
from search.query_tokens import QueryError, straightened
from search.query_values import MAX_WORDS

__all__ = ["MAX_QUERY", "ParsedQuery", "QueryError", "narrowed", "parse_query"]

MAX_QUERY = 10_000
"""So many characters are read."""

MAX_TERMS = MAX_WORDS
_SURPLUS = 100
_LIST = re.compile(r"(?:^|[\s,])[^\s:,\"]+\s{0,9},\s")
_LISTED = 4
_SIGNS = re.compile(r'[():"]|(?<!\S)-')


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """What a user meant: ranked ``terms`` and ``phrases`` (folded words), and a filter.

    ``filters`` are the clauses as typed, ``fields`` the names of the fields they use. ``notes`` are sentences
    for people: what was left out, what was not known, which filters contradict each other. ``listed``: a few
    words with commas between them, as prompts are written. ``parts`` are the filters that must all hold, with
    how each was written.
    """

    text: str
    terms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    where: Filter
    filters: tuple[str, ...]
    fields: frozenset[str]
    notes: tuple[str, ...] = ()
    listed: bool = False
    parts: tuple[tuple[str, Filter], ...] = ()


def parse_query(query: str, today: date | None = None) -> ParsedQuery:
    """Understand a query; ages (``created:<30d``) count back from ``today``, by default today in UTC.

    Raises ``QueryError`` with a caret under the first fault.
    """
    if len(query) > MAX_QUERY:
        message = f"The query has {len(query):,} characters; at most {MAX_QUERY:,} are read."
        raise QueryError(query[: MAX_QUERY + _SURPLUS], MAX_QUERY, MAX_QUERY + 1, message)
    read = _read(query, today or datetime.now(UTC).date())
    return _finished(query, read.nodes, read.told)


def narrowed(query: str, clauses: str) -> str:
    """A typed query and further clauses as one query. A query that is refused stands alone, so that its error
    keeps its place."""
    if not clauses or not query.strip():
        return clauses or query
    try:
        return f"({_read(query, date.min).plain}) {clauses}"
    except QueryError:
        return query


@dataclass(frozen=True, slots=True)
class _Read:
    """What a query was read as: ``plain`` says the same without the syntax of prompts and keyboards."""

    plain: str
    nodes: Sequence[Filter]
    told: Told


def _read(query: str, today: date) -> _Read:
    if len(query) > MAX_QUERY:
        message = f"The query has {len(query):,} characters; at most {MAX_QUERY:,} are read."
        raise QueryError(query[: MAX_QUERY + _SURPLUS], MAX_QUERY, MAX_QUERY + 1, message)
    plain = straightened(query)
    if (named := _whole(plain)) is not None:
        return _Read(named.clause, [Outright(named)], Told())
    if (prompt := prompt_words(plain)) is not None:
        return _prompt(query, prompt, today)
    try:
        return _parsed(query, plain, today)
    except QueryError as error:
        if (prompt := prompt_words(plain, refused=True)) is not None:
            return _prompt(query, prompt, today)
        # What was typed is shown, also where a typographic sign was read as another.
        raise QueryError(query, error.start, error.end, error.message) from None


def _parsed(query: str, plain: str, today: date, *notes: str) -> _Read:
    parser = Parser(query, plain, today)
    nodes = parser.parse()
    parser.told.notes.extend(notes)
    return _Read(plain, nodes, parser.told)


def _prompt(query: str, text: str, today: date) -> _Read:
    """A prompt's words; what looks like a filter in it counts as one only where it can be read."""
    note = "Read as a prompt: its words are searched, its weights and brackets are not."
    try:
        return _parsed(query, text, today, note)
    except QueryError:
        return _parsed(query, _SIGNS.sub(" ", text), today, note)


def _whole(text: str) -> Named | None:
    """A single model named by all of the query: an address, a hash, a path or a file name with blanks."""
    text = text.strip()
    if not any(c.isspace() for c in text):
        return named_by(text)
    bare = text.strip('"')
    endings = re.findall(r"\.\w+(?=\s|$)", bare)
    return named_by_file(bare) if len(endings) == 1 and ":" not in bare[2:] and "\n" not in bare else None


def _finished(query: str, nodes: Sequence[Filter], told: Told) -> ParsedQuery:
    """Put together what is ranked, what filters and what is to be told."""
    nodes = _hashes(nodes)
    texts = [node for node in nodes if isinstance(node, Text)]
    outright = [node.named for node in nodes if isinstance(node, Outright)]
    rest = [node for node in nodes if not isinstance(node, Text | Outright) and node != ALL]
    if outright:
        rest.append(outright[0].where if len(outright) == 1 else Or(tuple(n.where for n in outright)))
        told.typed[rest[-1]] = ", ".join(dict.fromkeys(named.clause for named in outright))
        for named in outright:
            told.used(named.field, named.clause, named.note)
    terms, phrases = _ranked(texts, told)
    where = And(tuple(rest))
    notes = (*told.notes, *contradictions(where), *_both_ways(terms, where))
    return ParsedQuery(
        text=query.strip(),
        terms=terms,
        phrases=phrases,
        where=where,
        filters=tuple(told.filters),
        fields=frozenset(told.fields),
        notes=tuple(dict.fromkeys(notes)),
        listed=not phrases and len(terms) >= _LISTED and _LIST.search(query) is not None,
        parts=tuple((told.typed.get(node, query.strip()), node) for node in rest),
    )


def _hashes(nodes: Sequence[Filter]) -> Sequence[Filter]:
    """Bare words that are hashes all of them name models; beside other words, a short one is a word."""
    texts = [node for node in nodes if isinstance(node, Text)]
    found = {node.typed: named_by_hash(node.typed) for node in texts if not node.phrase}
    if not texts or len(texts) > MAX_CLAUSES or not all(found.get(node.typed) for node in texts):
        return nodes
    named = {typed: Outright(name) for typed, name in found.items() if name}
    return [named[node.typed] if isinstance(node, Text) else node for node in nodes]


def _ranked(texts: Iterable[Text], told: Told) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The words and the phrases to rank by, as many as engines look up; the first count."""
    terms: dict[str, None] = {}
    phrases: dict[tuple[str, ...], None] = {}
    left, dropped = MAX_TERMS, 0
    for node in texts:
        fresh = node.words if node.phrase else tuple(w for w in dict.fromkeys(node.words) if w not in terms)
        kept = fresh[:left]
        dropped += len(fresh) - len(kept)
        left -= len(kept)
        if node.phrase and kept:
            phrases[kept] = None
        elif not node.phrase:
            terms.update(dict.fromkeys(kept))
    if dropped:
        told.notes.append(f"The query has {MAX_TERMS + dropped:,} words; the first {MAX_TERMS} count.")
    return tuple(terms), tuple(phrases)


def _both_ways(terms: Sequence[str], where: Filter) -> list[str]:
    """Words that are asked for and excluded."""
    excluded = {_bare_word(node.node) for node in _parts(where) if isinstance(node, Not)}
    return [f'Nothing can have the word "{word}" and not have it.' for word in terms if word in excluded]


def _parts(where: Filter) -> Sequence[Filter]:
    return where.nodes if isinstance(where, And) else (where,)


def _bare_word(node: Filter) -> str | None:
    """The word that a filter looks for in all searched fields."""
    first = node.nodes[0] if isinstance(node, Or) and node.nodes else None
    whole = isinstance(first, Words) and len(first.words) == 1 and first.field.weight is not None
    return first.words[0] if whole and isinstance(first, Words) else None
