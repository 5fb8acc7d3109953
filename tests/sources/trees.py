"""Small real libraries of every tool: folders, configurations, databases, sidecars and previews."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bundles import write_pipeline
from tests.models import write_picture, write_safetensors

__all__ = ["LAYOUTS", "invokeai_database", "lora", "write_text"]


def write_text(path: Path, text: str) -> Path:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lora(path: Path, preview: str | None = ".png") -> Path:
    """An SDXL LoRA that differs from others by its metadata, with a picture beside it."""
    write_safetensors(path, metadata={"ss_output_name": path.stem})
    if preview:
        write_picture(path.with_name(path.stem + preview), (len(path.stem) * 9 % 256, 90, 90))
    return path


def comfyui(root: Path, outside: Path) -> dict[str, str]:
    """Also a folder outside that only ``extra_model_paths.yaml`` names."""
    lora(root / "models" / "loras" / "ink.safetensors", ".webp")
    lora(root / "models" / "checkpoints" / "stray.safetensors")
    lora(outside / "styles" / "oil.safetensors")
    write_text(root / "main.py", "")
    write_text(
        root / "extra_model_paths.yaml",
        f"a111:\n  base_path: {outside}\n  is_default: true\n  loras: |\n    styles\n    nowhere\n",
    )
    write_text(root / "extra_model_paths.yaml.example", "x:\n  loras: /\n")
    return {"ink": "loras", "stray": "checkpoints", "oil": "loras"}


def a1111(root: Path, outside: Path) -> dict[str, str]:
    """Embeddings at the top, a folder named in the start script."""
    lora(root / "models" / "Lora" / "ink.safetensors")
    lora(root / "models" / "LyCORIS" / "locon.safetensors", ".preview.png")
    (root / "models" / "Stable-diffusion").mkdir(parents=True)
    lora(root / "embeddings" / "no.safetensors")
    lora(outside / "far" / "oil.safetensors")
    write_text(
        root / "webui-user.sh", f'#!/bin/bash\nexport COMMANDLINE_ARGS="--api --lora-dir {outside}/far"\n'
    )
    write_text(
        root / "models" / "Lora" / "ink.json", '{"activation text": "ink style", "sd version": "SDXL"}'
    )
    return {"ink": "lora", "locon": "lycoris", "no": "embeddings", "oil": "lora"}


def sdnext(root: Path, outside: Path) -> dict[str, str]:
    """Paths in ``config.json``; a thumbnail of its own."""
    lora(root / "models" / "Lora" / "ink.safetensors", ".thumb.jpg")
    (root / "models" / "Stable-diffusion").mkdir(parents=True)
    (root / "models" / "Diffusers").mkdir(parents=True)
    lora(outside / "far" / "oil.safetensors")
    write_text(root / "config.json", json.dumps({"lora_dir": f"{outside}/far", "sd_model_checkpoint": 1}))
    return {"ink": "lora", "oil": "lora"}


def swarmui(root: Path, outside: Path) -> dict[str, str]:
    """Two roots, and a folder of another name."""
    lora(root / "Models" / "Lora" / "ink.safetensors", ".jpg")
    (root / "Models" / "Stable-Diffusion").mkdir(parents=True)
    lora(outside / "mine" / "oil.safetensors")
    write_text(
        root / "Data" / "Settings.fds",
        f"#Settings\nPaths:\n\t#Roots\n\tModelRoot: Models;{outside}\n\tSDLoraFolder: Lora;mine\n",
    )
    write_text(root / "Models" / "Lora" / "ink.swarm.json", json.dumps({"modelspec.title": "Ink of Swarm"}))
    return {"Ink of Swarm": "lora", "oil": "lora"}


def stability_matrix(root: Path, outside: Path) -> dict[str, str]:
    """Everything below ``Data/Models``."""
    lora(root / "Data" / "Models" / "Lora" / "ink.safetensors", ".preview.jpeg")
    (root / "Data" / "Models" / "StableDiffusion").mkdir(parents=True)
    write_text(
        root / "Data" / "Models" / "Lora" / "ink.cm-info.json",
        json.dumps({"ModelId": 7, "VersionId": 70, "ModelName": "Matrix ink", "TrainedWords": ["mx"]}),
    )
    return {"Matrix ink": "lora"}


def invokeai_database(path: Path, rows: Sequence[Mapping[str, Any]], journal: str = "DELETE") -> Path:
    """A database as version 4 and later write it: one JSON text a model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute(
            "CREATE TABLE models (id TEXT PRIMARY KEY, config TEXT NOT NULL,"
            " name TEXT GENERATED ALWAYS AS (json_extract(config, '$.name')) VIRTUAL)"
        )
        connection.executemany(
            "INSERT INTO models (id, config) VALUES (?, ?)",
            [(str(place), json.dumps(row)) for place, row in enumerate(rows)],
        )
        connection.commit()
    return path


def invokeai(root: Path, outside: Path) -> dict[str, str]:
    """Models in folders named by keys; the database alone knows their names."""
    lora(root / "models" / "0a1b" / "model.safetensors")
    write_text(root / "invokeai.yaml", "schema_version: 4.0.2\nprecision: float16\n")
    record = {
        "path": "0a1b/model.safetensors",
        "name": "Ink of Invoke",
        "base": "sdxl",
        "type": "lora",
        "description": "Line and wash",
        "trigger_phrases": ["inkwash"],
        "source": "https://example.com/ink",
    }
    invokeai_database(root / "databases" / "invokeai.db", [record])
    return {"Ink of Invoke": ""}


def huggingface(root: Path, outside: Path) -> dict[str, str]:
    """A hub's cache: snapshots of links into blobs."""
    store = root / "hub" / "models--ada--ink"
    blob = write_safetensors(store / "blobs" / "0123456789", metadata={"hub": "1"})
    link = store / "snapshots" / "abcdef" / "pytorch_lora_weights.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    return {"ink": ""}


def diffusers(root: Path, outside: Path) -> dict[str, str]:
    """A folder that is one model."""
    write_pipeline(root / "dreamer")
    write_picture(root / "dreamer.png")
    return {"dreamer": ""}


def plain(root: Path, outside: Path) -> dict[str, str]:
    """No tool at all."""
    lora(root / "deep" / "down" / "ink.safetensors")
    return {"ink": ""}


LAYOUTS: Mapping[str, Callable[[Path, Path], dict[str, str]]] = {
    "comfyui": comfyui,
    "a1111": a1111,
    "sdnext": sdnext,
    "swarmui": swarmui,
    "stability-matrix": stability_matrix,
    "invokeai": invokeai,
    "huggingface": huggingface,
    "diffusers": diffusers,
    "plain": plain,
}
"""Layout -> what writes one to a root (and a folder outside), answering the folder's word by title."""
