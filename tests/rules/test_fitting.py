"""Fitting adapters against the reference layouts: the truth is never left out, whatever the dialect."""

import pytest

from indexer.domain.vocabulary import architectures
from indexer.rules.fitting import fit_denoisers, fit_encoders, layout_architecture
from indexer.rules.modules import Module, modules_of, roles_of
from indexer.rules.profile import Profile
from tests.rules.builders import Shape, denoiser_layouts, header, kohya, loha, lokr, oft, peft, weights


def modules(shapes: dict[str, Shape]) -> list[Module]:
    profile = Profile(header(shapes))
    return modules_of(profile, roles_of(profile))


def fitted(shapes: dict[str, Shape]) -> set[str]:
    return {name for fit in fit_denoisers(modules(shapes)) for name in fit.architectures}


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_an_adapter_over_every_module_fits_its_own_layout_whole(layout: str) -> None:
    best = fit_denoisers(modules(kohya(weights(layout))))
    assert layout_architecture(layout) in {name for fit in best for name in fit.architectures}
    assert all(fit.share == fit.sized == fit.coverage == 1.0 for fit in best)


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_an_adapter_over_attention_never_loses_the_truth(layout: str) -> None:
    attention = weights(layout, "attn", "attention")
    if attention:
        assert layout_architecture(layout) in fitted(peft(attention, rank=16))


@pytest.mark.parametrize("layout", ["sd1.diffusers", "sdxl", "flux1-dev", "flux2-klein-4b", "wan2.1-t2v-14b"])
@pytest.mark.parametrize("build", [kohya, peft, loha, lokr, oft])
def test_every_algorithm_finds_its_layout(layout: str, build: type) -> None:
    chosen = {
        name: shape for name, shape in weights(layout, "attn").items() if not any(s % 8 for s in shape[:2])
    }
    assert layout_architecture(layout) in fitted(build(chosen))


def test_block_counts_tell_flux_from_hunyuan_video() -> None:
    assert "hunyuan-video" not in fitted(kohya(weights("flux1-dev", "attn")))
    assert fitted(kohya(weights("hunyuan-video", "attn"))) == {"hunyuan-video"}


def test_a_few_blocks_leave_both_open() -> None:
    few = {name: shape for name, shape in weights("flux1-dev", "img_attn.qkv").items() if ".3." in name}
    assert {"flux1-dev", "hunyuan-video"} <= fitted(kohya(few))


def test_sizes_tell_klein_from_flux1() -> None:
    attention = weights("flux2-klein-9b", "img_attn")
    assert fitted(kohya(attention)) == {"flux2-klein-9b"}


def test_cross_attention_tells_sd1_from_sd2() -> None:
    assert not any(name.startswith("sd2") for name in fitted(kohya(weights("sd1.diffusers", "attn2"))))
    both = fitted(kohya(weights("sd1.diffusers", "attn1")))
    assert {"sd1", "sd2"} <= both


def test_strangers_fit_nothing() -> None:
    assert fit_denoisers(modules({"a.lora_down.weight": (4, 8), "a.lora_up.weight": (8, 4)})) == []
    assert fit_denoisers([]) == []


@pytest.mark.parametrize(
    ("layout", "part", "architectures_"),
    [("clip-l", "te", {"sd1"}), ("clip-h", "te", {"sd2"}), ("clip-g.hf", "te#", {"sdxl", "sd3"})],
)
def test_encoders(layout: str, part: str, architectures_: set[str]) -> None:
    prefix = "lora_te_" if part == "te" else "lora_te2_"
    layers = weights(layout, "self_attn", "mlp")
    fits = fit_encoders(modules(kohya(layers, prefix=prefix)), part)
    assert {name for fit in fits for name in fit.architectures} == architectures_


def test_layout_ids_name_their_architecture() -> None:
    assert layout_architecture("sana+0.6b.diffusers") == "sana"
    assert layout_architecture("wan2.1-t2v-14b") == "wan2.1-t2v-14b"
    assert layout_architecture("vae-kl-f8") is None
    assert all(layout_architecture(layout) in architectures() for layout in denoiser_layouts())
