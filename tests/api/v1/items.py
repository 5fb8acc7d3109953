"""Models of a hub made by program: both shapes of Civitai's answers, ties, several versions, hidden ones."""

import hashlib
from typing import Any

from tests.parsers.civitai_items import item, version

TYPES = ("LORA", "Checkpoint", "TextualInversion", "LoCon", "VAE")
BASES = ("SDXL 1.0", "SD 1.5", "Pony", "Flux.1 D")


def digest(number: int, kind: str = "") -> str:
    return hashlib.sha256(f"{kind}{number}".encode()).hexdigest().upper()


def release(number: int, **more: Any) -> dict[str, Any]:
    """A version with a file and two pictures of its own."""
    sha256 = digest(number)
    file = {
        "id": number * 10,
        "name": f"model-{number}.safetensors",
        "type": "Model",
        "sizeKB": 1024.5,
        "primary": True,
        "metadata": {"format": "SafeTensor", "fp": "fp16", "size": "pruned"},
        "pickleScanResult": "Success",
        "virusScanResult": "Success",
        "hashes": {
            "AutoV1": digest(number, "v1")[:8],
            "AutoV2": sha256[:10],
            "AutoV3": digest(number, "v3")[:12],
            "SHA256": sha256,
            "CRC32": digest(number, "crc")[:8],
            "BLAKE3": digest(number, "b3"),
        },
        "downloadUrl": f"https://civitai.com/api/download/models/{number}",
    }
    config = file | {
        "id": number * 10 + 1,
        "name": f"model-{number}.yaml",
        "type": "Config",
        "primary": False,
        "metadata": {"format": "Other"},
        "hashes": {"SHA256": digest(number, "config")},
        "downloadUrl": f"https://civitai.com/api/download/models/{number}?type=Config&format=Other",
    }
    images = [
        {
            "id": number * 10 + place,
            "url": f"https://image.civitai.com/x/{number}/{place}.jpeg",
            "nsfwLevel": (1, 8)[place],
            "width": 832,
            "height": 1216,
            "hash": "U6D[wt4p",
            "type": "image",
            "meta": {"prompt": f"a teapot {number}", "seed": number},
        }
        for place in range(2)
    ]
    made = version(number, files=[file, config], images=images, name=f"v{number % 3 + 1}", **more)
    return made | {"downloadUrl": f"https://civitai.com/api/download/models/{number}"}


def models(count: int, first: int = 1) -> list[dict[str, Any]]:
    """Models with numbers from ``first`` on; each third has three versions, each eleventh is adult."""
    return [model(number) for number in range(first, first + count)]


def model(number: int, **more: Any) -> dict[str, Any]:
    day = f"2025-{number % 4 + 1:02}-{number % 7 + 1:02}T10:00:00.000Z"
    base = BASES[number % len(BASES)]
    versions = [
        release(
            number * 10 + place, baseModel=base, publishedAt=day, index=place, stats=_numbers(number, place)
        )
        for place in range(3 if number % 3 == 0 else 1)
    ]
    told: dict[str, Any] = {
        "name": f"Ink Wash {number}",
        "type": TYPES[number % len(TYPES)],
        "nsfw": number % 11 == 0,
        "nsfwLevel": 28 if number % 11 == 0 else 1,
        "poi": number % 17 == 0,
        "minor": False,
        "creator": {"username": f"artist{number % 6}", "image": None},
        "tags": ["ink", f"tag{number % 5}"],
        "stats": _numbers(number, 0) | {"commentCount": number % 9, "tippedAmountCount": number},
        "modelVersions": versions,
    }
    return item(number, **told | more)


def _numbers(number: int, place: int) -> dict[str, int]:
    return {
        "downloadCount": number % 5 * 100 + place,
        "thumbsUpCount": number % 4 * 20,
        "thumbsDownCount": number % 2,
    }


def old_model(number: int) -> dict[str, Any]:
    """The shape of 2023: words for levels, one word for commercial use, stars instead of thumbs."""
    made = model(number, allowCommercialUse="Sell")
    for gone in ("nsfwLevel", "minor", "supportsGeneration", "availability"):
        made.pop(gone, None)
    made["stats"] = {
        "downloadCount": 12,
        "favoriteCount": 4,
        "commentCount": 1,
        "ratingCount": 3,
        "rating": 4.67,
    }
    for one in made["modelVersions"]:
        one["stats"] = {"downloadCount": 12, "ratingCount": 3, "rating": 4.67}
        one["earlyAccessTimeFrame"] = 0
        one["createdAt"] = one.pop("publishedAt")
        one.pop("index")
        for image in one["images"]:
            image["nsfw"] = "None" if image.pop("nsfwLevel") == 1 else "X"
            image.pop("type")
    return made
