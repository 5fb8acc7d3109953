"""How a model was trained, from what its own header's metadata says."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from indexer.parsers.training import parse_metadata

__all__ = ["training_recipe"]

_LEFT_OUT = frozenset(("unparsed", "warnings", "thumbnail"))


def training_recipe(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The facts of ``parsers.training.TrainingFacts`` that the metadata tells; empty when it tells none."""
    if not metadata:
        return {}
    facts = asdict(parse_metadata(metadata)[0])
    return {
        name: value for name, value in facts.items() if name not in _LEFT_OUT and value not in (None, (), {})
    }
