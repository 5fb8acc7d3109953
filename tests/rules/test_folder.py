"""Components identified one by one become one verdict."""

import pytest

from indexer.domain.verdict import Conflict, Need, Verdict
from indexer.rules.folder import combine, main_component

UNET = Verdict(
    kind="diffusion_model", architecture="sdxl", confidence=0.9, dtypes={"F16": 5}, parameters=10, tensors=5
)
VAE = Verdict(
    kind="vae", architecture="vae-kl-f8", confidence=0.9, dtypes={"F32": 9}, parameters=3, tensors=9
)
CLIP = Verdict(kind="text_encoder", architecture="clip-l", dtypes={"F16": 2}, parameters=2, tensors=2)
NOTHING = Verdict(tensors=1)


@pytest.mark.parametrize(
    ("kinds", "main"),
    [
        ({"vae": "vae", "unet": "diffusion_model"}, "unet"),
        ({"vae": "vae", "brush": "diffusion_model", "unet": "unknown"}, "brush"),
        ({"transformer_2": "diffusion_model", "transformer": "diffusion_model"}, "transformer"),
        ({"vae": "vae", "transformer": "unknown"}, "transformer"),
        ({"vae": "vae", "x": "unknown"}, "vae"),
    ],
)
def test_the_denoiser_decides(kinds: dict[str, str], main: str) -> None:
    assert main_component(kinds) == main


def test_a_denoiser_in_company_is_a_checkpoint() -> None:
    verdict = combine({"text_encoder": CLIP, "unet": UNET, "vae": VAE, "safety_checker": NOTHING})
    assert (verdict.kind, verdict.architecture, verdict.confidence) == ("checkpoint", "sdxl", 0.9)
    assert verdict.components == ("clip-l", "vae", "safety_checker")
    assert (verdict.dtypes, verdict.parameters, verdict.tensors) == ({"F32": 9, "F16": 7}, 15, 17)


def test_an_unknown_network_that_draws_is_a_checkpoint_of_no_known_architecture() -> None:
    verdict = combine({"transformer": NOTHING, "vae": VAE})
    assert (verdict.kind, verdict.architecture, verdict.confidence) == ("checkpoint", None, 0.5)


def test_a_folder_without_a_denoiser_is_what_its_first_component_is() -> None:
    assert combine({"vae": VAE}).kind == "vae"


def test_needs_and_conflicts_are_those_of_the_whole() -> None:
    needs = (Need("vae", ("vae-kl-f8",), "why"), Need("text_encoder", ("clip-l",), "why"))
    conflicts = (
        Conflict("checkpoint", "folder:x", "diffusion_model"),
        Conflict("lora", "folder:y", "diffusion_model"),
    )
    unet = Verdict(kind="diffusion_model", needs=needs, conflicts=conflicts)
    verdict = combine({"unet": unet, "vae": VAE}, "v")
    assert verdict.needs == needs[1:]
    assert verdict.conflicts == (Conflict("lora", "folder:y", "checkpoint"),)
    assert verdict.prediction_type == "v"
