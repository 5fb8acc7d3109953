"""Pairs for the tests of fitting: made from layouts, from plain shapes, and judged as files would be."""

from collections.abc import Mapping

from indexer.checking import Base, Side, base_of, check_sides
from indexer.domain.fit import FitVerdict
from indexer.domain.header import Header
from indexer.rules import identify
from indexer.rules.fit_base import architecture_subject
from indexer.rules.fit_profile import fit_profile, subject_of
from tests.rules.builders import Shapes, header


def side(tensors: Shapes, **options: Mapping[str, str]) -> Side:
    """A file with these tensors."""
    return side_of_header(header(tensors, **options))  # type: ignore[arg-type]  # keywords of header()


def side_of_header(what: Header) -> Side:
    """A file with this header."""
    verdict = identify(what)
    return Side(subject_of(verdict), fit_profile(what, verdict.kind))


def base(what: Shapes | str, **options: Mapping[str, str]) -> Base:
    """A base from tensors, or an architecture by its id."""
    if isinstance(what, str):
        return base_of(Side(architecture_subject(what), None))
    return base_of(side(what, **options))


def check(addon: Shapes | Side, on: Shapes | str | Base) -> FitVerdict:
    """The verdict on a pair."""
    adapter = addon if isinstance(addon, Side) else side(addon)
    return check_sides(adapter, on if isinstance(on, Base) else base(on))
