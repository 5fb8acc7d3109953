"""Hints from metadata, names and claims; families; and how they weigh candidates."""

import pytest

from indexer.domain.claims import Claim, ClaimSet
from indexer.rules.candidates import resolve
from indexer.rules.hints import gather_hints, words_of


def claims(*pairs: tuple[str, object], source: str = "sidecar:test") -> ClaimSet:
    return ClaimSet(source, tuple(Claim(name, value) for name, value in pairs), {})


def hinted(file_name: str) -> set[str]:
    return {name for hint in gather_hints({}, file_name, None, ()) for name in hint.architectures}


def test_words_have_single_spaces() -> None:
    assert words_of("wan2.2_t2v-high__noise") == "wan2 2 t2v high noise"
    assert words_of("waiNSFWIllustrious_v14") == "wainsfwillustrious v14 | wai nsfw illustrious v14"


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("flux1-kontext-dev-Q4.safetensors", "flux1-kontext-dev"),
        ("wan2.2_t2v_high_noise_14B_fp8", "wan2.2-t2v-a14b"),
        ("z_image_turbo_bf16", "z-image-turbo"),
        ("qwen_image_edit_2509", "qwen-image-edit"),
        ("sdxl_vae", "sdxl"),
        ("FramePackI2V_HY", "framepack"),
        ("SkyReelsV2-DF-14B", "skyreels-v2"),
    ],
)
def test_names_hint(name: str, architecture: str) -> None:
    assert architecture in hinted(name)


@pytest.mark.parametrize("name", ["my_cat", "relaxed_style", "excellent", "wandering", "reflux valve"])
def test_words_inside_other_words_do_not(name: str) -> None:
    assert hinted(name) == set()


def test_a_line_of_models_favours_all_of_them() -> None:
    assert {"wan2.2-t2v-a14b", "wan2.2-ti2v-5b"} <= hinted("Wan2.2 dolly zoom")


def test_metadata_and_claims() -> None:
    metadata = {"ss_base_model_version": "flux_kontext", "modelspec.architecture": "Flux.1-dev/lora"}
    hints = gather_hints(metadata, "", None, [claims(("base_label", "Pony"), source="sidecar:civitai.info")])
    assert [(hint.architectures, hint.source) for hint in hints] == [
        (("flux1-kontext-dev",), "header:ss_base_model_version"),
        (("flux1-dev",), "header:modelspec.architecture"),
        (("sdxl",), "sidecar:civitai.info"),
    ]


def test_hints_rank_but_do_not_narrow() -> None:
    options = ["flux1-dev", "flux1-schnell", "chroma"]
    plain = resolve(options, (), 1.0)
    assert plain.architecture == "flux1" and plain.candidates[0].architecture == "flux1-dev"
    kontext = resolve(options, gather_hints({"ss_base_model_version": "flux_kontext"}, "", None, ()), 1.0)
    assert kontext.architecture == "flux1" and kontext.candidates[0].architecture == "flux1-kontext-dev"
    chroma = resolve(options, gather_hints({"ss_base_model_version": "chroma"}, "", None, ()), 1.0)
    assert chroma.architecture == "chroma"
    assert {c.architecture for c in chroma.candidates} == {c.architecture for c in plain.candidates}


def test_open_roots_are_never_confident() -> None:
    hints = gather_hints({"ss_base_model_version": "chroma"}, "chroma.safetensors", None, ())
    assert resolve(["flux1-dev", "chroma"], hints, 1.0).confidence < 0.9
    assert resolve(["flux1-dev"], (), 1.0).confidence > 0.9


def test_abstract_nodes_open_to_their_models_and_twins_join() -> None:
    wan = resolve(["wan2.1-t2v-14b"], (), 1.0)
    assert wan.architecture == "wan-14b"
    assert {"wan2.1-t2v-14b", "wan2.2-t2v-a14b"} <= {c.architecture for c in wan.candidates}
    flux2 = resolve(["flux2"], (), 1.0)
    assert {c.architecture for c in flux2.candidates} == {"flux2-dev", "flux2-klein-4b", "flux2-klein-9b"}
    assert resolve(["flux2"], (), 1.0, expand=False).candidates[0].architecture == "flux2"


def test_contradicted_claims_are_conflicts() -> None:
    answer = resolve(
        ["sdxl"], gather_hints({"ss_base_model_version": "sd_v1"}, "sd15.safetensors", None, ()), 1.0
    )
    assert answer.architecture == "sdxl"
    assert [(c.claim, c.source, c.found) for c in answer.conflicts] == [
        ("sd_v1", "header:ss_base_model_version", "sdxl")
    ]
