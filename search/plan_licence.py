"""What may be done after the move that could not be done before, and the other way round. Pure."""

from collections.abc import Sequence
from typing import Any

from indexer.domain.licences import COMMERCIAL, NON_COMMERCIAL, base_licences, permission_titles, strictest
from indexer.domain.records import Document
from search.plan_fit import Target

__all__ = ["base_change", "licence_change", "target_licence"]

FOR_MONEY = ("sell-images", "run-as-service", "sell-model")
_UNSTATED = "not stated"

_Terms = tuple[str, Sequence[str]]
"""A licence's name, and permissions as ``Document.permissions`` has them."""


def licence_change(document: Document, successor: Document | None, target: Target) -> dict[str, Any] | None:
    """What changes from a model to its ``successor``, or to one trained anew on the target (None).

    ``{from, to, loses [permission], gains [permission], commercial [before, after], told}``; None where
    nothing changes of what may be done for money, or nothing is known. What one trains oneself is bound by
    its base alone.
    """
    return _change(_of(document), _of_base(target) if successor is None else _of(successor))


def base_change(old: str | None, target: Target) -> dict[str, Any] | None:
    """What changes from the architecture ``old`` to the target, by the licences of the bases alone."""
    return None if old is None else _change(_of_base(Target(old)), _of_base(target))


def target_licence(target: Target) -> dict[str, Any]:
    """``{title, permits [permission], commercial}`` of the base that is moved to."""
    title, permits = _of_base(target)
    return {
        "title": title,
        "permits": [id_ for id_ in permission_titles() if id_ in permits],
        "commercial": _sale(permits),
    }


def _of(document: Document) -> _Terms:
    bases = base_licences(document.architecture, document.base_label, document.family)
    stated = document.licence or " and ".join(bases)
    if NON_COMMERCIAL in document.permissions and not strictest([stated]).forbidden:
        # The licence would permit it; its creator's own words, or the base's licence, do not.
        forbids = " and ".join(strictest(bases).strict) if bases else ""
        return forbids or "the permissions of its creator", document.permissions
    return stated or _UNSTATED, document.permissions


def _of_base(target: Target) -> _Terms:
    bases = base_licences(target.architecture, None, target.family)
    return " and ".join(bases) or _UNSTATED, strictest(bases).ids() if bases else ()


def _change(old: _Terms, new: _Terms) -> dict[str, Any] | None:
    (before_name, before), (after_name, after) = old, new
    sold = [_sale(before), _sale(after)]
    known = bool(before) and bool(after)
    loses = [id_ for id_ in FOR_MONEY if known and id_ in before and id_ not in after]
    gains = [id_ for id_ in FOR_MONEY if known and id_ in after and id_ not in before]
    if not loses and not gains and (sold[0] == sold[1] or sold[1] is not False):
        return None
    return {
        "from": before_name,
        "to": after_name,
        "loses": loses,
        "gains": gains,
        "commercial": sold,
        "told": _told(sold, loses, gains, after_name),
    }


def _sale(permissions: Sequence[str]) -> bool | None:
    """Whether pictures may be sold; None where nobody says."""
    if NON_COMMERCIAL in permissions:
        return False
    return True if COMMERCIAL in permissions else None


def _told(sold: Sequence[bool | None], loses: Sequence[str], gains: Sequence[str], after: str) -> str:
    match sold:
        case [True, False]:
            return f"Pictures may no longer be sold: {after}."
        case [None, False]:
            return f"Pictures may not be sold: {after}."
        case [False, True]:
            return f"Pictures may be sold from then on: {after}."
    titles = permission_titles()
    if loses:
        return f"No longer said: {'; '.join(titles[id_] for id_ in loses)} ({after})."
    return f"From then on {'; '.join(titles[id_] for id_ in gains)} ({after})."
