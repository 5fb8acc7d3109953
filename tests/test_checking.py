"""Pairs of files on disk: single files, shards, diffusers folders, architectures; and what cannot be one."""

import json
from pathlib import Path

import pytest

from indexer.checking import base_of, check_pair, check_sides, side_of
from indexer.domain.fit import Change, FitProfile, Weight, pack, unpack
from indexer.domain.layouts import load_layout
from indexer.errors import UsageError
from tests.models import write_safetensors
from tests.rules.builders import Shapes, kohya, weights


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return model(tmp_path / "style.safetensors", kohya(weights("sd1", "attn")))


def model(path: Path, shapes: Shapes) -> Path:
    return write_safetensors(path, {name: list(shape) for name, shape in shapes.items()})


def test_two_files(adapter: Path, tmp_path: Path) -> None:
    verdict = check_pair(adapter, model(tmp_path / "base.safetensors", load_layout("sd1")))
    assert (verdict.verdict, verdict.matched) == ("compatible", len(weights("sd1", "attn")))


def test_a_file_and_an_architecture(adapter: Path) -> None:
    assert check_pair(adapter, "sd1").verdict == "compatible"
    assert check_pair(adapter, "sdxl").verdict == "incompatible"


def test_a_model_in_shards(adapter: Path, tmp_path: Path) -> None:
    names = sorted(load_layout("sd1"))
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    mapping = {}
    for number, half in enumerate(halves, 1):
        file = f"model-{number:05}-of-00002.safetensors"
        model(tmp_path / "base" / file, {name: load_layout("sd1")[name] for name in half})
        mapping.update(dict.fromkeys(half, file))
    index = tmp_path / "base" / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": mapping}))
    verdict = check_pair(adapter, index)
    assert verdict.verdict == "compatible"
    assert not any("a part of the model" in reason for reason in verdict.reasons)


def test_a_diffusers_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    model(folder / "unet" / "diffusion_pytorch_model.safetensors", load_layout("sd1.diffusers"))
    model(folder / "text_encoder" / "model.safetensors", load_layout("clip-l"))
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    both = {**kohya(weights("sd1", "attn")), **kohya(weights("clip-l", "layers"), prefix="lora_te_")}
    verdict = check_pair(model(tmp_path / "both.safetensors", both), folder)
    assert (verdict.verdict, verdict.idle) == ("compatible", ())


def test_what_cannot_be_compared(adapter: Path, tmp_path: Path) -> None:
    for base, code in (
        (tmp_path / "nowhere.safetensors", "path_missing"),
        ("no-such-architecture", "architecture_unknown"),
        (adapter, "not_a_base"),
    ):
        with pytest.raises(UsageError) as error:
            check_pair(adapter, base)
        assert error.value.code == code
    (tmp_path / "torn.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{")
    with pytest.raises(UsageError):
        check_pair(tmp_path / "torn.safetensors", "sd1")


def test_a_base_is_read_once_for_many_addons(adapter: Path, tmp_path: Path) -> None:
    base = base_of(side_of("sd1"))
    other = model(tmp_path / "other.safetensors", kohya(weights("sdxl", "attn")))
    assert [check_sides(side_of(path), base).verdict for path in (adapter, other)] == [
        "compatible",
        "incompatible",
    ]


def test_profiles_are_kept_as_bytes(adapter: Path) -> None:
    profile = side_of(adapter).profile
    assert profile is not None
    assert unpack(pack(profile)) == profile
    assert pack(unpack(pack(profile))) == pack(profile)


def test_profiles_of_bases_are_kept_whole() -> None:
    weight = Weight(None, None, None, None, 12)
    profile = FitProfile(
        "checkpoint",
        changes=(Change("te1", "a\n\udc80", 1, None, (3, 3), "bias"),),
        weights={"denoiser": {"x": weight, "y": Weight(1, 2, (), 0)}, "te1": {}},
        facts={"widths": [768]},
        form="nf4",
    )
    assert unpack(pack(profile)) == profile
