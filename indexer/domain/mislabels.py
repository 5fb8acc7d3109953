"""Claims against findings: what a file is said to be and is not. Pure; nothing here decides who is right.

Three kinds of claims can be held against what was measured: kind and base (the verdict's own conflicts), the
container that a file name's ending promises (``data/extensions.toml``), and a SHA-256 that somebody stated.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from indexer.domain.vocabulary import read_table

__all__ = ["SETTLED", "extension_conflicts", "file_conflicts"]

SETTLED = frozenset({"kind", "architecture"})
"""Overrides that settle what a file is: it is no longer counted as mislabelled."""

_READ = frozenset({"safetensors", "gguf", "pickle", "zip"})
_SHA256_DIGITS = 64


def file_conflicts(
    verdict: Mapping[str, Any],
    claims: Iterable[tuple[str, Mapping[str, Any]]],
    container: str,
    paths: Sequence[str],
    sha256: str | None,
) -> list[Mapping[str, Any]]:
    """Every claim about a file that a finding contradicts, as ``{claim, source, found}``.

    ``claims`` are (source, claims by name); ``sha256`` is the measured one, None while it is not measured.
    """
    return [
        *(verdict.get("conflicts") or ()),
        *extension_conflicts(container, paths),
        *_hash_conflicts(claims, sha256),
    ]


def extension_conflicts(container: str, paths: Iterable[str]) -> list[dict[str, str]]:
    """The endings of file names that promise another container than the content has."""
    if container not in _READ:
        return []
    endings = dict.fromkeys(PurePosixPath(path.replace("\\", "/")).suffix.lower() for path in paths)
    return [
        {"claim": ending, "source": "file name", "found": container}
        for ending in endings
        if container not in _promised().get(ending, (container,))
    ]


@cache
def _promised() -> Mapping[str, tuple[str, ...]]:
    return {ending: tuple(row["containers"]) for ending, row in read_table("extensions.toml").items()}


def _hash_conflicts(
    claims: Iterable[tuple[str, Mapping[str, Any]]], sha256: str | None
) -> list[dict[str, str]]:
    if sha256 is None:
        return []
    said = ((source, str(claimed.get("sha256") or "").lower()) for source, claimed in claims)
    return [
        {"claim": f"sha256:{claimed}", "source": source, "found": f"sha256:{sha256}"}
        for source, claimed in dict.fromkeys(said)
        if len(claimed) == _SHA256_DIGITS and claimed != sha256
    ]
