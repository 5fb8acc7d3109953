"""``pinakes lineage``: where a model comes from, what came of it, who resembles it; each with its source.

with Pinakes() as pinakes:
    print(trace_lineage(pinakes, "Atlas XL").ancestors)
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.catalog import lineage
from indexer.catalog.entries import documents
from indexer.catalog.lineage import Descent
from indexer.domain.lineage import MERGED
from indexer.domain.records import Document
from search.query import parse_query
from search.safe import kept_back
from search.service import Pinakes

__all__ = ["DEPTH", "Kin", "Lineage", "trace_lineage"]

DEPTH = 6
"""Generations that are followed up and down."""
_MOST_KIN = 500
"""Models that are named in each direction."""
_MOST_NAMED = 40
"""Children that are named of one parent; the others are counted."""


@dataclass(slots=True)
class Kin:
    """One relative. ``id`` is None where the library has no such model: ``name`` is then what is told of it.
    ``relation`` and ``source`` tell how it is linked to the one above it in the tree; ``sure`` by a hash or a
    hub's name. ``more`` counts relatives that are not named; ``again``: it stands elsewhere in the tree with
    its own."""

    name: str
    id: int | None = None
    version: str = ""
    kind: str | None = None
    architecture: str | None = None
    relation: str = ""
    source: str = ""
    sure: bool = True
    hash: str | None = None
    weight: float | None = None
    again: bool = False
    more: int = 0
    kin: list["Kin"] = field(default_factory=list)

    @property
    def told(self) -> str:
        """How it is linked, in words."""
        by = f"says {self.source}" if self.source else ""
        guess = "" if self.sure or self.id is None else ", found by its file's name alone"
        return f"{_RELATIONS.get(self.relation, self.relation)}{', ' if by else ''}{by}{guess}"

    def to_json(self) -> dict[str, Any]:
        """The relative with its own, as plain JSON data."""
        names = ("id", "name", "version", "kind", "architecture", "relation", "source", "sure", "hash")
        told = {name: getattr(self, name) for name in names}
        told |= {"weight": self.weight, "told": self.told, "again": self.again, "more": self.more}
        return told | {"kin": [one.to_json() for one in self.kin]}


_RELATIONS = {
    "trained_on": "trained on it",
    MERGED: "merged from it",
    "version": "another version of the same model",
    "same": "the same bytes or tensors",
    "near": "nearly the same weights",
}


@dataclass(frozen=True, slots=True)
class Lineage:
    """A model's relatives: trees of ``ancestors`` (each with its own ancestors) and ``descendants``, and
    ``siblings`` beside it."""

    document: Document
    ancestors: Sequence[Kin]
    descendants: Sequence[Kin]
    siblings: Sequence[Kin]
    more: int = 0

    def to_json(self) -> dict[str, Any]:
        """``{id, name, kind, architecture, ancestors, descendants, siblings, more}``; each relative is ``{id,
        name, version, kind, architecture, relation, source, sure, hash, weight, told, again, more, kin}``."""
        document = self.document
        return {
            "id": document.id,
            "name": document.name,
            "version": document.version,
            "kind": document.kind,
            "architecture": document.architecture,
            "ancestors": [one.to_json() for one in self.ancestors],
            "descendants": [one.to_json() for one in self.descendants],
            "siblings": [one.to_json() for one in self.siblings],
            "more": self.more,
        }


def trace_lineage(pinakes: Pinakes, what: int | str, *, depth: int = 3) -> Lineage:
    """The relatives of a model that an id, a name, a path or a hash means, ``depth`` generations up and down
    (at most 6). A few statements a generation, however many they are.

    Raises ``UsageError`` where nothing is meant.
    """
    document = pinakes.find(what)
    steps = max(1, min(depth, DEPTH))
    hidden = frozenset(kept_back(pinakes.settings, parse_query("")))
    tracer = _Tracer(pinakes, hidden)
    up, down = tracer.ancestors(document.id, steps), tracer.descendants(document.id, steps)
    return Lineage(document, up.kin, down.kin, tracer.siblings(document.id), down.more)


class _Tracer:
    """Walks the catalog generation by generation."""

    def __init__(self, pinakes: Pinakes, hidden: Collection[str]) -> None:
        self._catalog = pinakes.catalog
        self._hidden = hidden

    def ancestors(self, version_id: int, steps: int) -> Kin:
        """The tree of what it was made from, below a root without a name."""
        with self._catalog.read() as session:
            links = _generations(
                version_id, steps, lambda ids: _by(lineage.parents(session, ids), lambda one: one.child_id)
            )
            shown = documents(session, _ids(links))
        return self._tree(version_id, links, shown, up=True)

    def descendants(self, version_id: int, steps: int) -> Kin:
        """The tree of what was made from it, likewise."""
        with self._catalog.read() as session:
            links = _generations(
                version_id, steps, lambda ids: _by(lineage.children(session, ids), lambda one: one.parent_id)
            )
            shown = documents(session, _ids(links))
        return self._tree(version_id, links, shown, up=False)

    def siblings(self, version_id: int) -> list[Kin]:
        """Other versions of its model, and near-duplicates."""
        with self._catalog.read() as session:
            sisters = lineage.sister_versions(session, version_id)
            near = lineage.near_duplicates(session, version_id)
            shown = documents(session, {*sisters, *near})
        found: list[tuple[str, int, float | None]]
        found = [("version", id_, None) for id_ in sisters if id_ not in near]
        found += [("near" if factor is not None else "same", id_, factor) for id_, factor in near.items()]
        return [
            _known(Kin("", relation=relation, weight=factor), shown[id_])
            for relation, id_, factor in found[:_MOST_KIN]
            if id_ in shown and not set(shown[id_].hidden) & set(self._hidden)
        ]

    def _tree(self, root: int, links: "_Links", shown: Mapping[int, Document], *, up: bool) -> Kin:
        top = Kin("", root)
        waiting, met, count = [top], {root}, 0
        while waiting:
            above = waiting.pop(0)
            for one in links.get(above.id or 0, ()):
                kin = self._kin(one, shown, up=up)
                if kin is None:
                    continue
                if len(above.kin) >= _MOST_NAMED or count >= _MOST_KIN:
                    above.more += 1
                    continue
                count += 1
                above.kin.append(kin)
                if kin.id is None:
                    continue
                kin.again = kin.id in met
                if not kin.again:
                    met.add(kin.id)
                    waiting.append(kin)
        return top

    def _kin(self, one: Descent, shown: Mapping[int, Document], *, up: bool) -> Kin | None:
        """The relative; None where it is hidden by default, or shown no more."""
        id_ = one.parent_id if up else one.child_id
        parent = one.parent
        kin = Kin("", relation=parent.relation, source=parent.source, sure=one.sure)
        if id_ is None:
            kin.name = parent.name or f"a model with the hash {parent.hash}"
            kin.hash, kin.sure = parent.hash, False
            return kin
        document = shown.get(id_)
        if document is None or set(document.hidden) & set(self._hidden):
            return None
        return _known(kin, document)


_Links = dict[int, list[Descent]]
"""Of each version what leads on from it."""


def _known(kin: Kin, document: Document) -> Kin:
    kin.id, kin.name, kin.version = document.id, document.name, document.version
    kin.kind, kin.architecture = document.kind, document.architecture
    return kin


def _by(found: Iterable[Descent], key: Any) -> _Links:
    links: _Links = {}
    for one in found:
        links.setdefault(key(one), []).append(one)
    return links


def _generations(version_id: int, steps: int, step: Any) -> _Links:
    """Steps outwards until nothing new is met; circles end where they began."""
    links: _Links = {}
    fresh = {version_id}
    for _ in range(steps):
        found: _Links = step(fresh)
        links.update(found)
        met = {id_ for rows in found.values() for one in rows for id_ in (one.parent_id, one.child_id) if id_}
        fresh = {id_ for id_ in met if id_ not in links}
        if not fresh or len(links) > _MOST_KIN:
            break
    return links


def _ids(links: _Links) -> set[int]:
    return {id_ for rows in links.values() for one in rows for id_ in (one.parent_id, one.child_id) if id_}
