"""Alphas are read from the file where metadata do not tell, and verified where they do."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from indexer.inspecting import inspect_paths

MODULES = ("lora_unet_double_blocks_0_img_attn_qkv", "lora_unet_double_blocks_1_img_attn_qkv")


def lora(path: Path, alpha: float, metadata: dict[str, str]) -> Path:
    """A small FLUX.1 LoRA of rank 2 with real alphas."""
    header: dict[str, Any] = {"__metadata__": metadata}
    data = bytearray()
    for module in MODULES:
        for suffix, shape in (("alpha", []), ("lora_down.weight", [2, 3072]), ("lora_up.weight", [9216, 2])):
            start = len(data)
            data += struct.pack("<e", alpha) if suffix == "alpha" else bytes(2 * shape[0] * shape[1])
            header[f"{module}.{suffix}"] = {
                "dtype": "F16",
                "shape": shape,
                "data_offsets": [start, len(data)],
            }
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)
    return path


@pytest.mark.parametrize(
    ("metadata", "warnings"),
    [({}, []), ({"ss_network_alpha": "1.0"}, []), ({"ss_network_alpha": "16"}, ["alpha_mismatch"])],
)
def test_alpha_comes_from_the_tensors(tmp_path: Path, metadata: dict[str, str], warnings: list[str]) -> None:
    (told,) = inspect_paths([lora(tmp_path / "a.safetensors", 1.0, metadata)])
    assert (told["alpha"], told["scale"], told["rank"]["mode"]) == (1.0, 0.5, 2)
    assert told["alphas"] == {"denoiser": {"min": 1.0, "max": 1.0, "mode": 1.0}}
    assert (told["ranks"]["denoiser"]["mode"], told["warnings"]) == (2, warnings)
    (trained,) = told["trained"]
    assert (trained["part"], trained["model"]) == ("denoiser", None)
    assert (trained["blocks"], trained["layers"]) == (("double blocks 0-1",), ("attention",))


def test_the_family_is_told_from_the_training(tmp_path: Path) -> None:
    tags = {
        "ss_tag_frequency": json.dumps({"3_inkpony": {"score_9": 9}}),
        "modelspec.trigger_phrase": "Sunny",
    }
    (told,) = inspect_paths([lora(tmp_path / "a.safetensors", 1.0, tags)])
    assert told["family"] is None  # the tags belong to another architecture
    assert told["trigger_words"] == ["Sunny", "inkpony"]
    assert told["families"] == () and told["needs"] == ()
