"""The files other tools leave beside a model: Civitai Helper, A1111, LoRA Manager, Stability Matrix.

Every id, creator, rating and date is invented; ids start at nine million, above any that was given out when
this was written.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from indexer.demo.cast import Cast, Part
from indexer.demo.metadata import published, tags_of

__all__ = ["Stored", "model_id", "sidecar", "version_id"]

_FIRST_ID = 9_000_000
_TYPES = {
    "checkpoint": "Checkpoint",
    "diffusion_model": "Checkpoint",
    "textual_inversion": "TextualInversion",
    "vae": "VAE",
    "text_encoder": "TextEncoder",
    "controlnet": "Controlnet",
    "upscaler": "Upscaler",
    "motion_module": "MotionModule",
}
_ADAPTERS = {"lora": "LORA", "dora": "DoRA"}
_PRECISION = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F8_E4M3": "fp8"}
_HIDDEN_FROM = 4
"""First level of the hub's bit mask that is not for everybody (R)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A model as it lies on disk: ``size`` in bytes, hashes in lower-case hex (None: too big to bother)."""

    size: int
    sha256: str | None = None
    autov3: str | None = None


def model_id(part: Part) -> int:
    """Parts of one name and creator are versions of one model."""
    return _FIRST_ID + zlib.crc32(f"{part.creator}/{part.name}".encode()) % 900_000


def version_id(part: Part) -> int:
    return _FIRST_ID + part.number % 900_000


def sidecar(kind: str, part: Part, stored: Stored, previews: list[str], cast: Cast) -> bytes:
    """The text of the sidecar whose name ends in ``.<kind>``."""
    return json.dumps(_WRITERS[kind](part, stored, previews, cast), indent=2, ensure_ascii=False).encode()


def _type(part: Part) -> str:
    return _TYPES.get(part.kind) or _ADAPTERS.get(part.adapter, "LoCon")


def _label(part: Part, cast: Cast) -> str:
    return str(cast.bases[part.base]["label"]) if part.base else "Other"


def _stats(part: Part) -> dict[str, Any]:
    up = part.thumbs_up if part.thumbs_up is not None else 12 + part.number % 640
    downloads = part.downloads if part.downloads is not None else up * 11 + part.number % 97
    return {
        "downloadCount": downloads,
        "thumbsUpCount": up,
        "thumbsDownCount": up // 60,
        "ratingCount": up // 4,
        "rating": round(4.3 + part.number % 7 / 10, 2),
    }


def _hashes(stored: Stored) -> dict[str, str]:
    if stored.sha256 is None or stored.autov3 is None:
        return {}
    return {
        "AutoV2": stored.sha256[:10].upper(),
        "SHA256": stored.sha256.upper(),
        "AutoV3": stored.autov3[:12].upper(),
    }


def _description(part: Part) -> str:
    words = f"<p>Trigger: <code>{', '.join(part.trigger)}</code></p>" if part.trigger else ""
    lead = f"<p><strong>{part.name}</strong> ({part.version}): {part.note}.</p>"
    return f"{lead}{words}<p>Part of a demonstration library.</p>"


def _file(part: Part, stored: Stored) -> dict[str, Any]:
    return {
        "id": version_id(part) + 1,
        "name": part.path.rpartition("/")[2],
        "type": "Model",
        "sizeKB": stored.size / 1024,
        "metadata": {"format": "SafeTensor", "size": "pruned", "fp": _PRECISION.get(part.dtype, "fp16")},
        "hashes": _hashes(stored),
        "primary": True,
    }


def _images(part: Part, previews: list[str], cast: Cast) -> list[dict[str, Any]]:
    level = part.nsfw_level
    return [
        {
            "url": f"https://images.example.org/{version_id(part)}/{place}/{name.rpartition('/')[2]}",
            "nsfwLevel": level,
            "width": 512,
            "height": 512,
            "type": "image",
            "meta": {"prompt": f"{', '.join(part.trigger)}, {cast.subjects[subject]['words']}"},
        }
        for place, (name, (_, subject)) in enumerate(zip(previews, part.drawn, strict=True))
    ]


