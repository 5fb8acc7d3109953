"""NovelAI: settings as JSON in ``Comment``, the model in ``Source``; in WebP and hidden in the alpha channel
all texts are one object ``{"Description": …, "Software": …, "Source": …, "Comment": "{…}"}``."""

import re
from collections.abc import Mapping
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.parsers.generation.draft import Draft
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.json_text import loads_object

__all__ = ["is_novelai", "read_novelai"]

_SOURCE = re.compile(r"(.{1,100}?)(?:\s+([0-9A-F]{8}))?")
_MAX_CHARACTERS = 100


def is_novelai(value: Mapping[str, Any]) -> bool:
    """True for the texts of a NovelAI image, or the object that holds them."""
    if "Comment" not in value:
        return False
    named = f"{value.get('Software', '')} {value.get('Title', '')} {value.get('Source', '')}"
    return "novelai" in named.casefold() or ("Source" in value and "Description" in value)


def read_novelai(value: Mapping[str, Any]) -> Draft:
    """The draft of a NovelAI image's texts."""
    draft = Draft("novelai")
    settings = loads_object(value.get("Comment"), draft) or {}
    read_flat({key: item for key, item in settings.items() if item is not None}, draft)
    for name in ("prompt", "negative_prompt"):
        _add_characters(settings.get(f"v4_{name}"), name, draft)
    if not draft.prompt and isinstance(value.get("Description"), str):
        draft.prompt = value["Description"]
    source = value.get("Source")
    match = _SOURCE.fullmatch(source.strip()) if isinstance(source, str) else None
    if match:
        draft.version = match.group(1)
        draft.use(UsedModel("checkpoint", match.group(1), match.group(2)))
    return draft


def _add_characters(value: Any, name: str, draft: Draft) -> None:
    """Prompts of single characters (V4) stand beside the main one; each gets a line."""
    caption = value.get("caption") if isinstance(value, dict) else None
    if not isinstance(caption, dict):
        return
    characters = caption.get("char_captions")
    texts = [getattr(draft, name) or caption.get("base_caption")]
    for item in characters[:_MAX_CHARACTERS] if isinstance(characters, list) else ():
        texts.append(item.get("char_caption") if isinstance(item, dict) else None)
    setattr(draft, name, "\n".join(text for text in texts if isinstance(text, str) and text) or None)
