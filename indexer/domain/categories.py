"""What a model is for: told by a tag (``data/categories.toml``), or judged from the words about it.

A tag that names a category is somebody's word and is believed. Without one, the words are read for cues
(``category_cues``), each cue speaks for or against each category with a weight
(``data/category_weights.toml``), and the sums become shares of belief. Below a threshold nothing is said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp
from types import MappingProxyType
from typing import Any

from indexer.domain.category_cues import Cue, cues_of
from indexer.domain.filters import keyword
from indexer.domain.vocabulary import read_table

__all__ = [
    "REAL_PERSON",
    "CategoryVerdict",
    "categories",
    "category_of",
    "judge_category",
    "judged_kind",
    "tagged_real_person",
]

REAL_PERSON = "celebrity"
"""The category whose models are hidden by default, told or judged."""

# How far a tag is believed: a hub's single choice; what people write (on the development cases 9 of 10 are as
# the hub has it, fewer of the rare ones); a shelf that says little of a whole model.
_TOLD_BY_HUB, _TOLD, _TOLD_LAST = 0.95, 0.85, 0.6
_MAX_TAG = 100  # characters; a longer tag is a sentence
_WHOLE = frozenset({"checkpoint", "diffusion_model"})
_ADDED = frozenset({"lora", "textual_inversion", "hypernetwork", "unknown"})
_CANDIDATES = 4
_REASONS = 5


@dataclass(frozen=True, slots=True)
class CategoryVerdict:
    """``category`` is an id of the table, or None where nothing can be said; ``confidence`` is 0..1.

    ``evidence`` holds what spoke for it, strongest first, such as ``tag 'style'`` or ``title 'dress'``.
    ``candidates`` are the likeliest ids with their shares of belief, best first; ``told`` says that a tag
    named it.
    """

    category: str | None = None
    confidence: float = 0.0
    evidence: tuple[str, ...] = ()
    candidates: tuple[tuple[str, float], ...] = ()
    told: bool = False

    @property
    def why(self) -> str:
        """One line for people: ``judged 0.81: title 'dress', tag 'kimono'``; empty where nothing is said."""
        if self.category is None:
            return ""
        return f"{'told' if self.told else 'judged'} {self.confidence:.2f}: {', '.join(self.evidence)}"


@dataclass(frozen=True, slots=True)
class _Weights:
    """For one sort of model: ``bias`` by category, by cue the categories it speaks for or against, and the
    share of belief below which nothing is said."""

    threshold: float
    bias: Mapping[str, float]
    cues: Mapping[str, tuple[tuple[str, float], ...]]


@cache
def _rows() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_table("categories.toml")["category"])


@cache
def categories() -> tuple[str, ...]:
    """All ids, in order of precedence."""
    return tuple(row["id"] for row in _rows())


def judged_kind(kind: str) -> str | None:
    """Which weights a kind is judged by: ``adapter``, ``checkpoint``, or None for parts such as a VAE."""
    if kind in _WHOLE:
        return "checkpoint"
    return "adapter" if kind in _ADDED else None


def category_of(tags: Iterable[str], kind: str = "lora") -> str | None:
    """The category that the tags name, or None; nothing is judged."""
    tags = tuple(tags)
    return _said(tags, kind, last=False).category or _said(tags, kind, last=True).category


@cache
def _tables(sort: str | None, last: bool) -> tuple[Mapping[str, tuple[int, str]], ...]:
    """Tag -> (order, id), in tables to be asked one after the other: the hub's tags, then people's."""
    whole = sort == "checkpoint"
    of = "checkpoint" if whole else "adapter"
    rows = [(i, row) for i, row in enumerate(_rows()) if row["of"] in ("any", of)]
    rows = [(i, row) for i, row in rows if (of in row.get("last", ())) == last]
    hub = {tag: (i, row["id"]) for i, row in rows for tag in row["hub"]}
    own = {tag: (i, row["id"]) for i, row in rows for tag in row["tags"] if not whole or _counts(row)}
    # A look says more of a whole model than the shelf that the hub put it on.
    return ({**hub, **own},) if whole else (hub, own)


def _counts(row: Mapping[str, Any]) -> bool:
    """Whether people's tags of this row say what a whole model is: a look, or a real person."""
    return bool(row["of"] == "checkpoint" or row["id"] == REAL_PERSON)


