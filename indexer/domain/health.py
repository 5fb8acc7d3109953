"""What a look over a home finds: one sentence a finding, what to do, and whether a repair exists."""

from dataclasses import dataclass

__all__ = ["STATES", "Finding", "fault", "note", "sound", "worst"]

STATES = ("ok", "note", "fault")
"""From best to worst. A ``note`` is worth knowing; a ``fault`` needs something to be done."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` names what was looked at. ``repair`` names what mends it, None where only a person can."""

    check: str
    state: str
    detail: str
    advice: str = ""
    repair: str | None = None


def sound(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", detail)


def note(check: str, detail: str, advice: str = "", repair: str | None = None) -> Finding:
    """Worth knowing; nothing is broken."""
    return Finding(check, "note", detail, advice, repair)


def fault(check: str, detail: str, advice: str = "", repair: str | None = None) -> Finding:
    """Something is broken, missing or behind."""
    return Finding(check, "fault", detail, advice or (_REPAIR if repair else ""), repair)


def worst(states: tuple[str, ...]) -> str:
    """The worst of some states; ``ok`` for none."""
    return max(states, key=STATES.index, default="ok")


_REPAIR = "Run: pinakes doctor --repair"
