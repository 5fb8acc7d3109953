"""The oracle for whole models: adapters in the dialects of trainers, on models whose matrices are fused or
split, with norms, biases and encoders. They are applied to real weights, piece by piece."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.checking import Base, Side, check_sides
from indexer.domain.fit import FitProfile, FitVerdict, Subject
from indexer.rules.fit_base import base_tables
from indexer.rules.fit_profile import fit_profile
from indexer.rules.fit_weights import named_weights
from tests.rules.builders import header

torch = pytest.importorskip("torch")
Shape = tuple[int, ...]
Files = dict[str, Shape]

PIECES: Mapping[str, tuple[str, ...]] = {
    "double_blocks.0.img_attn.qkv": ("img.q", "img.k", "img.v"),
    "double_blocks.0.img_attn.proj": ("img.out",),
    "double_blocks.0.txt_attn.qkv": ("txt.q", "txt.k", "txt.v"),
    "double_blocks.0.img_mlp.0": ("img.mlp",),
    "single_blocks.0.linear1": ("one.q", "one.k", "one.v", "one.mlp"),
    "single_blocks.0.linear2": ("one.out",),
    "img_in": ("in",),
    "transformer_blocks.0.attn.to_q": ("img.q",),
    "transformer_blocks.0.attn.to_k": ("img.k",),
    "transformer_blocks.0.attn.to_v": ("img.v",),
    "transformer_blocks.0.attn.to_out.0": ("img.out",),
    "transformer_blocks.0.attn.add_q_proj": ("txt.q",),
    "transformer_blocks.0.attn.add_k_proj": ("txt.k",),
    "transformer_blocks.0.attn.add_v_proj": ("txt.v",),
    "transformer_blocks.0.ff.net.0.proj": ("img.mlp",),
    "single_transformer_blocks.0.attn.to_q": ("one.q",),
    "single_transformer_blocks.0.attn.to_k": ("one.k",),
    "single_transformer_blocks.0.attn.to_v": ("one.v",),
    "single_transformer_blocks.0.proj_mlp": ("one.mlp",),
    "single_transformer_blocks.0.proj_out": ("one.out",),
    "x_embedder": ("in",),
}
"""Modules of a small FLUX.1 under both namings, and the matrices that each holds."""

FUSED = tuple(name for name in PIECES if not name.startswith(("transformer", "single_tr", "x_")))
SPLIT = tuple(name for name in PIECES if name not in FUSED)


@dataclass(frozen=True)
class Model:
    """A model of some width. ``latent``: features that its first layer reads."""

    width: int
    inner: int
    latent: int
    biases: bool = True

    def piece(self, name: str) -> Shape:
        last = name.rpartition(".")[2]
        return {
            "mlp": (self.inner, self.width),
            "in": (self.width, self.latent),
            "out": (self.width, self.width + self.inner if name == "one.out" else self.width),
        }.get(last, (self.width, self.width))

    def module(self, name: str) -> Shape:
        shapes = [self.piece(piece) for piece in PIECES[name]]
        return sum(shape[0] for shape in shapes), shapes[0][1]

    def weights(self) -> dict[str, Any]:
        pieces = {piece for pieces in PIECES.values() for piece in pieces}
        return {piece: torch.randn(self.piece(piece)) for piece in pieces}


models = st.builds(
    Model, st.sampled_from([4, 6]), st.sampled_from([8, 10]), st.sampled_from([3, 5]), st.booleans()
)


def verdict_on(model: Model, names: tuple[str, ...], files: Files, kind: str = "lora") -> FitVerdict:
    rows = [(f"{name}.weight", model.module(name), None) for name in names]
    rows += [(f"{name}.bias", model.module(name)[:1], None) for name in names if model.biases]
    rows += [("double_blocks.0.img_attn.norm.query_norm.scale", (model.width,), None)]
    subject = Subject("diffusion_model", path=("flux1",))
    profile = FitProfile("diffusion_model", weights={"denoiser": named_weights(rows)})
    base = Base(subject, tuple(base_tables(profile, subject)))
    return check_sides(Side(Subject(kind), fit_profile(header(files), kind)), base)


def delta(down: Shape, up: Shape) -> Any:
    return torch.randn(up) @ torch.randn(down)


def add(weights: dict[str, Any], module: str, change: Any) -> None:
    """A change of a module, cut into the matrices that it holds. Raises ``RuntimeError``."""
    parts = [weights[piece] for piece in PIECES[module]]
    for piece, part in zip(PIECES[module], torch.split(change, [len(part) for part in parts]), strict=True):
        if part.shape != weights[piece].shape:
            raise RuntimeError("another width")
        weights[piece] = weights[piece] + part


Dialect = Callable[[str, Shape, int], Files]


def kohya(module: str, shape: Shape, rank: int) -> Files:
    stem = f"lora_unet_{module.replace('.', '_')}"
    return {f"{stem}.lora_down.weight": (rank, shape[1]), f"{stem}.lora_up.weight": (shape[0], rank)}


def onetrainer(module: str, shape: Shape, rank: int) -> Files:
    stem = f"lora_transformer_{module.replace('.', '_')}"
    factors = {f"{stem}.lora_down.weight": (rank, shape[1]), f"{stem}.lora_up.weight": (shape[0], rank)}
    return {**factors, f"{stem}.dora_scale": (1, shape[1])}


def diffusers(module: str, shape: Shape, rank: int) -> Files:
    stem = f"transformer.{module}"
    return {f"{stem}.lora_A.weight": (rank, shape[1]), f"{stem}.lora_B.weight": (shape[0], rank)}


def comfyui(module: str, shape: Shape, rank: int) -> Files:
    return {
        name.replace("transformer.", "diffusion_model.", 1): told
        for name, told in diffusers(module, shape, rank).items()
    }


DIALECTS = [
    (kohya, FUSED),
    (kohya, SPLIT),
    (onetrainer, SPLIT),
    (diffusers, SPLIT),
    (comfyui, FUSED),
    (comfyui, SPLIT),
]


@pytest.mark.parametrize(("dialect", "named"), DIALECTS)
@pytest.mark.parametrize("based", [FUSED, SPLIT])
@settings(max_examples=40)
@given(data=st.data())
def test_adapters_of_fused_and_split_matrices(
    dialect: Dialect, named: tuple[str, ...], based: tuple[str, ...], data: st.DataObject
) -> None:
    model = data.draw(models)
    mine = data.draw(st.one_of(st.just(model), models))
    modules = data.draw(st.lists(st.sampled_from(named), min_size=1, unique=True))
    rank = data.draw(st.sampled_from([1, 2, 300]))
    files: Files = {}
    weights = model.weights()
    try:
        for module in modules:
            shape = mine.module(module)
            files |= dialect(module, shape, rank)
            add(weights, module, delta((rank, shape[1]), (shape[0], rank)))
        works = True
    except RuntimeError:
        works = False
        for module in modules:
            files |= dialect(module, mine.module(module), rank)
    verdict = verdict_on(model, based, files)
    assert (verdict.verdict == "compatible") == works, verdict


@settings(max_examples=60)
@given(model=models, mine=models, latent=st.sampled_from([2, 3, 5, 9]), biased=st.booleans())
def test_control_loras_of_bfl(model: Model, mine: Model, latent: int, biased: bool) -> None:
    """Their first layer reads more; each has a bias and the scale of a norm."""
    qkv, first = "double_blocks.0.img_attn.qkv", "img_in"
    files: Files = {f"{qkv}.norm.query_norm.scale".replace(".qkv", ""): (mine.width,)}
    weights, works = model.weights(), mine.width == model.width and (model.biases or not biased)
    for module, wide in ((qkv, mine.width), (first, latent)):
        rows = mine.module(module)[0]
        files |= {f"{module}.lora_A.weight": (2, wide), f"{module}.lora_B.weight": (rows, 2)}
        files |= {f"{module}.lora_B.bias": (rows,)} if biased else {}
        change = delta((2, wide), (rows, 2))
        if module == first and wide > model.latent:  # the base's layer is padded first
            weights["in"] = torch.nn.functional.pad(weights["in"], (0, wide - model.latent))
        try:
            add(weights, module, change)
        except RuntimeError:
            works = False
    verdict = verdict_on(model, FUSED, files, "control_lora")
    assert (verdict.verdict == "compatible") == works, verdict


@settings(max_examples=60)
@given(model=models, mine=models, rank=st.sampled_from([1, 4]))
def test_adapters_of_xlabs(model: Model, mine: Model, rank: int) -> None:
    files: Files = {}
    weights, works = model.weights(), True
    for processor, module in (
        ("qkv_lora1", "img_attn.qkv"),
        ("proj_lora1", "img_attn.proj"),
        ("qkv_lora2", "txt_attn.qkv"),
    ):
        rows, wide = mine.module(f"double_blocks.0.{module}")
        stem = f"double_blocks.0.processor.{processor}"
        files |= {f"{stem}.down.weight": (rank, wide), f"{stem}.up.weight": (rows, rank)}
        try:
            add(weights, f"double_blocks.0.{module}", delta((rank, wide), (rows, rank)))
        except RuntimeError:
            works = False
    assert (verdict_on(model, FUSED, files).verdict == "compatible") == works


@settings(max_examples=60)
@given(
    model=models, rows=st.lists(st.sampled_from([4, 6]), min_size=3, max_size=3), wide=st.sampled_from([4, 6])
)
def test_query_key_and_value_each_with_factors_of_its_own(model: Model, rows: list[int], wide: int) -> None:
    """sd-scripts' ``split_qkv``: three pairs stacked in one module."""
    stem, module = "lora_unet_double_blocks_0_img_attn_qkv", "double_blocks.0.img_attn.qkv"
    files: Files = {}
    for number, height in enumerate(rows):
        files |= {
            f"{stem}.lora_down.{number}.weight": (2, wide),
            f"{stem}.lora_up.{number}.weight": (height, 2),
        }
    try:
        add(model.weights(), module, torch.cat([delta((2, wide), (height, 2)) for height in rows]))
        works = True
    except RuntimeError:
        works = False
    assert (verdict_on(model, FUSED, files).verdict == "compatible") == works