def _civitai(part: Part, stored: Stored, previews: list[str], cast: Cast) -> dict[str, Any]:
    """The hub's version record with the model's fields merged in, as Civitai Helper stores it."""
    return {
        "id": version_id(part),
        "modelId": model_id(part),
        "name": part.version,
        "createdAt": published(part),
        "updatedAt": published(part),
        "publishedAt": published(part),
        "status": "Published",
        "availability": "Public",
        "nsfwLevel": part.nsfw_level,
        "description": f"<p>{part.note}</p>",
        "trainedWords": list(part.trigger),
        "baseModel": _label(part, cast),
        "baseModelType": "Standard",
        "stats": _stats(part),
        "model": {
            "name": part.name,
            "type": _type(part),
            "nsfw": part.nsfw_level >= _HIDDEN_FROM,
            "poi": part.real_person,
            "minor": False,
            "description": _description(part),
            "tags": tags_of(part, cast),
            "allowNoCredit": part.number % 2 == 0,
            "allowCommercialUse": [["None"], ["Image"], ["Image", "RentCivit", "Rent", "Sell"]][
                part.number % 3
            ],
            "allowDerivatives": True,
            "allowDifferentLicense": part.number % 3 != 0,
        },
        "creator": {"username": part.creator, "image": None},
        "files": [_file(part, stored)],
        "images": _images(part, previews, cast),
    }


def _a1111(part: Part, stored: Stored, previews: list[str], cast: Cast) -> dict[str, Any]:
    return {
        "description": part.note,
        "sd version": cast.bases[part.base]["family_of"] if part.base else "Unknown",
        "activation text": ", ".join(part.trigger),
        "preferred weight": 0.8 if part.kind == "lora" else 0,
        "negative text": "blurry, text" if part.kind == "lora" else "",
        "notes": f"Tried on a quiet evening; {', '.join(tags_of(part, cast)[:3])}.",
    }


def _manager(part: Part, stored: Stored, previews: list[str], cast: Cast) -> dict[str, Any]:
    return {
        "file_name": part.stem,
        "model_name": part.name,
        "file_path": part.path,
        "size": stored.size,
        "modified": 1_750_000_000.0 + part.number % 10_000_000,
        "sha256": stored.sha256 or "",
        "base_model": _label(part, cast),
        "preview_url": previews[0] if previews else "",
        "preview_nsfw_level": part.nsfw_level,
        "notes": "",
        "from_civitai": True,
        "civitai": _civitai(part, stored, previews, cast),
        "tags": tags_of(part, cast),
        "modelDescription": _description(part),
        "civitai_deleted": part.number % 4 == 0,
        "favorite": part.number % 3 == 0,
        "exclude": False,
        "db_checked": True,
        "usage_tips": json.dumps({"strength": 0.8, "strength_range": "0.6-1.0"}),
        "hash_status": "completed" if stored.sha256 else "pending",
        **({"autov3": stored.autov3[:12]} if stored.autov3 else {}),
    }


def _matrix(part: Part, stored: Stored, previews: list[str], cast: Cast) -> dict[str, Any]:
    return {
        "ModelId": model_id(part),
        "ModelName": part.name,
        "ModelDescription": _description(part),
        "Nsfw": part.nsfw_level >= _HIDDEN_FROM,
        "Tags": tags_of(part, cast),
        "ModelType": _type(part),
        "VersionId": version_id(part),
        "VersionName": part.version,
        "VersionDescription": f"<p>{part.note}</p>",
        "AuthorUsername": part.creator,
        "BaseModel": _label(part, cast),
        "FileMetadata": {"fp": _PRECISION.get(part.dtype, "fp16"), "size": "pruned", "format": "SafeTensor"},
        "ImportedAt": published(part),
        "Hashes": _hashes(stored),
        "TrainedWords": list(part.trigger),
        "Stats": _stats(part),
        "Source": "Civitai",
    }


_WRITERS: Mapping[str, Callable[[Part, Stored, list[str], Cast], dict[str, Any]]] = {
    "civitai.info": _civitai,
    "json": _a1111,
    "metadata.json": _manager,
    "cm-info.json": _matrix,
}
