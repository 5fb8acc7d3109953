"""Why a pair's verdict and its labels may differ and both be right; shown from the headers alone.

``untold``: the adapter fits the model of its label and that of the base wholly, module by module, so that an
adapter for either could have this very listing, and nothing beside its tensors says for which it was made.
``size``: one label covers several sizes, and the adapter fits another one than the base has.
"""

from collections.abc import Collection, Iterator, Mapping

from indexer.checking import Base, Side, base_of, check_sides
from indexer.domain.fit import DENOISER, FitVerdict
from indexer.domain.header import Header
from indexer.domain.vocabulary import architecture_path, architectures, is_under
from indexer.rules.fit import kinship
from indexer.rules.fit_base import BaseTable, architecture_subject

__all__ = ["excuse", "twins"]


def excuse(side: Side, labels: Collection[str], base: Base, verdict: FitVerdict) -> str:
    """``untold``, ``size``, or nothing where neither holds. ``labels`` are those of the adapter."""
    if verdict.mismatched:
        return "size" if any(_differs(table, base.tables[0]) for table in _fitted(side, labels)) else ""
    silent = kinship(side.subject, base.subject).rival is not None
    whole = verdict.matched > 0 == verdict.unmatched
    return "untold" if silent and whole and any(_fitted(side, labels)) else ""


def _fitted(side: Side, labels: Collection[str]) -> Iterator[BaseTable]:
    """The reference layouts of the labels, and of what stands below them, that the adapter fits wholly."""
    ids = [id_ for id_ in architectures() if any(is_under(id_, label) for label in labels)]
    for id_ in ids:
        base = base_of(Side(architecture_subject(id_), None))
        for table in base.tables:
            verdict = check_sides(side, Base(base.subject, (table,)))
            if verdict.matched and not verdict.unmatched + verdict.mismatched:
                yield table


def _differs(one: BaseTable, other: BaseTable) -> bool:
    """Whether two bases have weights of one name and of different sizes."""
    mine, theirs = one.parts[DENOISER], other.parts[DENOISER]
    return any(mine[name][:2] != theirs[name][:2] for name in mine.keys() & theirs.keys())


def twins(name: str, headers: Mapping[str, tuple[str, Header]]) -> list[str]:
    """Other adapters with the same names in the same order and the same sizes but for the rank, and labelled
    for a model of another root. ``headers`` are label and header by name."""
    label, header = headers[name]
    root = architecture_path(label)[0]
    return [
        other
        for other, (its, theirs) in headers.items()
        if architecture_path(its)[0] != root
        and list(theirs.tensors) == list(header.tensors)
        and _sizes(theirs) == _sizes(header)
    ]


def _sizes(header: Header) -> list[int]:
    """The longest side of every tensor: of factors the side that is not the rank."""
    return [max(entry["shape"], default=0) for entry in header.tensors.values()]
