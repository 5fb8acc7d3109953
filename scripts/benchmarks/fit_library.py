"""Listings of adapters and bases for measuring: made from reference layouts, few of them alike."""

import hashlib
import random
from collections.abc import Mapping, Sequence

from indexer.domain.header import Header, TensorEntry
from indexer.domain.layouts import load_layout

__all__ = ["SOURCES", "Source", "factors", "header"]

Source = tuple[str, str, str]
"""A layout, the prefix of an adapter's modules, and a word that the names of adapted weights have."""

SOURCES: Mapping[str, Sequence[Source]] = {
    "sdxl": (
        ("sdxl", "lora_unet_", "attn"),
        ("sdxl", "lora_unet_", "attn"),
        ("sdxl.diffusers", "unet.", "attn"),
    ),
    "sd1": (("sd1.diffusers", "lora_unet_", "attn"),),
    "sd2": (("sd2.diffusers", "lora_unet_", "attn"),),
    "flux1": (("flux1-dev", "lora_unet_", "blocks"), ("flux1-dev.diffusers", "transformer.", "attn")),
    "qwen-image": (("qwen-image", "transformer.", "attn"),),
    "wan2.2-t2v-a14b": (("wan2.1-t2v-14b", "diffusion_model.", "blocks"),),
    "z-image": (("z-image.comfy", "diffusion_model.", "attention"),),
}
"""Forms in which adapters for an architecture are met."""


def factors(source: Source, chance: random.Random) -> dict[str, tuple[int, ...]]:
    """The factors of one adapter of any rank; one block is left out, so that few are alike."""
    layout, prefix, word = source
    rank, dropped = chance.choice((4, 8, 16, 32, 64, 128)), chance.randrange(2, 40)
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in load_layout(layout).items():
        stem = name.removesuffix(".weight")
        if stem == name or len(shape) < 2 or word not in name or f".{dropped}." in name:
            continue
        flat = prefix.endswith("_")
        module = prefix + (stem.replace(".", "_") if flat else stem)
        down, up = ("lora_down", "lora_up") if flat else ("lora_A", "lora_B")
        found[f"{module}.{down}.weight"] = (rank, *shape[1:])
        found[f"{module}.{up}.weight"] = (shape[0], rank, *(1 for _ in shape[2:]))
    return found


def header(shapes: Mapping[str, Sequence[int]], metadata: Mapping[str, str] | None = None) -> Header:
    """A safetensors header of fp16 tensors, named by its listing as a reader does."""
    tensors: dict[str, TensorEntry] = {
        name: {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 0]} for name, shape in shapes.items()
    }
    listing = hashlib.sha256(repr(list(shapes.items())).encode()).digest()
    return Header("safetensors", tensors, dict(metadata or {}), 0, 0, listing=listing)
