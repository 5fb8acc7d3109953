"""What a person names for a stack: an entry of the library, a file on disk, or an architecture."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.catalog.entries import documents
from indexer.domain.fields import FIELDS
from indexer.domain.filters import AnyOf, keyword
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.domain.vocabulary import architectures
from indexer.errors import UsageError
from indexer.finding import find_entry, found_exactly
from indexer.indexes.text import TextIndex, TextQuery
from search.bases import wanted_base

__all__ = ["Named", "name_addon", "name_base"]

_WEIGHTED = re.compile(r"(.+):(-?\d{1,2}(?:\.\d{1,4})?)", re.DOTALL)
_MOST_WEIGHT = 10.0
_LIKELY = 50


@dataclass(frozen=True, slots=True)
class Named:
    """What was named: ``document`` and the files of it that are meant (none: all), or a ``path`` that is in
    no catalog, or an ``architecture`` and perhaps a family. ``weight`` is the one that was given."""

    text: str
    document: Document | None = None
    files: tuple[int, ...] = ()
    path: Path | None = None
    architecture: str | None = None
    family: str | None = None
    weight: float | None = None


def name_base(catalog: Catalog, text: TextIndex, what: str, *, on_disk: bool = True) -> Named:
    """What ``what`` means as a base. ``on_disk`` off: paths outside the catalog mean nothing. Raises
    ``UsageError`` for what nobody knows."""
    known = _here(catalog, what, on_disk)
    if known is not None:
        return known
    if what.strip().lower() in architectures():
        return Named(what, architecture=what.strip().lower())
    try:
        return Named(what, find_entry(catalog, text, what))
    except UsageError as error:
        if error.code not in ("unknown_model", "ambiguous"):
            raise
        return _as_architecture(what, error)


def _as_architecture(what: str, error: UsageError) -> Named:
    try:
        wanted = wanted_base(what)
    except UsageError:
        wanted = None
    if wanted is None and error.code == "ambiguous":
        raise error
    if wanted is None:
        raise UsageError(
            error.code, f"{error.detail} For a base an architecture will do as well, such as sdxl."
        ) from None
    return Named(what, architecture=wanted.architecture, family=wanted.family)


def name_addon(
    catalog: Catalog, text: TextIndex, what: str, base: str | None, *, on_disk: bool = True
) -> Named:
    """What ``what`` means as an addon, ``:0.8`` at its end being a weight. Of several models of one name that
    one is meant which goes with ``base``, an architecture. Raises ``UsageError``."""
    known = _here(catalog, what, on_disk)
    if known is not None:
        return known
    found = _WEIGHTED.fullmatch(what)
    weight = float(found[2]) if found else None
    if found and weight is not None and abs(weight) <= _MOST_WEIGHT:
        named = _here(catalog, found[1], on_disk) or _by_name(catalog, text, found[1], base)
        return replace(named, weight=weight)
    return _by_name(catalog, text, what, base)


def _here(catalog: Catalog, what: str, on_disk: bool) -> Named | None:
    """A path, an id or a hash, of the catalog or of the disk."""
    exact = found_exactly(catalog, what)
    if exact is not None:
        return Named(what, exact.document, exact.files)
    if not on_disk:
        return None
    path = Path(what)
    try:
        there = path.exists() and bool(what.strip())
    except (OSError, ValueError):
        there = False  # too long or too odd for a path
    # A folder of the same name as a model is meant only where it is spelled as a path.
    return Named(what, path=path) if there and (path.is_file() or "/" in what) else None


def _by_name(catalog: Catalog, text: TextIndex, what: str, base: str | None) -> Named:
    try:
        return Named(what, find_entry(catalog, text, what))
    except UsageError as error:
        if error.code != "ambiguous" or base is None:
            raise
        fitting = list(_called(catalog, text, what, base))
        if len(fitting) != 1:
            raise
        return Named(what, fitting[0])


def _called(catalog: Catalog, text: TextIndex, what: str, base: str) -> Iterator[Document]:
    """Entries of that whole name that load on an architecture."""
    where = AnyOf(FIELDS["fits"], (base,))
    found = text.search(TextQuery((), (tuple(words(what, glued=False)),), where), _LIKELY)
    with catalog.read() as session:
        likely = documents(session, found.ids).values()
    return (d for d in likely if keyword(what) in (keyword(d.name), *map(keyword, d.file_names)))
