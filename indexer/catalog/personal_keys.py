"""Names of versions that hold in every catalog, and imported marks that wait for their model under them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexer.catalog.columns import clean_json
from indexer.catalog.generation_schema import VersionAlias
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.personal import merge_marks
from indexer.catalog.personal_schema import PendingKey, PendingMark
from indexer.catalog.schema import File, Version, now
from indexer.catalog.upsert import pieces, upsert, values_by_key
from indexer.domain.marks import Marks, from_data, merged, to_data

__all__ = [
    "apply_pending",
    "count_pending",
    "keep_pending",
    "pending_marks",
    "stable_keys",
    "versions_of_keys",
]

_VERSION, _CIVITAI, _SHA256, _CONTENT = "version:", "civitai:", "sha256:", "content:"


def stable_keys(session: Session, version_ids: Sequence[int]) -> dict[int, list[str]]:
    """Names of versions by id, surest first: ``version:KEY``, ``civitai:VERSION``, ``sha256:HEX`` of main
    files, ``content:FINGERPRINT``."""
    keys: dict[int, list[str]] = {}
    for piece in pieces(version_ids):
        for id_, key in session.execute(select(Version.id, Version.key).where(Version.id.in_(piece))):
            number = key.rpartition("@")[2] if key.startswith(_CIVITAI) else None
            own = [] if key.startswith("file:") else [_VERSION + key]  # its content says the same
            keys[id_] = own + ([_CIVITAI + number] if number else [])
        for id_, sha256, fingerprint in session.execute(
            select(File.version_id, File.sha256, File.fingerprint)
            .where(File.version_id.in_(piece))
            .order_by(File.id)
        ):
            keys[id_] += [*([_SHA256 + sha256] if sha256 else []), _CONTENT + fingerprint]
        for id_, value in session.execute(
            select(HubFileRow.version_id, HashRow.value)
            .join(HashRow, HashRow.hub_file_id == HubFileRow.id)
            .where(HubFileRow.version_id.in_(piece), HubFileRow.primary, HashRow.kind == "sha256")
            .order_by(HashRow.id)
        ):
            keys[id_].append(_SHA256 + value)
    return {id_: list(dict.fromkeys(names)) for id_, names in keys.items()}


def versions_of_keys(session: Session, keys: Iterable[str]) -> dict[str, int]:
    """The version that each name means in this catalog; names that mean none are left out."""
    names: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        kind, _, name = key.partition(":")
        names.setdefault(f"{kind}:", []).append(name)
    found = _prefixed(_VERSION, values_by_key(session, Version.key, Version.id, names.get(_VERSION, ())))
    civitai = [f"{_CIVITAI}?@{number}" for number in names.get(_CIVITAI, ())]
    bare = values_by_key(session, Version.key, Version.id, civitai)
    found |= {_CIVITAI + key.rpartition("@")[2]: id_ for key, id_ in bare.items()}
    aliases = [_CIVITAI + number for number in names.get(_CIVITAI, ())]
    found |= values_by_key(session, VersionAlias.alias, VersionAlias.version_id, aliases)
    found |= _prefixed(_SHA256, _by_hash(session, names.get(_SHA256, ())))
    contents = values_by_key(session, File.fingerprint, File.version_id, names.get(_CONTENT, ()))
    return found | _prefixed(_CONTENT, contents)


def _prefixed(prefix: str, found: Mapping[str, int]) -> dict[str, int]:
    return {prefix + name: id_ for name, id_ in found.items()}


def _by_hash(session: Session, hashes: Sequence[str]) -> dict[str, int]:
    """Version by SHA-256: one with a file of ours first, then the oldest."""
    offered: dict[str, int] = {}
    for piece in pieces(hashes):
        rows = session.execute(
            select(HashRow.value, func.min(HubFileRow.version_id))
            .join(HubFileRow, HubFileRow.id == HashRow.hub_file_id)
            .where(HashRow.value.in_(piece), HashRow.kind == "sha256", HubFileRow.primary)
            .group_by(HashRow.value)
        )
        offered.update((value, id_) for value, id_ in rows)
    return offered | values_by_key(session, File.sha256, File.version_id, hashes)


def keep_pending(session: Session, items: Iterable[tuple[Sequence[str], Marks]]) -> int:
    """Keep marks of models that are not known yet, under their names; answers how many are new."""
    rows = {}
    for keys, marks in items:
        data = to_data(marks)
        digest = hashlib.sha256(clean_json([sorted(keys), data], sort_keys=True).encode()).hexdigest()
        rows[digest] = {"digest": digest, "marks": data, "at": now()}, keys
    known = set(values_by_key(session, PendingMark.digest, PendingMark.id, rows))
    fresh = {digest: row for digest, row in rows.items() if digest not in known}
    upsert(session, PendingMark, [row for row, _ in fresh.values()], ["digest"], update=False)
    ids = values_by_key(session, PendingMark.digest, PendingMark.id, fresh)
    names = [
        {"key": key, "pending_id": ids[digest]}
        for digest, (_, keys) in fresh.items()
        for key in dict.fromkeys(keys)
    ]
    upsert(session, PendingKey, names, ["key", "pending_id"], update=False)
    return len(fresh)


def pending_marks(session: Session, after: int = 0, limit: int = 500) -> list[tuple[int, list[str], Marks]]:
    """The next marks above ``after`` that wait for their model: (number, its names, marks)."""
    rows = session.execute(_data().where(PendingMark.id > after).order_by(PendingMark.id).limit(limit)).all()
    names: dict[int, list[str]] = {}
    for key, id_ in session.execute(
        select(PendingKey.key, PendingKey.pending_id)
        .where(PendingKey.pending_id.in_([row[0] for row in rows]))
        .order_by(PendingKey.key)
    ):
        names.setdefault(id_, []).append(key)
    return [(id_, names.get(id_, []), from_data(data)) for id_, data in rows]


def count_pending(session: Session) -> int:
    """How many imported marks wait for their model."""
    return session.scalar(select(func.count()).select_from(PendingMark)) or 0


def apply_pending(session: Session, version_ids: Sequence[int]) -> set[int]:
    """Give versions the marks that waited for them; answers which got any."""
    if session.scalar(select(PendingMark.id).limit(1)) is None:
        return set()
    names = stable_keys(session, version_ids)
    wanted = {key: id_ for id_, keys in reversed(names.items()) for key in keys}
    waiting: dict[int, int] = {}
    for piece in pieces(wanted):
        rows = select(PendingKey.key, PendingKey.pending_id).where(PendingKey.key.in_(piece))
        for key, pending_id in session.execute(rows):
            waiting.setdefault(pending_id, wanted[key])
    told: dict[int, Marks] = {}
    for some in pieces(waiting):
        for pending_id, data in session.execute(_data().where(PendingMark.id.in_(some))):
            marks = from_data(data)
            id_ = waiting[pending_id]
            told[id_] = merged(told[id_], marks) if id_ in told else marks
        session.execute(delete(PendingKey).where(PendingKey.pending_id.in_(some)))
        session.execute(delete(PendingMark).where(PendingMark.id.in_(some)))
    return merge_marks(session, told)


def _data() -> Any:
    return select(PendingMark.id, PendingMark.marks)
