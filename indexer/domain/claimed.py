"""What a model is by claims alone: a hub's record without a file of ours behind it."""

from collections.abc import Mapping
from typing import Any

from indexer.domain.vocabulary import architecture_path, architectures, base_label, families, kinds

__all__ = ["CLAIMED", "claimed_verdict"]

CLAIMED = 0.5
"""Confidence in a base label that no tensor has confirmed: labels are chosen from a list, by hand."""


def claimed_verdict(said: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict in the stored form from the best claims (``kind``, ``architecture``, ``base_label``).

    Labels that no table maps leave the architecture open.
    """
    label = base_label(str(said.get("base_label") or ""))
    architecture = said.get("architecture") or (label.architecture if label else None)
    if architecture not in architectures():
        architecture = None
    family = label.family if label else None
    kind = said.get("kind")
    return {
        "kind": kind if kind in kinds() else "unknown",
        "architecture": architecture,
        "architecture_path": architecture_path(architecture) if architecture else (),
        "family": family if family in families() else None,
        "confidence": CLAIMED if architecture else 0.0,
    }