@settings(max_examples=60)
@given(model=models, length=st.sampled_from([4, 6]), offset=st.sampled_from([4, 6, None]))
def test_whole_differences_of_norms_and_biases(model: Model, length: int, offset: int | None) -> None:
    files: Files = {"diffusion_model.double_blocks.0.img_attn.norm.query_norm.diff": (length,)}
    if offset is not None:
        files |= {"diffusion_model.double_blocks.0.img_attn.proj.diff_b": (offset,)}
    works = length == model.width and (offset is None or (model.biases and offset == model.width))
    assert (verdict_on(model, FUSED, files).verdict == "compatible") == works


# ---------------------------------------------------------------- files that mix, double or miss


def test_the_same_matrix_in_two_dialects_is_never_compatible() -> None:
    model = Model(4, 8, 3)
    for others in (
        diffusers("transformer_blocks.0.attn.to_q", (4, 4), 2),
        comfyui("double_blocks.0.img_attn.qkv", (12, 4), 2),
    ):
        files = kohya("double_blocks.0.img_attn.qkv", (12, 4), 2) | others
        assert verdict_on(model, FUSED, files).verdict == "partial"


def test_what_finds_no_place_at_all() -> None:
    files = kohya("layers.0.attention", (4, 4), 2)
    verdict = verdict_on(Model(4, 8, 3), FUSED, files)
    assert (verdict.verdict, verdict.matched) == ("incompatible", 0)


