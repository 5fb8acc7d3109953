"""The independent oracle: real weights, adapters applied by the plain formula. What raises must not be called
compatible, and what works must not be refused."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.checking import Base, Side, check_sides
from indexer.domain.fit import FitProfile, Subject
from indexer.rules.fit_base import base_tables
from indexer.rules.fit_profile import fit_profile
from indexer.rules.fit_weights import named_weights
from tests.rules.builders import header

torch = pytest.importorskip("torch")
Tensor = Any
Factors = Mapping[str, Tensor]

sizes = st.sampled_from([2, 3, 4, 6])
kernels = st.sampled_from([(), (), (1, 1), (3, 3)])


def product(first: Tensor, second: Tensor) -> Tensor:
    return first.flatten(1) @ second.flatten(1)


def put(weight: Tensor, change: Tensor) -> Tensor:
    """The sum, where a kernel is the weight's own, or none is told and the matrices agree."""
    told = change.dim() > 2 and any(size != 1 for size in change.shape[2:])
    if (change.shape if told else change.flatten(1).shape) != (
        weight.shape if told else weight.flatten(1).shape
    ):
        raise RuntimeError(f"{tuple(change.shape)} does not fit {tuple(weight.shape)}")
    return weight + change.reshape(weight.shape)


def tucker(core: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """LyCORIS' rebuild_tucker: ``core`` (i, j, ...), ``first`` (i, p), ``second`` (j, r); without einsum's
    broadcasting of ones."""
    if core.shape[:2] != (len(first), len(second)):
        raise RuntimeError("ranks differ")
    return torch.einsum("i j ..., i p, j r -> p r ...", core, first, second)


def lora(weight: Tensor, f: Factors) -> Tensor:
    if "lora_mid.weight" in f:
        up, down = f["lora_up.weight"].flatten(1).T, f["lora_down.weight"].flatten(1)
        return put(weight, tucker(f["lora_mid.weight"], up, down))
    up, down = f["lora_up.weight"], f["lora_down.weight"]
    return put(weight, product(up, down).reshape(len(up), *down.shape[1:]))


def loha(weight: Tensor, f: Factors) -> Tensor:
    sides = []
    for n in "12":
        one, two = f[f"hada_w{n}_a"], f[f"hada_w{n}_b"]
        sides.append(tucker(f[f"hada_t{n}"], one, two) if f"hada_t{n}" in f else one @ two)
    if sides[0].shape != sides[1].shape:
        raise RuntimeError("the two products differ")
    return put(weight, sides[0] * sides[1])


def lokr(weight: Tensor, f: Factors) -> Tensor:
    one = f["lokr_w1"] if "lokr_w1" in f else f["lokr_w1_a"] @ f["lokr_w1_b"]
    if "lokr_t2" in f:
        two = tucker(f["lokr_t2"], f["lokr_w2_a"], f["lokr_w2_b"])
    else:
        two = f["lokr_w2"] if "lokr_w2" in f else f["lokr_w2_a"] @ f["lokr_w2_b"]
    while one.dim() < two.dim():
        one = one.unsqueeze(-1)
    return put(weight, torch.kron(one, two.contiguous()))


def dora(weight: Tensor, f: Factors) -> Tensor:
    """ComfyUI's weight_decompose: norms along the axis that the scale's first side tells."""
    changed, scale = lora(weight, f), f["dora_scale"]
    ones = (1,) * (weight.dim() - 1)
    if scale.shape[0] == changed.shape[0]:
        norm = changed.flatten(1).norm(dim=1).view(-1, *ones)
    else:
        norm = changed.transpose(0, 1).flatten(1).norm(dim=1).view(-1, *ones).transpose(0, 1)
    return changed * (scale / norm)


def peft_dora(weight: Tensor, f: Factors) -> Tensor:
    """PEFT's magnitudes: a number a row, before a kernel's axes transposed."""
    changed, scale = lora(weight, f), f["lora_magnitude_vector"]
    norm = changed.flatten(1).norm(dim=1)
    norm = norm.view(1, -1, *changed.shape[2:] and (1, 1)) if weight.dim() > 2 else norm
    factor = scale / norm
    return changed * (factor.transpose(0, 1) if weight.dim() > 2 else factor.view(-1, 1))


def mixed(weight: Tensor, f: Factors) -> Tensor:
    return loha(lora(weight, f), f)


def full(weight: Tensor, f: Factors) -> Tensor:
    if f["diff"].shape != weight.shape:
        raise RuntimeError("another shape")
    return weight + f["diff"]


def oft(weight: Tensor, f: Factors) -> Tensor:
    blocks = f["oft_blocks"]
    turned = blocks - blocks.transpose(-1, -2) + torch.eye(blocks.shape[-1])
    parts = weight.flatten(1).view(len(blocks), blocks.shape[-1], weight[0].numel())
    return (turned @ parts).reshape(weight.shape)


def boft(weight: Tensor, f: Factors) -> Tensor:
    for stage in f["oft_blocks"]:
        parts = weight.flatten(1).view(len(stage), stage.shape[-1], weight[0].numel())
        weight = (stage @ parts).reshape(weight.shape)
    return weight


def peft_oft(weight: Tensor, f: Factors) -> Tensor:
    rows = f["oft_R.weight"]
    side = int((1 + (1 + 8 * rows.shape[1]) ** 0.5) / 2)
    if side * (side - 1) // 2 != rows.shape[1]:
        raise RuntimeError("no triangle")
    blocks = torch.eye(side).expand(len(rows), side, side)
    flat = weight.flatten(1)
    if len(rows) == 1:
        blocks = blocks.expand(flat.shape[1] // side, side, side)
    turned = torch.einsum("o n b, n b c -> o n c", flat.view(len(flat), len(blocks), side), blocks)
    return turned.reshape(weight.shape)


def ia3(weight: Tensor, f: Factors) -> Tensor:
    vector = f["weight"]
    ones = [1] * (weight.dim() - 1)
    if vector.dim() == 1:
        vector = vector.view(-1, *ones) if len(vector) == len(weight) else vector.view(1, -1, *ones[1:])
    if vector.dim() != weight.dim():
        raise RuntimeError("numbers of another axis")
    return weight * vector


def glora(weight: Tensor, f: Factors) -> Tensor:
    a1, a2 = f["a1.weight"].flatten(1), f["a2.weight"].flatten(1)
    mixing = a1 @ a2
    if mixing.shape != (weight.shape[1], weight.shape[1]):
        raise RuntimeError("the inner factors read another width")
    inner = torch.einsum("o i ..., i j -> o j ...", weight, mixing)
    up, down = f["b1.weight"], f["b2.weight"]
    return put(weight, product(up, down).reshape(len(up), *down.shape[1:])) + inner


FORMULAS: Mapping[str, Callable[[Tensor, Factors], Tensor]] = {
    formula.__name__: formula
    for formula in (lora, loha, lokr, dora, peft_dora, full, oft, boft, peft_oft, ia3, glora, mixed)
}


@st.composite
def shapes_of(draw: st.DrawFn, name: str) -> dict[str, tuple[int, ...]]:
    """Factors whose sizes are drawn one by one, so that they fit now and then."""
    out, wide, rank, kernel = draw(sizes), draw(sizes), draw(st.sampled_from([1, 2])), draw(kernels)
    other = draw(st.sampled_from([rank, rank, rank, 3]))
    ones = (1,) * len(kernel)
    pair = {"lora_down.weight": (rank, wide, *kernel), "lora_up.weight": (out, other, *ones)}
    length, narrow = draw(st.sampled_from([out, out, wide, 5])), draw(sizes)
    hadamard: dict[str, tuple[int, ...]] = {
        "hada_w1_a": (out, rank),
        "hada_w1_b": (other, wide),
        "hada_w2_a": (out, rank),
        "hada_w2_b": (rank, draw(st.sampled_from([wide, wide, 9 * wide]))),
    }
    blocks = draw(st.sampled_from([(1, 2), (2, 2), (3, 2), (2, 3), (1, 6), (1, 4)]))
    choices: dict[str, list[dict[str, tuple[int, ...]]]] = {
        "lora": [
            pair,
            {
                "lora_down.weight": (rank, wide, 1, 1),
                "lora_mid.weight": (other, rank, 3, 3),
                "lora_up.weight": (out, draw(st.sampled_from([rank, other])), 1, 1),
            },
        ],
        "dora": [
            {**pair, "dora_scale": (length, 1, *ones)},
            {**pair, "dora_scale": (1, length, *ones)},
        ],
        "peft_dora": [{**pair, "lora_magnitude_vector": (1, length, *ones) if ones else (length,)}],
        "mixed": [pair | hadamard, pair | dict.fromkeys(hadamard, (2, 2))],
        "loha": [
            hadamard,
            {
                f"hada_{part}": shape
                for n in "12"
                for part, shape in (
                    (f"w{n}_a", (rank, out)),
                    (f"w{n}_b", (other, wide)),
                    (f"t{n}", (rank, rank, 3, 3)),
                )
            },
        ],
        "lokr": [
            {"lokr_w1": (2, draw(sizes)), "lokr_w2": (draw(sizes), 1, *kernel)},
            {"lokr_w1": (2, 2), "lokr_w2_a": (draw(sizes), rank), "lokr_w2_b": (other, draw(sizes))},
            {"lokr_w1_a": (2, rank), "lokr_w1_b": (other, 2), "lokr_w2": (draw(sizes), narrow, *kernel)},
            {"lokr_w1": (2, 2), "lokr_w2_a": (draw(sizes), rank), "lokr_w2_b": (other, 9 * narrow)},
            {
                "lokr_w1": (draw(sizes), 1),
                "lokr_t2": (rank, rank, 3, 3),
                "lokr_w2_a": (other, 1),
                "lokr_w2_b": (rank, narrow),
            },
        ],
        "full": [{"diff": (out, wide, *kernel)}],
        "oft": [{"oft_blocks": (blocks[0], blocks[1], draw(st.sampled_from([blocks[1], blocks[1], 5])))}],
        "boft": [{"oft_blocks": (2, *blocks, blocks[1])}],
        "peft_oft": [{"oft_R.weight": (blocks[0], draw(st.sampled_from([1, 3, 15, 2])))}],
        "ia3": [{"weight": shape, "on_input": ()} for shape in ((out,), (out, 1, *ones), (1, wide, *ones))],
        "glora": [
            {
                "a1.weight": (wide, rank),
                "a2.weight": (other, draw(st.sampled_from([wide, wide, 5]))),
                "b1.weight": (out, rank),
                "b2.weight": (rank, wide, *kernel),
                "alpha": (),
            }
        ],
    }
    return draw(st.sampled_from(choices[name]))


bases = st.tuples(sizes, sizes, kernels).map(lambda drawn: (drawn[0], drawn[1], *drawn[2]))


def verdict_on(base: tuple[int, ...], factors: Mapping[str, tuple[int, ...]]) -> str:
    adapter = header({f"lora_unet_layer.{name}": shape for name, shape in factors.items()})
    weights = named_weights([("layer.weight", base, None), ("layer.bias", base[:1], None)])
    profile = FitProfile("diffusion_model", weights={"denoiser": weights})
    subject = Subject("diffusion_model")
    side = Side(Subject("lora"), fit_profile(adapter, "lora"))
    return check_sides(side, Base(subject, tuple(base_tables(profile, subject)))).verdict


def applies(name: str, base: tuple[int, ...], factors: Mapping[str, tuple[int, ...]]) -> bool:
    weight = torch.randn(base)
    try:
        changed = FORMULAS[name](weight, {key: torch.randn(shape) for key, shape in factors.items()})
    except (RuntimeError, ValueError, IndexError):
        return False
    return bool(changed.shape == weight.shape)


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=300)
@given(data=st.data())
def test_compatible_is_what_the_formula_can_do(name: str, data: st.DataObject) -> None:
    base, factors = data.draw(bases), data.draw(shapes_of(name))
    works = applies(name, base, factors)
    assert (verdict_on(base, factors) == "compatible") == works, (base, factors, works)
