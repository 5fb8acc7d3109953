"""Why is an answer empty? The filter nothing passes, what would match without it, which value was meant."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.domain.filters import And, AnyOf, Filter, keyword, values_of
from indexer.domain.text import words
from indexer.indexes.text import TextIndex, TextQuery
from search.query import ParsedQuery

__all__ = ["near_misses"]

MOST = 4
"""Of so many filters each is left out in turn; every one is a question to the engine."""

_SAMPLED = 20
_NEAR = 3
_NEAR_ENOUGH = 0.7
_SHOWN = 60
_SPELLED = frozenset(("creator", "tag", "category"))
"""Fields whose values people spell from memory."""


def near_misses(
    catalog: Catalog, text: TextIndex, parsed: ParsedQuery, kept_back: tuple[str, ...]
) -> Iterator[str]:
    """Sentences about a query that nothing matches; none where its filters are too many, or there are none.
    Entries that are ``kept_back`` do not count."""
    if not 0 < len(parsed.parts) <= MOST:
        return

    def count(terms: Sequence[str], phrases: Sequence[tuple[str, ...]], where: Iterable[Filter]) -> str:
        query = TextQuery(tuple(terms), tuple(phrases), And(tuple(where)), kept_back=kept_back)
        found = text.search(query, 1)
        about = "about " if found.estimated else ""
        return f"{about}{found.total:,} match{'' if found.total == 1 else 'es'}" if found.total else ""

    spoken = bool(parsed.terms or parsed.phrases)
    nodes = [node for _, node in parsed.parts]
    lone = len(nodes) == 1 and not spoken
    for typed, node in parsed.parts:
        typed = typed if len(typed) <= _SHOWN else typed[: _SHOWN - 1] + "…"
        if lone or not count((), (), [node]):
            yield f"Nothing here matches {typed}.{_meant(catalog, text, node, kept_back)}"
        others = [other for other in nodes if other is not node]
        if not lone and (without := count(parsed.terms, parsed.phrases, others)):
            yield f"Without {typed}: {without}."
    if spoken and (filtered := count((), (), nodes)):
        yield f"Without the words: {filtered}."


def _meant(catalog: Catalog, text: TextIndex, node: Filter, kept_back: tuple[str, ...]) -> str:
    """Values like the wanted one, of entries that its words find with their typing errors."""
    if not isinstance(node, AnyOf) or node.field.name not in _SPELLED or len(node.values) > 1:
        return ""
    wanted = node.values[0]
    found = text.search(TextQuery(tuple(words(wanted)), kept_back=kept_back), _SAMPLED)
    with catalog.read() as session:
        documents = entries.documents(session, list(found.ids))
    known = {keyword(v): v for d in documents.values() for v in values_of(d, node.field)}
    near = difflib.get_close_matches(keyword(wanted), known, _NEAR, _NEAR_ENOUGH)
    return f" Did you mean {' or '.join(known[each] for each in near)}?" if near else ""
