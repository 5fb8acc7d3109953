"""Fooocus (its ``fooocus`` scheme and private log), Fooocus-MRE and RuinedFooocus: flat JSON.

Its other scheme is A1111's text. ``resolution`` is the text of a Python tuple, ``loras`` may be a list of
[name, weight] or of [name, weight, hash], ``lora_combined_1`` is "name : weight".
"""

from typing import Any

from indexer.parsers.generation.draft import Draft
from indexer.parsers.generation.flat import read_flat, software
from indexer.parsers.generation.models import fold

__all__ = ["is_fooocus", "read_fooocus"]

_MARKS = frozenset(
    ("performance", "sharpness", "admguidance", "styles", "basemodel", "basemodelname", "metadatascheme")
)


def is_fooocus(value: dict[str, Any]) -> bool:
    """True for the objects of Fooocus and its forks."""
    named = software(value.get("software")) or software(value.get("version") or value.get("Version"))
    return named in ("fooocus", "ruinedfooocus") or len(_MARKS & {fold(key) for key in value}) > 1


def read_fooocus(value: dict[str, Any]) -> Draft:
    """The draft of such an object."""
    named = software(value.get("software")) or software(value.get("version") or value.get("Version"))
    draft = Draft(named or "fooocus")
    read_flat({key: item for key, item in value.items() if item is not None}, draft)
    return draft
