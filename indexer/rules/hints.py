"""Hints: what metadata, names and claims say of a file's architecture and family. They rank what the tensors
leave open and never override a shape; those that the tensors contradict are reported as conflicts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from indexer.domain.claims import ClaimSet
from indexer.domain.vocabulary import architectures, base_label, families, read_table, trained_architecture

__all__ = ["Hint", "gather_hints", "words_of"]

_METADATA = 20.0
_CLAIM = 12.0
_MODULE = 4.0
_NAME = 6.0
_LONGEST = 512
_SEPARATORS = re.compile(r"[\W_]+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint: ``architectures`` become ``weight`` times as likely. ``strong`` ones may stand in
    conflict."""

    architectures: tuple[str, ...]
    family: str | None
    weight: float
    source: str
    text: str
    strong: bool = True


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
    for key in ("ss_base_model_version", "modelspec.architecture", "general.architecture"):
        value = metadata.get(key, "")
        if value and (named := trained_architecture(value)):
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
    words = words_of(text)
    found = [(match.span(), named) for named, pattern in _patterns() if (match := pattern.search(words))]
    for (start, end), named in found:
        if not any(other != (start, end) and other[0] <= start and end <= other[1] for other, _ in found):
            yield Hint(named, None, _NAME, source, text, strong=False)
    for family in families().values():
        if _family_pattern(family.names).search(words):
            yield Hint((), family.id, _NAME, source, text, strong=False)


@cache
def _family_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return _whole_words([re.escape(words_of(name)) for name in names])


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    table = read_table("names.toml")
    favours = table["favours"]
    rows = table["patterns"].items()
    return tuple((tuple(favours.get(key, [key])), _whole_words(patterns)) for key, patterns in rows)


def _whole_words(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:^| )(?:{'|'.join(patterns)})(?= |$)")
