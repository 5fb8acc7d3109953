"""One training, re-uploaded by programs that keep its scale in different places, is one adapter.

Factors are torch's, files are written by ``safetensors`` itself.
"""

import json
from collections.abc import Mapping
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from indexer.adapter_weights import read_adapter_weights
from indexer.embedding.adapter_vector import TWIN_COSINE, AdapterWeights, sketches
from tests.adapters import diffusers_name, unet_sizes

Factors = dict[str, tuple[torch.Tensor, torch.Tensor, float]]
"""Module (diffusers' name) -> up, down, and the scale that its training had."""

Tensors = dict[str, torch.Tensor]
ALPHA = 8.0


def training(scales: Mapping[int, float], seed: int = 1) -> Factors:
    """Modules of rank 4 and 16 in turns; ``scales`` is the scale at each rank."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for number, (name, (rows, columns)) in enumerate(unet_sizes().items()):
        rank = (4, 16)[number % 2]
        up = torch.randn(rows, rank, generator=generator) * 0.01
        down = torch.randn(rank, columns, generator=generator) * 0.01
        made[diffusers_name(name)] = (up, down, scales[rank])
    return made


PLAIN = training({4: ALPHA / 4, 16: ALPHA / 16})
ROOTED = training({4: ALPHA / sqrt(4), 16: ALPHA / sqrt(16)})
OWN = {
    name: (up, down, 3.0 / len(down) if "to_q" in name else scale)
    for name, (up, down, scale) in PLAIN.items()
}


def kohya(made: Factors) -> Tensors:
    """sd-scripts and LyCORIS: an alpha beside the factors that makes alpha / rank the scale."""
    tensors: Tensors = {}
    for name, (up, down, scale) in made.items():
        stem = "lora_unet_" + name.replace(".", "_")
        tensors |= {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}
        tensors[f"{stem}.alpha"] = torch.tensor(scale * len(down))
    return tensors


def dotted(made: Factors, prefix: str) -> Tensors:
    tensors: Tensors = {}
    for name, (up, down, _) in made.items():
        tensors |= {f"{prefix}{name}.lora_A.weight": down, f"{prefix}{name}.lora_B.weight": up}
    return tensors


def saved(path: Path, tensors: Tensors, **metadata: str) -> AdapterWeights:
    path.parent.mkdir(exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, path, metadata or None)
    return read_adapter_weights(path)


def peft(folder: Path, made: Factors, **configuration: object) -> AdapterWeights:
    """What ``PeftModel.save_pretrained`` leaves in a folder."""
    folder.mkdir(exist_ok=True)
    told = {"peft_type": "LORA", "r": 4, "lora_alpha": ALPHA, "use_rslora": False} | configuration
    (folder / "adapter_config.json").write_text(json.dumps(told))
    return saved(folder / "adapter_model.safetensors", dotted(made, "base_model.model."))


def diffusers(folder: Path, made: Factors, **configuration: object) -> AdapterWeights:
    """What ``save_lora_weights`` of diffusers 0.34 and later writes."""
    told = {"r": 4, "lora_alpha": ALPHA, "use_rslora": False} | configuration
    text = json.dumps({f"unet.{key}": value for key, value in told.items()})
    return saved(folder / "lora.safetensors", dotted(made, "unet."), lora_adapter_metadata=text)


def cosine(one: AdapterWeights, other: AdapterWeights) -> float:
    assert one.vector is not None and other.vector is not None
    first, second = sketches(np.stack([one.vector, other.vector]))
    return float(first @ second)


@pytest.mark.parametrize("write", [peft, diffusers])
@pytest.mark.parametrize(
    ("made", "configuration"),
    [
        (PLAIN, {}),
        (PLAIN, {"rank_pattern": {"to_k": 16}}),
        (ROOTED, {"use_rslora": True}),
        (OWN, {"alpha_pattern": {"to_q": 3}}),
        (OWN, {"alpha_pattern": {name: 3 for name in OWN if "to_q" in name}}),
    ],
    ids=["alpha", "rank_pattern", "rsLoRA", "alpha_pattern", "alpha_pattern by whole names"],
)
def test_a_configuration_scales_as_an_alpha_does(
    tmp_path: Path, write: type, made: Factors, configuration: dict[str, object]
) -> None:
    other = write(tmp_path / "x", made, **configuration)
    original = saved(tmp_path / "kohya.safetensors", kohya(made))
    assert cosine(original, other) > 0.9999
    assert other.length == pytest.approx(original.length, rel=0.01)
    assert other.norm == pytest.approx(original.norm, rel=0.01)


def test_without_its_configuration_it_would_not_be_found(tmp_path: Path) -> None:
    """The test above tells something: ranks differ, so a scale of 1 everywhere is another change."""
    original = saved(tmp_path / "kohya.safetensors", kohya(PLAIN))
    bare = saved(tmp_path / "bare.safetensors", dotted(PLAIN, "unet."))
    assert cosine(original, bare) < TWIN_COSINE


def test_lycoris_keeps_the_root_of_rslora_in_its_alphas(tmp_path: Path) -> None:
    arguments = json.dumps({"rs_lora": "True"})
    own = saved(tmp_path / "a.safetensors", kohya(ROOTED), ss_network_args=arguments, ss_network_alpha="8")
    assert cosine(own, peft(tmp_path / "b", ROOTED, use_rslora=True)) > 0.9999


def test_an_alpha_of_the_file_outweighs_what_is_stated(tmp_path: Path) -> None:
    told = json.dumps({"unet.lora_alpha": 999.0})
    own = saved(tmp_path / "a.safetensors", kohya(PLAIN), lora_adapter_metadata=told)
    assert own.norm == pytest.approx(saved(tmp_path / "b.safetensors", kohya(PLAIN)).norm)


def test_a_configuration_speaks_only_for_the_adapter_it_was_saved_with(tmp_path: Path) -> None:
    peft(tmp_path / "folder", PLAIN)
    alone = peft(tmp_path / "renamed", PLAIN)
    (tmp_path / "renamed" / "adapter_model.safetensors").rename(tmp_path / "renamed" / "ink.safetensors")
    assert read_adapter_weights(tmp_path / "renamed" / "ink.safetensors").norm == alone.norm
    stranger = saved(tmp_path / "folder" / "other.safetensors", dotted(PLAIN, "base_model.model."))
    assert stranger.norm != alone.norm, "one of several files in a folder"
    unnamed = saved(tmp_path / "third" / "x.safetensors", dotted(PLAIN, "unet."))
    (tmp_path / "third" / "adapter_config.json").write_text('{"lora_alpha": 64, "r": 4}')
    assert read_adapter_weights(tmp_path / "third" / "x.safetensors").norm == unnamed.norm, "not PEFT's names"


@pytest.mark.parametrize("text", ["", "[]", "{", "\ud800".encode("utf-8", "surrogatepass"), " " * (2 << 20)])
def test_a_configuration_that_cannot_be_read_is_none(tmp_path: Path, text: str | bytes) -> None:
    sound = peft(tmp_path / "a", PLAIN)
    (tmp_path / "a" / "adapter_config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = read_adapter_weights(tmp_path / "a" / "adapter_model.safetensors")
    assert found.vector is not None and found.norm != sound.norm
