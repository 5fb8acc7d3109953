"""Which model does a person mean by a path, an id, an address or a name? One, or an error that helps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from indexer.catalog import entries, lookup
from indexer.catalog.database import Catalog
from indexer.domain.filters import keyword
from indexer.domain.named import named_by
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.errors import UsageError
from indexer.indexes.text import TextIndex, TextQuery

__all__ = ["Meant", "find_entry", "find_meant", "found_exactly"]

_LIKELY = 50
_TOLD = 5
_LONGEST_ID = 18


@dataclass(frozen=True, slots=True)
class Meant:
    """The entry that is meant, and which of its files: one for a path or a hash, else all of them."""

    document: Document
    files: tuple[int, ...]


def found_exactly(catalog: Catalog, what: str) -> Meant | None:
    """What a path, an id or a hash (8 digits or more) names; None when ``what`` is none of these.

    Raises ``UsageError``: ``ambiguous`` for a hash that begins several, ``quarantined`` for a file that could
    not be read.
    """
    text = what.strip()
    with catalog.read() as session:
        files = lookup.files_at(session, what)
        if not files and text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID:
            files = lookup.files_of_entry(session, int(text))
        if not files and (files := lookup.files_by_hash(session, text)) and len(files) > 1:
            raise UsageError(
                "ambiguous", f"Several files have a hash that begins with {text}. Give more of it."
            )
        refusal = None if files else lookup.refusal_at(session, what)
        if refusal is not None:
            raise UsageError("quarantined", f"{what!r} could not be read: {refusal}")
        shown = entries.documents(session, lookup.entries_of_files(session, files))
    return Meant(next(iter(shown.values())), tuple(files)) if shown else None


def _is_file(what: str) -> bool:
    try:
        return Path(what).is_file()
    except (OSError, ValueError):
        return False  # too long or too odd for a path


def find_meant(catalog: Catalog, index: TextIndex, what: str) -> Meant:
    """The one model that ``what`` means: a path, an id, a hash, a hub's address, an AIR, a name or a file's.

    A name must be the whole name, or its words must fit one model only. Raises ``UsageError``
    (``unknown_model``, ``ambiguous``, ``not_indexed``, ``quarantined``) that names what comes near.
    """
    exact = found_exactly(catalog, what)
    if exact is not None:
        return exact
    if _is_file(what):
        raise UsageError(
            "not_indexed", f"{what!r} is not in the catalog. Index its folder first: pinakes index FOLDER"
        )
    document = _named(catalog, index, what.strip())
    with catalog.read() as session:
        files = tuple(lookup.files_of_entry(session, document.id))
    if not files:
        raise UsageError(
            "no_file", f"{document.name!r} is known from a hub only; no file of it lies in the catalog."
        )
    return Meant(document, files)


def find_entry(catalog: Catalog, index: TextIndex, what: str) -> Document:
    """The one entry that ``what`` means, as in ``find_meant``, whether a file of it is here or not."""
    exact = found_exactly(catalog, what)
    if exact is not None:
        return exact.document
    text = what.strip()
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID:
        with catalog.read() as session:
            found = entries.documents(session, [int(text)])
        if found:
            return found[int(text)]
    return _named(catalog, index, text)


def _named(catalog: Catalog, index: TextIndex, name: str) -> Document:
    outright = named_by(name)
    found = index.search(TextQuery((), where=outright.where), _LIKELY) if outright else None
    if found is None or not found.ids:
        outright = None
        terms = tuple(words(name.replace("\\", "/").rpartition("/")[2], glued=False))
        found = index.search(TextQuery((), (terms,)), _LIKELY) if terms else None
    if found is None or not found.ids:
        raise UsageError(
            "unknown_model",
            f"No model is known as {name!r}. Give its path, its id as pinakes search shows it, or its hash.",
        )
    with catalog.read() as session:
        likely = list(entries.documents(session, found.ids).values())
    whole = likely if outright else [document for document in likely if _is_name_of(name, document)]
    fits = whole or likely
    if len(fits) != 1 or (not whole and found.total > 1):
        raise UsageError("ambiguous", f"{name!r} may mean several models: {_told(fits)}. Give one's id.")
    return fits[0]


def _is_name_of(name: str, document: Document) -> bool:
    names = (document.name, *document.file_names, *(PurePath(n).stem for n in document.file_names))
    return keyword(name) in map(keyword, names)


def _told(documents: Sequence[Document]) -> str:
    told = [f"{document.id} ({document.name})" for document in documents[:_TOLD]]
    return ", ".join(told) + (" …" if len(documents) > _TOLD else "")
