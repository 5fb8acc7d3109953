"""What the headers of files at a hub say, asked for by range and only for content not judged before."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from indexer.catalog.database import Catalog
from indexer.catalog.hub_files import fit_text, known_verdicts
from indexer.domain.found import Judged, Problem
from indexer.domain.hubs import HubFile, HubModel, HubVersion
from indexer.parsers.remote_header import MAX_PICKLE
from indexer.reading_remote import judge_url, offered_url
from indexer.rules.folder import combine
from indexer.sources.http import HubClient
from indexer.sources.http_errors import HubError

__all__ = ["judge_offered"]

_MOST = 200
_KEPT = (
    *("kind", "adapter", "key_format", "architecture", "architecture_path", "candidates", "family"),
    *("families", "confidence", "rank", "dtypes", "quantisation", "parameters", "prediction_type"),
)


def judge_offered(catalog: Catalog, client: HubClient, model: HubModel) -> dict[str, dict[str, Any]]:
    """Verdicts by key of the file that stands for each version, with its packed profile for fitting as
    ``fit``; ``{reason}`` where it cannot be judged.

    At most 200 files of a repository are asked for; the others stay what is claimed of them. A file that is
    not reached for now is left out. Reads the catalog, writes nothing.
    """
    wanted = {file.key: (version, file) for version, file in _first_files(model)}
    hashes = [file.hashes["sha256"] for _, file in wanted.values() if "sha256" in file.hashes]
    with catalog.read() as session:
        known = known_verdicts(session, hashes)
    found = {}
    asked = 0
    for key, (version, file) in wanted.items():
        verdict = known.get(file.hashes.get("sha256", ""))
        if verdict is None and asked < _MOST:
            asked += 1
            verdict = _judged(client, model, version, file)
        if verdict:
            found[key] = verdict
    return found


def _first_files(model: HubModel) -> Iterator[tuple[HubVersion, HubFile]]:
    for version in model.versions:
        for file in version.files:
            small = file.size is not None and file.size <= MAX_PICKLE
            if file.primary and file.url and (file.format != "PickleTensor" or small):
                yield version, file


def _judged(client: HubClient, model: HubModel, version: HubVersion, file: HubFile) -> dict[str, Any] | None:
    claims = [version.claims, model.claims]
    url = offered_url(file)
    name = file.detail.get("index", file.name).rpartition("/")[2]
    try:
        outcome = judge_url(client, url, name, url, claims, profiled=True)
    except HubError as error:
        if error.code in ("auth", "not_found", "gone"):
            return {"reason": {"code": error.code, "detail": error.detail}}
        return None
    if isinstance(outcome, Problem):
        return None if outcome.retry else {"reason": {"code": outcome.code, "detail": outcome.detail}}
    return _stored(outcome, file)


def _stored(outcome: Judged, file: HubFile) -> dict[str, Any]:
    """A part of a pipeline tells what the whole is."""
    component = file.type if file.type not in (None, "Model") else None
    verdict = combine({component: outcome.verdict}) if component else outcome.verdict
    told = asdict(verdict)
    kept = {name: told[name] for name in _KEPT if told[name] not in (None, (), {}, [])}
    return kept | ({"fit": fit_text(outcome.fit)} if outcome.fit is not None else {})
