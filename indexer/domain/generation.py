"""Generation records: what an image says of how it was made."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from indexer.domain.header import HeaderWarning

__all__ = ["GenerationRecord", "UsedModel", "merge_models", "model_stem"]

_EXTENSION = re.compile(r"\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx|engine)$", re.IGNORECASE)
_WHOLE_MODELS = frozenset(("checkpoint", "diffusion_model"))


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model as the image names it.

    ``kind`` is one of the kinds of ``kinds.toml``. ``name`` stands as written, with its folder and extension,
    and is None where only a number is known. ``hash`` is written without a prefix, in whatever length it was
    given. ``version_id`` is Civitai's. ``weight`` is the strength on the denoiser.
    """

    kind: str
    name: str | None
    hash: str | None = None
    version_id: str | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """How an image was made, as far as it tells.

    ``generator`` names the tool (``comfyui``, ``forge`` …) or is ``unknown``. ``seed`` is text: seeds pass
    64 bits.
    ``width`` and ``height`` are those asked for, in pixels, not those of the file. ``raw`` holds whatever was
    not understood, fit for JSON.
    """

    generator: str
    version: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: str | None = None
    steps: int | None = None
    sampler: str | None = None
    scheduler: str | None = None
    cfg: float | None = None
    width: int | None = None
    height: int | None = None
    models: tuple[UsedModel, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[HeaderWarning, ...] = ()

    def told(self) -> dict[str, Any]:
        """The record as the public contract's ``generation`` object."""
        names = [name for name in self.__slots__ if name not in ("models", "raw", "warnings")]
        told: dict[str, Any] = {name: getattr(self, name) for name in names}
        return told | {"models": [asdict(model) for model in self.models], "raw": dict(self.raw)}


def model_stem(name: str) -> str:
    """A model's name without folder and extension, in lower case: what two spellings of it share.

    >>> model_stem("SDXL\\\\Some Model.v1.safetensors")
    'some model.v1'
    """
    return _EXTENSION.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).casefold().strip()


def merge_models(models: list[UsedModel]) -> tuple[UsedModel, ...]:
    """Each model once, in the order of first mention, with all that any mention knows."""
    merged: list[UsedModel] = []
    places: dict[tuple[str, str], list[int]] = {}
    for model in models:
        keys = _keys(model)
        same = (place for key in keys for place in places.get(key, ()) if _same_kind(merged[place], model))
        place = next(same, None)
        if place is None:
            place = len(merged)
            merged.append(model)
        else:
            merged[place] = _joined(merged[place], model)
        for key in keys:
            if place not in places.setdefault(key, []):
                places[key].append(place)
    return tuple(merged)


def _keys(model: UsedModel) -> list[tuple[str, str]]:
    keys = (
        ("name", model_stem(model.name) if model.name else ""),
        ("version", model.version_id or ""),
        ("hash", (model.hash or "").casefold()),
    )
    return [key for key in keys if key[1]]


def _same_kind(one: UsedModel, other: UsedModel) -> bool:
    kinds = {one.kind, other.kind}
    return len(kinds) == 1 or "unknown" in kinds or kinds <= _WHOLE_MODELS


def _joined(one: UsedModel, other: UsedModel) -> UsedModel:
    return replace(
        one,
        kind=other.kind if one.kind == "unknown" else one.kind,
        name=one.name or other.name,
        hash=one.hash or other.hash,
        version_id=one.version_id or other.version_id,
        weight=other.weight if one.weight is None else one.weight,
    )
