"""Which model made such a picture? A pasted prompt beside the prompts of candidates' own pictures.

Who makes models writes prompts alike: the same tags in the same order, as long, with or without underscores.
A model therefore counts by its own prompts, by the best and the mean of its creator's, and by what its texts
say. What each is worth stands in ``ranking.toml``. Pure; the same for every text engine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from math import log, log1p, sqrt
from typing import Any, NamedTuple

from indexer.domain.evidence import rarity
from indexer.domain.records import Document
from indexer.domain.text import fold, words
from search.weights import table_of

__all__ = ["FEATURES", "Asking", "Prompt", "read_prompt", "scored"]

MAX_PROMPTS = 8
"""So many prompts of a model are compared."""

MAX_READ = 4_000
"""Characters of a prompt or a description that are read."""

FEATURES = (
    *("tags", "maker_tags", "maker_pairs", "maker_words", "maker_share"),
    *("everywhere", "tagged", "named", "described", "called"),
    *("length", "listing", "joined"),
)
"""Names of what is compared, rows of ``ranking.toml``."""

_TAG = re.compile(r"<[^<>]{0,500}>")
_SYNTAX = re.compile(r"[()\[\]{}\\|]|:\s*-?[0-9.]+|\b(?:BREAK|AND)\b")
_COMMAS = re.compile(r"[,，、;\n]")
_RUN = re.compile(r"[^\W_]+")
_AVERAGE, _FREE = 150.0, 0.25
_KINDS = 3
_COMMON = 4.0  # about the rarity of a word that one entry in fifty has


class Prompt(NamedTuple):
    """A prompt's distinct words, tags (what stands between commas) and pairs of neighbouring words; how many
    tags it has, and the share of blanks that are written as underscores."""

    words: frozenset[str]
    tags: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    listed: int
    joined: float

    @property
    def parts(self) -> tuple[frozenset[Any], ...]:
        """What prompts are compared by: words, tags, pairs."""
        return self.words, self.tags, self.pairs


def read_prompt(text: str) -> Prompt:
    """Cut a prompt; weights, brackets and ``<lora:…>`` are left out.

    >>> sorted(read_prompt("1girl, (silver_hair:1.2), <lora:x:1>").tags)
    ['1girl', 'silver hair']
    """
    text = text[:MAX_READ]
    plain = fold(_SYNTAX.sub(" ", _TAG.sub(" , ", text)).replace("_", " "))
    tags = [tag for part in _COMMAS.split(plain) if (tag := " ".join(_RUN.findall(part)))]
    run = " ".join(tags).split()
    joined, blanks = text.count("_") + 1, text.count(" ")
    return Prompt(
        frozenset(run),
        frozenset(tags),
        frozenset(pairwise(run)),
        len(tags),
        joined / (joined + 1 + blanks),
    )


class Asking:
    """One pasted prompt, asked of a pool of documents. ``worths`` maps the words that are looked for to how
    rare they are (``domain.evidence.rarity``)."""

    def __init__(self, text: str, worths: Mapping[str, float]) -> None:
        self.prompt = read_prompt(text)
        self.worths = worths
        self.total = sum(worths.values()) or 1.0

    def features(self, documents: Iterable[Document]) -> dict[int, tuple[float, ...]]:
        """What speaks for each model among the documents, by its fold: values of ``FEATURES``.

        How rare words, tags and pairs are is told by the prompts of the pool: what all have tells nothing.
        """
        models: dict[int, list[Document]] = {}
        for document in documents:
            models.setdefault(document.fold or document.model_id, []).append(document)
        prompts = {fold: _prompts(members) for fold, members in models.items()}
        every = [prompt for found in prompts.values() for prompt in found]
        pool = [[prompt.parts[kind] for prompt in every] for kind in range(_KINDS)]
        alike = [_Alike(own, found) for own, found in zip(self.prompt.parts, pool, strict=True)]
        makers = _Makers(models, prompts, alike)
        return {
            fold: (*makers.of(fold), *self._texts(members, prompts[fold]), *self._habits(prompts[fold]))
            for fold, members in models.items()
        }

    def _texts(self, members: Sequence[Document], prompts: Sequence[Prompt]) -> tuple[float, ...]:
        """How much of the prompt stands anywhere in a model's texts, in its tags, name and description, and
        how rare a trigger word or a word of a file's name is in it."""
        tags, names, told, triggers, files = (set[str]() for _ in range(5))
        for document in members:
            tags.update(_RUN.findall(fold(" ".join(document.tags))))
            names.update(words(document.name))
            told.update(_RUN.findall(fold(document.description[:MAX_READ])))
            triggers.update(_RUN.findall(fold(" ".join(document.trigger_words))))
            files.update(word for name in document.file_names for word in words(name))
        every = told.union(tags, names, triggers, *(prompt.words for prompt in prompts))
        length = _FREE + (1 - _FREE) * len(every) / _AVERAGE
        share = self._met(every) / self.total
        return (
            share * 2.2 / (1 + 1.2 * length),
            self._met(tags) / 20,
            self._met(names) / 20,
            self._met(told) / self.total,
            max(0.0, self._rarest(triggers | files) - _COMMON) / 10,
        )

    def _rarest(self, found: set[str]) -> float:
        return max((worth for word, worth in self.worths.items() if word in found), default=0.0)

    def _met(self, found: set[str]) -> float:
        return sum(worth for word, worth in self.worths.items() if word in found)

    def _habits(self, prompts: Sequence[Prompt]) -> tuple[float, ...]:
        """How far a model's prompts are from this one in length, length of tags and underscores; 0 is near,
        as for a model without prompts."""
        if not prompts:
            return 0.0, 0.0, 0.0
        count = len(prompts)
        length = sum(len(prompt.words) for prompt in prompts) / count
        tags = sum(prompt.listed for prompt in prompts) / count
        joined = sum(prompt.joined for prompt in prompts) / count
        own = self.prompt
        near = log((length + 1) / (len(own.words) + 1))
        listed = log((length + 1) / (tags + 1)) - log((len(own.words) + 1) / (own.listed + 1))
        return -abs(near), -abs(listed), -abs(joined - own.joined)


