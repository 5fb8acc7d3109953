"""Which model made such a picture? A pasted prompt beside the prompts of candidates' own pictures.

Who makes models writes prompts alike: the same tags in the same order, as long, with or without underscores.
A model therefore counts by its own prompts, by those of its creator, and by what its texts say. What each is
worth stands in ``ranking.toml``. Pure; the same for every text engine.
"""

from collections.abc import Mapping, Sequence
from math import log
from operator import mul
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.domain.prompt_cut import HABITS, MAX_PROMPTS, TEXTS, number, read_prompt
from indexer.indexes.prompt_columns import NUMBERS, Floats, Ints, columns_of, rarities
from indexer.indexes.prompt_makers import PRIOR, Makers
from search.weights import table_of

__all__ = ["FEATURES", "Asking", "Entry", "scored", "summed"]

_PLAIN = (
    *("tags", "likely", "unseen", "maker_tags", "maker_pairs", "maker_likely", "maker_share"),
    *("named", "tagged", "described", "called"),
    *("length", "listing", "maker_joined"),
)
_BY_LENGTH = (
    *("tags", "likely", "maker_tags", "maker_pairs", "maker_likely", "maker_share"),
    *("named", "tagged", "described"),
)
_WHERE_UNSEEN = ("maker_tags", "maker_pairs", "maker_likely", "named", "described")

FEATURES = (
    *_PLAIN,
    *(f"long_{name}" for name in _BY_LENGTH),
    *(f"unseen_{name}" for name in _WHERE_UNSEEN),
)
"""Names of what is compared, rows of ``ranking.toml``. What something is worth depends on how long the prompt
is (``long_…``: times the logarithm of its words by ``_MIDDLING``) and on whether the model has prompts of its
own (``unseen_…``: it has none)."""

_MIDDLING = 15

_COMMON = 4.0  # about the rarity of a word that one entry in fifty has
_SUMMED = 20.0
_OWN = 60.0
"""So many words of prompts that nobody saw are added to a model's own, spread as its creator's are, as
``PRIOR`` are to a creator's."""
_MOST = 0xFFFF


class Entry(NamedTuple):
    """One candidate: ``fold`` is the same for versions of a model; ``maker`` its creator, empty unknown;
    ``numbers`` are those of ``prompt_cut.cut``."""

    fold: int
    maker: str
    numbers: bytes


