"""The whole look: check after check, in an order in which each may rely on those before."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from indexer.catalog.database import Catalog, open_catalog
from indexer.doctor.books import books, tables
from indexer.doctor.indexes import (
    look_at_plan_index,
    look_at_text_index,
    look_at_vector_indexes,
    weights_told,
)
from indexer.doctor.pictures import look_at_pictures
from indexer.doctor.prompts import look_at_prompt_index
from indexer.doctor.surroundings import look_around
from indexer.domain.health import Finding, fault, note, worst
from indexer.encoders import active_encoders
from indexer.errors import CatalogError
from indexer.progress import Progress, Silent
from indexer.settings import Settings

__all__ = ["Report", "examine"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in ``home``. ``mended`` are checks at fault before a repair and well after it."""

    home: str
    findings: tuple[Finding, ...]
    seconds: float
    mended: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """The worst of all findings: ``ok``, ``note`` or ``fault``."""
        return worst(tuple(finding.state for finding in self.findings))

    @property
    def repairs(self) -> frozenset[str]:
        """Names of the repairs that would mend something."""
        return frozenset(finding.repair for finding in self.findings if finding.repair)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON data."""
        return {
            "home": self.home,
            "state": self.state,
            "mended": list(self.mended),
            "checks": [asdict(finding) for finding in self.findings],
            "seconds": round(self.seconds, 2),
        }


def examine(settings: Settings, progress: Progress) -> Report:
    """Look at everything; nothing is changed, nothing is made.

    A fault of one part is a finding, and the parts that do not rely on it are looked at still.
    """
    started = time.perf_counter()
    findings = tuple(_findings(settings, progress))
    return Report(str(settings.home), findings, time.perf_counter() - started)


def _findings(settings: Settings, progress: Progress) -> Iterator[Finding]:
    if settings.database_url is None and not (settings.home / "catalog.sqlite3").exists():
        yield note("catalog", f"There is no catalog in {settings.home} yet.", "Run: pinakes index FOLDER")
        return
    try:
        settings.prepare_home()
        catalog = open_catalog(settings, upgrade=False)
    except CatalogError as error:
        yield fault("catalog", error.detail)
        return
    with closing(catalog):
        try:
            yield from _of_catalog(catalog, settings, progress)
        except CatalogError as error:
            repair = "reindex" if "malformed" in error.detail else None  # not for another file in its place
            yield fault("catalog", error.detail, repair=repair)


def _of_catalog(catalog: Catalog, settings: Settings, progress: Progress) -> Iterator[Finding]:
    first = tables(catalog)
    yield first
    if first.state == "fault":
        return
    writing = False
    for finding in books(catalog, settings, progress):
        yield finding
        writing |= finding.check == "writer"
        if finding.check == "integrity" and finding.state == "fault":
            return  # what a damaged database says of the rest is worth nothing
    yield from look_around(catalog, settings)
    yield from look_at_pictures(catalog, settings, progress, writing=writing)
    yield look_at_text_index(catalog, settings, writing=writing)
    yield look_at_plan_index(catalog, settings, writing=writing)
    yield look_at_prompt_index(catalog, settings, writing=writing)
    said = Silent()
    encoders = active_encoders(settings, said)
    yield from weights_told(said, settings)
    if not said.notes:
        yield from look_at_vector_indexes(catalog, settings, encoders, progress, writing=writing)
