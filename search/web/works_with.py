"""The row "works with" of a model's page: bases on which it loads, or what loads on it; of this library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from indexer.catalog.fits import FitRow, fit_rows
from indexer.checking import check_sides
from indexer.domain.records import Document
from indexer.domain.vocabulary import architectures
from search.answers import Hit
from search.checking_found import BASES, found_addon, found_base, ready_base
from search.checking_names import Named
from search.service import Pinakes
from search.web.views import cards

__all__ = ["WorksWith", "works_with", "works_with_row"]

_ADDONS = (
    *("lora", "control_lora", "controlnet", "ip_adapter", "t2i_adapter", "textual_inversion"),
    "motion_module",
)
_MOST = 12
_MOST_BASES = 6
"""Making a base's tables takes some tenths of a second the first time."""
_LOADS = ("compatible", "partial")


@dataclass(frozen=True, slots=True)
class WorksWith:
    """What the row asks: filters by their parameters, as the gallery's address has them."""

    title: str
    filters: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        """The whole of it in the gallery."""
        return f"/?{urlencode(self.filters)}"

    @property
    def query(self) -> str:
        """The same in the query language."""
        return " ".join(f"{name}:{value}" for name, value in self.filters)


def works_with(document: Document) -> WorksWith | None:
    """What goes with a model; None for what goes with all, or where nothing is known."""
    if document.architecture not in architectures():
        return None
    if document.kind in BASES:
        filters = (("fits", document.architecture or ""), ("type", ",".join(_ADDONS)), ("source", "local"))
        return WorksWith("Works with it", filters)
    if document.kind not in _ADDONS:
        return None
    fits = ("arch", ",".join(document.fits))
    return WorksWith("Works with", (fits, ("type", ",".join(sorted(BASES))), ("source", "local")))


def works_with_row(pinakes: Pinakes, entry_id: int) -> dict[str, Any]:
    """The cards of the row, those left out that the tensors refuse; none for an entry that is not there."""
    document = pinakes.entry(entry_id)
    asked = works_with(document) if document is not None else None
    if document is None or asked is None:
        return {"cards": [], "why": None, "more": None, "prefix": "fits"}
    most = _MOST if document.kind in BASES else _MOST_BASES
    hits = [hit for hit in pinakes.search(asked.query, limit=2 * most).hits if hit.document.id != entry_id]
    shown = cards(_loading(pinakes, document, hits)[:most])
    return {"cards": shown, "why": None, "more": None, "prefix": "fits"}


def _loading(pinakes: Pinakes, document: Document, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that load by their tensors, as far as these are known."""
    with pinakes.catalog.read() as session:
        rows = fit_rows(session, [document.id, *(hit.document.id for hit in hits)])
    if document.kind in BASES:
        return [hit for hit in hits if _loads(hit.document, document, rows)]
    return [hit for hit in hits[:_MOST_BASES] if _loads(document, hit.document, rows)]


def _loads(addon: Document, base: Document, rows: dict[int, list[FitRow]]) -> bool:
    one = found_addon(Named(addon.name, addon), rows)
    other = found_base(Named(base.name, base), rows)
    if one.side is None or other.side is None or other.side.subject.kind not in BASES:
        return True  # told by ids alone
    return check_sides(one.side, ready_base(other)).verdict in _LOADS
