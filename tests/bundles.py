"""Small real bundles for tests: sharded models with their index, and diffusers folders."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from indexer.domain.layouts import load_layout
from tests.models import write_safetensors

__all__ = ["OLD", "SDXL", "write_component", "write_json", "write_pipeline", "write_sharded"]

OLD = 1_700_000_000
"""Modification time, in seconds, of everything that is not being downloaded."""

SDXL = {"unet": "sdxl.diffusers", "vae": "vae-kl-f8.diffusers", "text_encoder": "clip-l"}


def write_json(path: Path, value: object) -> Path:
    """A JSON file, not changed for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    os.utime(path, (OLD, OLD))
    return path


def write_sharded(
    folder: Path, tensors: Mapping[str, list[int]], count: int = 3, stem: str = "model", *, index: bool = True
) -> list[Path]:
    """``tensors`` spread over ``count`` shards, and the index that says where each is."""
    names = [f"{stem}-{place:05}-of-{count:05}.safetensors" for place in range(1, count + 1)]
    spread = {name: dict(list(tensors.items())[place::count]) for place, name in enumerate(names)}
    paths = [write_safetensors(folder / name, part, {"format": "pt"}) for name, part in spread.items()]
    if index:
        mapped = {tensor: name for name, part in spread.items() for tensor in part}
        index_path = folder / f"{stem}.safetensors.index.json"
        write_json(index_path, {"metadata": {"total_size": 1}, "weight_map": mapped})
    return paths


def write_component(folder: Path, layout: str, name: str = "diffusion_pytorch_model.safetensors") -> Path:
    """A component's folder with the tensors of a reference layout, as sparse data."""
    write_json(folder / "config.json", {"_class_name": "Anything"})
    return write_safetensors(folder / name, {key: list(shape) for key, shape in load_layout(layout).items()})


def write_pipeline(folder: Path, components: Mapping[str, str] | None = None, **more: object) -> Path:
    """A diffusers folder of reference layouts, by component; SDXL without its second encoder by default."""
    layouts = SDXL if components is None else components
    index: dict[str, object] = {"_class_name": "StableDiffusionXLInpaintPipeline", **more}
    for name, layout in layouts.items():
        write_component(folder / name, layout)
        index[name] = ["diffusers", "Anything"]
    index["scheduler"] = ["diffusers", "EulerDiscreteScheduler"]
    write_json(folder / "scheduler" / "scheduler_config.json", {"prediction_type": "v_prediction"})
    write_json(folder / "model_index.json", index)
    return folder
