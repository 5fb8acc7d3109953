"""One file from disk to judgement: container, header, verdict, claims. Pure but for reading the file.

Nothing here writes; what goes wrong leaves as ``Problem`` with a stable code, never as an exception.
"""

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.domain.claims import ClaimSet
from indexer.domain.found import FoundFile, Judged, Problem
from indexer.domain.header import Header
from indexer.domain.verdict import Verdict
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.containers import sniff
from indexer.parsers.fingerprint import fingerprint
from indexer.parsers.safetensors import read_header
from indexer.parsers.sidecars import parse_sidecar
from indexer.parsers.training import TrainingFacts, parse_metadata
from indexer.rules import identify

__all__ = ["PARSER_VERSION", "judge"]

PARSER_VERSION = 1
"""Raise it when parsers or rules change: every file is then judged anew at the next run."""

_SIDECAR_LIMIT = 32 << 20
_STILL_GROWING = frozenset(("data_truncated", "header_truncated", "too_short", "not_a_model:zero"))
"""Faults that a download in progress shows; on a file touched just now they mean: try later."""


def judge(found: FoundFile, unstable_seconds: float = 60.0) -> Judged | Problem:
    """Read one file and say what it is.

    A damaged file changed less than ``unstable_seconds`` ago counts as still being written.
    """
    try:
        return _judge(found)
    except BadFileError as error:
        if error.code in _STILL_GROWING and _recent(found, unstable_seconds):
            return Problem(
                found,
                "unstable",
                f"It is not whole yet ({error.detail}) and was changed a moment ago: probably still being "
                "downloaded. It is read again at the next run.",
                retry=True,
            )
        return Problem(found, error.code, error.detail, retry=False)
    except TemporaryError as error:
        return Problem(found, error.code, error.detail, retry=True)
    except OSError as error:
        reason = error.strerror or str(error)
        return Problem(
            found, "io", f"It cannot be read ({reason}). Check its permissions and the disk.", retry=True
        )


def _recent(found: FoundFile, seconds: float) -> bool:
    return abs(time.time() - found.mtime_ns / 1e9) < seconds


def _judge(found: FoundFile) -> Judged:
    claims = [*found.claims, *sidecar_claims(found)]
    # A file that is called safetensors needs no sniffing: the strict reader names whatever else it is.
    named = found.name.lower().endswith((b".safetensors", b".sft"))
    container = "safetensors" if named else sniff(found.path)
    if container in ("safetensors", "unknown"):
        return _from_header(found, read_header(found.path), claims)
    name = fingerprint(found.path, found.size)
    return Judged(
        found, name, container, Verdict(), tuple(claims), {"container_not_read": _unread(container)}
    )


def _unread(container: str) -> str:
    return f"Pinakes knows this is a {container} file but reads the tensors of safetensors files only so far."


def _from_header(found: FoundFile, header: Header, claims: list[ClaimSet]) -> Judged:
    facts, trained = parse_metadata(header.metadata)
    claims.extend(trained)
    verdict = identify(header, file_name=found.name.decode("utf-8", "replace"), claims=claims)
    name = fingerprint(found.path, found.size, header.data_start)
    warnings = {w.code: w.detail for w in header.warnings}
    for item in claims:
        warnings.update((w.code, w.detail) for w in item.warnings)
    return Judged(found, name, header.container, verdict, tuple(claims), warnings, _training(facts))


def _training(facts: TrainingFacts) -> dict[str, Any]:
    """What the trainer wrote, without what it left empty."""
    left_out = ("unparsed", "warnings", "thumbnail")
    return {
        name: value
        for name, value in asdict(facts).items()
        if value not in (None, (), {}) and name not in left_out
    }


def sidecar_claims(found: FoundFile) -> list[ClaimSet]:
    """What the sidecars say; one that vanished or is too large is passed over with a warning."""
    claims = []
    for suffix, path in found.sidecars:
        try:
            data = Path(os.fsdecode(path.path)).read_bytes() if path.size <= _SIDECAR_LIMIT else b""
        except OSError:
            continue  # it vanished, or cannot be read: the model itself stays as it is
        claims.append(parse_sidecar(suffix, data))
    return claims
