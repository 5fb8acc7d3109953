"""How verdicts and actions are called at a terminal, on pages and in reports, and their colours there."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ACTIONS", "VERDICTS", "Mark"]


class Mark(NamedTuple):
    """A ``word`` in a ``colour`` (as rich names them), and what it means."""

    word: str
    colour: str
    told: str


VERDICTS: Mapping[str, Mark] = {
    "compatible": Mark("fits", "green", "This stack fits together."),
    "partial": Mark("fits in part", "yellow", "This stack loads; not all of it has an effect."),
    "incompatible": Mark("does not fit", "red", "This stack does not fit together."),
    "unknown": Mark("not known", "magenta", "Not all of this stack could be compared."),
}
"""Verdict on a stack, or on a part of it -> how it is told."""

ACTIONS: Mapping[str, Mark] = {
    "keep": Mark("Keep", "green", "works as it is"),
    "convert": Mark("Convert", "cyan", "the same weights, in another format"),
    "update": Mark("Update", "blue", "the same model has a version for it"),
    "replace": Mark("Replace", "magenta", "another model does the same"),
    "retrain": Mark("Retrain", "yellow", "nothing is near enough"),
    "unknown": Mark("Unknown", "red", "something is missing to decide"),
}
"""Action of a plan, the easiest first -> how it is told."""
