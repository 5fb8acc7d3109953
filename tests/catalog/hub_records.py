"""Hand-made records of a hub for the catalog's tests."""

from typing import Any

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.hubs import HubFile, HubImage, HubModel, HubVersion, Statistics


def said(source: str = "civitai", **claims: Any) -> ClaimSet:
    return ClaimSet(source, tuple(Claim(name, value) for name, value in claims.items()), dict(claims))


def offered(key: str = "1", **hashes: str) -> HubFile:
    return HubFile(key, f"{key}.safetensors", "Model", 1000, "SafeTensor", "fp16", True, None, hashes)


def release(
    number: int = 7, model: int = 3, *files: HubFile, images: tuple[str, ...] = (), **more: Any
) -> HubVersion:
    claims = {"version": f"v{number}", "base_label": "SDXL 1.0"} | more.pop("claims", {})
    return HubVersion(
        f"civitai:{model}@{number}", said(**claims), files, tuple(map(HubImage, images)), **more
    )


def published(*versions: HubVersion, number: int = 3, downloads: int = 10, **more: Any) -> HubModel:
    claims = {"name": f"Model {number}", "kind": "lora", "tags": ["ink"]} | more.pop("claims", {})
    return HubModel(
        f"civitai:{number}",
        "civitai",
        said(**claims),
        versions or (release(model=number),),
        more.pop("creator", "ann"),
        Statistics(downloads=downloads),
        **more,
    )
