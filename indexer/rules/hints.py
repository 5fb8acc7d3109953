"""Hints: what metadata, names and claims say of a file's architecture and family. They rank what the tensors
leave open and never override a shape; those that the tensors contradict are reported as conflicts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from indexer.domain.claims import ClaimSet
from indexer.domain.vocabulary import architectures, base_label, families, read_table, trained_architecture

__all__ = ["Hint", "family_names", "gather_hints", "words_of"]

_METADATA = 20.0
_CLAIM = 12.0
_MODULE = 4.0
_NAME = 6.0
_LONGEST = 512
_GGUF_KEY = "general.architecture"
_START, _END = "(?:^| )", "(?= |$)"
_SEPARATORS = re.compile(r"[\W_]+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint: ``architectures`` become ``weight`` times as likely. ``strong`` ones may stand in
    conflict. ``word`` is the word of a name that hints at ``family``."""

    architectures: tuple[str, ...]
    family: str | None
    weight: float
    source: str
    text: str
    strong: bool = True
    word: str = ""


def words_of(name: str) -> str:
    """A name in lower case with single spaces for separators: ``Wan2.2_T2V-High`` -> ``wan2 2 t2v high``.

    Where capitals run words together both readings are given: ``ponyXL`` -> ``ponyxl | pony xl``.
    """
    name = name[:_LONGEST]
    plain, parted = _spaced(name), _spaced(_JOINED.sub(" ", name))
    return plain if plain == parted else f"{plain} | {parted}"


def _spaced(name: str) -> str:
    return " ".join(_SEPARATORS.split(name.lower())).strip()


def gather_hints(
    metadata: Mapping[str, str], file_name: str, training_base: str | None, claims: Sequence[ClaimSet]
) -> list[Hint]:
    """All hints there are, strongest sources first."""
    hints = [*_from_metadata(metadata), *_from_claims(claims)]
    if training_base:
        hints += _from_name(training_base, "training base")
    if base := metadata.get("ss_sd_model_name"):
        hints += _from_name(base, "ss_sd_model_name")
    for title in (metadata.get("ss_output_name"), metadata.get("modelspec.title"), file_name):
        if title:
            hints += _from_name(title, "file name" if title == file_name else "title")
    return hints


def _from_metadata(metadata: Mapping[str, str]) -> Iterable[Hint]:
    for key in ("ss_base_model_version", "modelspec.architecture", _GGUF_KEY):
        value = metadata.get(key, "")[:_LONGEST]
        coarse = read_table("gguf.toml")["architectures"].get(value.lower()) if key == _GGUF_KEY else None
        if coarse:
            yield Hint(tuple(coarse), None, _METADATA, f"header:{key}", value)
        elif value and (named := trained_architecture(value)):
            yield Hint((named,), None, _METADATA, f"header:{key}", value)
    module = metadata.get("ss_network_module", "")
    if named := read_table_modules().get(module):
        yield Hint((named,), None, _MODULE, "header:ss_network_module", module, strong=False)


@cache
def read_table_modules() -> Mapping[str, str]:
    """Trainer network modules that serve one architecture only."""
    modules: dict[str, str] = read_table("trainers.toml")["modules"]
    return modules


def _from_claims(claims: Sequence[ClaimSet]) -> Iterable[Hint]:
    for source in claims:
        for claim in source.claims:
            if claim.name == "base_label" and (label := base_label(str(claim.value))):
                named = (label.architecture,) if label.architecture else ()
                yield Hint(named, label.family, _CLAIM, source.source, str(claim.value))
            elif claim.name == "architecture" and claim.value in architectures():
                yield Hint((str(claim.value),), None, _CLAIM, source.source, str(claim.value))
            elif claim.name in ("trained_on", "name", "version"):
                yield from _from_name(str(claim.value), f"{source.source}:{claim.name}")


def _from_name(text: str, source: str) -> Iterable[Hint]:
    named, kin = _heard(words_of(text))
    yield from (Hint(names, None, _NAME, source, text, strong=False) for names in named)
    yield from (Hint((), family, _NAME, source, text, strong=False, word=word) for family, word in kin)


@lru_cache(maxsize=4096)
def _heard(words: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, str], ...]]:
    """Architectures, and families with the word that named them. Most names name none: one search tells."""
    if not _anything().search(words):
        return (), ()
    found = [(match.span(), named) for named, pattern in _patterns() if (match := pattern.search(words))]
    named = tuple(
        named
        for (start, end), named in found
        if not any(other != (start, end) and other[0] <= start and end <= other[1] for other, _ in found)
    )
    matches = ((family.id, _family_pattern(family.names).search(words)) for family in families().values())
    return named, tuple((family, match[1]) for family, match in matches if match)


@cache
def _anything() -> re.Pattern[str]:
    """All patterns as one."""
    every = [pattern.pattern for _, pattern in _patterns()]
    every += [_family_pattern(family.names).pattern for family in families().values()]
    return _whole_words([pattern.removeprefix(_START).removesuffix(_END) for pattern in every])


def family_names(name: str) -> set[str]:
    """The families whose names stand in ``name`` as whole words."""
    words = words_of(name)
    return {family.id for family in families().values() if _family_pattern(family.names).search(words)}


@cache
def _family_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(
        {words_of(name).partition(" | ")[0] for name in names}, key=lambda name: (-len(name), name)
    )
    return re.compile(f"{_START}({'|'.join(map(re.escape, longest))}){_END}")


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    table = read_table("names.toml")
    favours = table["favours"]
    rows = table["patterns"].items()
    return tuple((tuple(favours.get(key, [key])), _whole_words(patterns)) for key, patterns in rows)


def _whole_words(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(f"{_START}(?:{'|'.join(patterns)}){_END}")
