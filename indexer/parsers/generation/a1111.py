"""AUTOMATIC1111's infotext, and all that write it: Forge, reForge, SD.Next, Fooocus, Draw Things, Civitai, …

Prompt, ``Negative prompt: …``, then one line of settings that begins with ``Steps:`` (A1111
modules/infotext_utils.py; SD.Next puts ``Template:`` lines before it).
"""

import re
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.domain.vocabulary import read_table
from indexer.parsers.generation.draft import UNKNOWN, Draft, as_float
from indexer.parsers.generation.flat import field_keys, read_flat
from indexer.parsers.generation.models import TABLE, fold, is_no_model, kind_named, models_in, use_named
from indexer.parsers.generation.settings_text import split_settings

__all__ = ["generator_of", "read_infotext", "read_resources"]

_SETTINGS = re.compile(r"^[ \t]*Steps:[ \t]*\d", re.MULTILINE)
_INLINE = re.compile(r"(?<![\w\"'])Steps:[ \t]*\d+[ \t]*,")
_ANY_LINE = re.compile(
    r"^[ \t]*(?:Sampler|Seed|CFG scale|Size|Model|Model hash|Guidance Scale):[ \t]*\S", re.MULTILINE
)
_NEGATIVE = re.compile(r"^[ \t]*Negative prompt:[ \t]?", re.MULTILINE | re.IGNORECASE)
_TEMPLATES = re.compile(r"^(Template|Negative template):[ \t]?", re.MULTILINE | re.IGNORECASE)
_LISTS = {
    "lorahashes": "lora",
    "tihashes": "textual_inversion",
    "lycohashes": "lora",
    "embeddinghashes": "textual_inversion",
}
_PAIR = re.compile(r"\s*([^:,\n][^:,\n]{0,300}?):\s*([0-9a-fA-F]{6,64})?(?::\s*([+-]?\d*\.?\d+))?\s*(?:,|$)")
_PART = re.compile(r"(?:^|,)\s*([A-Za-z ]{1,40}):\s*([^,]*)")
_CONTROL = re.compile(r"controlnet\d*|controlnetunit\d*|control\d+")
_FEWEST_KEYS = 3


def read_infotext(text: str) -> Draft | None:
    """The draft of a text in this form, or None where it is not in this form."""
    start = _settings_start(text)
    if start is None:
        return None
    draft = Draft()
    settings = split_settings(text[start:].strip())
    _read_prompts(text[:start], draft, settings)
    read_resources(settings, draft)
    read_flat(settings, draft)
    draft.generator = generator_of(settings)
    draft.sampler = (
        draft.sampler or draft.scheduler
    )  # SD.Next names the sampler by diffusers' scheduler class
    return draft


def _settings_start(text: str) -> int | None:
    """Where the settings begin: at the last line with ``Steps:``, else at a line with three known keys."""
    starts = [match.start() for match in _SETTINGS.finditer(text)]
    if starts:
        return starts[-1]
    for pattern in (_INLINE, _ANY_LINE):
        starts = [match.start() for match in pattern.finditer(text)]
        if starts:
            keys = {fold(key) for key in split_settings(text[starts[-1] :])}
            if len(keys & field_keys()) + len(keys & {"model", "modelhash"}) >= _FEWEST_KEYS:
                return starts[-1]
    return None


def _read_prompts(text: str, draft: Draft, settings: dict[str, Any]) -> None:
    negative = _NEGATIVE.search(text)
    tail = text[negative.end() :] if negative else text
    for match in reversed(list(_TEMPLATES.finditer(tail))):
        settings.setdefault(match.group(1), tail[match.end() :].strip())
        tail = tail[: match.start()]
    if negative:
        draft.prompt, draft.negative_prompt = text[: negative.start()].strip(), tail.strip()
        return
    if "Guidance Scale" in settings:  # Draw Things puts the negative prompt on a line that begins with "-"
        head, dash, below = tail.rstrip().rpartition("\n-")
        if dash:
            draft.prompt, draft.negative_prompt = head.strip(), below.strip()
            return
    draft.prompt = tail.strip()


def generator_of(settings: dict[str, Any]) -> str:
    """The generator that a settings line tells by its keys or its version."""
    keys = {fold(key): str(value) for key, value in settings.items()}
    for row in read_table(TABLE)["generator"]:
        value = keys.get(row["key"])
        if value is not None and re.fullmatch(row["match"], value, re.IGNORECASE | re.DOTALL):
            return str(row["id"])
    return UNKNOWN


def read_resources(settings: dict[str, Any], draft: Draft) -> None:
    """Name the models of hash lists, ``Civitai resources`` and ControlNet units; they leave ``settings``."""
    for key in list(settings):
        folded, value = fold(key), settings[key]
        if folded in _LISTS and isinstance(value, str):
            _read_hash_list(value, _LISTS[folded], draft)
        elif folded in ("hashes", "civitaihashes") and isinstance(value, dict):
            _read_hashes(value, settings, draft)
        elif folded in ("civitairesources", "resources", "additionalresources") and isinstance(value, list):
            for model in models_in(value, "unknown"):
                draft.use(model)
        elif folded == "loraweights" and isinstance(value, str):
            _read_weights(value, draft)
        elif _CONTROL.fullmatch(folded) and isinstance(value, str) and ":" in value:
            _read_control(value, draft)
            draft.raw.setdefault("settings", {})[key] = value
        else:
            continue
        if folded != "civitairesources":
            del settings[key]


def _read_hash_list(value: str, kind: str, draft: Draft) -> None:
    """``name: hash, name: hash``; Fooocus adds a weight to each."""
    for match in _PAIR.finditer(value):
        if not is_no_model(match.group(1)):
            draft.use(UsedModel(kind, match.group(1).strip(), match.group(2), None, as_float(match.group(3))))


def _read_weights(value: str, draft: Draft) -> None:
    for part in value.split(",")[:1000]:
        name, colon, weight = part.rpartition(":")
        if colon and not is_no_model(name):
            draft.use(UsedModel("lora", name.strip(), None, None, as_float(weight)))


def _read_hashes(value: dict[str, Any], settings: dict[str, Any], draft: Draft) -> None:
    """``{"model": hash, "lora:name": hash, "embed:name": hash, "vae": hash}`` (Civitai's extension).

    The names of ``model`` and ``vae`` stand in fields of their own; their hashes are set beside them.
    """
    for key, hash_ in list(value.items())[:1000]:
        prefix, colon, name = key.partition(":")
        if colon and isinstance(hash_, str) and not is_no_model(name):
            draft.use(UsedModel(kind_named(prefix), name, hash_ or None))
    for key, beside in (("model", "Model hash"), ("vae", "VAE hash")):
        if isinstance(value.get(key), str):
            settings.setdefault(beside, value[key])


def _read_control(value: str, draft: Draft) -> None:
    """A unit as one text: ``Module: canny, Model: name [hash], Weight: 1, …``."""
    parts = {fold(match.group(1)): match.group(2).strip() for match in _PART.finditer(value)}
    if "model" in parts:
        use_named(
            draft, "controlnet", parts["model"], None, parts.get("weight") or parts.get("controlweight")
        )
