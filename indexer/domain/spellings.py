"""What people call architectures, base labels, families, kinds and categories: typed text to stored values.

Case, blanks and punctuation do not matter: ``SD 1.5``, ``sd-1.5`` and ``sd15`` are one spelling.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from indexer.domain.text import fold
from indexer.domain.vocabulary import (
    BaseLabel,
    adapter_algorithms,
    architectures,
    base_labels,
    families,
    is_under,
    kinds,
    read_table,
)

__all__ = ["Meaning", "known_values", "meaning_of", "near_names", "plain", "unknown_note"]

_NEAR = 3
_NEAR_ENOUGH = 0.6
_LONGEST = 80
_LEAST_PART = 4


@dataclass(frozen=True, slots=True)
class Meaning:
    """The stored values that a typed one stands for; ``note`` tells people what was understood, if that may
    surprise."""

    values: tuple[str, ...]
    note: str = ""


def plain(text: str) -> str:
    """The spelling without case, blanks and punctuation; all of ``text`` where nothing else is in it."""
    return "".join(c for c in fold(text) if c.isalnum()) or text


def meaning_of(field: str, text: str) -> Meaning | None:
    """What ``text`` means as a value of the field named so; None where no table knows it."""
    table = _TABLES.get(field)
    if table is None:
        return None
    spelling = plain(text[:_LONGEST])
    return table().get(spelling) or _part(table(), spelling)


def unknown_note(field: str, text: str) -> str:
    """What to say of a spelling that no table knows, with what comes near; empty without a table."""
    table = _TABLES.get(field)
    if table is None:
        return ""
    told = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    near = near_names(text, {name: meaning.values[0] for name, meaning in table().items()})
    advice = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"No {_CALLED[field]} is known as {told!r}.{advice}"


def known_values(field: str) -> tuple[str, ...]:
    """Ids that a field with a vocabulary may hold, in the order of its table; empty for other fields."""
    ids = _IDS.get(field)
    return tuple(ids()) if ids else ()


def near_names(text: str, known: Mapping[str, str], count: int = _NEAR) -> list[str]:
    """What the spellings nearest to ``text`` stand for; ``known`` maps plain spellings to that."""
    near = difflib.get_close_matches(plain(text[:_LONGEST]), known, 2 * count, _NEAR_ENOUGH)
    return list(dict.fromkeys(known[name] for name in near))[:count]


def _part(table: Mapping[str, Meaning], spelling: str) -> Meaning | None:
    """What a piece of a name means, where all names with it mean the same: ``klein 9b``."""
    if len(spelling) < _LEAST_PART:
        return None
    values = {meaning.values for name, meaning in table.items() if spelling in name}
    return Meaning(values.pop()) if len(values) == 1 else None


_Spellings = Iterator[tuple[str, Meaning]]


def _first(spellings: Iterable[tuple[str, Meaning]]) -> Mapping[str, Meaning]:
    """By plain spelling; the first meaning given counts."""
    table: dict[str, Meaning] = {}
    for name, meaning in spellings:
        table.setdefault(plain(name), meaning)
    return table


def _architectures() -> _Spellings:
    """Names of whole generations, ids and titles, trainers' spellings; labels last, since their aliases name
    the commonest variant only."""
    yield from _several("architectures")
    for key, row in architectures().items():
        yield key, Meaning((key,))
        yield row.title, Meaning((key,))
    for key, spellings in read_table("trainers.toml")["spellings"].items():
        yield from ((spelling, Meaning((key,))) for spelling in spellings)
    for label in base_labels().values():
        if label.architecture and not label.family:
            yield from ((name, Meaning((label.architecture,))) for name in (label.id, *label.aliases))
    yield from _homes()


def _bases() -> _Spellings:
    """What loads on a family is what loads on its architecture: nothing surprising in that."""
    yield from ((name, Meaning(meaning.values)) for name, meaning in _architectures())


def _several(part: str) -> _Spellings:
    """Rows of ``spellings.toml``."""
    for name, ids in read_table("spellings.toml")[part].items():
        if name != "why":
            yield name, Meaning(tuple(ids))


def _homes() -> _Spellings:
    """Families as the architecture they live on."""
    for key, family in families().items():
        note = f"{family.title} is a family on {family.architecture}; family:{key} finds it alone."
        labels = [label for label in base_labels().values() if label.family == key]
        names = (
            key,
            family.title,
            *(n for label in labels for n in (label.id, *label.aliases)),
            *family.names,
        )
        yield from ((name, Meaning((family.architecture,), note)) for name in names)


def _labels() -> _Spellings:
    """A label as it stands; then all labels of an architecture or a family; then other spellings."""
    labels = base_labels().values()
    for name, meaning in _several("bases"):
        yield name, _spelt(base_labels()[id_] for id_ in meaning.values)
    for label in labels:
        yield label.id, _spelt((label,))
    for name, meaning in _architectures():
        if not meaning.note and (made := _made_for(meaning.values)):
            yield name, made
    for key, family in families().items():
        if found := [label for label in labels if label.family == key]:
            yield from ((name, _spelt(found)) for name in (key, family.title, *family.names))
    for label in labels:
        yield from ((alias, _spelt((label,))) for alias in label.aliases)


@cache
def _made_for(ids: tuple[str, ...]) -> Meaning | None:
    """The labels of these architectures and what stands below them."""
    made = ((label, label.architecture) for label in base_labels().values())
    found = [label for label, home in made if home and any(is_under(home, id_) for id_ in ids)]
    return _spelt(found) if found else None


def _spelt(labels: Iterable[BaseLabel]) -> Meaning:
    """The labels, and what else sidecars write for them."""
    return Meaning(tuple(dict.fromkeys(name for label in labels for name in (label.id, *label.aliases))))


def _families() -> _Spellings:
    rows = families()
    for key, row in rows.items():
        yield key, Meaning((key,))
        yield row.title, Meaning((key,))
    for label in base_labels().values():
        if label.family:
            yield from ((name, Meaning((label.family,))) for name in (label.id, *label.aliases))
    for name in dict.fromkeys(name for row in rows.values() for name in row.names):
        yield name, Meaning(tuple(key for key, row in rows.items() if name in row.names))


def _kinds() -> _Spellings:
    for key, row in kinds().items():
        yield key, Meaning((key,))
        yield row.title, Meaning((key,))
    for spelling, key in read_table("sidecars.toml")["kinds"].items():
        if spelling != "why":
            yield from ((name, Meaning((key,))) for name in (spelling, f"{spelling}s"))
    for key in kinds():
        yield f"{key}s", Meaning((key,))


def _adapters() -> _Spellings:
    for key, row in adapter_algorithms().items():
        yield key, Meaning((key,))
        yield row.title, Meaning((key,))


def _categories() -> _Spellings:
    """A spelling may stand for two categories: houses are told apart for adapters and checkpoints."""
    rows = read_table("categories.toml")["category"]
    for row in rows:
        yield row["id"], Meaning((row["id"],))
    for row in rows:
        for name in (*row["hub"], *row["tags"]):
            ids = (r["id"] for r in rows if name in r["hub"] or name in r["tags"])
            yield name, Meaning(tuple(dict.fromkeys(ids)))


_SPELT: Mapping[str, Callable[[], _Spellings]] = {
    "arch": _architectures,
    "fits": _bases,
    "base": _labels,
    "family": _families,
    "type": _kinds,
    "adapter": _adapters,
    "category": _categories,
}
_CALLED = {
    "arch": "architecture",
    "fits": "architecture",
    "base": "base label",
    "family": "family",
    "type": "type",
    "adapter": "adapter",
    "category": "category",
}
_IDS: Mapping[str, Callable[[], Iterable[str]]] = {
    "arch": architectures,
    "fits": architectures,
    "base": base_labels,
    "family": families,
    "type": kinds,
    "adapter": adapter_algorithms,
    "category": lambda: (row["id"] for row in read_table("categories.toml")["category"]),
}
_TABLES: Mapping[str, Callable[[], Mapping[str, Meaning]]] = {
    field: cache(lambda spelt=spelt: _first(spelt())) for field, spelt in _SPELT.items()
}
