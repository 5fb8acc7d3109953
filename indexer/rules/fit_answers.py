"""Verdicts on files of other kinds than adapters, and the answer where tensors tell nothing."""

from collections.abc import Sequence

from indexer.domain.compatibility import loads_on
from indexer.domain.fit import FitVerdict, Subject
from indexer.domain.vocabulary import architecture_path, read_table
from indexer.rules.fit_words import title_of

__all__ = ["by_architecture", "fits", "fits_not", "fits_partly", "titles_of", "unclear", "word_of"]


def word_of(subject: Subject) -> str:
    title = str(read_table("kinds.toml")[subject.kind]["title"])
    return title if title[1:2].isupper() or "-" in title or "Net" in title else title.lower()


def fits(reason: str) -> FitVerdict:
    return FitVerdict("compatible", reasons=(reason,))


def fits_partly(reason: str, idle: tuple[str, ...] = ()) -> FitVerdict:
    return FitVerdict("partial", idle=idle, reasons=(reason,))


def fits_not(reason: str) -> FitVerdict:
    return FitVerdict("incompatible", reasons=(reason,))


def unclear(reason: str) -> FitVerdict:
    return FitVerdict("unknown", reasons=(reason,))


def titles_of(ids: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(title_of(key) for key in ids))


def _options(subject: Subject) -> set[str]:
    """The architectures that a file may be for: those that its tensors leave, and all above and below."""
    named = [key for key, _ in subject.options] or ([subject.architecture] if subject.architecture else [])
    return {found for key in named for found in loads_on(subject.kind, key, architecture_path(key))}


def by_architecture(subject: Subject, base: Subject) -> FitVerdict:
    """Where tensors tell nothing: is the base among the models that the file may be for?"""
    what = word_of(subject)
    if subject.architecture is None and not subject.options:
        return unclear(f"For which model this {what} was made is not known.")
    wanted = {base.architecture, *(key for key, _ in base.options)} - {None}
    if wanted & _options(subject):
        return fits(
            f"This {what} is for {title_of(subject.architecture or subject.options[0][0])}, as is the base."
        )
    made = title_of(subject.architecture or subject.options[0][0])
    return fits_not(f"This {what} was made for {made}; the base is {title_of(base.architecture)}.")
