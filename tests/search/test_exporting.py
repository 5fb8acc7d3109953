"""Stacks of the demo library as other tools open them: real files by the names their loaders know."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.demo import DemoReport
from indexer.errors import UsageError
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import TextChunk
from indexer.settings import Settings
from search.checking import check_stack
from search.exporting import FORMATS, export_stack
from search.service import Pinakes
from tests.models import write_safetensors
from tests.search.comfy_signatures import faults_of

STACKS = [
    ("Atlas XL", ["Pocket Pixels:0.8", "Clearwater VAE", "Lacquer XL", "4x_grainKeeper"]),
    ("Quicksilver Dev", ["Cathedral Glass", "Three Drum Riso:0.6"]),
    ("quicksilver-schnell-Q4_0", []),
    ("Meridian 3.5", ["Sunday Park Dots"]),
    ("Halcyon Z", ["Sampler Stitch"]),
    ("Pebble Klein 9B", ["Wet Paper Watercolour"]),
    ("plainsong-qwen-Q4_0", []),
    ("Wanderlight 2.1", ["Slow Pan"]),
    ("wanderlight_2.2_ti2v_5B_fp8", ["Cloud Drift"]),
    ("Tidewater", ["Villa Mosaic"]),
    ("Lumen Painter", ["Last Lesson Chalk:1.1", "Outline Control:0.7", "Mossy Negative"]),
]


@pytest.fixture(scope="module")
def library(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as pinakes:
        yield pinakes


def graph(library: Pinakes, base: str, addons: list[str]) -> dict[str, Any]:
    made = export_stack(library, check_stack(library, base, addons), "comfyui-api")
    found: dict[str, Any] = json.loads(made.text)
    return found


def classes(prompt: dict[str, Any]) -> list[str]:
    return [node["class_type"] for node in prompt.values()]


@pytest.mark.parametrize(("base", "addons"), STACKS)
def test_a_stack_comes_back_from_its_graph(
    library: Pinakes, demo_library: tuple[Path, DemoReport], base: str, addons: list[str]
) -> None:
    stack = check_stack(library, base, addons)
    assert stack.loads
    prompt = graph(library, base, addons)
    assert faults_of(prompt) == []
    workflow = export_stack(library, stack, "comfyui").text
    folder = demo_library[0]
    for record in (
        read_generation([TextChunk("prompt", json.dumps(prompt))]),
        read_generation([TextChunk("workflow", workflow)]),
    ):
        assert record is not None
        named = {model.name or "": model for model in record.models}
        for addon in stack.addons:
            stem = Path(addon.member.path or "").stem
            kind = addon.member.kind
            met = [model for name, model in named.items() if Path(name).stem == stem or name == stem]
            assert [model.kind for model in met] == [kind], addon.member.name
            if kind == "lora":
                assert met[0].weight == addon.weight.value
        here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        beside = [name for name in named if not any(place.endswith(f"/{name}") for place in here)]
        for name in beside:  # an embedding without its ending, or a part that the notes name
            told = export_stack(library, stack, "comfyui-api").notes
            embedding = any(Path(place).with_suffix("").as_posix().endswith(f"/{name}") for place in here)
            assert embedding or any(name in note for note in told)


@pytest.mark.parametrize(
    ("base", "nodes"),
    [
        ("Atlas XL", {"CheckpointLoaderSimple", "EmptyLatentImage", "SaveImage"}),
        ("Quicksilver Dev", {"UNETLoader", "DualCLIPLoader", "VAELoader", "FluxGuidance"}),
        ("quicksilver-schnell-Q4_0", {"UnetLoaderGGUF", "DualCLIPLoader", "EmptySD3LatentImage"}),
        ("Pebble Klein 9B", {"UNETLoader", "CLIPLoader", "EmptyFlux2LatentImage"}),
        ("Wanderlight 2.1", {"CLIPLoader", "EmptyHunyuanLatentVideo", "SaveAnimatedWEBP"}),
    ],
)
def test_loaders_are_those_of_the_architecture(library: Pinakes, base: str, nodes: set[str]) -> None:
    assert nodes <= set(classes(graph(library, base, [])))


def test_adapters_touch_encoders_only_where_they_change_them(library: Pinakes) -> None:
    chained = graph(library, "Lumen Painter", ["Last Lesson Chalk"])
    assert "LoraLoader" in classes(chained) and "LoraLoaderModelOnly" not in classes(chained)
    assert "LoraLoaderModelOnly" in classes(graph(library, "Atlas XL", ["Pocket Pixels"]))


def test_names_are_below_the_category(library: Pinakes) -> None:
    prompt = graph(library, "Atlas XL", ["Pocket Pixels"])
    values = [value for node in prompt.values() for value in node["inputs"].values()]
    assert "SDXL/atlasXL_v1.safetensors" in values and "style/pocketPixels_xl.safetensors" in values


def test_an_own_vae_takes_the_place_of_the_bases(library: Pinakes) -> None:
    prompt = graph(library, "Atlas XL", ["Clearwater VAE"])
    (decode,) = [node for node in prompt.values() if node["class_type"] == "VAEDecode"]
    assert prompt[decode["inputs"]["vae"][0]]["class_type"] == "VAELoader"


def test_negative_embeddings_stand_on_the_other_side(library: Pinakes) -> None:
    stack = check_stack(library, "Lumen Painter", ["Mossy Negative"])
    record = read_generation([TextChunk("prompt", export_stack(library, stack, "comfyui-api").text)])
    assert record is not None and record.negative_prompt == "embedding:mossy-negative"
    assert "Negative prompt: mossy-negative" in export_stack(library, stack, "a1111").text


def test_what_cannot_be_put_in_is_told(library: Pinakes) -> None:
    addons = ["gaffCutter_f1d", "Last Lesson Chalk"]
    made = export_stack(library, check_stack(library, "Lumen Painter", addons), "comfyui")
    assert any("Gaff Cutter is left out" in note for note in made.notes)
    notes = [node for node in json.loads(made.text)["nodes"] if node["type"] == "Note"]
    assert "Gaff Cutter is left out" in notes[0]["widgets_values"][0]
    assert "gaffCutter" not in made.text.replace(notes[0]["widgets_values"][0], "")
    assert "GGUF" in " ".join(
        export_stack(library, check_stack(library, "plainsong-qwen-Q4_0", []), "a1111").notes
    )


def test_json_tells_all_of_any_stack(library: Pinakes) -> None:
    stack = check_stack(library, "Atlas XL", ["Pocket Pixels:0.8", "gaffCutter_f1d"])
    told = json.loads(export_stack(library, stack, "json").text)
    assert (told["pinakes_stack"], told["verdict"], told["base"]["name"]) == (1, "incompatible", "Atlas XL")
    assert (told["addons"][0]["name"], told["addons"][0]["weight"]) == ("Pocket Pixels", 0.8)
    assert told["settings"]["width"] == 1024
    bare = json.loads(export_stack(library, check_stack(library, "sdxl", ["Pocket Pixels"]), "json").text)
    assert bare["settings"] is None and bare["base"]["file"] is None


@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "json"])
def test_an_architecture_cannot_be_loaded(library: Pinakes, format_: str) -> None:
    with pytest.raises(UsageError, match="is an architecture and no file"):
        export_stack(library, check_stack(library, "sdxl", []), format_)


def test_other_forms_are_refused(library: Pinakes) -> None:
    with pytest.raises(UsageError, match="Choose one of: comfyui"):
        export_stack(library, check_stack(library, "sdxl", []), "exe")


# ---------------------------------------------------------------- what looks at a picture, and what moves

REDUX = {
    "redux_up.weight": [12_288, 1_152],
    "redux_up.bias": [12_288],
    "redux_down.weight": [4_096, 12_288],
    "redux_down.bias": [4_096],
}
TOWER_HEAD = {"image_proj.proj.weight": [3_072, 1_024], "image_proj.proj.bias": [3_072]}
TOWER_HEAD |= {"image_proj.norm.weight": [768], "image_proj.norm.bias": [768]}
WIDTHS = [320] * 2 + [640] * 2 + [1_280] * 5 + [640] * 3 + [320] * 3 + [1_280]
EYES = TOWER_HEAD | {
    f"ip_adapter.{2 * place + 1}.to_{name}_ip.weight": [width, 768]
    for place, width in enumerate(WIDTHS)
    for name in "kv"
}


def fed_by(prompt: dict[str, Any], node: dict[str, Any], name: str) -> dict[str, Any]:
    """The node behind an input."""
    found: dict[str, Any] = prompt[node["inputs"][name][0]]
    return found


def one_of(prompt: dict[str, Any], class_type: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [node for node in prompt.values() if node["class_type"] == class_type]
    assert len(found) == 1, class_type
    return found[0]


def exported(library: Pinakes, base: str, addon: Path | str) -> tuple[dict[str, Any], str]:
    made = export_stack(library, check_stack(library, base, [f"{addon}:0.6"]), "comfyui-api")
    prompt: dict[str, Any] = json.loads(made.text)
    assert faults_of(prompt) == []
    return prompt, " ".join(made.notes)


def test_redux_sees_a_picture_beside_the_prompt(library: Pinakes, tmp_path: Path) -> None:
    prompt, notes = exported(
        library, "Quicksilver Dev", write_safetensors(tmp_path / "redux.safetensors", REDUX)
    )
    applied = one_of(prompt, "StyleModelApply")
    assert applied["inputs"]["strength"] == 0.6
    assert fed_by(prompt, applied, "conditioning")["class_type"] == "FluxGuidance"
    assert fed_by(prompt, one_of(prompt, "KSampler"), "positive") is applied
    eye = fed_by(prompt, fed_by(prompt, applied, "clip_vision_output"), "clip_vision")
    assert eye["inputs"]["clip_name"] == "sigclip_vision_patch14_384.safetensors"
    assert "sigclip_vision_patch14_384.safetensors is not in the library" in notes


def test_an_ip_adapter_changes_the_model_by_nodes_that_must_be_installed(
    library: Pinakes, tmp_path: Path
) -> None:
    prompt, notes = exported(library, "Lumen Painter", write_safetensors(tmp_path / "eyes.safetensors", EYES))
    applied = one_of(prompt, "IPAdapterAdvanced")
    assert fed_by(prompt, one_of(prompt, "KSampler"), "model") is applied
    assert applied["inputs"]["weight"] == 0.6
    assert "CLIP-ViT-H" in fed_by(prompt, applied, "clip_vision")["inputs"]["clip_name"]
    assert "install ComfyUI_IPAdapter_plus first" in notes
    face = write_safetensors(tmp_path / "ip-adapter-FaceID.safetensors", EYES)
    assert "IPAdapterAdvanced" not in classes(exported(library, "Lumen Painter", face)[0])
    assert "face recogniser" in exported(library, "Lumen Painter", face)[1]


def test_a_motion_module_makes_a_film(library: Pinakes) -> None:
    prompt, notes = exported(library, "Lumen Painter", "slowriver_motion_v2")
    assert fed_by(prompt, one_of(prompt, "KSampler"), "model")["class_type"] == "ADE_AnimateDiffLoaderGen1"
    assert one_of(prompt, "EmptyLatentImage")["inputs"]["batch_size"] == 16
    assert one_of(prompt, "SaveAnimatedWEBP")["inputs"]["fps"] == 8.0
    assert "install ComfyUI-AnimateDiff-Evolved first" in notes