class _Alike:
    """How alike prompts are in one kind of their parts: the cosine, parts weighed by rarity in the pool."""

    def __init__(self, own: frozenset[Any], pool: Sequence[frozenset[Any]]) -> None:
        counts = Counter(chain.from_iterable(pool))
        rare = {count: rarity(count, len(pool)) for count in {0, *counts.values()}}
        self._worths = {part: rare[count] for part, count in counts.items()}
        self._own = own
        self._length = sum(self._worths.get(part, rare[0]) for part in own)

    def of(self, parts: frozenset[Any]) -> float:
        """0..1 for the parts of one prompt of the pool."""
        met = sum(map(self._worths.__getitem__, parts & self._own))
        return met / sqrt(self._length * sum(map(self._worths.__getitem__, parts))) if met else 0.0


class _Makers:
    """A model's own prompts and those of its creator, who writes alike."""

    def __init__(
        self,
        models: Mapping[int, Sequence[Document]],
        prompts: Mapping[int, Sequence[Prompt]],
        alike: Sequence[_Alike],
    ) -> None:
        self._maker = {fold: members[0].creator or fold for fold, members in models.items()}
        self._own: dict[int, float] = {}
        self._best: dict[tuple[object, int], float] = {}
        self._sum: dict[object, list[float]] = {}
        self._models = Counter(self._maker.values())
        for model, found in prompts.items():
            maker = self._maker[model]
            scores = [[each.of(prompt.parts[kind]) for prompt in found] for kind, each in enumerate(alike)]
            self._own[model] = sum(scores[1]) / max(1, len(found))
            self._sum.setdefault(maker, []).extend(scores[0])
            for kind, row in enumerate(scores):
                self._best[maker, kind] = max(self._best.get((maker, kind), 0.0), *row, 0.0)

    def of(self, fold: int) -> tuple[float, ...]:
        maker = self._maker[fold]
        told = self._sum[maker]
        mean = sum(told) / max(1, len(told))
        tags, pairs = self._best[maker, 1], self._best[maker, 2]
        return self._own[fold], tags, pairs, mean, -log1p(self._models[maker])


def _prompts(members: Sequence[Document]) -> list[Prompt]:
    found = dict.fromkeys(prompt for document in members for prompt in document.prompts)
    return [read_prompt(prompt) for prompt in list(found)[:MAX_PROMPTS]]


def scored(features: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """The text signal 0..1 by fold: the sum of ``FEATURES`` by their weights, on a scale on which the best
    tells how sure it is, and equal differences count alike below it."""
    weights = table_of("prompts")
    sums = {
        fold: sum(weights[name] * value for name, value in zip(FEATURES, values, strict=True))
        for fold, values in features.items()
    }
    best = max(sums.values(), default=0.0)
    most = max(weights["least"], best / (best + weights["half_sure"]) if best > 0 else 0.0)
    return {fold: max(0.0, most - weights["step"] * (best - value)) for fold, value in sums.items()}
