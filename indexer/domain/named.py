"""A model named outright: by a hub's address, an AIR, a hash or a file's name. Each becomes a filter."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Or, Words, keyword
from indexer.domain.hub_links import HubLink, read_air, read_link
from indexer.domain.hubs import hash_values
from indexer.domain.text import words
from indexer.domain.vocabulary import read_table

__all__ = ["Named", "named_by", "named_by_file", "named_by_hash", "named_by_hub"]

_HASH = re.compile(r"(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,64}", re.IGNORECASE)
_LONGEST = 512
_MAX_FOLDERS = 8


@dataclass(frozen=True, slots=True)
class Named:
    """What was named: the filter, the same in the query language, the field that it asks, and what to tell
    people who find nothing."""

    where: Filter
    clause: str
    field: str
    note: str = ""


def named_by(text: str) -> Named | None:
    """The model that ``text`` names by address, AIR, hash or file name; None for words."""
    found = named_by_hub(text) or named_by_hash(text)
    return found or named_by_file(text)


def named_by_hub(text: str) -> Named | None:
    """The model, file, creator or tag that a hub's address or an AIR names."""
    link = read_link(text) or read_air(text)
    if link is None:
        return None
    if link.hash:
        return Named(AnyOf(FIELDS["hash"], hash_values(link.hash)), f"hash:{link.hash.lower()}", "hash")
    for field, value in (("creator", link.creator), ("tag", link.tag)):
        if value:
            return Named(AnyOf(FIELDS[field], (keyword(value),)), f'{field}:"{value}"', field)
    where: Filter = AnyOf(FIELDS["source"], tuple(map(keyword, link.ids)))
    if link.file:
        where = _file_of(link, where)
    note = (
        ""
        if not (link.version and link.model)
        else (f"Read as one version; source:{link.hub}:{link.model} finds all versions of that model.")
    )
    return Named(where, f"source:{link.ids[0]}", "source", note)


def named_by_hash(text: str) -> Named | None:
    """The file of a hash of any kind, or of its first eight digits or more."""
    if _HASH.fullmatch(text) is None:
        return None
    values = hash_values(text)
    note = f'{text} was read as a hash; for the word itself write "{text}".'
    return Named(AnyOf(FIELDS["hash"], values), f"hash:{values[0]}", "hash", note)


def named_by_file(text: str) -> Named | None:
    """The model whose file is called so, folders before the name left aside."""
    name = text.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if not stem or len(name) > _LONGEST or f"{dot}{ending}".lower() not in _endings():
        return None
    found = tuple(words(name, glued=False))
    if len(found) < 2:
        return None  # signs alone, and the ending
    note = f"{name} was read as the name of a file; leave {dot}{ending} away to search its words everywhere."
    return Named(Words(FIELDS["file"], found, phrase=True), f'file:"{name}"', "file", note)


def _file_of(link: HubLink, repository: Filter) -> Filter:
    """A file in a repository: the version that is this file or a folder it lies in, or a copy of ours with
    its name."""
    found = tuple(words(link.file.rpartition("/")[2] if link.file else "", glued=False))
    inside = tuple(keyword(f"{id_}@{place}") for id_ in link.ids for place in _places(link.file or ""))
    versions = AnyOf(FIELDS["source"], inside)
    return Or((versions, And((repository, Words(FIELDS["file"], found, phrase=True))))) if found else versions


def _places(path: str) -> Iterator[str]:
    """The path, the folders it lies in, nearest first, and ``.``, the whole repository."""
    yield path
    parts = path.split("/")[:-1][:_MAX_FOLDERS]
    yield from ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    yield "."


@cache
def _endings() -> frozenset[str]:
    return frozenset(read_table("extensions.toml"))
