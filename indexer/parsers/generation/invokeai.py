"""InvokeAI in all its ages.

* ``invokeai_metadata`` (3.0 and later): flat, models as ``{key, hash, name, base, type}``, before 4.0 as
  ``{model_name, base_model}``; adapters as ``{"lora": {…}, "weight": 0.7}``.
* ``meta`` (nodes preview) and ``sd-metadata`` (2.x): settings within ``image``, prompts as a list.
* ``Dream`` (1.x): the command line that made the image.
"""

import re
import shlex
from typing import Any

from indexer.parsers.generation.draft import Draft
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.models import use_named

__all__ = ["is_invokeai", "read_dream", "read_invokeai"]

_MARKS = frozenset(
    ("generation_mode", "rand_device", "positive_prompt", "app_version", "positive_style_prompt")
)
_NEGATIVE = re.compile(r"\[([^\[\]]+)\]")
_OPTIONS = {"-s": "steps", "-S": "seed", "-W": "width", "-H": "height", "-C": "cfg_scale", "-A": "sampler"}
_MAX_DREAM = 100_000


def is_invokeai(value: dict[str, Any]) -> bool:
    """True for any of InvokeAI's objects."""
    if isinstance(value.get("image"), dict) and ("model_weights" in value or "app_id" in value):
        return True
    if "session_id" in value and "positive_conditioning" in value:
        return True
    return len(_MARKS & value.keys()) > 1 and "PositivePrompt" not in value


def read_invokeai(value: dict[str, Any]) -> Draft:
    """The draft of one of InvokeAI's objects."""
    draft = Draft("invokeai")
    settings = {key: item for key, item in value.items() if item is not None}
    if isinstance(settings.get("image"), dict):
        settings |= settings.pop("image")
        if settings.get("model") == "stable diffusion":
            settings.pop("model")
    for old, new in (("positive_conditioning", "prompt"), ("negative_conditioning", "negative_prompt")):
        if old in settings:
            settings[new] = settings.pop(old)
    read_flat(settings, draft)
    draft.sampler = (
        draft.sampler or draft.scheduler
    )  # InvokeAI calls the sampler a scheduler, as diffusers does
    _split_negative(draft)
    return draft


def read_dream(text: str) -> Draft | None:
    """The draft of a ``Dream`` line: a quoted prompt and ``-s 50 -S 1 -W 512 -H 512 -C 7.5 -A k_lms``."""
    if len(text) > _MAX_DREAM:
        return None
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    draft = Draft("invokeai")
    settings: dict[str, Any] = {"prompt": words[0] if words else ""}
    for word, following in zip(words[1:], [*words[2:], ""], strict=False):
        if word in _OPTIONS:
            settings.setdefault(_OPTIONS[word], following)
        elif word[:2] in _OPTIONS and len(word) > 2:
            settings.setdefault(_OPTIONS[word[:2]], word[2:])
        elif word == "--model":
            use_named(draft, "checkpoint", following)
    if len(settings) < 3:
        return None
    read_flat(settings, draft)
    _split_negative(draft)
    return draft


def _split_negative(draft: Draft) -> None:
    """Before 3.0 the negative prompt stood in the prompt, in square brackets."""
    if draft.prompt and draft.negative_prompt is None and (parts := _NEGATIVE.findall(draft.prompt)):
        draft.negative_prompt = ", ".join(parts)
        draft.prompt = _NEGATIVE.sub("", draft.prompt).strip()
