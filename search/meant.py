"""Which entry is meant by an id, a name, a path, an address or a hash."""

from collections.abc import Callable, Iterator

from indexer.catalog.database import Catalog
from indexer.domain.filters import And, anywhere
from indexer.domain.named import named_by
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.errors import UsageError
from indexer.finding import found_exactly
from indexer.indexes.text import TextIndex, TextQuery

__all__ = ["meant_by"]


def meant_by(
    catalog: Catalog, text: TextIndex, entry: Callable[[int], Document | None], what: int | str
) -> Document:
    """The entry that ``what`` means. Raises ``UsageError`` (``unknown_model``)."""
    if isinstance(what, int) and (numbered := entry(what)) is not None:
        return numbered  # no file has to be looked for
    asked = str(what).strip()
    exactly = found_exactly(catalog, asked)
    if exactly is not None:
        return exactly.document
    if asked.isascii() and asked.isdigit() and len(asked) <= 18:
        found = entry(int(asked))
        if found is not None:
            return found
    for query in _meanings(asked):
        ids = text.search(query, 1).ids
        if ids and (found := entry(ids[0])) is not None:
            return found
    raise UsageError(
        "unknown_model",
        f"No model is known as {asked!r}. Give its id, name or file name as search shows it.",
    )


def _meanings(asked: str) -> Iterator[TextQuery]:
    """What a name may mean, the surest first: an address or hash, a whole name, one with all the words."""
    if named := named_by(asked):
        yield TextQuery((), where=named.where)
    terms = tuple(words(asked.replace("\\", "/").rpartition("/")[2], glued=False))
    if terms:
        yield TextQuery((), (terms,))
        yield TextQuery(terms, where=And(tuple(anywhere((term,)) for term in terms)))
