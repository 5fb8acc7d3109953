"""A real open_clip model, some ten thousand times smaller than a published one, with random weights."""

import json
from pathlib import Path
from typing import Any

from indexer.embedding.torchvision_shim import import_open_clip

__all__ = ["TINY", "register", "write_weights"]

TINY = "pinakes-tiny-test"
CONFIGURATION = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def register(folder: Path) -> Any:
    """Make ``TINY`` known to open_clip, as its users add models of their own; returns the module."""
    open_clip = import_open_clip()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{TINY}.json").write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    open_clip.add_model_config(folder)
    return open_clip


def write_weights(open_clip: Any, path: Path, seed: int = 0) -> Path:
    """Random weights as a safetensors file."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    save_file(open_clip.create_model(TINY).state_dict(), path)
    return path
