"""What tensors say of a library's adapters on the base that is moved to: the verdicts a plan begins with."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from indexer.catalog.database import Catalog
from indexer.catalog.fits import fit_rows
from indexer.checking import Base, Side, base_of, check_sides
from indexer.domain.fit import FitVerdict, Subject, unpack
from indexer.domain.records import Document
from indexer.rules.fit_base import architecture_subject
from search.checking_found import subject_of_row
from search.plan_fit import Target

__all__ = ["stored_verdicts"]

_KINDS = frozenset({"lora", "control_lora"})
"""Whose modules are compared one by one; of other kinds ids tell as much."""
_MOST_SIDES = 1_024
"""Profiles remembered with their verdicts; a few kilobytes each."""


def stored_verdicts(
    catalog: Catalog,
) -> Callable[[Mapping[int, Document], Target], Mapping[int, FitVerdict]]:
    """Verdicts by the catalog's profiles against the target's reference layout; an entry whose file was never
    read, or that is no adapter, is left out."""
    bases: dict[Target, Base] = {}

    @lru_cache(maxsize=_MOST_SIDES)
    def judged(data: bytes, subject: Subject, target: Target) -> FitVerdict | None:
        """The verdict on all files of one profile: trainers' defaults make most adapters alike."""
        try:
            return check_sides(Side(subject, unpack(data)), bases[target])
        except ValueError:
            return None  # of an older form

    def verdicts(shown: Mapping[int, Document], target: Target) -> Mapping[int, FitVerdict]:
        if target not in bases:
            subject = architecture_subject(target.architecture, target.family)
            bases[target] = base_of(Side(subject, None))
        adapters = {id_: document for id_, document in shown.items() if document.kind in _KINDS}
        with catalog.read() as session:
            rows = fit_rows(session, list(adapters))
        found: dict[int, FitVerdict] = {}
        for id_, document in adapters.items():
            mine = rows.get(id_, ())
            if not mine or mine[0].data is None:
                continue
            own = subject_of_row(mine[0], document, alone=len(mine) == 1)
            if (verdict := judged(mine[0].data, own, target)) is not None:
                found[id_] = verdict
        return found

    return verdicts
