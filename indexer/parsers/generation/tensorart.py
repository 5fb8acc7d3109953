"""Tensor.Art: flat JSON in ``generation_data``, models as objects, beside a graph."""

from typing import Any

from indexer.parsers.generation.draft import Draft
from indexer.parsers.generation.flat import read_flat

__all__ = ["is_tensorart", "read_tensorart"]


def is_tensorart(value: dict[str, Any]) -> bool:
    """True for Tensor.Art's object."""
    base = value.get("baseModel")
    return isinstance(base, dict) and "modelFileName" in base and "prompt" in value


def read_tensorart(value: dict[str, Any]) -> Draft:
    """The draft of Tensor.Art's object."""
    draft = Draft("tensorart")
    read_flat({key: item for key, item in value.items() if item is not None}, draft)
    return draft
