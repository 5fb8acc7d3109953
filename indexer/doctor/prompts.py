"""What pasted prompts are compared with: whole, of this catalog, and as new as the catalog. Search goes
without it, and finds fewer models by the prompts of their pictures."""

from indexer.catalog import changes, entries, health
from indexer.catalog.database import Catalog
from indexer.domain.health import Finding, fault, note, sound
from indexer.indexes.prompt_health import look_at_prompts
from indexer.settings import Settings
from indexer.stages.publish_cuts import COUNTED_AGAIN, WATERMARK

__all__ = ["look_at_prompt_index"]

_CHECK = "prompt index"


def look_at_prompt_index(catalog: Catalog, settings: Settings, *, writing: bool) -> Finding:
    """Both files, beside each other and beside the catalog."""
    state = look_at_prompts(settings.prompt_cuts_file, settings.prompt_makers_file)
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, WATERMARK)
        wanted = health.count_shown(session)
        behind = entries.count_entries(session, state.seq)
        uncounted = entries.count_entries(session, state.makers.seq)
    if state.faults:
        return fault(_CHECK, state.faults[0], repair="prompts")
    if not state.generation:
        if not wanted:
            return sound(_CHECK, "nothing to index yet")
        return _behind(f"It is missing: pasted prompts find none of {wanted:,} entries by theirs.", writing)
    if detail.get("generation") != state.generation:
        told = "It is another one than was last written from this catalog."
        return fault(_CHECK, told, repair="prompts")
    if behind:
        return _behind(f"{behind:,} changed entries are not in it yet.", writing)
    if state.rows != wanted:
        told = f"It holds {state.rows:,} entries; the catalog has {wanted:,}."
        return note(_CHECK, told) if writing else fault(_CHECK, told, repair="prompts")
    old = state.makers.generation != state.generation or uncounted * COUNTED_AGAIN > state.makers.entries
    if old:
        return _behind("Words of creators were not counted, or too long ago.", writing)
    return sound(_CHECK, f"{state.rows:,} entries, the same as in the catalog")


def _behind(told: str, writing: bool) -> Finding:
    return note(_CHECK, told) if writing else fault(_CHECK, told, repair="publish")
