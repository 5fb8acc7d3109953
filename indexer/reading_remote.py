"""One model behind a URL to judgement, by its header alone: a 20 GB file costs some hundred kilobytes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from indexer.domain.bundles import index_of
from indexer.domain.claims import ClaimSet
from indexer.domain.collector import collector_paused
from indexer.domain.found import FoundFile, Judged, Problem
from indexer.domain.header import Header
from indexer.domain.hubs import HubFile
from indexer.errors import BadFileError, PinakesError, TemporaryError
from indexer.parsers.remote_header import read_remote
from indexer.parsers.shards import join_headers, parse_index
from indexer.reading import judge_header
from indexer.rules.fit_packed import packed_profile
from indexer.sources.http import HubClient
from indexer.sources.http_errors import HubError, HubRefused
from indexer.sources.remote import FIRST, FIRST_GGUF, RemoteFile, beside

__all__ = ["found_at", "judge_url", "offered_url"]

_MAX_SHARDS: Final = 200
_OF_THE_FILE: Final = frozenset({"too_short", "range", "changed", "short_body", "body_size"})
"""Faults of a host's answer that tell of the file; with the others nothing was reached."""


def judge_url(
    client: HubClient,
    url: str,
    name: str,
    shown: str,
    claims: Sequence[ClaimSet] = (),
    *,
    profiled: bool = False,
) -> Judged | Problem:
    """Read the header of the file ``name`` at ``url``; ``shown`` (no secrets) stands as its path.

    ``profiled``: with what of it takes part in fitting (``Judged.fit``).
    A file that is replaced meanwhile is begun anew once. Raises ``HubError`` where nothing was reached.
    """
    try:
        with collector_paused():
            size, header = _again_once(client, url, name)
            found = found_at(shown, name, size)
            judged = judge_header(found, header, "", list(claims), local=False)
            if profiled and isinstance(judged, Judged):
                return replace(judged, fit=packed_profile(header, judged.verdict.kind))
            return judged
    except HubError as error:
        if error.code not in _OF_THE_FILE:
            raise
        return _problem(shown, name, error)
    except (BadFileError, TemporaryError) as error:
        return _problem(shown, name, error)


def found_at(shown: str, name: str, size: int = 0) -> FoundFile:
    """A file that lies elsewhere, as records of files on disk have it."""
    return FoundFile(
        path=shown.encode("utf-8", "replace"),
        directory=b"",
        name=name.encode("utf-8", "replace"),
        size=size,
        mtime_ns=0,
        inode="",
        sidecars=(),
        previews=(),
        surroundings="",
    )


def offered_url(file: HubFile) -> str:
    """Where to read a file that a hub offers: its index where it is one of several shards."""
    index = file.detail.get("index")
    return beside(file.url or "", index.rpartition("/")[2]) if isinstance(index, str) else file.url or ""


def _problem(shown: str, name: str, error: PinakesError) -> Problem:
    return Problem(found_at(shown, name), error.code, error.detail, retry=isinstance(error, TemporaryError))


def _again_once(client: HubClient, url: str, name: str) -> tuple[int, Header]:
    try:
        return _read(client, url, name)
    except TemporaryError as error:
        if error.code != "changed":
            raise
    return _read(client, url, name)


def _read(client: HubClient, url: str, name: str) -> tuple[int, Header]:
    """Size in bytes and header; of an index, of all its shards together."""
    if index_of(name.encode("utf-8", "replace")):
        return _read_shards(client, url)
    file = RemoteFile(client, url, first=FIRST_GGUF if name.lower().endswith(".gguf") else FIRST)
    return file.size, read_remote(file, name)


def _read_shards(client: HubClient, url: str) -> tuple[int, Header]:
    mapped = parse_index(client.get_text(url).value.encode())
    names = sorted(set(mapped.values()))
    if len(names) > _MAX_SHARDS:
        raise BadFileError(
            "shard_count", f"{len(names):,} shards; {_MAX_SHARDS} are read from afar. Download it instead."
        )
    size, headers, missing = 0, [], []
    for name in names:
        try:
            part, header = _read(client, beside(url, name), name)
        except HubRefused as error:
            if error.code not in ("not_found", "gone"):
                raise
            missing.append(name)
            continue
        size += part
        headers.append((name, header))
    if not headers:
        raise BadFileError("shard_missing", f"none of the {len(names)} shards that the index names is there.")
    return size, join_headers(headers, mapped, missing)
