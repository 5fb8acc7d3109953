"""Relatives on a model's page: its other versions, and its lineage for the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog.entries import documents
from indexer.catalog.lineage import sister_versions
from indexer.domain.records import Document
from search.lineage import Kin, Lineage, trace_lineage
from search.service import Pinakes

__all__ = ["Release", "lineage_of", "releases_of"]

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a model; ``shown``: the page is about it."""

    document: Document
    shown: bool

    @property
    def here(self) -> bool:
        """Whether a file of it lies in the library."""
        return "local" in self.document.flags


def releases_of(pinakes: Pinakes, document: Document) -> list[Release]:
    """All versions of the model that are known, newest first; empty where there is only this one."""
    with pinakes.catalog.read() as session:
        sisters = documents(session, sister_versions(session, document.id))
    if not sisters:
        return []
    every = sorted((document, *sisters.values()), key=lambda one: (one.created or "", one.id), reverse=True)
    return [Release(one, one.id == document.id) for one in every]


def lineage_of(pinakes: Pinakes, document: Document) -> Lineage | None:
    """Where the model comes from and what came of it; None where nobody tells. Other versions, which stand in
    a list of their own, are left out."""
    found = trace_lineage(pinakes, document.id, depth=_DEPTH)
    siblings: Sequence[Kin] = [one for one in found.siblings if one.relation != "version"]
    if not (found.ancestors or found.descendants or siblings):
        return None
    return Lineage(found.document, found.ancestors, found.descendants, siblings, found.more)
