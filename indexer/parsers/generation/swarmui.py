"""SwarmUI: ``{"sui_image_params": {…}, "sui_models": […], "sui_extra_data": {…}}`` (its T2IParamInput)."""

from typing import Any

from indexer.domain.generation import UsedModel
from indexer.parsers.generation.draft import Draft, as_float
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.models import clean_hash, is_no_model

__all__ = ["is_swarmui", "read_swarmui"]

_KINDS = {
    "model": "checkpoint",
    "refinermodel": "checkpoint",
    "segmentmodel": "checkpoint",
    "vae": "vae",
    "loras": "lora",
    "controlnetmodel": "controlnet",
    "controlnettwomodel": "controlnet",
    "controlnetthreemodel": "controlnet",
    "videomodel": "diffusion_model",
    "videoswapmodel": "diffusion_model",
    "t5xxlmodel": "text_encoder",
    "cliplmodel": "text_encoder",
    "clipgmodel": "text_encoder",
    "embeddings": "textual_inversion",
    "used_embeddings": "textual_inversion",
}
_UPSCALERS = ("refinerupscalemethod", "upscalemethod", "videoupscalemethod")
_MODEL_METHODS = ("model-", "latentmodel-")


def is_swarmui(value: dict[str, Any]) -> bool:
    """True for SwarmUI's object."""
    return isinstance(value.get("sui_image_params"), dict)


def read_swarmui(value: dict[str, Any]) -> Draft:
    """The draft of SwarmUI's object."""
    draft = Draft("swarmui")
    settings = dict(value["sui_image_params"])
    _read_loras(settings, draft)
    for key in _UPSCALERS:
        method = settings.get(key)
        prefix = next((p for p in _MODEL_METHODS if isinstance(method, str) and method.startswith(p)), None)
        if prefix:
            draft.use(UsedModel("upscaler", str(method).removeprefix(prefix)))
    for name in _listed(settings.get("used_embeddings")):
        draft.use(UsedModel("textual_inversion", name))
    read_flat(settings, draft)
    _read_models(value.get("sui_models"), draft)
    rest = {key: item for key, item in value.items() if key not in ("sui_image_params", "sui_models")}
    draft.raw |= rest
    return draft


def _listed(value: Any) -> list[str]:
    """A list of texts, also where an older version wrote it as one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return [str(part).strip() for part in parts[:1000] if isinstance(part, str | int | float)]


def _read_loras(settings: dict[str, Any], draft: Draft) -> None:
    names, weights = _listed(settings.pop("loras", None)), _listed(settings.pop("loraweights", None))
    for place, name in enumerate(names):
        if not is_no_model(name):
            weight = as_float(weights[place]) if place < len(weights) else None
            draft.use(UsedModel("lora", name, None, None, weight))


def _read_models(models: Any, draft: Draft) -> None:
    """``sui_models`` holds a hash of the tensors for each file that was used."""
    for item in models[:1000] if isinstance(models, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            kind = _KINDS.get(str(item.get("param")), "unknown")
            draft.use(UsedModel(kind, item["name"], clean_hash(item.get("hash"))))
