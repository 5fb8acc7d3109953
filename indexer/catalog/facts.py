"""Gathering what the catalog knows of versions, in a fixed number of queries however many they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.hub_files import JUDGED
from indexer.catalog.personal import read_marks
from indexer.catalog.plain_text import plain_text
from indexer.catalog.roots import place_path
from indexer.catalog.schema import (
    ClaimRow,
    File,
    FileWeights,
    GenerationRecord,
    HashRow,
    HubFileRow,
    Location,
    Override,
    Preview,
    ResourceUse,
    Root,
    VerdictRow,
    Version,
)
from indexer.domain.marks import NO_MARKS
from indexer.domain.resolve import FileFacts, VersionFacts

__all__ = ["Paths", "file_facts", "version_facts"]

Paths = Callable[[str], tuple[str, ...]]
"""Architecture id to its path in the tree, root first."""


def version_facts(
    session: Session, version_ids: Sequence[int], paths: Paths, fold: Mapping[int, int] | None = None
) -> Iterator[VersionFacts]:
    """What the catalog knows of each version, by id. ``fold`` as ``folding.folds`` tells it."""
    by_version = file_facts(session, version_ids)
    hub_claims = _claims(session, ClaimRow.version_id, version_ids)
    columns = (Version.id, Version.model_id, Version.key, Version.gone)
    versions = session.execute(select(*columns).where(Version.id.in_(version_ids)).order_by(Version.id)).all()
    model_claims = _claims(session, ClaimRow.model_id, list({model_id for _, model_id, _, _ in versions}))
    sizes = _offered_sizes(session, version_ids)
    verdicts = _offered_verdicts(session, [id_ for id_ in version_ids if id_ not in by_version])
    hashes = _hashes(session, version_ids)
    previews = _previews(session, version_ids)
    prompts = _prompts(session, version_ids)
    uses = _uses(session, version_ids)
    marks = read_marks(session, version_ids)
    names = [file.overrides for files in by_version.values() for file in files]
    decided = {name["architecture"] for name in names if "architecture" in name}
    tree = {architecture: paths(architecture) for architecture in decided}
    for id_, model_id, key, gone in versions:
        first, colour, count = previews.get(id_, (None, None, 0))
        yield VersionFacts(
            id=id_,
            model_id=model_id,
            key=key,
            files=by_version.get(id_, []),
            claims=[*hub_claims.get(id_, []), *model_claims.get(model_id, [])],
            preview_id=first,
            preview_colour=colour,
            previews=count,
            prompts=prompts.get(id_, []),
            architecture_paths=tree,
            hashes=hashes.get(id_, []),
            offered_size=sizes.get(id_),
            offered_verdict=verdicts.get(id_),
            gone=gone,
            fold=(fold or {}).get(id_, 0),
            uses=uses.get(id_, 0),
            marks=marks.get(id_, NO_MARKS),
            plain=plain_text,
        )


def file_facts(session: Session, version_ids: Sequence[int]) -> dict[int, list[FileFacts]]:
    """What the catalog knows of the files of each version, by version id."""
    files = list(session.scalars(select(File).where(File.version_id.in_(version_ids)).order_by(File.id)))
    file_ids = [file.id for file in files]
    verdicts = dict(_rows(session, VerdictRow.file_id, VerdictRow.detail, VerdictRow.file_id.in_(file_ids)))
    claims = _claims(session, ClaimRow.file_id, file_ids)
    places = _places(session, file_ids)
    overrides = _overrides(session, file_ids)
    faults = dict(_rows(session, FileWeights.file_id, FileWeights.fault, FileWeights.file_id.in_(file_ids)))
    by_version: dict[int, list[FileFacts]] = {}
    for file in files:
        facts = _file_facts(
            file,
            verdicts.get(file.id, {}),
            claims.get(file.id, []),
            places.get(file.id, []),
            overrides.get(file.id, {}),
            faults.get(file.id),
        )
        by_version.setdefault(file.version_id, []).append(facts)
    return by_version


def _rows(session: Session, key: Any, value: Any, condition: Any) -> Iterator[tuple[Any, Any]]:
    yield from session.execute(select(key, value).where(condition))


def _overrides(session: Session, file_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    overrides: dict[int, dict[str, str]] = {}
    rows = session.scalars(
        select(Override)
        .where(Override.file_id.in_(file_ids), Override.withdrawn_at.is_(None))
        .order_by(Override.at, Override.id)
    )
    for row in rows:
        overrides.setdefault(row.file_id, {})[row.name] = row.value
    return overrides


def _claims(
    session: Session, subject: Any, ids: Sequence[int]
) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    rows = session.execute(
        select(subject, ClaimRow.source, type_coerce(ClaimRow.claims, Text))
        .outerjoin(Location, Location.id == ClaimRow.place_id)
        .where(subject.in_(ids), ClaimRow.current)
        # What was heard where the file still lies counts before what was heard where it lay.
        .order_by(Location.missing_since.is_not(None), ClaimRow.at.desc(), ClaimRow.id.desc())
    )
    claims: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for id_, source, said in rows:  # the column's own reader takes four times as long
        claims.setdefault(id_, []).append((source, orjson.loads(said)))
    return claims


def _offered_verdicts(session: Session, version_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """What the header of the main file at a hub says, by version; only versions without a file of ours."""
    rows = session.execute(
        select(HubFileRow.version_id, HubFileRow.detail)
        .where(HubFileRow.version_id.in_(version_ids), HubFileRow.gone_at.is_(None), JUDGED)
        .order_by(HubFileRow.primary, HubFileRow.id.desc())  # the last word is the main file's
    )
    return {version_id: detail["verdict"] for version_id, detail in rows if detail and "verdict" in detail}


def _offered_sizes(session: Session, version_ids: Sequence[int]) -> dict[int, int | None]:
    """Size of the main file that a hub offers, by version."""
    rows = session.execute(
        select(HubFileRow.version_id, HubFileRow.size)
        .where(HubFileRow.version_id.in_(version_ids))
        .order_by(HubFileRow.version_id, HubFileRow.primary.desc(), HubFileRow.id)
    )
    sizes: dict[int, int | None] = {}
    for version_id, size in rows:
        sizes.setdefault(version_id, size)
    return sizes


def _hashes(session: Session, version_ids: Sequence[int]) -> dict[int, list[str]]:
    """All hashes of a version's files, ours and the hub's."""
    hashes: dict[int, list[str]] = {}
    for table, link in ((File, HashRow.file_id), (HubFileRow, HashRow.hub_file_id)):
        rows = session.execute(
            select(table.version_id, HashRow.value)
            .join(HashRow, link == table.id)
            .where(table.version_id.in_(version_ids))
            .order_by(HashRow.id)
        )
        for version_id, value in rows:
            hashes.setdefault(version_id, []).append(value)
    return hashes


def _places(session: Session, file_ids: Sequence[int]) -> dict[int, list[tuple[str, Location]]]:
    rows = session.execute(
        select(Root.path, Location)
        .join(Root, Root.id == Location.root_id)
        .where(Location.file_id.in_(file_ids))
        .order_by(Location.id)
    )
    places: dict[int, list[tuple[str, Location]]] = {}
    for root, place in rows:
        places.setdefault(place.file_id or 0, []).append((root, place))
    return places


def _previews(session: Session, version_ids: Sequence[int]) -> dict[int, tuple[int, str | None, int]]:
    """Id and colour of each version's first preview, and how many it has."""
    rows = session.execute(
        select(Preview.version_id, Preview.id, Preview.colour)
        .where(Preview.version_id.in_(version_ids), Preview.status == "ok")
        .order_by(Preview.version_id, Preview.position, Preview.id)
    )
    found: dict[int, tuple[int, str | None, int]] = {}
    for version_id, preview_id, colour in rows:
        first, its_colour, count = found.get(version_id, (preview_id, colour, 0))
        found[version_id] = (first, its_colour, count + 1)
    return found


