"""What folder names promise: kinds by name, the tool by the set of folders (``data/folders.toml``)."""

import os
from functools import cache
from pathlib import Path

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.vocabulary import read_table

__all__ = ["folder_claims", "recognise_layout"]


@cache
def _kinds() -> dict[str, str]:
    return {name: row["kind"] for row in read_table("folders.toml")["folder"] for name in row["names"]}


@cache
def folder_claims(root: bytes, directory: bytes) -> tuple[ClaimSet, ...]:
    """The claim of the nearest folder that promises a kind, from ``directory`` (relative) up to the root.

    Empty when none does.
    """
    parts = [os.path.split(root.rstrip(b"/"))[1], *directory.split(b"/")]
    for part in reversed(parts):
        name = part.decode("utf-8", "replace").lower()
        kind = _kinds().get(name)
        if kind is not None:
            return (ClaimSet(f"folder:{name}", (Claim("kind", kind),), {"folder": name}),)
    return ()


def recognise_layout(root: Path) -> str:
    """The tool whose folders stand below the root or its ``models``: an id of the table, or ``plain``."""
    names: set[str] = set()
    for base in (root, root / "models", root / "Models", root / "Data" / "Models"):
        if base.is_dir():
            names |= {entry.name.lower() for entry in base.iterdir() if entry.is_dir()}
    for row in read_table("folders.toml")["layout"]:
        if set(row["folders"]) <= names:
            return str(row["id"])
    return "plain"
