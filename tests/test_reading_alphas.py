"""Alphas are read from the file where metadata do not tell, and verified where they do."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from indexer.inspecting import inspect_paths
from tests.models import write_safetensors

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


def peft_folder(folder: Path, configuration: dict[str, Any] | None) -> Path:
    """What ``PeftModel.save_pretrained`` leaves: factors without alphas, and a configuration beside them."""
    stem = "base_model.model.transformer_blocks.0.attn"
    tensors = {
        f"{stem}.{name}.{side}.weight": shape
        for name, rank in (("to_q", 16), ("to_k", 16), ("to_v", 4))
        for side, shape in (("lora_A", [rank, 3072]), ("lora_B", [3072, rank]))
    }
    if configuration is not None:
        folder.mkdir(exist_ok=True)
        (folder / "adapter_config.json").write_text(json.dumps(configuration))
    return write_safetensors(folder / "adapter_model.safetensors", tensors)


@pytest.mark.parametrize(
    ("configuration", "alpha", "scale"),
    [
        (None, None, 1.0),
        ({"r": 16, "lora_alpha": 8}, 8.0, 0.5),
        ({"r": 16, "lora_alpha": 8, "use_rslora": True}, 8.0, 2.0),
        ({"r": 16, "lora_alpha": 8, "alpha_pattern": {"to_q": 32, "to_k": 32}}, 32.0, 2.0),
        ({"r": 16}, None, 1.0),
    ],
)
def test_the_scale_of_a_peft_folder_is_what_its_configuration_states(
    tmp_path: Path, configuration: dict[str, Any] | None, alpha: float | None, scale: float
) -> None:
    (told,) = inspect_paths([peft_folder(tmp_path / "adapter", configuration)])
    assert (told["alpha"], told["scale"], told["rank"]["mode"]) == (alpha, scale, 16)
