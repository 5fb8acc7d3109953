"""One training, written in many ways, is one vector; another training is another."""

from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.adapter_delta import FOLD, PROBES, _signs
from indexer.embedding.adapter_vector import IDENTITY, TWIN_COSINE, AdapterWeights, sketches
from indexer.embedding.encoders import unit_rows
from tests.adapters import (
    Pair,
    Trained,
    Values,
    dotted,
    fused,
    kohya,
    measured,
    noisy,
    renamed,
    save,
    trained,
    unet_sizes,
    weighted,
)

UNET = trained(1, unet_sizes())
FLUX_WIDTH = 192
"""A small stand-in for 3072: query, key and value stay multiples of 64."""


def cosine(one: AdapterWeights, other: AdapterWeights) -> float:
    assert one.vector is not None and other.vector is not None
    first, second = sketches(np.stack([one.vector, other.vector]))
    return float(first @ second)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> AdapterWeights:
    return measured(save(tmp_path_factory.mktemp("a") / "a.safetensors", kohya(UNET, alpha=2.0), "F16"))


@pytest.mark.parametrize(
    ("tensors", "dtype"),
    [
        (kohya(UNET), "F16"),
        (kohya(UNET, alpha=1.0), "BF16"),
        (kohya(renamed(UNET), alpha=4.0), "F32"),
        (dotted(renamed(UNET)), "F16"),
        (dotted(renamed(UNET), "base_model.model."), "BF16"),
        (dotted(UNET, "diffusion_model."), "F64"),
    ],
    ids=["no alpha", "another alpha", "kohya, diffusers names", "diffusers", "peft", "comfyui"],
)
def test_a_conversion_is_the_same_adapter(
    tmp_path: Path, original: AdapterWeights, tensors: dict[str, Values], dtype: str
) -> None:
    other = measured(save(tmp_path / "b.safetensors", tensors, dtype))
    assert cosine(original, other) > 0.9999
    assert other.length / original.length == pytest.approx(1.0, abs=0.01)
    assert (other.vector @ original.vector) > 0.999  # type: ignore[operator]  # both have one, see above


@pytest.mark.parametrize("weight", [0.7, 2.0, -1.0])
def test_another_weight_is_told_with_its_factor(
    tmp_path: Path, original: AdapterWeights, weight: float
) -> None:
    other = measured(save(tmp_path / "b.safetensors", kohya(weighted(UNET, weight)), "F16"))
    assert abs(cosine(original, other)) > 0.9999
    assert np.sign(cosine(original, other)) == np.sign(weight)
    assert other.length / original.length == pytest.approx(abs(weight), rel=0.01)
    assert other.norm / original.norm == pytest.approx(abs(weight), rel=0.01)


def test_other_trainings_on_the_same_base_are_far_apart(tmp_path: Path) -> None:
    vectors = []
    for seed in range(20, 44):
        found = measured(save(tmp_path / "a.safetensors", kohya(trained(seed, unet_sizes()))))
        vectors.append(found.vector)
    rows = sketches(np.stack(vectors))  # type: ignore[arg-type]  # none is None: they are sound
    others = np.abs(rows @ rows.T - np.eye(len(rows)))
    assert others.max() < 0.3 < TWIN_COSINE


def test_further_training_leaves_the_same_adapter_step_by_step(
    tmp_path: Path, original: AdapterWeights
) -> None:
    near = [
        cosine(original, measured(save(tmp_path / "b.safetensors", kohya(noisy(UNET, share)))))
        for share in (0.02, 0.1, 0.3, 1.0)
    ]
    assert near == sorted(near, reverse=True)
    assert near[0] > TWIN_COSINE > near[2]


def _flux(seed: int) -> tuple[Trained, Trained]:
    """Some of FLUX.1's modules, made small: fused as the original has them, apart as diffusers has them."""
    width = FLUX_WIDTH
    sizes = dict.fromkeys(("to_q", "to_k", "to_v"), (width, width))
    double, single = trained(seed, sizes), trained(seed + 1, sizes | {"proj_mlp": (4 * width, width)})
    apart = {f"transformer_blocks.0.attn.{name}": pair for name, pair in double.items()}
    apart |= {
        f"single_transformer_blocks.0.{'' if name == 'proj_mlp' else 'attn.'}{name}": pair
        for name, pair in single.items()
    }
    whole = {
        "double_blocks.0.img_attn.qkv": fused(double.values()),
        "single_blocks.0.linear1": fused(single.values()),
    }
    return whole, apart


def test_fused_and_split_projections_are_the_same_adapter(tmp_path: Path) -> None:
    whole, apart = _flux(7)
    one = measured(save(tmp_path / "a.safetensors", kohya(whole, alpha=6.0)))
    other = measured(save(tmp_path / "b.safetensors", dotted(apart, "transformer.")))
    assert cosine(one, other) > 0.9999
    assert other.norm == pytest.approx(one.norm, rel=1e-3)


def test_the_sketch_is_that_of_the_whole_change(tmp_path: Path) -> None:
    """The fast path against its slow twin, which forms the change."""
    found = measured(save(tmp_path / "a.safetensors", kohya(UNET)))
    slow = np.zeros((FOLD, PROBES))
    energy = 0.0
    for pair in UNET.values():
        change = pair.up.astype(np.float64) @ pair.down.astype(np.float64)
        slow += (change @ _signs(change.shape[1])).reshape(-1, FOLD, PROBES).sum(0)
        energy += float(np.square(change).sum())
    assert found.vector is not None
    assert np.allclose(sketches(found.vector[None])[0], unit_rows(slow.reshape(1, -1))[0], atol=1e-4)
    assert found.norm == pytest.approx(np.sqrt(energy), rel=1e-4)


def test_the_vector_has_the_dimension_it_says_and_no_name_in_it(tmp_path: Path) -> None:
    one = measured(save(tmp_path / "a.safetensors", kohya(UNET), metadata={"ss_output_name": "one"}))
    other = measured(save(tmp_path / "b.safetensors", kohya(UNET), metadata={"ss_output_name": "other"}))
    assert one.vector is not None and other.vector is not None
    assert one.vector.shape == (IDENTITY.dimension,)
    assert np.array_equal(one.vector, other.vector)


def test_depth_counts_in_the_profile(tmp_path: Path) -> None:
    """Two adapters of early and of late blocks alone are unlike beyond their sketches."""
    pair = Pair(*trained(3, {"m": (64, 64)})["m"])
    early = {f"blocks.{n}.self_attn.q": pair for n in range(3)}
    late = {f"blocks.{n}.ffn.0": pair for n in (0, 29)}
    one = measured(save(tmp_path / "a.safetensors", dotted(early, "diffusion_model.")))
    other = measured(save(tmp_path / "b.safetensors", dotted(late, "diffusion_model.")))
    assert cosine(one, other) > 0.9999
    assert float(one.vector @ other.vector) < 0.98  # type: ignore[operator]  # both have one, see above
