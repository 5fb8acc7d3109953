"""Which base is moved to, and which models are planned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.catalog import entries
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Not
from indexer.domain.spellings import meaning_of
from indexer.domain.vocabulary import architectures
from indexer.errors import UsageError
from indexer.indexes.text import TextQuery
from search.bases import wanted_base
from search.plan_fit import Target
from search.query import ParsedQuery
from search.safe import hidden_counts, kept_back, visible
from search.service import Pinakes

__all__ = ["Scope", "source_of", "target_of"]

_MOST = 1_000_000
_PLACES = frozenset(("local", "remote", "missing", "gone"))


def target_of(text: str) -> Target:
    """The base that ``text`` means. Raises ``UsageError`` (``architecture``) for what nobody knows, or what
    may mean several bases."""
    wanted = wanted_base(text)
    if wanted is None:
        raise UsageError("architecture", "Say which base to move to, such as --to flux2-klein-9b.")
    if wanted.family is not None:
        return Target(wanted.architecture, wanted.family)
    meaning = meaning_of("fits", text)
    several = meaning.values if meaning is not None else (wanted.architecture,)
    if len(several) == 1 and architectures()[several[0]].abstract:
        several = tuple(id_ for id_, row in architectures().items() if row.parent == several[0])
    if len(several) > 1:
        raise UsageError(
            "architecture",
            f"{text!r} may mean several bases that take different files. Choose one: {', '.join(several)}.",
        )
    return Target(several[0])


def source_of(text: str | None) -> str | None:
    """The architecture that is left behind; None for any. Raises ``UsageError`` (``architecture``)."""
    wanted = wanted_base(text)
    return wanted.architecture if wanted is not None else None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which entries are planned: those of the query that fit ``source``, and that are of ``named`` where
    entries are named one by one. Else those in the library, unless the query says where."""

    pinakes: Pinakes
    parsed: ParsedQuery
    source: str | None
    named: Sequence[int] | None

    @property
    def flags(self) -> tuple[str, ...]:
        """What keeps entries back, as in search."""
        return kept_back(self.pinakes.settings, self.parsed)

    def ids(self) -> list[int]:
        """Entries in the order of their ids; named ones in the order in which they are named."""
        where = And((visible(self.pinakes.settings, self.parsed), *self._filters()))
        query = TextQuery(self.parsed.terms, self.parsed.phrases, where)
        if query.spoken:
            found = set(self.pinakes.text.search(query, _MOST).ids)
        else:
            found = set(self.pinakes.text.matching(where, _MOST))
        return sorted(found) if self.named is None else [id_ for id_ in self.named if id_ in found]

    def hidden(self) -> tuple[int, Mapping[str, int]]:
        """How many entries are kept back, and how many for each reason; of named ones, of these."""
        if self.named is None:
            narrowed = And((self.parsed.where, *self._filters()))
            return hidden_counts(self.pinakes.text, replace(self.parsed, where=narrowed), self.flags)
        with self.pinakes.catalog.read() as session:
            documents = entries.documents(session, self.named)
        kept = [set(document.hidden) & set(self.flags) for document in documents.values()]
        counts = {flag: sum(flag in why for why in kept) for flag in self.flags}
        return sum(map(bool, kept)), {flag: count for flag, count in counts.items() if count}

    def _filters(self) -> Iterator[Filter]:
        if self.named is None and not _speaks_of_places(self.parsed.where):
            yield AnyOf(FIELDS["is"], ("local",))
        if self.source is not None:
            yield AnyOf(FIELDS["fits"], (self.source,))


def _speaks_of_places(node: Filter) -> bool:
    """Whether a filter says where models lie, or names one."""
    match node:
        case AnyOf(field, values):
            return field.name in ("source", "hash") or (field.name == "is" and bool(_PLACES & set(values)))
        case Not(inner):
            return _speaks_of_places(inner)
        case _:
            return any(map(_speaks_of_places, getattr(node, "nodes", ())))
