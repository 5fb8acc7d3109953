"""Safe by default: what is hidden unless it is asked for, and how much that was."""

from collections.abc import Callable, Iterator, Mapping

from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Not, Or
from indexer.indexes.text import TextIndex, TextQuery
from indexer.settings import Settings
from search.query import ParsedQuery

__all__ = ["HIDDEN", "hidden_counts", "kept_back", "visible"]

HIDDEN = ("adult", "real_person", "minor")
"""Flags that keep an entry back."""

_SHORTEST_HASH = 8
_NAMED: Mapping[str, Callable[[str], bool]] = {
    "hash": lambda value: len(value) >= _SHORTEST_HASH,
    "source": lambda value: ":" in value,  # not "civitai" or "local" as a whole
}
"""Fields by which a user names one model: it is shown whatever it is. A value that many share names none."""


def kept_back(settings: Settings, parsed: ParsedQuery) -> tuple[str, ...]:
    """The flags that keep entries back from this query: neither settings nor the query ask for them."""
    if _names_one(parsed.where):
        return ()
    asked = set(_flags_asked(parsed.where))
    if "nsfw" in parsed.fields:
        asked.add("adult")
    allowed = {
        "adult": settings.show_adult,
        "real_person": settings.show_people,
        "minor": settings.show_people,
    }
    return tuple(flag for flag in HIDDEN if not allowed[flag] and flag not in asked)


def _names_one(node: Filter) -> bool:
    """Whether only models that the user named can pass; ``-hash:…`` and ``ink OR hash:…`` name none."""
    match node:
        case AnyOf(field, values):
            return field.name in _NAMED and all(_NAMED[field.name](value) for value in values)
        case And(nodes):
            return any(map(_names_one, nodes))
        case Or(nodes):
            return bool(nodes) and all(map(_names_one, nodes))
        case _:
            return False


def visible(settings: Settings, parsed: ParsedQuery) -> Filter:
    """The query's filter, less what is kept back."""
    flags = kept_back(settings, parsed)
    return And((parsed.where, Not(AnyOf(FIELDS["is"], flags)))) if flags else parsed.where


def hidden_counts(
    text: TextIndex, parsed: ParsedQuery, flags: tuple[str, ...]
) -> tuple[int, Mapping[str, int]]:
    """How many matches ``flags`` keep back, and how many each of them (one may be counted under several)."""
    if not flags:
        return 0, {}
    where = And((parsed.where, AnyOf(FIELDS["is"], flags)))
    found = text.search(TextQuery(parsed.terms, parsed.phrases, where), 1, ("is",))
    counts = found.facets.get("is", {})
    return found.total, {flag: counts[flag] for flag in flags if counts.get(flag)}


def _flags_asked(node: Filter) -> Iterator[str]:
    """The ``is:`` flags that a filter speaks of anywhere, also inside NOT."""
    match node:
        case AnyOf(field, values) if field.name == "is":
            yield from values
        case Not(inner):
            yield from _flags_asked(inner)
        case _:
            for child in getattr(node, "nodes", ()):
                yield from _flags_asked(child)
