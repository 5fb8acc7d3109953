"""What folder names promise: kinds by name, the tool by the set of folders (``data/folders.toml``)."""

import os
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.vocabulary import read_table

__all__ = ["NO_PROMISES", "folder_claims", "layout_of", "recognise_layout"]

NO_PROMISES: Final[Mapping[bytes, str]] = MappingProxyType({})


@cache
def _kinds() -> dict[str, str]:
    return {name: row["kind"] for row in read_table("folders.toml")["folder"] for name in row["names"]}


@cache
def _claims(name: str) -> tuple[ClaimSet, ...]:
    kind = _kinds().get(name)
    return (ClaimSet(f"folder:{name}", (Claim("kind", kind),), {"folder": name}),) if kind else ()


def folder_claims(
    root: bytes, directory: bytes, promises: Mapping[bytes, str] = NO_PROMISES
) -> tuple[ClaimSet, ...]:
    """The claim of the nearest folder that promises a kind, from ``directory`` (relative) up to the root.

    ``promises`` are absolute folders that a tool's configuration says to hold a category; that word counts
    before the folder's own name. Empty when none does.
    """
    root = root.rstrip(b"/")
    path = os.path.join(root, directory) if directory else root
    while path and len(path) >= len(root):
        for name in (promises.get(path, ""), os.path.basename(path).decode("utf-8", "replace")):
            claims = _claims(name.lower())
            if claims:
                return claims
        path = os.path.dirname(path) if path != b"/" else b""
    return ()


def layout_of(names: Collection[str]) -> str | None:
    """The tool that keeps folders (or files) of these names in one place, or ``None``."""
    folded = {name.lower() for name in names}
    for row in read_table("folders.toml")["layout"]:
        if folded.issuperset(row.get("folders", ())) and set(row.get("exact", ())).issubset(names):
            return str(row["id"])
    return None


def recognise_layout(root: Path) -> str:
    """The tool whose folders stand below the root or its ``models``: an id of the table, or ``plain``."""
    names: set[str] = set()
    for base in (root, root / "models", root / "Models", root / "Data" / "Models"):
        try:
            names |= {entry.name for entry in base.iterdir() if entry.suffix == ".yaml" or entry.is_dir()}
        except OSError:
            continue  # not there, or not readable: the walk tells that
    return layout_of(names) or "plain"
