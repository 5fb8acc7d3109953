"""One model from disk to judgement: container, header, verdict, claims. Pure but for reading its files.

Nothing here writes; what goes wrong leaves as ``Problem`` with a stable code, never as an exception.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.domain.bundles import MODEL_INDEX, index_of
from indexer.domain.claims import ClaimSet
from indexer.domain.collector import collector_paused
from indexer.domain.fit import pack
from indexer.domain.found import FoundFile, Judged, Problem
from indexer.domain.header import Header, HeaderWarning
from indexer.domain.verdict import Verdict
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.adapter_config import read_adapter_config
from indexer.parsers.diffusers_folder import read_folder
from indexer.parsers.model_file import container_of, name_content, read_model
from indexer.parsers.scalars import MAX_READS, alpha_names, read_scalars
from indexer.parsers.shards import bundle_fingerprint, read_shards
from indexer.parsers.sidecars import parse_sidecar
from indexer.parsers.training import parse_metadata, thumbnail_bytes, told_facts
from indexer.rules import identify
from indexer.rules.details import with_alphas, with_configuration
from indexer.rules.fit_packed import packed_profile
from indexer.rules.fit_profile import fit_profile_of_folder
from indexer.rules.folder import combine, main_component

__all__ = ["PARSER_VERSION", "judge", "judge_header"]

PARSER_VERSION = 5
"""Raise it when parsers or rules change: every file is then judged anew at the next run."""

_SIDECAR_LIMIT = 32 << 20
_PROBES = 2
_STILL_GROWING = frozenset(
    (
        *("data_truncated", "header_truncated", "too_short", "not_a_model:zero", "truncated"),
        *("unreadable:empty", "unreadable:truncated", "unreadable:zip_truncated"),
    )
)
"""Faults that a download in progress shows; on a file touched just now they mean: try later."""
_STILL_COMING = frozenset(("shard_missing", "component_missing"))
"""The same of several files: what is missing is named, and looked for again while the rest is young."""


def judge(found: FoundFile, unstable_seconds: float = 60.0, *, named: bool = True) -> Judged | Problem:
    """Read one file and say what it is.

    A damaged file changed less than ``unstable_seconds`` ago counts as still being written. ``named`` off
    leaves plain files without a fingerprint and a profile for fitting, which only the catalog needs.
    """
    try:
        with collector_paused():
            return _judge(found, named)
    except BadFileError as error:
        if error.code in _STILL_GROWING and _recent(found, unstable_seconds):
            return Problem(
                found,
                "unstable",
                f"It is not whole yet ({error.detail}) and was changed a moment ago: probably still being "
                "downloaded. It is read again at the next run.",
                retry=True,
            )
        coming = error.code in _STILL_COMING and _recent(found, unstable_seconds)
        return Problem(found, error.code, error.detail, retry=coming)
    except TemporaryError as error:
        return Problem(found, error.code, error.detail, retry=True)
    except OSError as error:
        reason = error.strerror or str(error)
        return Problem(
            found, "io", f"It cannot be read ({reason}). Check its permissions and the disk.", retry=True
        )


def _recent(found: FoundFile, seconds: float) -> bool:
    return abs(time.time() - found.mtime_ns / 1e9) < seconds


def _judge(found: FoundFile, named: bool) -> Judged | Problem:
    claims = [*found.claims, *sidecar_claims(found)]
    if found.name == MODEL_INDEX:
        return _from_folder(found, claims, named)
    if found.parts or index_of(found.name):
        header, prints = read_shards(found.parts, found.path if index_of(found.name) else None)
        return judge_header(found, header, bundle_fingerprint(prints), claims)
    header = read_model(found.path, container_of(found.path))
    content = name_content(found.path, found.size, header) if named else ""
    return judge_header(found, header, content, claims)


def judge_header(
    found: FoundFile, header: Header, name: str, claims: list[ClaimSet], *, local: bool = True
) -> Judged | Problem:
    """What a header says of a model whose content is called ``name``; adds its metadata to ``claims``.

    Without a name it is only looked at, and no profile for fitting is made.
    ``local`` False: ``found.path`` is no path, and nothing of the file but the header is read.
    """
    facts, trained = parse_metadata(header.metadata)
    claims.extend(trained)
    training = told_facts(facts)
    file_name = found.name.decode("utf-8", "replace")
    verdict = identify(header, file_name=file_name, claims=claims, training=training)
    verdict, odd = _with_alphas(found, header, verdict) if local else (verdict, ())
    fit = packed_profile(header, verdict.kind) if name else None
    return _judged(
        found, name, replace(header, warnings=header.warnings + odd), verdict, claims, training, fit
    )


def _with_alphas(
    found: FoundFile, header: Header, verdict: Verdict
) -> tuple[Verdict, tuple[HeaderWarning, ...]]:
    """The verdict with alphas read from the file; where the metadata state them, two reads verify that. What
    PEFT saves holds none: they stand in its configuration beside the file."""
    if verdict.kind != "lora" or header.container != "safetensors" or found.parts:
        return verdict, ()
    reads, names = MAX_READS, alpha_names(header.tensors)
    if not names:
        beside = read_adapter_config(found.path, header.tensors)
        return (with_configuration(verdict, header, beside) if beside else verdict), ()
    if verdict.alpha is not None:
        reads, names = _PROBES, names[:: max(1, len(names) // _PROBES)]
    values = read_scalars(found.path, header, names, reads=reads)
    return with_alphas(verdict, values, header.metadata)


def _from_folder(found: FoundFile, claims: list[ClaimSet], named: bool) -> Judged | Problem:
    """A diffusers pipeline: its components are identified one by one, the claims are about the denoiser."""
    folder = read_folder(found.path, found.parts)
    claims.append(folder.claims)
    kinds = {name: identify(header) for name, header in folder.components.items()}
    main = main_component({name: verdict.kind for name, verdict in kinds.items()})
    kinds[main] = identify(folder.components[main], claims=claims)
    verdict = combine(kinds, folder.prediction)
    content = bundle_fingerprint(folder.prints)
    warnings = {w.code: w for header in folder.components.values() for w in header.warnings}
    header = replace(folder.components[main], warnings=tuple(warnings.values()))
    fit = pack(fit_profile_of_folder(folder.components)) if named else None
    return _judged(found, content, header, verdict, claims, {}, fit)


def _judged(
    found: FoundFile,
    name: str,
    header: Header,
    verdict: Verdict,
    claims: Sequence[ClaimSet],
    training: Mapping[str, Any],
    fit: bytes | None,
) -> Judged | Problem:
    warnings = {w.code: w.detail for w in header.warnings}
    for item in claims:
        warnings.update((w.code, w.detail) for w in item.warnings)
    program = verdict.program
    if program is not None and program.verdict == "dangerous-imports":
        return Problem(found, program.verdict, program.detail, retry=False, program=program)
    if program is not None and program.verdict == "unknown-imports":
        warnings[program.verdict] = program.detail
    picture = thumbnail_bytes(header.metadata)
    return Judged(found, name, header.container, verdict, tuple(claims), warnings, training, picture, fit)


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
