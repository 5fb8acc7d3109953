"""What could take a model's place on the target? Candidates by words, by look, by rating and by being the
same model, for a batch of models at a time. Documents are read of those only that may be shown.
"""

import html
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import entries, planning
from indexer.catalog.database import Catalog
from indexer.domain.fields import FIELDS
from indexer.domain.filters import AnyOf, keyword
from indexer.domain.hub_links import read_link
from indexer.domain.records import Document
from indexer.indexes.gist import GistIndex
from indexer.indexes.text import TextIndex
from search.plan import Candidate, Found
from search.plan_columns import Asked, Columns, Judged
from search.plan_fit import Target
from search.plan_looks import StyleLooks
from search.plan_signals import likeness_of
from search.plan_table import load_plan_table

__all__ = ["Finder"]

_MOST = 1_000_000
_LINKS = 10
_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]{1,500}")
_PAGE_READ = 50_000
"""Characters of a description in which links are looked for."""

_CREATOR = "the same creator and title"
_TITLE = "the same title, though not both tell who made them"

Rows = NDArray[np.int64]


@dataclass(slots=True)
class _Wanted:
    """A model on its way: its candidates, and of ids why they are the ``same`` model."""

    asked: Asked
    judged: Judged
    same: dict[int, str] = field(default_factory=dict)
    nearness: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    score: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


