"""Who may take a model's place, and how like is each? Over columns of all entries, a model at a time.

The same signals as ``plan_signals.Judge`` gives, for some hundred candidates at once; no document is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.compatibility import loads_on
from indexer.domain.filters import keyword
from indexer.domain.gist import about, shared_tags, title_words
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path, architectures
from indexer.indexes.gist import NO_RATING, GistIndex, digest, term
from search.plan_fit import Target, fit_of
from search.plan_signals import Rarities, likeness_of
from search.plan_table import load_plan_table

__all__ = ["Asked", "Columns", "Judged", "Word"]

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Word:
    """A word, what it tells, how many entries have it, and which (``GistIndex.with_word``)."""

    number: int
    weight: float
    frequency: int
    places: Sequence[tuple[int, NDArray[np.uint32]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A model that is to move, with what is compared of it."""

    document: Document
    about: Sequence[Word]
    names: Sequence[Sequence[Word]]
    tags: NDArray[np.uint32]
    title: int
    length: int
    creator: int
    category: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Candidates of a model: ``rows`` with their signals, a column each."""

    rows: Rows
    signals: Mapping[str, Column]

    def only(self, places: Rows | Mask) -> "Judged":
        """Some of them."""
        return Judged(self.rows[places], {name: column[places] for name, column in self.signals.items()})


class Columns:
    """Candidates on one target. ``hidden`` are flags of entries that are never offered."""

    def __init__(self, gists: GistIndex, target: Target, hidden: Collection[str]) -> None:
        self.gists, self._target = gists, target
        away = gists.flagged(("gone",)) & ~gists.flagged(("local",))
        self._shown = gists.live & ~gists.flagged(hidden) & ~away
        self._here = gists.flagged(("local",))
        self._masks: dict[tuple[str, ...], Mask] = {}
        self._rated: dict[tuple[tuple[str, ...], int], Rows] = {}
        self._fits: dict[tuple[int, int, int], float] = {}
        self._rarities = Rarities(len(gists), {})
        self._sums = np.zeros(len(gists), np.float32)
        self._by_title = np.argsort(gists.titles, kind="stable")
        self._by_creator = np.argsort(gists.creators, kind="stable")

    # ---------------------------------------------------------------- asking

    def asked(self, document: Document) -> Asked:
        """What is compared of a model."""
        title = tuple(sorted(title_words(document.name)))
        names = [title, *(title_words(phrase) for phrase in document.trigger_words)]
        words: dict[str, Word] = {}
        return Asked(
            document,
            self._words(about(document), words),
            [self._words(each, words) for each in dict.fromkeys(names) if each],
            np.array(sorted(map(term, shared_tags(document))), np.uint32),
            digest(*title) if title else 0,
            len(title),
            digest(keyword(document.creator)) if document.creator else 0,
            self.gists.code(document.category) if document.category else 0,
        )

    def _words(self, words: Sequence[str], known: dict[str, Word]) -> list[Word]:
        for word in words:
            if word not in known:
                places = self.gists.with_word(term(word))
                frequency = sum(len(rows) for _, rows in places)
                known[word] = Word(term(word), self._rarities.of(frequency), frequency, places)
        return [known[word] for word in words]

    def allowed(self, kinds: tuple[str, ...]) -> Mask:
        """Rows of these kinds that may be offered: they work on the target, and are there or at a hub."""
        if kinds not in self._masks:
            gists, table = self.gists, load_plan_table()
            base = any(table.kinds[kind].role == "base" for kind in kinds)
            sorts = gists.kinds.astype(np.uint64) << np.uint64(32) | gists.architectures
            every, which = np.unique(sorts, return_inverse=True)
            fitting = [self._fitting(int(sort), kinds, base) for sort in every.tolist()]
            mask = self._shown & np.array(fitting, np.bool_)[which] if len(every) else self._shown
            if base and self._target.family:
                mask &= gists.families == gists.code(self._target.family)
            self._masks[kinds] = mask
        return self._masks[kinds]

    def _fitting(self, sort: int, kinds: Sequence[str], base: bool) -> bool:
        kind, architecture = self.gists.names[sort >> 32], self.gists.names[sort & 0xFFFFFFFF] or None
        if kind not in kinds:
            return False
        path = architecture_path(architecture) if architecture in architectures() and architecture else ()
        return self._target.architecture in (path if base else loads_on(kind, architecture, path))

    # ---------------------------------------------------------------- finding

    def found(self, asked: Asked) -> Rows:
        """Rows that have the words of a model, its title, its creator, or are the best rated of its
        category; itself left out, ascending."""
        row = load_plan_table().kinds[asked.document.kind]
        mask = self.allowed(row.by)
        rows = [
            self._by_words(asked, mask),
            self._equal(self._by_title, self.gists.titles, asked.title, mask),
            self._equal(self._by_creator, self.gists.creators, asked.creator, mask),
            self._best_rated(row.by, asked.category, mask),
        ]
        if row.role == "base":
            rows.append(self._best_rated(row.by, -1, mask))  # a base always has a successor
        every: Rows = np.unique(np.concatenate(rows))
        others: Rows = every[self.gists.ids[every] != asked.document.id]
        return others

    def _by_words(self, asked: Asked, mask: Mask) -> Rows:
        """Those with most of the words, rare ones counting more; of equals the better filed and rated."""
        numbers, touched = load_plan_table().numbers, [np.zeros(0, np.int64)]
        left = int(numbers["looked_at"])
        for word in sorted(asked.about, key=lambda word: word.frequency):
            if word.frequency > left and len(touched) > 1:
                break
            left -= word.frequency
            for first, places in word.places:
                rows = places.astype(np.int64) + first
                before = self._sums[rows]
                self._sums[rows] = before + np.float32(word.weight)
                touched.append(rows[before == 0.0])
        met = np.concatenate(touched)
        rows = met[mask[met]]
        order = self._sums[rows] + self._liked(rows, asked.category)
        self._sums[met] = 0.0
        return rows[_highest(order, int(numbers["found_by_words"]))]

    def _liked(self, rows: Rows, category: int) -> NDArray[np.float32]:
        """Less than any word counts: what orders those with the same words."""
        same = (self.gists.categories[rows] == category).astype(np.float32)
        liked: NDArray[np.float32] = np.float32(0.1) * same + np.float32(0.01) * self.gists.ratings[rows]
        return liked

    def _equal(self, order: Rows, column: NDArray[np.uint64], value: int, mask: Mask) -> Rows:
        """The best rated of those that have a value in a column."""
        if not value:
            return np.zeros(0, np.int64)
        first = int(np.searchsorted(column, np.uint64(value), "left", sorter=order))
        last = int(np.searchsorted(column, np.uint64(value), "right", sorter=order))
        rows = order[first:last]
        return self._top_rated(rows[mask[rows]], int(load_plan_table().numbers["found_by_maker"]))

    def _best_rated(self, kinds: tuple[str, ...], category: int, mask: Mask) -> Rows:
        """The best rated of a category, -1 any; asked once."""
        key = kinds, category
        if key not in self._rated:
            rows = np.flatnonzero(mask if category < 0 else mask & (self.gists.categories == category))
            self._rated[key] = self._top_rated(rows, int(load_plan_table().numbers["found_by_rating"]))
        return self._rated[key]

    def _top_rated(self, rows: Rows, count: int) -> Rows:
        if len(rows) <= count:
            return rows
        return rows[np.lexsort((self.gists.ids[rows], -self.gists.ratings[rows]))[:count]]

    # ---------------------------------------------------------------- judging

    def judged(self, asked: Asked, rows: Rows) -> Judged:
        """The signals of candidates, without looks."""
        table, gists = load_plan_table(), self.gists
        signals = {"name": self._name(asked, rows), "text": self._text(asked, rows)}
        if (purpose := self._purpose(asked, rows)) is not None:
            signals["purpose"] = purpose
        ratings = gists.ratings[rows].astype(np.float64)
        signals["rating"] = np.where(
            ratings == NO_RATING, table.numbers["neutral_rating"], np.round(ratings, 4) / 5.0
        )
        signals["here"] = self._here[rows].astype(np.float64)
        if self._target.family is not None:
            signals["fit"] = np.array([self._fit(int(row)) for row in rows.tolist()], np.float64)
        return Judged(rows, signals)

    def nearness(self, document: Document, judged: Judged) -> tuple[Column, Column]:
        """How like each candidate is, and how good beside that."""
        weights, extras = likeness_of(document).weights, load_plan_table().extras
        like = {name: column for name, column in judged.signals.items() if name in weights}
        count = len(judged.rows)
        return _mean(like, weights, count), _mean(judged.signals, {**weights, **extras}, count)

    def same(self, asked: Asked, rows: Rows) -> tuple[Mask, Mask]:
        """Rows of the same title and creator; rows of the same title of which, or of which creator, nobody
        tells."""
        gists = self.gists
        titled = (gists.titles[rows] == np.uint64(asked.title)) & bool(asked.title)
        theirs = gists.creators[rows]
        made = titled & (theirs == np.uint64(asked.creator)) & bool(asked.creator)
        untold = (theirs == 0) | (not asked.creator)
        alike = gists.kinds[rows] == gists.code(asked.document.kind)
        # One word alone may be anybody's title.
        return made, titled & untold & alike & (asked.length > 1)

    def _text(self, asked: Asked, rows: Rows) -> Column:
        """Share of what the model is about that is said of a candidate. ``rows`` ascend."""
        met, total = np.zeros(len(rows)), 0.0
        for word in asked.about:
            total += word.weight
            for first, places in word.places:
                mine = slice(*np.searchsorted(rows, (first, first + int(places[-1]) + 1)).tolist())
                wanted = rows[mine] - first
                at = np.minimum(np.searchsorted(places, wanted.astype(np.uint32)), len(places) - 1)
                met[mine] += np.where(places[at] == wanted, word.weight, 0.0)
        return met / total if total else met

    def _name(self, asked: Asked, rows: Rows) -> Column:
        """Share of its title, or of one of its trigger phrases, that a candidate is called by."""
        words = np.array(sorted({word.number for phrase in asked.names for word in phrase}), np.uint32)
        if not len(words):
            return np.zeros(len(rows))
        shares = np.zeros((len(words), len(asked.names)))
        for number, phrase in enumerate(asked.names):
            total = sum(word.weight for word in phrase)
            for word in phrase:
                shares[np.searchsorted(words, np.uint32(word.number)), number] += word.weight / total
        called, owners = self.gists.called(rows)
        places = np.minimum(np.searchsorted(words, called), len(words) - 1)
        hits = words[places] == called
        has = np.zeros((len(rows), len(words)))
        has[owners[hits], places[hits]] = 1.0
        best: Column = (has @ shares).max(axis=1)
        titled = (self.gists.titles[rows] == np.uint64(asked.title)) & bool(asked.title)
        return np.where(titled, 1.0, best)

    def _purpose(self, asked: Asked, rows: Rows) -> Column | None:
        """Category and shared tags; None where neither is known of the model."""
        numbers, mine = load_plan_table().numbers, asked.category
        if not asked.document.category and not len(asked.tags):
            return None  # nothing to compare by
        theirs = self.gists.categories[rows]
        same = np.where(theirs == mine, numbers["same_category"], 0.0)
        category = np.where((theirs == 0) | (not asked.document.category), numbers["no_category"], same)
        if not len(asked.tags):
            return category * numbers["filed"]
        tags, owners = self.gists.tags(rows)
        places = np.minimum(np.searchsorted(asked.tags, tags), len(asked.tags) - 1)
        shared = np.bincount(owners[asked.tags[places] == tags], minlength=len(rows))
        count = np.bincount(owners, minlength=len(rows))
        # The cosine of two sets, so that many tags are no advantage.
        cosine = shared / np.sqrt(len(asked.tags) * np.maximum(count, 1))
        share = numbers["category"]
        purpose: Column = share * category + (1.0 - share) * cosine
        return purpose

    def _fit(self, row: int) -> float:
        """How well an entry does on the target."""
        gists = self.gists
        key = int(gists.kinds[row]), int(gists.architectures[row]), int(gists.families[row])
        if key not in self._fits:
            kind, architecture, family = (gists.names[code] for code in key)
            path = architecture_path(architecture) if architecture in architectures() else ()
            sample = Document(0, 0, "", "", kind, None, architecture or None, path, family or None)
            self._fits[key] = fit_of(sample, self._target).score
        return self._fits[key]


def _highest(values: NDArray[np.floating], count: int) -> Rows:
    """Places of the ``count`` highest."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]


def _mean(signals: Mapping[str, Column], weights: Mapping[str, float], count: int) -> Column:
    total = sum(weights[name] for name in signals)
    summed = sum((column * weights[name] for name, column in signals.items()), np.zeros(count))
    return summed / total if total else summed
