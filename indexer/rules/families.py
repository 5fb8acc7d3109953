"""Which lineage of weights? Tensors never tell; labels, bases, names, tags and markers do, as graded guesses.

Evidence of one sort does not add up (a title and a file name are one person's word), evidence of different
sorts does, like chances: two of 0.5 make 0.75. Families that compete share what is left. The weights are in
``indexer/data/family_marks.toml``.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from indexer.domain.verdict import Evidence, FamilyGuess
from indexer.domain.vocabulary import architecture_path, families, read_table
from indexer.rules.hints import Hint, family_names, words_of

__all__ = ["Guess", "guess_families"]

_BASES = ("training base", "ss_sd_model_name")
_PLAIN = ""
"""The place of plain bases, which compete with all families and are none."""
_MOST_MODELS = 64
_ENDING = re.compile(r"\.(safetensors|ckpt|sft|pt)$", re.IGNORECASE)
_WEAK = frozenset({"names", "base", "merge"})


class _Word(NamedTuple):
    """One piece of evidence: of which sort, for which family, how good, and what it was."""

    sort: str
    family: str
    trust: float
    detail: str


def _table() -> Mapping[str, Any]:
    return read_table("family_marks.toml")


class Guess(NamedTuple):
    """``best`` is the likeliest family where it is likely enough, ``ranked`` all that something hints at,
    best first, ``evidence`` why."""

    best: str | None
    ranked: tuple[FamilyGuess, ...]
    evidence: tuple[Evidence, ...]


def guess_families(
    root: str | None,
    hints: Sequence[Hint],
    training: Mapping[str, Any] | None = None,
    tensors: Container[str] = (),
) -> Guess:
    """The families below ``root``, the first id of an architecture path.

    ``training`` is what the file's metadata tell of its making (``base_model_name``, ``base_model_hash``,
    ``tag_frequency``, ``merge``), ``tensors`` the names of its tensors.
    """
    if root is None:
        return Guess(None, (), ())
    told = training or {}
    spoken = (
        *_from_hints(hints),
        *_from_base(told),
        *_from_merge(told),
        *_from_tags(told),
        *_from_markers(tensors),
    )
    words = _by_family(word for word in spoken if word.family == _PLAIN or _root(word.family) == root)
    ranked = _ranked(words)
    if not ranked or ranked[0].confidence < _table()["limits"]["told"]:
        return Guess(None, ranked, ())
    best = ranked[0]
    why = "; ".join(word.detail for word in _strongest(words[best.family]))
    evidence = Evidence("family", f"{best.family} ({best.confidence:.2f}): {why}")
    return Guess(best.family, ranked, (evidence,))


def _ranked(words: Mapping[str, Sequence[_Word]]) -> tuple[FamilyGuess, ...]:
    chances = _shared({family: _chance(mine) for family, mine in words.items()})
    least = _table()["limits"]["listed"]
    return tuple(
        FamilyGuess(family, round(chance, 3))
        for family, chance in sorted(chances.items(), key=lambda item: (-item[1], item[0]))
        if family != _PLAIN and chance >= least
    )


def _root(family: str) -> str:
    return architecture_path(families()[family].architecture)[0]


def _by_family(words: Iterable[_Word]) -> dict[str, list[_Word]]:
    found: dict[str, list[_Word]] = {}
    for word in words:
        found.setdefault(word.family, []).append(word)
    return found


def _strongest(words: Iterable[_Word]) -> list[_Word]:
    """The best word of each sort, best first."""
    best: dict[str, _Word] = {}
    for word in words:
        if word.sort not in best or word.trust > best[word.sort].trust:
            best[word.sort] = word
    return sorted(best.values(), key=lambda word: -word.trust)[:4]


def _chance(words: Sequence[_Word]) -> float:
    best = _strongest(words)
    doubt = 1.0
    for word in best:
        doubt *= 1.0 - word.trust
    sorts, limits = {word.sort for word in best}, _table()["limits"]
    most = limits["names"] if sorts == {"names"} else limits["unproven" if sorts <= _WEAK else "all"]
    return float(min(most, 1.0 - doubt))


def _shared(chances: Mapping[str, float]) -> dict[str, float]:
    """Chances of families that exclude each other: by odds, so that one alone keeps its own."""
    odds = {family: chance / (1.0 - chance) for family, chance in chances.items()}
    total = 1.0 + sum(odds.values())
    return {family: odd / total for family, odd in odds.items()}


def _from_hints(hints: Iterable[Hint]) -> Iterable[_Word]:
    trust = _table()["trust"]
    for hint in hints:
        detail = f"{hint.source} {hint.text[:80]!r}"
        is_base = hint.source in _BASES or hint.source.endswith(":trained_on")
        if is_base and _plain().intersection(words_of(_ENDING.sub("", hint.text)).split(" | ")):
            yield _Word("base", _PLAIN, trust["plain"], detail)
        if hint.family is None:
            continue
        if hint.strong:
            yield _Word("label", hint.family, trust["label"], detail)
        else:
            sort = "base" if is_base else "names"
            yield _Word(sort, hint.family, trust[sort] * _weight(hint.word), detail)


def _weight(word: str) -> float:
    """How much a word of a name weighs; those that mean other things as well weigh less."""
    return float(_table()["words"].get(word, 1.0)) if word != "why" else 1.0


@cache
def _plain() -> frozenset[str]:
    return frozenset(words_of(name).partition(" | ")[0] for name in _table()["plain"]["names"])


@cache
def _hashes() -> Mapping[str, str]:
    """SHA-256 and AutoV1 of well-known bases -> family."""
    rows = _table()["hash"]
    known = {row["sha256"]: row["family"] for row in rows}
    return known | {row["autov1"]: row["family"] for row in rows if "autov1" in row}


def _from_base(training: Mapping[str, Any]) -> Iterable[_Word]:
    digest = str(training.get("base_model_hash") or "").lower()
    if digest in _hashes():
        yield _Word("hash", _hashes()[digest], _table()["trust"]["hash"], f"base hash {digest[:10]}")
    name = str(training.get("base_model_name") or "")[:100].removesuffix(".safetensors")
    for row in _table()["version"]:
        if row["name"] == name:
            yield _Word("hash", row["family"], _table()["trust"]["hash"], f"base {name} ({row['why']})")


def _from_merge(training: Mapping[str, Any]) -> Iterable[_Word]:
    """Each family by the share of the merged models that are of it."""
    merge = training.get("merge") or {}
    models = [model for model in merge.get("models", ())[:_MOST_MODELS] if isinstance(model, Mapping)]
    found: dict[str, list[str]] = {}
    for model in models:
        name, digest = str(model.get("name") or ""), str(model.get("hash") or "").lower()
        for family in {_hashes()[digest]} if digest in _hashes() else family_names(name):
            found.setdefault(family, []).append(name or digest[:10])
    for family, names in found.items():
        if family:
            trust = _table()["trust"]["merge"] * len(names) / len(models)
            yield _Word("merge", family, trust, f"merged from {names[0][:80]!r}")


def _from_tags(training: Mapping[str, Any]) -> Iterable[_Word]:
    tags = {str(tag).replace("\\", "").lower(): count for tag, count in training.get("tag_frequency", ())}
    captions = max([*tags.values(), 0])
    for row in _table()["tags"]:
        seen = [tag for tag in row["any"] if tags.get(tag, 0) >= max(1, row["share"] * captions)]
        if seen:
            yield _Word("tags", row["family"], row["trust"], f"captions say {', '.join(seen[:3])}")


def _from_markers(tensors: Container[str]) -> Iterable[_Word]:
    for row in _table()["marker"]:
        if all(name in tensors for name in row["tensors"]):
            yield _Word("marker", row["family"], row["trust"], f"tensors {', '.join(row['tensors'])}")
