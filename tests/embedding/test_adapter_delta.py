"""Every algorithm's factors make the change that its own definition makes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.factors import ModuleFactors
from indexer.embedding.adapter_delta import FOLD, PROBES, SINGULAR, Broken, Delta, _signs, measure_module
from tests.adapters import Kept

RNG = np.random.default_rng(5)
Array = NDArray[np.float64]


def random(*shape: int) -> Array:
    return np.asarray(RNG.standard_normal(shape), np.float64)


def measure(algorithm: str, **factors: Array | float) -> list[Delta] | None:
    tensors = {name: np.asarray(values, np.float32) for name, values in factors.items()}
    return measure_module(ModuleFactors("denoiser", "m", algorithm, {n: n for n in tensors}), Kept(tensors))


def slow_sketch(change: NDArray[np.floating]) -> Array:
    flat = change.reshape(len(change), -1)
    rows = np.concatenate([flat, np.zeros((-len(flat) % FOLD, flat.shape[1]))])
    return np.asarray((rows @ _signs(flat.shape[1])).reshape(-1, FOLD, PROBES).sum(0), np.float64)


def check(found: list[Delta] | None, change: NDArray[np.floating], exact: bool = True) -> None:
    assert found is not None and len(found) == 1
    (delta,) = found
    assert np.allclose(delta.sketch, slow_sketch(change), rtol=1e-3, atol=1e-3 * np.abs(change).max())
    assert delta.cells == change.size
    energy = float(np.square(change).sum())
    assert delta.energy == pytest.approx(energy, rel=1e-3 if exact else 0.8)


def test_lora_with_alpha() -> None:
    up, down = random(70, 4), random(4, 30)
    change = up @ down * 0.5
    found = measure("lora", up=up, down=down, alpha=2.0)
    check(found, change)
    assert found is not None
    values = np.linalg.svd(change, compute_uv=False)[:4]
    assert np.allclose(found[0].singular[:4], values, rtol=2e-3)
    assert found[0].singular.shape == (SINGULAR,)


def test_locon_with_a_kernel() -> None:
    up, down = random(64, 4, 1, 1), random(4, 8, 3, 3)
    check(measure("lora", up=up, down=down), np.einsum("or,rikl->oikl", up[..., 0, 0], down))


def test_locon_with_a_middle_factor() -> None:
    up, mid, down = random(64, 4, 1, 1), random(4, 4, 3, 3), random(4, 8, 1, 1)
    change = np.einsum("oa,abkl,bi->oikl", up[..., 0, 0], mid, down[..., 0, 0])
    check(measure("lora", up=up, mid=mid, down=down), change)


def test_loha() -> None:
    a, b, c, d = random(64, 3), random(3, 20), random(64, 3), random(3, 20)
    change = (a @ b) * (c @ d) * (6.0 / 3)
    check(measure("loha", hada_w1_a=a, hada_w1_b=b, hada_w2_a=c, hada_w2_b=d, alpha=6.0), change, exact=False)


def test_loha_with_tucker_cores() -> None:
    sides: dict[str, Array] = {}
    change = np.ones((64, 5, 3, 3))
    for n in "12":
        core, a, b = random(4, 4, 3, 3), random(4, 64), random(4, 5)
        sides |= {f"hada_t{n}": core, f"hada_w{n}_a": a, f"hada_w{n}_b": b}
        change = change * np.einsum("ijkl,jr,ip->prkl", core, b, a)
    check(measure("loha", **sides), change, exact=False)


@pytest.mark.parametrize("whole", [True, False])
def test_lokr(whole: bool) -> None:
    one, a, b = random(8, 4), random(16, 3), random(3, 10)
    if whole:
        check(measure("lokr", lokr_w1=one, lokr_w2=a @ b, alpha=9.0), np.kron(one, a @ b))
    else:
        check(measure("lokr", lokr_w1=one, lokr_w2_a=a, lokr_w2_b=b, alpha=6.0), np.kron(one, a @ b) * 2.0)


def test_lokr_on_a_kernel() -> None:
    one, two = random(4, 2), random(16, 5, 3, 3)
    change = np.kron(one[:, :, None, None], two)
    check(measure("lokr", lokr_w1=one, lokr_w2=two), change)


def test_glora_and_whole_differences() -> None:
    up, down = random(64, 4), random(4, 12)
    check(measure("glora", **{"b1.weight": up, "b2.weight": down}), up @ down)
    check(measure("full", diff=up @ down), up @ down)
    bias = random(64)
    assert measure("full", diff=up @ down, diff_b=bias) is not None


def test_oft_that_does_not_turn_changes_nothing() -> None:
    still = measure("oft", oft_blocks=np.zeros((4, 8, 8)))
    turned = measure("oft", oft_blocks=random(4, 8, 8), alpha=0.001)
    assert still is not None and still[0].energy == 0.0
    assert turned is not None and turned[0].energy > 0.0


def test_split_pairs_are_several_changes() -> None:
    factors = {
        f"lora_{w}.{n}.weight": random(*s) for n in (0, 1) for w, s in (("up", (64, 2)), ("down", (2, 9)))
    }
    found = measure("lora", **factors)
    assert found is not None and len(found) == 2


def test_little_data_makes_no_large_product() -> None:
    """A Kronecker product of two strips would fill a terabyte."""
    assert measure("lokr", lokr_w1=np.ones((1, 100_000)), lokr_w2=np.ones((100_000, 1))) is None
    assert measure("lora", up=np.ones((64, 2_000)), down=np.ones((2_000, 64))) is None


def test_a_high_rank_is_estimated_and_stays_near() -> None:
    up, down = random(256, 200), random(200, 256)
    found = measure("lora", up=up, down=down)
    check(found, up @ down)
    assert found is not None
    assert 0.3 < found[0].singular[0] / np.linalg.norm(up @ down, 2) < 3.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_told(value: float) -> None:
    up = random(64, 4)
    up[3, 2] = value
    with pytest.raises(Broken) as caught:
        measure("lora", up=up, down=random(4, 8))
    assert caught.value.sort == ("nan" if np.isnan(value) else "infinite")


shapes = st.lists(st.integers(0, 5), max_size=4)
SLOTS: tuple[str, ...] = ("up", "down", "mid", "alpha", "diff")
SLOTS += ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1")
SLOTS += ("lokr_w1", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2", "oft_blocks", "b1.weight", "b2.weight")


@settings(deadline=None, max_examples=150)
@given(
    algorithm=st.sampled_from(["lora", "loha", "lokr", "oft", "glora", "full", "ia3", "unheard-of"]),
    factors=st.dictionaries(st.sampled_from(SLOTS), shapes, max_size=8),
    size=st.sampled_from([1.0, 1e30, 3e38]),
)
def test_factors_that_do_not_fit_are_passed_over(
    algorithm: str, factors: dict[str, list[int]], size: float
) -> None:
    found = measure(algorithm, **{name: np.full(shape, size) for name, shape in factors.items()})
    for delta in found or ():
        assert delta.sketch.shape == (FOLD, PROBES)
        assert delta.energy >= 0.0
