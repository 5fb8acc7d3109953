"""A hub that never was: versions with names, tags, prompts and statistics, as many as are asked for.

Words are drawn from a vocabulary by Zipf's law, so some stand in most documents and most in one or two.
Version N is the same whatever the size of the library.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from indexer.domain.records import Document, SourceRef
from indexer.domain.vocabulary import architecture_path

__all__ = ["BATCH", "Batch", "Vocabulary", "batch_of"]

BATCH = 2_000
"""Versions made at once, from a seed of their own."""

VOCABULARY = 200_000
_COMMON = 2.7
"""How far Zipf's law bends for the most common words; as in English."""

_ONSETS = (
    "",
    "b",
    "br",
    "c",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "sh",
    "t",
    "v",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_CODAS = ("", "", "n", "r", "s", "l", "m", "th")
_HANZI = tuple("山川木花月星雨雪龍虎鳥魚風火水金石竹梅蘭")
_KINDS = (
    ("lora", 0.76),
    ("checkpoint", 0.14),
    ("textual_inversion", 0.06),
    ("controlnet", 0.02),
    ("vae", 0.02),
)
_BASES = (
    ("sdxl", "Illustrious", 0.26),
    ("sd1", "SD 1.5", 0.24),
    ("sdxl", "Pony", 0.18),
    ("sdxl", "SDXL 1.0", 0.12),
    ("flux1", "Flux.1 D", 0.12),
    ("wan2.2-t2v-a14b", "Wan Video 2.2 T2V-A14B", 0.04),
    ("sd2", "SD 2.1", 0.02),
    ("z-image", "ZImageTurbo", 0.02),
)
_CATEGORIES = ("character", "style", "concept", "clothing", "poses", "objects", "buildings", "animal")
_LICENCES = (None, None, "creativeml-openrail-m", "flux-1-dev-non-commercial-license", "apache-2.0")
_PERMITTED = ("sell-images", "run-as-service", "sell-model", "merge", "no-credit")
_FIRST_DAY, _DAYS = np.datetime64("2022-10-01"), 1_400


class Vocabulary:
    """Made-up words, most common first, and draws from them."""

    def __init__(self, size: int = VOCABULARY) -> None:
        self.words = _words(size)
        shares = 1.0 / (np.arange(size) + _COMMON)
        self._cumulative = np.cumsum(shares / shares.sum())

    def draw(self, chance: np.random.Generator, count: int, *, above: float = 0.0) -> list[str]:
        """``count`` words by Zipf's law; ``above`` leaves out so large a share of all uses, the commonest."""
        places = np.searchsorted(self._cumulative, above + chance.random(count) * (1 - above))
        return [self.words[place] for place in np.minimum(places, len(self.words) - 1)]


def _words(size: int) -> list[str]:
    """Common words are short, as in any language."""
    chance = random.Random(7)
    parts = (_ONSETS, _VOWELS, _CODAS)
    found: dict[str, None] = {}
    while len(found) < size:
        syllables = min(4, 1 + len(found) // 8_000 + chance.randrange(2))
        found["".join(chance.choice(part) for _ in range(syllables) for part in parts)] = None
    return list(found)


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary()


@dataclass(frozen=True)
class Batch:
    """Versions ``number * BATCH + 1`` to ``(number + 1) * BATCH``; every third model has two."""

    number: int

    @cached_property
    def documents(self) -> list[Document]:
        """The documents, by id."""
        return list(self._documents())

    def _documents(self) -> Iterator[Document]:
        chance = np.random.default_rng([20_261_123, self.number])
        made = _Maker(chance, _vocabulary())
        for place in range(BATCH):
            id_ = self.number * BATCH + place + 1
            # Ids in threes: one model of two versions, one of one.
            second = id_ % 3 == 2 and place > 0
            yield made.version(id_, id_ - 1 if second else id_, second=second)


def batch_of(id_: int) -> Batch:
    """The batch that holds a version."""
    return Batch((id_ - 1) // BATCH)


class _Maker:
    def __init__(self, chance: np.random.Generator, vocabulary: Vocabulary) -> None:
        self._chance = chance
        self._vocabulary = vocabulary
        self._last: dict[str, Any] = {}

    def version(self, id_: int, model: int, *, second: bool) -> Document:
        """The next version; a ``second`` one shares what is the model's with the one before."""
        if not second:
            self._last = self._model()
        chance = self._chance
        downloads = int(chance.lognormal(6.0, 1.8))
        votes = int(chance.binomial(min(downloads, 100_000), 0.05))
        adult = bool(chance.random() < 0.15)
        flags = ("remote", *(("adult",) if adult else ()))
        return Document(
            id=id_,
            model_id=model,
            version=f"v{1 + second}.{chance.integers(0, 3)}",
            prompts=self._prompts(),
            description=" ".join(self._draw(int(min(600, chance.lognormal(4.2, 0.9))))),
            size=int(chance.lognormal(18.5, 1.2)),
            rating=round(float(chance.beta(18, 1)) * 5, 4) if votes else None,
            rating_count=votes or None,
            downloads=downloads,
            nsfw_level=16 if adult else 1,
            created=str(_FIRST_DAY + int(chance.integers(_DAYS))),
            hashes=(f"{int(chance.integers(2**62)):016x}" * 4,),
            has=("trigger", "description", "prompt", *(("rating",) if votes else ())),
            flags=flags,
            hidden=flags[1:],
            confidence=0.5,
            sources=(
                SourceRef("civitai", str(id_), f"https://civitai.com/models/{model}?modelVersionId={id_}"),
            ),
            **self._last,
        )

    def _model(self) -> dict[str, Any]:
        chance = self._chance
        kind = _chosen(chance, [kind for kind, _ in _KINDS], [share for _, share in _KINDS])
        root, label, _ = _BASES[_place(chance, [share for *_, share in _BASES])]
        triggers = tuple("".join(self._draw(1, 0.5)) for _ in range(chance.integers(0, 3)))
        return {
            "name": self._name(),
            "kind": kind,
            "architecture": root,
            "architecture_path": architecture_path(root),
            "base_label": label,
            "category": _CATEGORIES[int(chance.integers(len(_CATEGORIES)))],
            "creator": "_".join(self._draw(2, 0.4)),
            "tags": tuple(dict.fromkeys(self._draw(int(chance.integers(2, 8)), 0.2))),
            "trigger_words": triggers,
            "licence": _LICENCES[int(chance.integers(len(_LICENCES)))],
            "permissions": tuple(use for use in _PERMITTED if chance.random() < 0.5),
            "rank": int(2 ** chance.integers(2, 8)) if kind == "lora" else None,
        }

    def _name(self) -> str:
        words = [word.title() for word in self._draw(int(self._chance.integers(1, 5)), 0.45)]
        glue = "" if self._chance.random() < 0.2 else " "
        wide = "".join(self._chance.choice(_HANZI, 3)) if self._chance.random() < 0.05 else ""
        return f"{glue.join(words)} {wide}".strip()

    def _prompts(self) -> tuple[str, ...]:
        return tuple(", ".join(self._draw(20, 0.1)) for _ in range(self._chance.integers(0, 4)))

    def _draw(self, count: int, above: float = 0.0) -> list[str]:
        return self._vocabulary.draw(self._chance, count, above=above)


def _place(chance: np.random.Generator, shares: Sequence[float]) -> int:
    return min(int(np.searchsorted(np.cumsum(shares), chance.random())), len(shares) - 1)


def _chosen(chance: np.random.Generator, values: Sequence[str], shares: Sequence[float]) -> str:
    return values[_place(chance, shares)]
