"""Small real files for tests: safetensors with sparse data, and pictures."""

import json
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

SDXL_LORA = {
    f"lora_unet_input_blocks_4_1_transformer_blocks_{n}_attn2_to_{m}": (2048, 640)
    for n in (0, 1)
    for m in "kv"
}
"""Modules of a kohya LoRA for SDXL: name -> (in, out)."""


def lora_tensors(rank: int = 4, modules: Mapping[str, tuple[int, int]] = SDXL_LORA) -> dict[str, list[int]]:
    tensors = {}
    for name, (wide, out) in modules.items():
        tensors[f"{name}.lora_down.weight"] = [rank, wide]
        tensors[f"{name}.lora_up.weight"] = [out, rank]
    return tensors


def write_safetensors(
    path: Path, tensors: Mapping[str, list[int]] | None = None, metadata: Mapping[str, str] | None = None
) -> Path:
    """A valid file of F16 tensors whose data is a hole; the metadata makes its content unlike others'."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    place = 0
    for name, shape in (lora_tensors() if tensors is None else tensors).items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + place)
    old = 1_700_000_000
    os.utime(path, (old, old))
    return path


def copy_with_holes(source: str, target: str) -> str:
    """A copy for ``shutil.copytree`` that leaves out what is a hole: gigabytes of zeros take minutes."""
    with open(source, "rb") as old, open(target, "wb") as new:
        size = os.stat(source).st_size
        place = 0
        while place < size:
            try:
                start = os.lseek(old.fileno(), place, os.SEEK_DATA)
            except OSError:  # nothing but a hole from here on
                break
            place = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            new.seek(start)
            new.write(os.pread(old.fileno(), place - start, start))
        new.truncate(size)
    shutil.copystat(source, target)
    return target


def write_picture(path: Path, colour: tuple[int, int, int] = (200, 80, 40), side: int = 64) -> Path:
    """A plain picture; its format follows from the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), colour).save(path)
    return path


def write_library(folder: Path, count: int, pictures: bool = True) -> Path:
    """``count`` LoRAs in a few folders, each with a picture."""
    for place in range(count):
        stem = folder / "loras" / f"set{place % 3}" / f"model{place:03}"
        write_safetensors(stem.with_suffix(".safetensors"), metadata={"ss_output_name": f"model {place}"})
        if pictures:
            write_picture(stem.with_suffix(".png"), (place * 7 % 256, place * 13 % 256, 90))
    return folder
