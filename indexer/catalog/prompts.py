"""What pictures were asked for: the prompts of previews."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.generation_schema import GenerationRecord
from indexer.catalog.upsert import pieces

__all__ = ["prompts_of"]

_LONGEST = 2_000


def prompts_of(session: Session, preview_ids: Sequence[int]) -> list[str | None]:
    """The start of the prompt of each preview, in the order given; None where none is known."""
    found: dict[int, str] = {}
    start = func.substr(GenerationRecord.prompt, 1, _LONGEST)
    for piece in pieces(preview_ids):
        rows = session.execute(
            select(GenerationRecord.preview_id, start).where(
                GenerationRecord.preview_id.in_(piece), GenerationRecord.prompt.is_not(None)
            )
        )
        found.update((id_, prompt) for id_, prompt in rows)
    return [found.get(id_) for id_ in preview_ids]