def _prompts(session: Session, version_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(Preview.version_id, GenerationRecord.prompt)
        .join(GenerationRecord, GenerationRecord.preview_id == Preview.id)
        .where(Preview.version_id.in_(version_ids), GenerationRecord.prompt.is_not(None))
        .order_by(Preview.version_id, Preview.position, Preview.id)
    )
    prompts: dict[int, list[str]] = {}
    for version_id, prompt in rows:
        prompts.setdefault(version_id, []).append(prompt or "")
    return prompts


def _uses(session: Session, version_ids: Sequence[int]) -> dict[int, int]:
    """How many generation records name each version."""
    counted = func.count(ResourceUse.record_id.distinct())
    rows = session.execute(
        select(ResourceUse.version_id, counted)
        .where(ResourceUse.version_id.in_(version_ids))
        .group_by(ResourceUse.version_id)
    )
    return {id_ or 0: count for id_, count in rows}


def _file_facts(
    file: File,
    verdict: Mapping[str, Any],
    claims: Sequence[tuple[str, Mapping[str, Any]]],
    places: Sequence[tuple[str, Location]],
    overrides: Mapping[str, str],
    fault: str | None,
) -> FileFacts:
    present = [(root, place) for root, place in places if place.missing_since is None]
    return FileFacts(
        size=file.size,
        container=file.container,
        sha256=file.sha256,
        fingerprint=file.fingerprint,
        verdict=verdict,
        claims=claims,
        paths=[_display(root, place) for root, place in present or places],
        missing=not present,
        overrides=overrides,
        mtime_ns=min((place.mtime_ns for _, place in places), default=0),
        copies=len({place.inode for _, place in present}),
        fault=fault,
    )


def _display(root: str, place: Location) -> str:
    """A path fit for showing: bytes that are no UTF-8 become U+FFFD."""
    return place_path(root, place.directory, place.name).decode("utf-8", "replace")
