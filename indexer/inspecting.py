"""``pinakes inspect``: what is this file? Needs no catalog and writes nothing."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.domain.found import FoundFile, Judged, Problem
from indexer.domain.mislabels import extension_conflicts
from indexer.errors import UsageError
from indexer.inspecting_images import describe_image, is_image
from indexer.parsers.hashing import data_start, hash_file
from indexer.parsers.sidecars import SIDECAR_SUFFIXES
from indexer.reading import judge
from indexer.sources.local import walk

__all__ = ["describe", "found_files", "inspect_paths", "is_url"]


def is_url(text: str) -> bool:
    """Whether a person means an address of the web and no path; ``inspecting_remote`` reads those."""
    return text.lower().startswith(("http://", "https://"))


def inspect_paths(
    paths: list[Path], *, hashes: bool = False, weights: bool = False
) -> Iterator[dict[str, Any]]:
    """One object a file, as the public contract spells it; folders are walked. ``weights`` reads adapters
    whole and tells those that cannot work.

    Raises ``UsageError`` (``path_missing``) for a path that is not there.
    """
    for path in paths:
        if not path.exists():
            raise UsageError("path_missing", f"There is no file or folder {str(path)!r}. Check its name.")
        if is_image(path):
            yield describe_image(path)
            continue
        for found in found_files(path):
            told = describe(judge(found, named=False), hashes=hashes)
            yield _with_weights(told, found) if weights and not found.parts else told


def _with_weights(told: dict[str, Any], found: FoundFile) -> dict[str, Any]:
    from indexer.adapter_weights import with_weights  # numpy comes with it

    return with_weights(told, found.path)


def found_files(path: Path) -> Iterator[FoundFile]:
    """The model files of a folder, or the one file with what lies beside it."""
    if path.is_dir():
        for group in walk(path.resolve(), tuple(SIDECAR_SUFFIXES)):
            if isinstance(group, list):
                yield from group
        return
    status = path.stat()
    name = os.fsencode(path.name)
    beside = walk(path.resolve().parent, tuple(SIDECAR_SUFFIXES))
    first = next(beside, [])
    known = [f for f in first if f.name == name] if isinstance(first, list) else []
    yield (
        known[0]
        if known
        else FoundFile(
            path=os.fsencode(path),
            directory=b"",
            name=name,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            inode=f"{status.st_dev}:{status.st_ino}",
            sidecars=(),
            previews=(),
            surroundings="",
        )
    )


def describe(outcome: Judged | Problem, *, hashes: bool = False) -> dict[str, Any]:
    """A judgement as the public contract's ``inspect`` object."""
    found = outcome.found
    told: dict[str, Any] = {
        "path": found.path.decode("utf-8", "replace"),
        "size": found.size,
        "container": "unknown",
        "status": "quarantined",
        "reason": None,
        "warnings": [],
        "warning_details": {},
        **_verdict({}),
        "claims": {},
        "trigger_words": [],
        "training": {},
    }
    if isinstance(outcome, Problem):
        return told | {"reason": {"code": outcome.code, "detail": outcome.detail}}
    verdict = _verdict(asdict(outcome.verdict))
    claims = {item.source: {claim.name: claim.value for claim in item.claims} for item in outcome.claims}
    told |= {
        "container": outcome.container,
        "status": "ok",
        "warnings": sorted(outcome.warnings),
        "warning_details": dict(outcome.warnings),
        **verdict,
        "conflicts": [*verdict["conflicts"], *extension_conflicts(outcome.container, [told["path"]])],
        "claims": claims,
        "trigger_words": _trigger_words(claims),
        "training": dict(outcome.training),
    }
    if hashes and not found.parts:  # several files have no hash of their own
        start = data_start(found.path) if outcome.container == "safetensors" else None
        measured = hash_file(found.path, start)
        told["hashes"] = {_HASHES[kind]: value for kind, value in measured.items()}
    return told


_HASHES = {
    "sha256": "SHA256",
    "autov1": "AutoV1",
    "autov2": "AutoV2",
    "autov3": "AutoV3",
    "blake3": "BLAKE3",
    "crc32": "CRC32",
}
"""Names of hashes as hubs spell them."""

_VERDICT: dict[str, Any] = {
    "kind": "unknown",
    "adapter": None,
    "key_format": None,
    "architecture": None,
    "architecture_path": [],
    "candidates": [],
    "family": None,
    "confidence": 0.0,
    "evidence": [],
    "conflicts": [],
    "rank": None,
    "alpha": None,
    "dtypes": {},
    "quantisation": None,
    "parameters": None,
    "tensors": 0,
    "prediction_type": None,
    "components": [],
    "families": [],
    "trained": [],
    "needs": [],
    "ranks": {},
    "alphas": {},
    "scale": None,
}

_SPEAKERS = (
    "sidecar:",
    "header:modelspec",
    "header:other",
    "header:ai-toolkit",
    "header:onetrainer",
    "header:",
)
"""Whose trigger words come first: people's own words before what a training set lets guess."""


def _trigger_words(claims: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Trigger words of all sources, likeliest first, each once whatever its case."""

    def place(source: str) -> int:
        return next((n for n, start in enumerate(_SPEAKERS) if source.startswith(start)), len(_SPEAKERS))

    found: dict[str, str] = {}
    for source in sorted(claims, key=place):
        for word in claims[source].get("trigger_words") or ():
            found.setdefault(str(word).casefold(), str(word))
    return list(found.values())


def _verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {name: verdict.get(name, default) for name, default in _VERDICT.items()}
