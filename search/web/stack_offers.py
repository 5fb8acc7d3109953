"""What may be put into a stack: first what fits, then the rest with the reason why it does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.catalog.fits import FitRow, fit_rows
from indexer.checking import Base, check_sides
from indexer.domain.fit import FitVerdict, plain_reason
from indexer.domain.records import Document
from indexer.errors import UsageError
from search.checking_found import BASES, found_addon, found_base, ready_base
from search.checking_names import Named, name_base
from search.service import Pinakes
from search.web.gallery import Fault, fault_of
from search.web.stack_asked import ADDON_KINDS, StackAsked
from search.web.views import cover, short_kind
from search.web.words import title_of

__all__ = ["Offer", "Offers", "offers_of"]

_FITTING = 18
_REST = 6
_LOADS = ("compatible", "partial")
_TOLD = FitVerdict("unknown", reasons=("No file of it was read here; its page says that it fits.",))
_UNTOLD = FitVerdict("unknown", reasons=("No file of it was read here, so that nothing could be compared.",))


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that may be added. ``verdict`` is that of the check, empty where nothing was compared;
    ``why`` its first reason. ``fits``: it can be added."""

    document: Document
    kind: str
    base: str
    cover: str
    verdict: str
    why: str
    fits: bool

    @property
    def here(self) -> bool:
        """Whether a file of it lies on this machine."""
        return "local" in self.document.flags


@dataclass(frozen=True, slots=True)
class Offers:
    """``fitting`` and ``rest``; ``total`` counts all that match and load by what is known of them. ``fault``
    says why nothing could be looked for."""

    fitting: Sequence[Offer] = ()
    rest: Sequence[Offer] = ()
    total: int = 0
    fault: Fault | None = None


def offers_of(pinakes: Pinakes, asked: StackAsked, addons: Sequence[Document]) -> Offers:
    """Bases while the stack has none, else addons. ``addons`` are the entries of the stack's picks."""
    try:
        return _addons(pinakes, asked) if asked.base else _bases(pinakes, asked, addons)
    except UsageError as error:
        return Offers(fault=fault_of(error))


def _query(asked: StackAsked, *filters: str) -> str:
    """What is typed, narrowed. Brackets keep an OR in it to itself."""
    words = f"({asked.q})" if asked.q else ""
    here = "" if asked.everywhere else "is:local"
    return " ".join(part for part in (words, *filters, here) if part)


def _found(pinakes: Pinakes, query: str, limit: int, taken: Sequence[int]) -> tuple[list[Document], int]:
    answer = pinakes.search(query, limit=limit + len(taken), facets=False)
    shown = [hit.document for hit in answer.hits if hit.document.id not in taken]
    return shown[:limit], answer.total


# ---------------------------------------------------------------- addons


def _addons(pinakes: Pinakes, asked: StackAsked) -> Offers:
    pinakes.search(asked.q, limit=1, facets=False)  # a mistake is told in the words that were typed
    named = name_base(pinakes.catalog, pinakes.text, asked.base or "", on_disk=False)
    architecture = named.document.architecture if named.document else named.architecture
    type_ = f"type:{asked.kind or ','.join(ADDON_KINDS)}"
    fits = f'fits:"{architecture}"' if architecture else ""
    fitting, total = _found(pinakes, _query(asked, type_, fits), _FITTING, asked.ids)
    others = _found(pinakes, _query(asked, type_, f"-{fits}"), _REST, asked.ids)[0] if fits else []
    ids = {document.id for document in (*fitting, *others)}
    with pinakes.catalog.read() as session:
        rows = fit_rows(session, ids | ({named.document.id} if named.document else set()))
    base = ready_base(found_base(named, rows))
    told = [_addon(document, rows, base, _TOLD) for document in fitting]
    rest = [_addon(document, rows, base, _UNTOLD) for document in others]
    # Tensors have the last word over labels, in both directions.
    return Offers(
        [one for one in (*told, *rest) if one.fits], [one for one in (*told, *rest) if not one.fits], total
    )


def _addon(document: Document, rows: Mapping[int, list[FitRow]], base: Base, unread: FitVerdict) -> Offer:
    side = found_addon(Named(document.name, document), rows).side
    verdict = unread if side is None else check_sides(side, base)
    fits = verdict.verdict in _LOADS or (side is None and unread is _TOLD)
    why = plain_reason(next(iter(verdict.reasons), ""))
    return _offer(document, verdict.verdict, why, fits=fits)


def _offer(document: Document, verdict: str, why: str, *, fits: bool) -> Offer:
    base = title_of(document.architecture) if document.architecture else ""
    return Offer(document, short_kind(document), base, cover(document), verdict, why, fits)


# ---------------------------------------------------------------- bases


def _bases(pinakes: Pinakes, asked: StackAsked, addons: Sequence[Document]) -> Offers:
    pinakes.search(asked.q, limit=1, facets=False)
    type_ = f"type:{','.join(sorted(BASES))}"
    wanted = [f"arch:{','.join(addon.fits)}" for addon in addons if addon.fits]
    fitting, total = _found(pinakes, _query(asked, type_, *wanted), _FITTING, ())
    known = [document.id for document in fitting]
    rest = _found(pinakes, _query(asked, type_), _REST, known)[0] if wanted else []
    return Offers(
        [_offer(document, "", "", fits=True) for document in fitting],
        [_offer(document, "", _misfit(document, addons), fits=False) for document in rest],
        total,
    )


def _misfit(document: Document, addons: Sequence[Document]) -> str:
    names = list(_unloadable(document, addons))
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more} would not load on it."


def _unloadable(document: Document, addons: Sequence[Document]) -> Iterator[str]:
    for addon in addons:
        if addon.fits and not set(addon.fits) & set(document.architecture_path):
            yield addon.name