class Asking:
    """One pasted prompt, asked of a pool of entries. ``worths`` maps the words that are looked for to how
    rare they are (``domain.evidence.rarity``)."""

    def __init__(self, text: str, worths: Mapping[str, float]) -> None:
        self.prompt = read_prompt(text)
        self.parts = [_numbers(part) for part in self.prompt.parts]
        self.worths = np.zeros(NUMBERS)
        for word, worth in worths.items():
            self.worths[number(word)] = max(worth, self.worths[number(word)])
        self.total = sum(worths.values()) or 1.0

    @property
    def words(self) -> Ints:
        """The numbers of the prompt's words."""
        return self.parts[0]

    def features(self, entries: Sequence[Entry], makers: Makers) -> dict[int, tuple[float, ...]]:
        """What speaks for each model among the entries, by its fold: values of ``FEATURES``. ``makers``
        tells what was counted of all prompts, and of the prompts of their creators."""
        if not entries:
            return {}
        pool = _Pool(entries, makers)
        found = {**self._alike(pool), **self._likely(pool), **self._texts(pool), **self._habits(pool)}
        found["unseen"] = (pool.prompts == 0) * 1.0
        found["maker_share"] = -np.log1p(pool.of_makers(np.bincount(pool.maker), makers.entries))[pool.maker]
        long = log(max(1, len(self.prompt.words)) / _MIDDLING)
        found |= {f"long_{name}": found[name] * long for name in _BY_LENGTH}
        found |= {f"unseen_{name}": found[name] * found["unseen"] for name in _WHERE_UNSEEN}
        columns = np.stack([found[name] for name in FEATURES], axis=1)
        return dict(zip(pool.folds, map(tuple, columns.tolist()), strict=True))

    def _alike(self, pool: "_Pool") -> dict[str, Floats]:
        """How alike tags are on the mean, and tags and pairs of the creator's best prompt."""
        tags, pairs = (pool.cosines(kind, self.parts[kind]) for kind in (1, 2))
        mean = np.bincount(pool.unit_model, tags, len(pool.folds)) / np.maximum(1, pool.prompts)
        return {"tags": mean, "maker_tags": pool.maker_best(tags), "maker_pairs": pool.maker_best(pairs)}

    def _likely(self, pool: "_Pool") -> dict[str, Floats]:
        """How much likelier a word of the prompt is in those of the creator than in all, and in those of the
        model than in those of the creator: mean logarithms over words."""
        count = max(1, len(self.words))
        asked = pool.counted.words
        values, units = pool.parts(0)
        place = np.full(NUMBERS, -1)
        place[asked] = np.arange(len(asked))
        models = pool.unit_model[units]
        hits = np.flatnonzero(place[values] >= 0)
        words, model = place[values[hits]], models[hits]
        own = _table(words, model, len(asked), len(pool.folds))
        makers = int(pool.maker.max()) + 1
        theirs = pool.of_makers(_table(words, pool.maker[model], len(asked), makers), pool.counted.table)
        in_model = np.bincount(models, minlength=len(pool.folds))
        in_maker = pool.of_makers(np.bincount(pool.maker[models], minlength=makers), pool.counted.lengths)
        every = pool.counted.counts.shares(asked)[:, None]
        by_maker = (theirs + PRIOR * every) / (in_maker + PRIOR)
        by_model = (own + _OWN * by_maker[:, pool.maker]) / (in_model + _OWN)
        maker = np.log(by_maker / every).sum(axis=0) / count
        return {
            "maker_likely": maker[pool.maker],
            "likely": np.log(by_model / by_maker[:, pool.maker]).sum(axis=0) / count,
        }

    def _texts(self, pool: "_Pool") -> dict[str, Floats]:
        """What words of the prompt in a model's name, tags and description are worth, and how rare the rarest
        of its trigger words and file names is."""
        count = len(pool.folds)
        texts, models, values = pool.met(self.worths > 0)
        worths = self.worths[values]
        named, tagged, told = (
            np.bincount(models[texts == place], worths[texts == place], count) for place in range(3)
        )
        called = texts == TEXTS.index("called")
        rarest = np.zeros(count)
        np.maximum.at(rarest, models[called], worths[called])
        return {
            "named": named / _SUMMED,
            "tagged": tagged / _SUMMED,
            "described": told / self.total,
            "called": np.maximum(0.0, rarest - _COMMON) / 10,
        }

    def _habits(self, pool: "_Pool") -> dict[str, Floats]:
        """How far prompts are from this one in length, length of tags and underscores; 0 is near, as for a
        model without prompts."""
        own = self.prompt
        count = np.maximum(1, pool.prompts)
        length = np.bincount(pool.unit_model[pool.parts(0)[1]], minlength=len(pool.folds)) / count
        listed, joined = pool.habits()
        tags = np.bincount(listed[0], listed[1], len(pool.folds)) / count
        makers = pool.maker[joined[0]]
        there = np.bincount(makers, minlength=int(pool.maker.max()) + 1)
        mean = np.bincount(makers, joined[1], len(there)) / np.maximum(1, there)
        words = len(own.words) + 1
        listing = np.log((length + 1) / (tags + 1)) - np.log(words / (own.listed + 1))
        shown = pool.prompts > 0
        far = np.abs(mean - own.joined) * (there > 0)
        return {
            "length": -np.abs(np.log((length + 1) / words)) * shown,
            "listing": -np.abs(listing) * shown,
            "maker_joined": -far[pool.maker],
        }


