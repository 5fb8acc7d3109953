"""Graphs of ComfyUI, short to write."""

import json
from collections.abc import Mapping
from typing import Any

from indexer.domain.generation import GenerationRecord
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import TextChunk

Prompt = dict[str, dict[str, Any]]


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def basic(**more: Any) -> Prompt:
    """ComfyUI's default graph; further nodes replace or join its own."""
    sampler = {
        "seed": 7,
        "steps": 20,
        "cfg": 8.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    links = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    return {
        "3": node("KSampler", **sampler, **links),
        "4": node("CheckpointLoaderSimple", ckpt_name="base.safetensors"),
        "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
        "6": node("CLIPTextEncode", text="a harbour", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="fog", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
        **more,
    }


def read(texts: Mapping[str, Any], size: tuple[int, int] | None = None) -> GenerationRecord:
    """The record of texts; values that are no text are written as JSON."""
    chunks = [
        TextChunk(key, value if isinstance(value, str) else json.dumps(value)) for key, value in texts.items()
    ]
    record = read_generation(chunks, size)
    assert record is not None
    json.dumps(record.told(), allow_nan=False, ensure_ascii=False).encode()
    return record


def models(record: GenerationRecord) -> set[tuple[str, str | None, float | None]]:
    return {(model.kind, model.name, model.weight) for model in record.models}
