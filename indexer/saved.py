"""Searches under a name: kept in the catalog, run again by whoever asks for them.

Each function takes settings, or a catalog that is open already.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from indexer.catalog import saved_searches
from indexer.catalog.columns import clean
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.saved_searches import Saved
from indexer.catalog.table_base import now
from indexer.errors import UsageError
from indexer.settings import Settings

__all__ = [
    "LONGEST_NAME",
    "LONGEST_QUERY",
    "Saved",
    "remove_saved",
    "rename_saved",
    "save_search",
    "saved_search",
    "saved_searches_of",
]

LONGEST_NAME = 100
LONGEST_QUERY = 10_000


def save_search(
    where: Settings | Catalog, name: str, query: str, *, sort: str = "relevance", base: str | None = None
) -> Saved:
    """Keep a search under a name, in place of the one of that name. Raises ``UsageError`` (``saved``).

    Whether the query can be understood is for the caller to check.
    """
    if len(query) > LONGEST_QUERY:
        raise UsageError(
            "saved", f"A query has at most {LONGEST_QUERY:,} characters; this has {len(query):,}."
        )
    saved = Saved(_checked(name), clean(query.strip()), sort, base, now())
    with _opened(where) as catalog, catalog.write() as session:
        saved_searches.keep_search(session, saved)
    return saved


def rename_saved(where: Settings | Catalog, name: str, to: str) -> Saved:
    """Give a search another name. Raises ``UsageError`` (``saved``) where none has the old name, or another
    has the new one."""
    to = _checked(to)
    with _opened(where) as catalog:
        known = {saved.name: saved for saved in _all(catalog)}
        if name not in known:
            raise _unknown(name, known)
        if to != name and to in known:
            raise UsageError("saved", f"Another search is kept as {to!r} already. Choose another name.")
        with catalog.write() as session:
            saved_searches.rename_search(session, name, to)
    old = known[name]
    return Saved(to, old.query, old.sort, old.base, old.made_at)


def saved_searches_of(where: Settings | Catalog) -> list[Saved]:
    """All searches that were kept, by name."""
    with _opened(where) as catalog:
        return _all(catalog)


def remove_saved(where: Settings | Catalog, name: str) -> None:
    """Forget a search. Raises ``UsageError`` (``saved``) where none has this name."""
    with _opened(where) as catalog:
        with catalog.write() as session:
            if saved_searches.forget_search(session, name):
                return
        known = [saved.name for saved in _all(catalog)]
    raise _unknown(name, known)


def saved_search(where: Settings | Catalog, name: str) -> Saved:
    """The search of this name. Raises ``UsageError`` (``saved``) where there is none."""
    known = {saved.name: saved for saved in saved_searches_of(where)}
    if name not in known:
        raise _unknown(name, known)
    return known[name]


def _all(catalog: Catalog) -> list[Saved]:
    with catalog.read() as session:
        return saved_searches.kept_searches(session)


def _checked(name: str) -> str:
    name = clean(" ".join(name.split()))
    if not 0 < len(name) <= LONGEST_NAME:
        raise UsageError("saved", f"A name has 1 to {LONGEST_NAME} characters; this one has {len(name)}.")
    return name


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    names = ", ".join(known)
    told = f"Known are: {names}." if names else "None is kept yet: pinakes saved add NAME QUERY"
    return UsageError("saved", f"No search is kept as {name!r}. {told}")


@contextmanager
def _opened(where: Settings | Catalog) -> Iterator[Catalog]:
    if isinstance(where, Catalog):
        yield where
        return
    catalog = open_catalog(where)
    try:
        yield catalog
    finally:
        catalog.close()