def test_algorithms_side_by_side_in_one_file() -> None:
    stem = "lora_unet_single_blocks_0_linear2"
    hadamard = {f"{stem}.hada_w{n}_{side}": (4, 2) if side == "a" else (2, 12) for n in "12" for side in "ab"}
    good = kohya("double_blocks.0.img_attn.proj", (4, 4), 2) | hadamard
    assert verdict_on(Model(4, 8, 3), FUSED, good).verdict == "compatible"
    assert verdict_on(Model(4, 10, 3), FUSED, good).verdict != "compatible"


def test_tensors_that_are_no_factors_are_counted_and_told() -> None:
    files = {
        **kohya("double_blocks.0.img_attn.proj", (4, 4), 2),
        "double_blocks.0.img_mlp.0.weight": (9, 9),
        "double_blocks.0.img_mlp.0.bias": (9,),
    }
    verdict = verdict_on(Model(4, 8, 3), FUSED, files)
    assert verdict.verdict == "compatible"
    assert any(reason.startswith("2 tensors of its file are no part") for reason in verdict.reasons)


# ---------------------------------------------------------------- encoders


@settings(max_examples=60)
@given(
    rows=st.sampled_from([4, 6]), wide=st.sampled_from([4, 6]), mine=st.tuples(*[st.sampled_from([4, 6])] * 2)
)
def test_the_encoder_of_a_checkpoint(rows: int, wide: int, mine: Shape) -> None:
    layer = "text_model.encoder.layers.0.mlp.fc1"
    encoder = named_weights([(f"{layer}.weight", (rows, wide), None)])
    files: Files = {
        f"lora_te_{layer.replace('.', '_')}.lora_down.weight": (2, mine[1]),
        f"lora_te_{layer.replace('.', '_')}.lora_up.weight": (mine[0], 2),
    }
    assert (_on_encoder("sd1", "te1", encoder, files) == "compatible") == (mine == (rows, wide))


@settings(max_examples=60)
@given(width=st.sampled_from([4, 6]), rows=st.sampled_from([4, 6, 12]), wide=st.sampled_from([4, 6]))
def test_the_query_of_a_fused_encoder(width: int, rows: int, wide: int) -> None:
    encoder = named_weights([("transformer.resblocks.0.attn.in_proj_weight", (3 * width, width), None)])
    stem = "lora_te2_text_model_encoder_layers_0_self_attn_q_proj"
    files: Files = {f"{stem}.lora_down.weight": (2, wide), f"{stem}.lora_up.weight": (rows, 2)}
    assert (_on_encoder("sdxl", "te2", encoder, files) == "compatible") == (rows == wide == width)


def _on_encoder(architecture: str, part: str, encoder: Mapping[str, Any], files: Files) -> str:
    subject = Subject("checkpoint", architecture, (architecture,), ((architecture, 1.0),))
    profile = FitProfile("checkpoint", weights={"denoiser": {}, part: encoder})
    base = Base(subject, tuple(base_tables(profile, subject)))
    return check_sides(Side(Subject("lora"), fit_profile(header(files), "lora")), base).verdict
