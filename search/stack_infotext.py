"""A stack as A1111's infotext: the prompt with its tags, and the settings that its *paste* button reads.

Source of the form: A1111 modules/infotext_utils.py; Forge, reForge and SD.Next read it too.
"""

import json
from collections.abc import Iterator

from search.stack_recipe import Recipe
from search.stack_table import sampler_name, scheduler_name

__all__ = ["infotext", "stem_of"]

_TAGS = {"lora": "lora", "hypernetwork": "hypernet"}
_NO_NAME = frozenset("<>:\n")


def stem_of(file: str) -> str:
    """A file's name as A1111 knows the model: without folder and ending."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def infotext(recipe: Recipe) -> str:
    """The text: trigger words and ``<lora:name:weight>``, the negative prompt, the settings."""
    words = [_embedding(phrase) for phrase in recipe.positive.split(", ") if phrase]
    lines = [", ".join((*words, *_tags(recipe)))]
    negative = [_embedding(phrase) for phrase in recipe.negative.split(", ") if phrase]
    if negative:
        lines.append(f"Negative prompt: {', '.join(negative)}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in _settings(recipe)))
    return "\n".join(lines)


def _embedding(phrase: str) -> str:
    """A1111 calls an embedding by its bare name."""
    head, mark, name = phrase.partition("embedding:")
    if not mark:
        return phrase
    bare, colon, weight = name.partition(":")
    return f"{head}{bare.replace(chr(92), '/').rpartition('/')[2]}{colon}{weight}"


def _tags(recipe: Recipe) -> Iterator[str]:
    for addon in recipe.addons:
        stem = stem_of(addon.file) if addon.file else ""
        if addon.kind in _TAGS and stem and not _NO_NAME & set(stem):
            yield f"<{_TAGS[addon.kind]}:{stem}:{addon.weight:g}>"


def _settings(recipe: Recipe) -> Iterator[tuple[str, str]]:
    settings = recipe.settings
    yield "Steps", str(settings.steps)
    yield "Sampler", sampler_name(settings.sampler)
    yield "Schedule type", scheduler_name(settings.scheduler)
    yield "CFG scale", f"{settings.cfg:g}"
    if settings.guidance is not None:
        yield "Distilled CFG Scale", f"{settings.guidance:g}"
    yield "Size", f"{settings.width}x{settings.height}"
    if recipe.base.hashes.get("AutoV2"):
        yield "Model hash", recipe.base.hashes["AutoV2"]
    if recipe.base.file:
        yield "Model", stem_of(recipe.base.file)
    if recipe.vae is not None and recipe.vae.file:
        yield "VAE", recipe.vae.file.rpartition("/")[2]
    hashes = dict(_hashes(recipe))
    if hashes:
        yield "Hashes", json.dumps(hashes)


def _hashes(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """``{"model": AutoV2, "lora:name": AutoV2}``, by which Civitai finds what a picture was made with."""
    prefixes = {"lora": "lora", "textual_inversion": "embed", "hypernetwork": "hypernet"}
    if recipe.base.hashes.get("AutoV2"):
        yield "model", recipe.base.hashes["AutoV2"]
    for addon in recipe.addons:
        if addon.kind in prefixes and addon.file and addon.hashes.get("AutoV2"):
            yield f"{prefixes[addon.kind]}:{stem_of(addon.file)}", addon.hashes["AutoV2"]


def _quoted(value: str) -> str:
    """As infotext_utils.quote: a value that would end the pair stands in quotes; JSON objects stay bare."""
    if value.startswith("{") or not set(value) & set(",:\n"):
        return value
    return json.dumps(value, ensure_ascii=False)