@cache
def _hub_tags() -> frozenset[str]:
    return frozenset(tag for row in _rows() for tag in row["hub"])


def _said(tags: Iterable[str], kind: str, *, last: bool) -> CategoryVerdict:
    """What the tags name: the first row of the first table that holds one of them."""
    folded = {keyword(tag) for tag in tags if len(tag) <= _MAX_TAG}
    for table in _tables(judged_kind(kind), last):
        found = min(((*table[tag], tag) for tag in folded if tag in table), default=None)
        if found:
            _, id_, tag = found
            sure = _TOLD_LAST if last else _TOLD_BY_HUB if tag in _hub_tags() else _TOLD
            return CategoryVerdict(id_, sure, (f"tag '{tag}'",), ((id_, sure),), told=True)
    return CategoryVerdict()


def tagged_real_person(tags: Iterable[str]) -> bool:
    """Whether any tag says that a real person is shown, whatever category the other tags name."""
    return any(keyword(tag) in _people() for tag in tags if len(tag) <= _MAX_TAG)


@cache
def _people() -> frozenset[str]:
    row = next(row for row in _rows() if row["id"] == REAL_PERSON)
    return frozenset((*row["hub"], *row["tags"]))


def judge_category(
    *,
    kind: str,
    tags: Iterable[str] = (),
    title: str = "",
    trigger_words: Iterable[str] = (),
    description: str = "",
    training_tags: Iterable[str] = (),
    file_name: str = "",
    prompts: Iterable[str] = (),
) -> CategoryVerdict:
    """What a model of this kind is for. Any text will do; HTML in ``description`` is read as its words.

    ``training_tags`` are caption tags of the training set, most frequent first; ``prompts`` those of
    previews. Parts such as VAEs and ControlNets are only told, never judged.
    """
    tags = tuple(tags)
    said = _said(tags, kind, last=False)
    weights = _weights().get(judged_kind(kind) or "") if said.category is None else None
    if weights is None:
        return said
    cues = cues_of(
        tags=tags,
        title=title,
        trigger_words=tuple(trigger_words),
        description=description,
        training_tags=tuple(training_tags),
        file_name=file_name,
        prompts=tuple(prompts),
    )
    judged = _judge(weights, cues)
    said = _said(tags, kind, last=True) if judged.category is None else judged
    return judged if said.category is None else said


def _judge(weights: _Weights, cues: Mapping[str, Cue]) -> CategoryVerdict:
    if not any(cue.words for cue in cues.values()):
        return CategoryVerdict()  # shapes alone, without one known word, say nothing of the subject
    sums = dict(weights.bias)
    for name, cue in cues.items():
        for id_, weight in weights.cues.get(name, ()):
            sums[id_] += weight * cue.value
    top = max(sums.values())
    shares = {id_: exp(value - top) for id_, value in sums.items()}
    total = sum(shares.values())
    ranked = sorted((-share / total, id_) for id_, share in shares.items())
    candidates = tuple((name, round(-share, 3)) for share, name in ranked[:_CANDIDATES])
    id_, best = candidates[0]
    if best < weights.threshold:
        return CategoryVerdict(None, best, (), candidates)
    return CategoryVerdict(id_, best, _reasons(weights, cues, id_), candidates)


def _reasons(weights: _Weights, cues: Mapping[str, Cue], id_: str) -> tuple[str, ...]:
    """What spoke for ``id_``, strongest first, each word once."""
    spoke = sorted(
        (-weight * cue.value, name, word)
        for name, cue in cues.items()
        for candidate, weight in weights.cues.get(name, ())
        if candidate == id_ and weight > 0
        for word in cue.words[:1] or (name.partition(".")[2].replace("_", " "),)
    )
    lines: dict[str, str] = {}
    for _, name, word in spoke:
        lines.setdefault(word, f"{name.partition('.')[0]} '{word}'")
    return tuple(lines.values())[:_REASONS]


@cache
def _weights() -> Mapping[str, _Weights]:
    table = read_table("category_weights.toml")
    found = {}
    for sort in ("adapter", "checkpoint"):
        part = table[sort]
        cues = {
            f"{place}.{group}": tuple(row.items())
            for place, rows in part["cues"].items()
            for group, row in rows.items()
        }
        found[sort] = _Weights(
            float(part["threshold"]), MappingProxyType(part["bias"]), MappingProxyType(cues)
        )
    return MappingProxyType(found)