class Finder:
    """Candidates on one target. ``hidden`` are flags of entries that are kept back and never offered."""

    def __init__(
        self,
        text: TextIndex,
        catalog: Catalog,
        looks: StyleLooks,
        gists: GistIndex,
        target: Target,
        hidden: Collection[str],
    ) -> None:
        self._text, self._catalog, self._looks, self._gists = text, catalog, looks, gists
        self._columns = Columns(gists, target, (*hidden, "nonfunctional", "missing"))
        self._offered: dict[tuple[str, ...], Rows] = {}

    def find(self, documents: Sequence[Document]) -> dict[int, Found]:
        """Id -> what was found for it, best first. Ask for some hundred at a time."""
        for kinds in {load_plan_table().kinds[document.kind].by for document in documents}:
            self._seen_of(kinds)
        with ThreadPoolExecutor(1) as pool:  # the vector index searches outside of Python's lock
            looking = pool.submit(self._by_look, documents)
            pages, links = self._by_page(documents), self._by_link(documents)
            found = [self._by_words(document) for document in documents]
            looks = looking.result()
        wanted = {
            asked.document.id: self._compared(
                asked, rows, pages[asked.document.id] | links.get(asked.document.id, {}), looks
            )
            for asked, rows in found
        }
        self._look(wanted)
        chosen = {id_: self._choose(one) for id_, one in wanted.items()}
        ids = self._gists.ids
        read = {int(ids[row]) for id_, places in chosen.items() for row in wanted[id_].judged.rows[places]}
        with self._catalog.read() as session:
            read_documents = entries.documents(session, read)
        return {id_: self._found(one, chosen[id_], read_documents) for id_, one in wanted.items()}

    # ---------------------------------------------------------------- retrieval

    def _by_words(self, document: Document) -> tuple[Asked, Rows]:
        """A model with what words, titles, creators and ratings bring for it."""
        asked = self._columns.asked(document)
        return asked, self._columns.found(asked)

    def _by_look(self, documents: Sequence[Document]) -> dict[int, list[int]]:
        """Id -> entries that look most like it, of those that may be offered."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for document in documents:
            groups.setdefault(load_plan_table().kinds[document.kind].by, []).append(document.id)
        count = int(load_plan_table().numbers["found_by_look"])
        found: dict[int, list[int]] = {}
        for kinds, ids in groups.items():
            found |= self._looks.nearest(ids, self._seen_of(kinds), count)
        return found

    def _seen_of(self, kinds: tuple[str, ...]) -> Rows:
        """Ids of all that may be offered and have pictures, ascending; asked once."""
        if kinds not in self._offered:
            self._offered[kinds] = self._looks.seen(self._gists.ids[self._columns.allowed(kinds)])
        return self._offered[kinds]

    def _by_page(self, documents: Sequence[Document]) -> dict[int, dict[int, str]]:
        """Id -> other versions on the same page of a hub."""
        with self._catalog.read() as session:
            pages = planning.sisters(session, {document.model_id for document in documents})
        return {
            document.id: dict.fromkeys(pages.get(document.model_id, ()), "a version of the same page")
            for document in documents
        }

    def _by_link(self, documents: Sequence[Document]) -> dict[int, dict[int, str]]:
        """Id -> models that its description points to."""
        with self._catalog.read() as session:
            texts = planning.page_texts(session, {document.id: document.model_id for document in documents})
        linked = {d.id: _links((*texts.get(d.id, ()), d.description)) for d in documents}
        keys = sorted({key for links in linked.values() for key in links})
        if not keys:
            return {}
        there = self._text.matching(AnyOf(FIELDS["source"], tuple(keys)), _MOST)
        with self._catalog.read() as session:
            read = entries.documents(session, there[: 50 * len(documents)])
        owners: dict[str, list[Document]] = {}
        for document in read.values():
            for key in document.source_ids:
                owners.setdefault(keyword(key), []).append(document)
        return {
            document.id: {
                other.id: "its page names it"
                for key in linked[document.id]
                for other in owners.get(key, ())
                if _succeeds(document, other)
            }
            for document in documents
        }

    # ---------------------------------------------------------------- judging

    def _compared(
        self, asked: Asked, found: Rows, told: Mapping[int, str], alike: Mapping[int, Sequence[int]]
    ) -> _Wanted:
        """A model with the best of its candidates, compared by all but their looks."""
        columns, gists, document = self._columns, self._gists, asked.document
        looks = alike.get(document.id, ())
        mask = columns.allowed(load_plan_table().kinds[document.kind].by)
        beside = gists.rows_of([*told, *looks])
        rows = np.union1d(found, beside[mask[beside]])
        rows = rows[gists.ids[rows] != document.id]
        judged = columns.judged(asked, rows)
        made, titled = columns.same(asked, rows)
        why = {int(id_): _TITLE for id_ in gists.ids[rows[titled]].tolist()}
        why |= {int(id_): _CREATOR for id_ in gists.ids[rows[made]].tolist()} | dict(told)
        _, score = columns.nearness(document, judged)
        kept = np.isin(gists.ids[rows], [*why, *looks])
        kept[np.lexsort((rows, -score))[: int(load_plan_table().numbers["seen"])]] = True
        return _Wanted(asked, judged.only(kept), why)

    def _look(self, wanted: Mapping[int, _Wanted]) -> None:
        """Compare the looks too, where the model has pictures; then say how near and good each is."""
        ids = self._gists.ids
        scores = self._looks.scores({id_: ids[one.judged.rows].tolist() for id_, one in wanted.items()})
        for id_, one in wanted.items():
            if id_ in scores:
                style = np.array([scores[id_].get(int(other), _unseen()) for other in ids[one.judged.rows]])
                one.judged = Judged(one.judged.rows, {**one.judged.signals, "style": style})
            near, score = self._columns.nearness(one.asked.document, one.judged)
            one.nearness, one.score = np.round(near, 4), np.round(score, 4)

    def _choose(self, one: _Wanted) -> Rows:
        """Places of those that may be shown, best first: the same model, and of others those near enough, or
        the few that come nearest."""
        table, document = load_plan_table(), one.asked.document
        ids = self._gists.ids[one.judged.rows]
        order = np.lexsort((ids, -one.score))
        same = np.isin(ids, list(one.same))[order]
        near, count = one.nearness[order], int(table.numbers["candidates"])
        whole = table.kinds[document.kind].role != "addon"
        enough = ~same & (near >= likeness_of(document).near)
        hints = ~same & (near >= table.numbers["hint"])
        if whole or same.any():
            enough = ~same
        others = order[enough if enough.any() else hints]
        _, firsts = np.unique(self._gists.models[one.judged.rows[others]], return_index=True)
        return np.concatenate([order[same][:count], others[np.sort(firsts)][:count]])  # a page counts once

    def _found(self, one: _Wanted, places: Rows, documents: Mapping[int, Document]) -> Found:
        same: list[Candidate] = []
        near: list[Candidate] = []
        names = list(one.judged.signals)
        for place in places.tolist():
            document = documents.get(int(self._gists.ids[one.judged.rows[place]]))
            if document is None:
                continue  # it went away while the plan was made
            why = one.same.get(document.id, "")
            signals = {name: _told(one.judged.signals[name][place]) for name in names}
            candidate = Candidate(document, float(one.score[place]), float(one.nearness[place]), signals, why)
            (same if why else near).append(candidate)
        return Found(tuple(same), tuple(near))


def _unseen() -> float:
    return load_plan_table().numbers["unseen"]


def _told(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)


def _succeeds(document: Document, other: Document) -> bool:
    """Whether a link means a successor: pages link to helpers and bases, too."""
    creator = keyword(document.creator or "")
    return document.kind == other.kind and bool(creator) and creator == keyword(other.creator or "")


def _links(texts: Iterable[str]) -> list[str]:
    """Ids, as ``source`` has them, of what descriptions link to."""
    addresses = (found for text in texts for found in _ADDRESS.findall(text[:_PAGE_READ]))
    links = map(read_link, dict.fromkeys(html.unescape(address) for address in addresses))
    return [keyword(id_) for link in islice(filter(None, links), _LINKS) for id_ in link.ids]
