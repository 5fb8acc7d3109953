"""Which tensors each model of the cast has: names and shapes as in real files, from the reference layouts."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import gcd, prod
from typing import Any, NamedTuple, TypeAlias

from indexer.demo.cast import Cast, Part
from indexer.domain.layouts import Shape, load_layout
from indexer.errors import UsageError

__all__ = ["Tensor", "tensors_of", "trained_tensors"]


class Tensor(NamedTuple):
    """A tensor to write; ``value`` fills it (an adapter's alpha), otherwise it holds small noise or zeros."""

    name: str
    dtype: str
    shape: Shape
    value: float | None = None


_FACTOR = re.compile(r"\.(?:lora_|hada_|lokr_|dora_)")
_TRAINED = 100_000
"""Values that are written into an adapter."""

_Factors: TypeAlias = Callable[[Shape, int], Iterator[tuple[str, Shape]]]


def tensors_of(part: Part, cast: Cast) -> list[Tensor]:
    """All tensors of one model, in file order. Raises ``UsageError`` (``bad_demo_table``)."""
    if part.form in ("recipe", "gguf"):
        return _from_recipe(part, cast.recipes[part.recipe or ""])
    if part.form in ("adapter", "truncated"):
        return _from_target(part, cast.targets[part.target or ""])
    if part.form == "embedding":
        return [Tensor(name, part.dtype, tuple(shape)) for name, shape in part.vectors.items()]
    if part.form == "upscaler":
        return [Tensor(name, part.dtype, shape) for name, shape in _rrdb(23)]
    raise UsageError(
        "bad_demo_table", f"demo model {part.path!r}: no tensors for form {part.form!r}; see demo.toml"
    )


def _from_recipe(part: Part, recipe: Mapping[str, Any]) -> list[Tensor]:
    keep, drop = re.compile(recipe.get("keep", "")), re.compile(recipe.get("drop", "$^"))
    found = [
        Tensor(prefix + name, part.dtype, shape)
        for prefix, layout in recipe["parts"]
        for name, shape in load_layout(layout).items()
        if keep.search(name if not prefix else prefix + name) and not drop.search(prefix + name)
    ]
    if "control" in recipe:
        found += [Tensor(name, part.dtype, shape) for name, shape in _CONTROL[recipe["control"]]()]
    if "ids" in recipe:
        found.append(Tensor(recipe["ids"], "I64", (1, 77)))
    return found + [Tensor(name, part.dtype, (0,)) for name in recipe.get("markers", ())]


def _pair(name: str, out: int, into: int, *kernel: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, into, *kernel)
    yield f"{name}.bias", (out,)


def _hint(names: list[str]) -> Iterator[tuple[str, Shape]]:
    """The eight convolutions that bring the hint picture down to latent size."""
    widths = (3, 16, 16, 32, 32, 96, 96, 256, 320)
    for name, into, out in zip(names, widths, widths[1:], strict=False):
        yield from _pair(name, out, into, 3, 3)


def _control_ldm() -> Iterator[tuple[str, Shape]]:
    """What an LDM ControlNet has beside the UNet's encoder: hint blocks and zero convolutions."""
    yield from _hint([f"control_model.input_hint_block.{i}" for i in range(0, 16, 2)])
    for i, width in enumerate((320,) * 4 + (640,) * 3 + (1280,) * 5):
        yield from _pair(f"control_model.zero_convs.{i}.0", width, width, 1, 1)
    yield from _pair("control_model.middle_block_out.0", 1280, 1280, 1, 1)


def _control_diffusers() -> Iterator[tuple[str, Shape]]:
    """The same for SDXL in diffusers names: nine down blocks."""
    stem = "controlnet_cond_embedding"
    yield from _hint([f"{stem}.conv_in", *(f"{stem}.blocks.{i}" for i in range(6)), f"{stem}.conv_out"])
    for i, width in enumerate((320,) * 4 + (640,) * 3 + (1280,) * 2):
        yield from _pair(f"controlnet_down_blocks.{i}", width, width, 1, 1)
    yield from _pair("controlnet_mid_block", 1280, 1280, 1, 1)


_CONTROL = {"ldm": _control_ldm, "diffusers": _control_diffusers}


def _rrdb(blocks: int) -> Iterator[tuple[str, Shape]]:
    """Residual-in-residual dense blocks (ESRGAN, Wang et al. 2018): 64 features, growth 32, factor 4."""
    yield from _pair("conv_first", 64, 3, 3, 3)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for layer in range(5):
                out = 64 if layer == 4 else 32
                yield from _pair(f"body.{block}.rdb{dense}.conv{layer + 1}", out, 64 + 32 * layer, 3, 3)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        yield from _pair(name, 64, 64, 3, 3)
    yield from _pair("conv_last", 3, 64, 3, 3)


# ---------------------------------------------------------------- adapters


def _modules(target: Mapping[str, Any], conv: bool) -> Iterator[tuple[str, Shape]]:
    """Module names as the dialect writes them, with the shape of the weight they change."""
    groups = [(target["prefix"], target["layout"], target["keep"])]
    groups += [(prefix, layout, r"(self_attn|mlp)\.") for prefix, layout in target.get("text", ())]
    for prefix, layout, keep in groups:
        wanted = re.compile(keep)
        for name, shape in load_layout(layout).items():
            module, dot, leaf = name.rpartition(".")
            fits = len(shape) == 2 or (len(shape) == 4 and (conv or shape[2] == 1))
            if dot and leaf == "weight" and fits and wanted.search(name):
                yield prefix + (module.replace(".", "_") if target["flat"] else module), shape


def _lora(shape: Shape, rank: int) -> Iterator[tuple[str, Shape]]:
    yield "lora_down.weight", (rank, *shape[1:])
    yield "lora_up.weight", (shape[0], rank, *(1 for _ in shape[2:]))


def _peft(shape: Shape, rank: int) -> Iterator[tuple[str, Shape]]:
    yield "lora_A.weight", (rank, *shape[1:])
    yield "lora_B.weight", (shape[0], rank, *(1 for _ in shape[2:]))


def _dora(shape: Shape, rank: int) -> Iterator[tuple[str, Shape]]:
    yield from _lora(shape, rank)
    yield "dora_scale", (shape[0], *(1 for _ in shape[1:]))


def _loha(shape: Shape, rank: int) -> Iterator[tuple[str, Shape]]:
    width = 1
    for size in shape[1:]:
        width *= size
    for factor in ("w1", "w2"):
        yield f"hada_{factor}_a", (shape[0], rank)
        yield f"hada_{factor}_b", (rank, width)


def _lokr(shape: Shape, rank: int) -> Iterator[tuple[str, Shape]]:
    """Kronecker factors: a full block of 8 x 8 where both sizes allow, times a factored rest."""
    out, into = shape[0], shape[1]
    first, second = gcd(out, 8), gcd(into, 8)
    yield "lokr_w1", (first, second)
    yield "lokr_w2_a", (out // first, rank)
    yield "lokr_w2_b", (rank, into // second)


_ADAPTERS: Mapping[str, _Factors] = {
    "lora": _lora,
    "locon": _lora,
    "dora": _dora,
    "loha": _loha,
    "lokr": _lokr,
}


def trained_tensors(tensors: Sequence[Tensor]) -> set[str]:
    """Names of all factors of some modules, spread over the adapter, that take about 200 kB: with values in
    them it changes a model as a trained one does, and the rest may stay a hole."""
    modules: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        if tensor.value is None:
            modules.setdefault(_FACTOR.split(tensor.name)[0], []).append(tensor)
    total = sum(prod(tensor.shape) for group in modules.values() for tensor in group)
    step = max(1, round(total / _TRAINED))
    return {tensor.name for group in list(modules.values())[::step] for tensor in group}


def _from_target(part: Part, target: Mapping[str, Any]) -> list[Tensor]:
    dotted = part.adapter == "lora" and not target["flat"]
    factors = _peft if dotted else _ADAPTERS[part.adapter]
    alpha = part.rank / 2 if part.alpha is None else part.alpha
    found: list[Tensor] = []
    for module, shape in _modules(target, part.adapter == "locon"):
        found += [Tensor(f"{module}.{name}", part.dtype, size) for name, size in factors(shape, part.rank)]
        if not dotted:
            found.append(Tensor(f"{module}.alpha", part.dtype, (), alpha))
    return found
