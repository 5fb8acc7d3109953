"""Draw Things: JSON with ``c`` and ``uc`` for the prompts, its full configuration under ``v2``."""

from typing import Any

from indexer.parsers.generation.draft import Draft
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.models import models_in, use_named

__all__ = ["is_drawthings", "read_drawthings"]


def is_drawthings(value: dict[str, Any]) -> bool:
    """True for Draw Things' object."""
    return "c" in value and ("uc" in value or "v2" in value) and ("model" in value or "seed_mode" in value)


def read_drawthings(value: dict[str, Any]) -> Draft:
    """The draft of Draw Things' object."""
    draft = Draft("drawthings")
    settings = dict(value)
    full = settings.pop("v2", None)
    read_flat(settings, draft)
    if isinstance(full, dict):
        draft.raw["v2"] = full
        for key, kind in (("loras", "lora"), ("controls", "controlnet")):
            for model in models_in(full.get(key), kind):
                draft.use(model)
        use_named(draft, "checkpoint", full.get("refinerModel") or "")
        use_named(draft, "upscaler", full.get("upscaler") or "")
        use_named(draft, "unknown", full.get("faceRestoration") or "")
    return draft
