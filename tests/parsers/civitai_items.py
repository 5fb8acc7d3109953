"""Items of Civitai's models listing made by hand, in the present shape and in that of 2023."""

from typing import Any


def version(number: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "v1.0",
        "baseModel": "SDXL 1.0",
        "publishedAt": "2026-03-01T10:00:00.000Z",
        "trainedWords": ["inkwash", "tea, pot"],
        "stats": {"downloadCount": 100, "thumbsUpCount": 9, "thumbsDownCount": 1},
        "files": [
            {
                "id": 70,
                "name": "ink.safetensors",
                "type": "Model",
                "sizeKB": 1024.5,
                "primary": True,
                "metadata": {"format": "SafeTensor", "fp": "fp16", "size": "pruned"},
                "hashes": {
                    "SHA256": "AB" * 32,
                    "AutoV2": "ABABABABAB",
                    "AutoV3": "CD" * 6,
                    "CRC32": "0D4A1185",
                },
                "downloadUrl": "https://civitai.com/api/download/models/7",
                "virusScanResult": "Success",
            }
        ],
        "images": [
            {
                "url": "https://image.civitai.com/x/1.jpeg",
                "nsfwLevel": 1,
                "width": 832,
                "height": 1216,
                "hash": "U6D[wt4p",
                "type": "image",
                "meta": {"prompt": "a teapot", "seed": 5},
            }
        ],
        "downloadUrl": "https://civitai.com/api/download/models/7",
    } | more


def item(number: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "Ink Wash",
        "description": "<p>Washes of ink.</p>",
        "type": "LORA",
        "nsfw": False,
        "nsfwLevel": 1,
        "poi": False,
        "minor": False,
        "allowNoCredit": True,
        "allowCommercialUse": "{Image,RentCivit}",
        "allowDerivatives": True,
        "allowDifferentLicense": False,
        "stats": {
            "downloadCount": 120,
            "thumbsUpCount": 11,
            "commentCount": 2,
            "tippedAmountCount": 30,
            "odd": 1,
        },
        "creator": {"username": "ann", "image": None},
        "tags": ["ink", "style"],
        "modelVersions": [version()],
    } | more


def old_item(number: int = 3) -> dict[str, Any]:
    stats = {"downloadCount": 12, "favoriteCount": 4, "commentCount": 1, "ratingCount": 3, "rating": 4.67}
    return item(number, allowCommercialUse="Sell", stats=stats, nsfw=False) | {
        "modelVersions": [
            version(stats={"downloadCount": 12, "ratingCount": 3, "rating": 4.67}, earlyAccessTimeFrame=3)
        ]
    }
