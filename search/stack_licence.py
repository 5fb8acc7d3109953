"""What may be done with pictures of a whole stack: what every part permits, and who permits least."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indexer.domain.licences import COMMERCIAL, NON_COMMERCIAL, permission_titles, together
from search.stack_records import Member

__all__ = ["Terms", "terms_of_stack"]


@dataclass(frozen=True, slots=True)
class Terms:
    """``permits`` are ids of ``licences.toml``; ``commercial`` tells whether pictures may be sold, None where
    it is not known; ``strictest`` names the part that permits least and ``terms`` what it is under;
    ``unknown`` are parts of which nobody says."""

    permits: tuple[str, ...]
    commercial: bool | None
    strictest: str | None
    terms: str
    unknown: tuple[str, ...]

    @property
    def told(self) -> str:
        """One sentence."""
        under = f" ({self.terms})" if self.terms else ""
        if self.commercial is False:
            return f"Pictures may not be sold: {self.strictest}{under}."
        if self.commercial:
            least = f" Strictest: {self.strictest}{under}." if self.strictest else ""
            return f"Pictures may be sold.{least}"
        names = ", ".join(self.unknown[:3]) + (" and others" if len(self.unknown) > 3 else "")
        return f"Not known whether pictures may be sold: nothing is said of {names}."

    def to_json(self) -> dict[str, Any]:
        """``{permits, commercial, strictest {part, terms}, unknown, told}``."""
        strictest = None if self.strictest is None else {"part": self.strictest, "terms": self.terms}
        return {
            "permits": list(self.permits),
            "commercial": self.commercial,
            "strictest": strictest,
            "unknown": list(self.unknown),
            "told": self.told,
        }


def terms_of_stack(members: Sequence[Member]) -> Terms:
    """The terms of a stack. A part without a stated licence is under that of what it was made for."""
    permits = together(member.permissions for member in members)
    unknown = tuple(member.name for member in members if not member.permissions)
    known = [member for member in members if member.permissions]
    least = min(known, key=_freedom, default=None)
    sold: bool | None = None
    if NON_COMMERCIAL in permits:
        sold = False
    elif COMMERCIAL in permits:
        sold = True
    ids = tuple(id_ for id_ in permission_titles() if id_ in permits)
    return Terms(ids, sold, least.name if least else None, least.terms if least else "", unknown)


def _freedom(member: Member) -> tuple[bool, int]:
    """Those that forbid sale first, then by how little they permit."""
    return NON_COMMERCIAL not in member.permissions, len(member.permissions)
