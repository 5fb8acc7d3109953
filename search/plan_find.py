"""What could take a model's place on the target? Candidates by words, by look, by rating and by being the
same model, for a batch of models at a time: a fixed number of small questions a model, whatever the catalog
holds.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import entries, planning
from indexer.catalog.database import Catalog
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, keyword
from indexer.domain.hub_links import read_link
from indexer.domain.records import Document
from indexer.indexes.text import TextHits, TextIndex, TextQuery
from search.plan import Candidate, Found
from search.plan_fit import Target
from search.plan_looks import StyleLooks
from search.plan_signals import Features, Judge, Rarities, features_of
from search.plan_table import load_plan_table
from search.plan_words import about, called, title_words

__all__ = ["Finder"]

_MOST = 1_000_000
_SAME = 8
_NAMED = 6
_THREADS = 2
_LINKS = 10
_PROBED = 24
"""Words whose frequency is asked for at once; engines look at no more."""

_SMOOTH = 10.0
"""Of reciprocal rank fusion: the first of one list is not worth all of another."""
_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]{1,500}")
_PAGE_READ = 50_000
"""Characters of a description in which links are looked for."""

_Why = dict[int, str]


@dataclass(slots=True)
class _Wanted:
    """A model on its way: ``ranks`` says how well each candidate was placed, ``same`` why it is the same."""

    document: Document
    ranks: dict[int, float]
    same: _Why

    def add(self, ids: Iterable[int]) -> None:
        for place, id_ in enumerate(ids):
            self.ranks[id_] = self.ranks.get(id_, 0.0) + 1.0 / (_SMOOTH + place)


class Finder:
    """Candidates on one target. ``hidden`` are flags of entries that are kept back and never offered."""

    def __init__(
        self, text: TextIndex, catalog: Catalog, looks: StyleLooks, target: Target, hidden: Collection[str]
    ) -> None:
        self._text, self._catalog, self._looks, self._target = text, catalog, looks, target
        self._hidden = (*hidden, "nonfunctional", "missing")
        self._allowed: dict[tuple[str, ...], NDArray[np.int64]] = {}
        self._rated: dict[tuple[tuple[str, ...], str | None], tuple[int, ...]] = {}
        self._documents = text.count()
        self._frequencies: dict[str, int] = {}

    def find(self, documents: Sequence[Document]) -> dict[int, Found]:
        """Id -> what was found for it, best first. Ask for some hundred at a time."""
        self._learn(documents)
        with ThreadPoolExecutor(_THREADS) as pool:  # the engine searches outside of Python's lock
            wanted = {one.document.id: one for one in pool.map(self.by_words, documents)}
        self._by_look(wanted)
        self._by_page(wanted)
        self._by_link(wanted)
        return self._judged(wanted)

    # ---------------------------------------------------------------- retrieval

    def where(self, kinds: Sequence[str]) -> Filter:
        """What may be offered: works on the target, is of one of the kinds, is there or at a hub."""
        base = any(load_plan_table().kinds[kind].role == "base" for kind in kinds)
        fits = AnyOf(FIELDS["arch" if base else "fits"], (keyword(self._target.architecture),))
        nodes: list[Filter] = [
            fits,
            AnyOf(FIELDS["type"], tuple(kinds)),
            Not(AnyOf(FIELDS["is"], self._hidden)),
        ]
        if base and self._target.family:
            nodes.append(AnyOf(FIELDS["family"], (self._target.family,)))
        gone = And((AnyOf(FIELDS["is"], ("gone",)), Not(AnyOf(FIELDS["is"], ("local",)))))
        return And((*nodes, Not(gone)))

    def by_words(self, document: Document) -> _Wanted:
        """A model with what words and ratings bring for it."""
        numbers = load_plan_table().numbers
        kinds = load_plan_table().kinds[document.kind].by
        where = self.where(kinds)
        terms = self._telling(about(document), int(numbers["words"]))
        wanted = _Wanted(document, {}, {})
        if terms:
            wanted.add(self._asked(terms, where, int(numbers["found_by_words"])).ids)
        wanted.add(self._named(document, where))
        wanted.add(self._best_rated(document.category, kinds))
        if load_plan_table().kinds[document.kind].role == "base":
            wanted.add(self._best_rated(None, kinds))  # a base always has a successor
        wanted.ranks.pop(document.id, None)
        return wanted

    def _learn(self, documents: Sequence[Document]) -> None:
        """How many entries have each word that these models are about, as far as the engine tells."""
        words = {word for document in documents for word in (*about(document), *called(document))}
        unknown = sorted(words - self._frequencies.keys())
        for start in range(0, len(unknown), _PROBED):
            terms = tuple(unknown[start : start + _PROBED])
            # No entry passes: only the frequencies are wanted.
            found = self._text.search(TextQuery(terms, (), Or(())), 1).evidence
            self._documents = found.documents or self._documents
            self._frequencies |= {term: found.frequencies.get(term, 0) for term in terms}

    def _telling(self, words: Sequence[str], count: int) -> tuple[str, ...]:
        """The rarest words, of those that more than the model itself has: common ones cost most and tell
        least."""
        shared = [word for word in words if self._frequencies.get(word, 0) != 1]
        rare = sorted(shared, key=lambda word: self._frequencies.get(word, 0))[:count]
        return tuple(word for word in shared if word in rare)

    def _asked(self, terms: Sequence[str], where: Filter, count: int) -> TextHits:
        return self._text.search(TextQuery(tuple(terms), (), where), count)

    def _named(self, document: Document, where: Filter) -> tuple[int, ...]:
        """Models of the same creator with words of its title."""
        if not document.creator:
            return ()
        theirs = And((where, AnyOf(FIELDS["creator"], (keyword(document.creator),))))
        return self._asked(title_words(document.name)[:_NAMED], theirs, _SAME).ids

    def _best_rated(self, category: str | None, kinds: tuple[str, ...]) -> tuple[int, ...]:
        """The best rated of a category; asked once."""
        key = kinds, category
        if key not in self._rated:
            where = self.where(kinds)
            if category is not None:
                where = And((where, AnyOf(FIELDS["category"], (keyword(category),))))
            query = TextQuery((), (), where, order="rating")
            self._rated[key] = self._text.search(query, int(load_plan_table().numbers["found_by_rating"])).ids
        return self._rated[key]

    def _by_look(self, wanted: Mapping[int, _Wanted]) -> None:
        groups: dict[tuple[str, ...], list[int]] = {}
        for id_, one in wanted.items():
            groups.setdefault(load_plan_table().kinds[one.document.kind].by, []).append(id_)
        count = int(load_plan_table().numbers["found_by_look"])
        for kinds, ids in groups.items():
            if not self._looks.seen(ids):
                continue
            for id_, others in self._looks.nearest(ids, self._offered(kinds), count).items():
                wanted[id_].add(others)

    def _offered(self, kinds: tuple[str, ...]) -> NDArray[np.int64]:
        """Ids of all that may be offered, ascending; asked once."""
        if kinds not in self._allowed:
            self._allowed[kinds] = np.unique(
                np.array(self._text.matching(self.where(kinds), _MOST), np.int64)
            )
        return self._allowed[kinds]

    def _by_page(self, wanted: Mapping[int, _Wanted]) -> None:
        """Other versions on the same page of a hub."""
        with self._catalog.read() as session:
            pages = planning.sisters(session, {one.document.model_id for one in wanted.values()})
        for one in wanted.values():
            for id_ in pages.get(one.document.model_id, ()):
                if id_ != one.document.id:
                    one.same.setdefault(id_, "a version of the same page")

    def _by_link(self, wanted: Mapping[int, _Wanted]) -> None:
        """Models that the description points to."""
        linked = {id_: _links(one.document) for id_, one in wanted.items()}
        keys = sorted({key for links in linked.values() for key in links})
        if not keys:
            return
        found = self._text.matching(AnyOf(FIELDS["source"], tuple(keys)), _MOST)
        with self._catalog.read() as session:
            documents = entries.documents(session, found[: 50 * len(wanted)])
        owners: dict[str, list[Document]] = {}
        for document in documents.values():
            for key in document.source_ids:
                owners.setdefault(keyword(key), []).append(document)
        for id_, links in linked.items():
            one = wanted[id_]
            for other in (other for key in links for other in owners.get(key, ())):
                if other.id != id_ and _succeeds(one.document, other):
                    one.same.setdefault(other.id, "its page names it")

    # ---------------------------------------------------------------- judging

    def _judged(self, wanted: Mapping[int, _Wanted]) -> dict[int, Found]:
        compared = int(load_plan_table().numbers["compared"])
        chosen: dict[int, list[int]] = {}
        for id_, one in wanted.items():
            best = sorted(one.ranks, key=lambda other: (-one.ranks[other], other))[:compared]
            chosen[id_] = list(dict.fromkeys((*one.same, *best)))
        with self._catalog.read() as session:
            documents = entries.documents(session, {other for ids in chosen.values() for other in ids})
        offered = {
            id_: [documents[other] for other in ids if self._may(wanted[id_], documents.get(other))]
            for id_, ids in chosen.items()
        }
        styles = self._looks.scores({id_: [other.id for other in ones] for id_, ones in offered.items()})
        rarities = Rarities(self._documents, self._frequencies)
        features = {id_: features_of(document) for id_, document in documents.items()}
        return {
            id_: self._found(wanted[id_], ones, styles.get(id_), rarities, features)
            for id_, ones in offered.items()
        }

    def _may(self, one: _Wanted, other: Document | None) -> bool:
        """Whether an entry may be offered. What the index brought may: it was asked for nothing else. Pages
        and links name everything."""
        if other is None or other.id == one.document.id:
            return False
        return other.id not in one.same or self.where(load_plan_table().kinds[one.document.kind].by).match(
            other
        )

    def _found(
        self,
        one: _Wanted,
        others: Sequence[Document],
        styles: Mapping[int, float] | None,
        rarities: Rarities,
        features: Mapping[int, Features],
    ) -> Found:
        unseen = load_plan_table().numbers["unseen"]
        judge = Judge(one.document, self._target, rarities)
        same: list[Candidate] = []
        near: list[Candidate] = []
        for other in others:
            theirs = features[other.id]
            why = one.same.get(other.id) or _same_model(one.document, other, judge.title == theirs.title)
            style = None if styles is None else styles.get(other.id, unseen)
            (same if why else near).append(judge.candidate(other, theirs, style, why))
        return Found(_ordered(same), _ordered(near))


def _ordered(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda one: (-one.score, one.document.id)))


def _same_model(document: Document, other: Document, same_title: bool) -> str:
    """Why two entries are one model for two bases; empty where they are not."""
    if not same_title:
        return ""
    creators = {keyword(one.creator) for one in (document, other) if one.creator}
    if len(creators) == 1 and document.creator and other.creator:
        return "the same creator and title"
    # Files without a sidecar tell no creator; one word alone may be anybody's title.
    if len(creators) < 2 and len(title_words(document.name)) > 1 and document.kind == other.kind:
        return "the same title, though not both tell who made them"
    return ""


def _succeeds(document: Document, other: Document) -> bool:
    """Whether a link means a successor: pages link to helpers and bases, too."""
    creator = keyword(document.creator or "")
    return document.kind == other.kind and bool(creator) and creator == keyword(other.creator or "")


def _links(document: Document) -> list[str]:
    """Ids, as ``source`` has them, of what the description links to."""
    addresses = _ADDRESS.findall(document.description[:_PAGE_READ])[:_LINKS]
    found = (read_link(address) for address in addresses)
    return [keyword(id_) for link in found if link for id_ in link.ids]
