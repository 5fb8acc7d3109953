"""What the library knows beside the parts of a stack: spare parts, weights that people use, twins."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Text, cast, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.generation_schema import ResourceUse
from indexer.catalog.schema import ClaimRow, Entry, File, FileTwin, Location, VerdictRow
from indexer.catalog.upsert import pieces

__all__ = ["HeldPart", "held_parts", "preferred_weights", "twins_among", "used_weights"]

_MOST_PARTS = 500
_MOST_USES = 20_000


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A VAE, encoder or vision tower that lies in the library; ``verdict`` as it is stored."""

    version_id: int
    file_id: int
    size: int
    verdict: Mapping[str, Any]


def held_parts(session: Session, kinds: Collection[str], architectures: Collection[str]) -> list[HeldPart]:
    """Files of these kinds and architectures that are there now, the largest first; at most 500."""
    if not kinds or not architectures:
        return []
    present = select(Location.file_id).where(Location.file_id.is_not(None), Location.missing_since.is_(None))
    rows = session.execute(
        select(File.version_id, File.id, File.size, type_coerce(VerdictRow.detail, Text))
        .join(VerdictRow, VerdictRow.file_id == File.id)
        .join(Entry, Entry.version_id == File.version_id)
        .where(
            VerdictRow.kind.in_(sorted(kinds)),
            VerdictRow.architecture.in_(sorted(architectures)),
            Entry.document.is_not(None),
            File.id.in_(present),
        )
        .order_by(File.size.desc(), File.id)
        .limit(_MOST_PARTS)
    )
    return [HeldPart(version, file, size, orjson.loads(detail)) for version, file, size, detail in rows]


def used_weights(session: Session, version_ids: Iterable[int]) -> dict[int, list[float]]:
    """The weights at which pictures use versions, the newest pictures first; of each at most 20,000."""
    found: dict[int, list[float]] = {}
    for version_id in version_ids:  # a stack has a few; the newest of each would take a window over all
        found[version_id] = list(
            session.scalars(
                select(ResourceUse.weight)
                .where(ResourceUse.version_id == version_id, ResourceUse.weight.is_not(None))
                .order_by(ResourceUse.record_id.desc())
                .limit(_MOST_USES)
            )
        )
    return found


def preferred_weights(session: Session, version_ids: Iterable[int]) -> dict[int, float]:
    """The weights that creators and owners recommend, by version; the latest word counts."""
    found: dict[int, float] = {}
    for piece in pieces(version_ids):
        rows = session.execute(
            select(File.version_id, ClaimRow.version_id, type_coerce(ClaimRow.claims, Text))
            .select_from(ClaimRow)
            .outerjoin(File, File.id == ClaimRow.file_id)
            .where(
                (File.version_id.in_(piece)) | (ClaimRow.version_id.in_(piece)),
                ClaimRow.current,
                cast(ClaimRow.claims, Text).like('%"preferred_weight":%'),
            )
            .order_by(ClaimRow.id)
        )
        for mine, theirs, said in rows:
            weight = orjson.loads(said).get("preferred_weight")
            if isinstance(weight, int | float) and not isinstance(weight, bool):
                found[mine or theirs or 0] = float(weight)
    return found


def twins_among(session: Session, file_ids: Collection[int]) -> dict[tuple[int, int], float]:
    """Pairs of these files with nearly the same weights, the smaller id first, and the factor between."""
    found: dict[tuple[int, int], float] = {}
    for piece in pieces(file_ids):
        rows = session.execute(
            select(FileTwin.file_id, FileTwin.other_id, FileTwin.factor).where(FileTwin.file_id.in_(piece))
        )
        found.update({(one, other): factor for one, other, factor in rows if other in file_ids})
    return found