class _Pool:
    """The numbers of all entries in columns. A unit is a prompt of an entry, a model all entries of a
    fold."""

    def __init__(self, entries: Sequence[Entry], counted: Makers) -> None:
        self.counted = counted
        self._columns = columns_of([entry.numbers for entry in entries])
        rows: dict[int, int] = {}
        model = np.array([rows.setdefault(e.fold, len(rows)) for e in entries])
        self.folds = tuple(rows)
        makers: dict[object, int] = {}
        by_row = {row: e for e, row in zip(entries, model.tolist(), strict=True)}
        self.maker = np.array(
            [makers.setdefault(by_row[row].maker or row, len(makers)) for row in range(len(rows))]
        )
        known = [(makers[name], column) for name, column in counted.names.items() if name in makers]
        self._known = np.array(known, np.int64).reshape(-1, 2)
        self.unit_model = np.repeat(model, MAX_PROMPTS)
        self.prompts = np.bincount(model, self._columns.prompts, len(rows))

    def parts(self, kind: int) -> tuple[NDArray[np.uint16], Ints]:
        """All parts of one of ``KINDS``, and of each its unit."""
        return self._columns.parts(kind)

    def of_makers(self, pool: NDArray[Any], counted: Ints) -> NDArray[Any]:
        """What is known of creators, a column each: what was counted of all that they have, else of the
        ``pool``."""
        pool[..., self._known[:, 0]] = counted[..., self._known[:, 1]]
        return pool

    def cosines(self, kind: int, asked: Ints) -> Floats:
        """Of each unit how alike it is to what is asked, 0..1, parts weighed by rarity."""
        values, units = self.parts(kind)
        rare = rarities(self.counted.counts.table[kind], self.counted.counts.prompts)
        every = np.bincount(units, rare[values], len(self.unit_model))
        wanted = np.zeros(NUMBERS)
        wanted[asked] = rare[asked]
        hits = np.flatnonzero(wanted[values])
        met = np.bincount(units[hits], wanted[values[hits]], len(self.unit_model))
        return np.asarray(met / np.sqrt(np.maximum(rare[asked].sum() * every, 1e-9)))

    def maker_best(self, scores: Floats) -> Floats:
        """Of each model the best score of a unit of its creator."""
        best = np.zeros(int(self.maker.max()) + 1)
        np.maximum.at(best, self.maker[self.unit_model], scores)
        return np.asarray(best[self.maker])

    def met(self, wanted: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
        """Which of the ``TEXTS`` of which models have which of the numbers that are wanted, each once."""
        values, holds, units, _ = self._columns
        mine = np.flatnonzero(holds < len(TEXTS))
        mine = mine[wanted[values[mine]]]
        place = self.unit_model[units[mine]] * len(TEXTS) + holds[mine]
        keys = np.unique(place * NUMBERS + values[mine])
        texts, words = np.divmod(keys, NUMBERS)
        return texts % len(TEXTS), texts // len(TEXTS), words

    def habits(self) -> tuple[tuple[Ints, Floats], tuple[Ints, Floats]]:
        """Of each prompt its model and how many tags it has; its model and its share of underscores."""
        mine = np.flatnonzero(self._columns.holds == HABITS)
        values = self._columns.values[mine].astype(np.float64)
        models = self.unit_model[self._columns.units[mine]]
        return (models[::2], values[::2]), (models[1::2], values[1::2] / _MOST)


def _numbers(parts: Sequence[str]) -> Ints:
    return np.array(sorted(set(map(number, parts))), np.int64)


def _table(rows: Ints, columns: Ints, height: int, width: int) -> Floats:
    """How often each row meets each column."""
    flat = np.bincount(rows * width + columns, minlength=height * width)
    return flat.reshape(height, width).astype(np.float64)


def summed(features: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """The sum of ``FEATURES`` by their weights, by fold."""
    weights = table_of("prompts")
    worths = [weights[name] for name in FEATURES]
    return {fold: sum(map(mul, worths, values)) for fold, values in features.items()}


def scored(features: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """The text signal 0..1 by fold: the best tells how sure it is; below, places count and how far a sum is
    behind."""
    weights, sums = table_of("prompts"), summed(features)
    best = max(sums.values(), default=0.0)
    most = max(weights["least"], best / (best + weights["half_sure"]) if best > 0 else 0.0)
    found = {}
    for place, fold in enumerate(sorted(sums, key=lambda fold: -sums[fold])):
        behind = weights["step"] * min(weights["near"], best - sums[fold]) + weights["place"] * place
        found[fold] = max(0.0, most - behind)
    return found
