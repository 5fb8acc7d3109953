"""The page of the library's health: counts, what could not be read, and what deserves a look."""

from dataclasses import dataclass
from typing import Any

from search.service import Pinakes

__all__ = ["health_view"]

_SHOWN = 500
_MISLABELLED = 50
_DUPLICATES = 20
_CRAWLS = 10
_UPDATES = 20


@dataclass(frozen=True, slots=True)
class Check:
    """A question about the library, and the query that answers it."""

    query: str
    title: str
    advice: str
    count: int = 0


_CHECKS = (
    Check(
        "is:mislabelled", "Mislabelled", "The label says one base, the tensors another. Trust the tensors."
    ),
    Check("is:duplicate", "Duplicates", "The same bytes lie in several places; one copy is enough."),
    Check(
        "is:unidentified", "Unidentified", "Their tensors match nothing known. They still can be searched."
    ),
    Check("is:nonfunctional", "Cannot work", "Empty, untrained or broken weights. Download them again."),
    Check("is:missing", "Missing", "Indexed once, not found at the last run. The record is kept."),
    Check("-has:preview is:local", "Without a preview", "Put an image of the same name beside the file."),
    Check("-has:trigger type:lora", "LoRAs without trigger words", "A sidecar from the hub would tell them."),
)


def health_view(pinakes: Pinakes) -> dict[str, Any]:
    """Everything that ``health.html`` shows."""
    refused = pinakes.quarantined()
    report = pinakes.mislabelled(limit=_MISLABELLED)
    twice = pinakes.duplicates(limit=_DUPLICATES)
    return {
        "stats": pinakes.stats(),
        "checks": [
            Check(check.query, check.title, check.advice, pinakes.search(check.query, limit=1).total)
            for check in _CHECKS
        ],
        "mislabelled": list(report.items),
        "mislabelled_total": report.total,
        "mislabelled_left": max(0, report.total - _MISLABELLED),
        "duplicates": twice,
        "duplicates_left": max(0, twice.total - _DUPLICATES),
        "refused": refused[:_SHOWN],
        "left": max(0, len(refused) - _SHOWN),
        "schedules": pinakes.schedules(),
        "crawls": pinakes.overviews.crawls(_CRAWLS),
        "updates": pinakes.overviews.updates(_UPDATES),
        "under_way": pinakes.overviews.under_way(),
    }
