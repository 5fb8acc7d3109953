"""Headers made from the reference layouts as the many programs of the field would write them.

Whole models behind every prefix and in every quantised form, adapters in every dialect, algorithm and scope,
and all of them trimmed. What a sample is, is known by construction, so that the rules can be judged on
thousands of files nobody had to collect."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod

from indexer.domain.header import Header, TensorEntry
from indexer.domain.layouts import layout_ids, load_layout
from indexer.domain.vocabulary import architecture
from indexer.rules.fitting import layout_architecture

__all__ = ["FORMS", "Sample", "adapters", "checkpoints", "quantised", "trimmed", "truth_of", "whole_models"]

Shape = tuple[int, ...]
Tensors = dict[str, tuple[str, Shape]]
"""Name -> type and shape."""

_OTHERS = {
    "vae-kl-f8": ("vae", "sd1"),
    "vae-flux1": ("vae", "flux1"),
    "motion-sd1": ("motion_module", "sd1"),
    "clip-g": ("text_encoder", "openclip-bigg"),
    "clip-g.hf": ("text_encoder", "clip-g"),
}
"""Layouts whose ids are no architecture, or that of another spelling: kind and architecture."""
_PARTIAL = frozenset({"krea-2"})
"""Layouts that hold only the weights that adapters address."""
_KINDS = {"denoiser": "diffusion_model"}
_NUNCHAKU = ("flux1-", "qwen-image", "sdxl.", "sd1.", "sana", "z-image")
"""Layouts that are published in the SVDQuant form."""
_CONTROL = "flux1-control"
"""An adapter that changes this one's image input is a control LoRA."""
_PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "net.", "transformer.", "model.")


@dataclass(frozen=True, slots=True)
class Sample:
    """A header (``make`` writes it when it is wanted) and what it truly is: ``kind`` and the ``architecture``
    of the layout it came from."""

    name: str
    kind: str
    architecture: str
    make: Callable[[], Header]


def truth_of(layout: str) -> tuple[str, str] | None:
    """Kind and architecture of a whole file with this layout; ``None`` for layouts of parts."""
    named = layout_architecture(layout)
    for other in (layout, layout.removesuffix(".diffusers")):
        if other in _OTHERS:
            return _OTHERS[other]
    if named is None or layout in _PARTIAL:
        return None
    role = architecture(named).role
    return _KINDS.get(role, role), named


def _header(tensors: Tensors, container: str = "safetensors") -> Header:
    entries: dict[str, TensorEntry] = {
        name: {"dtype": dtype, "shape": list(shape), "data_offsets": [0, 0]}
        for name, (dtype, shape) in tensors.items()
    }
    return Header(container, entries, {}, 0, 0)


def _matrix(name: str, shape: Shape) -> bool:
    return name.endswith(".weight") and len(shape) == 2 and min(shape) >= 256


def _packed(
    shapes: Mapping[str, Shape], pack: Callable[[str, Shape], Tensors], extra: Tensors | None = None
) -> Tensors:
    tensors: Tensors = dict(extra or {})
    for name, shape in shapes.items():
        tensors |= (
            pack(name.removesuffix(".weight"), shape) if _matrix(name, shape) else {name: ("BF16", shape)}
        )
    return tensors


def _fp8_scaled(stem: str, shape: Shape) -> Tensors:
    return {f"{stem}.weight": ("F8_E4M3", shape), f"{stem}.scale_weight": ("F32", ())}


def _comfy_quant(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("F8_E4M3", shape),
        f"{stem}.weight_scale": ("F32", ()),
        f"{stem}.comfy_quant": ("U8", (27,)),
    }


def _nvfp4(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("U8", (shape[0], shape[1] // 2)),
        f"{stem}.weight_scale": ("F8_E4M3", (shape[0], shape[1] // 16)),
        f"{stem}.weight_scale_2": ("F32", ()),
        f"{stem}.comfy_quant": ("U8", (19,)),
    }


def _nf4(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("U8", (prod(shape) // 2, 1)),
        f"{stem}.weight.absmax": ("F32", (prod(shape) // 64,)),
        f"{stem}.weight.quant_map": ("F32", (16,)),
        f"{stem}.weight.quant_state.bitsandbytes__nf4": ("U8", (90,)),
    }


def _svdquant(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.qweight": ("I8", (shape[0], shape[1] // 2)),
        f"{stem}.wscales": ("BF16", (shape[1] // 64, shape[0])),
        f"{stem}.smooth_factor": ("BF16", (shape[1],)),
        f"{stem}.proj_down": ("BF16", (shape[1], 32)),
        f"{stem}.proj_up": ("BF16", (shape[0], 32)),
    }


def _int8(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("I8", shape),
        f"{stem}.SCB": ("F32", (shape[0],)),
        f"{stem}.weight_format": ("U8", ()),
    }


def _comfy_int8(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("I8", shape),
        f"{stem}.weight_scale": ("F32", ()),
        f"{stem}.comfy_quant": ("U8", (27,)),
    }


def _sdnq(stem: str, shape: Shape) -> Tensors:
    return {
        f"{stem}.weight": ("U8", (shape[0], shape[1] // 2)),
        f"{stem}.scale": ("F32", (shape[0], 1)),
        f"{stem}.zero_point": ("F32", (shape[0], 1)),
    }


_QUANTISED: Mapping[str, Callable[[Mapping[str, Shape]], Tensors]] = {
    "fp8": lambda shapes: {name: ("F8_E4M3", shape) for name, shape in shapes.items()},
    "fp8-scaled": lambda shapes: _packed(shapes, _fp8_scaled, {"scaled_fp8": ("F8_E4M3", (0,))}),
    "comfy-quant": lambda shapes: _packed(shapes, _comfy_quant),
    "nvfp4": lambda shapes: _packed(shapes, _nvfp4),
    "nf4": lambda shapes: _packed(shapes, _nf4),
    "svdquant": lambda shapes: _packed(shapes, _svdquant),
    "bnb-int8": lambda shapes: _packed(shapes, _int8),
    "int8-scaled": lambda shapes: _packed(shapes, _comfy_int8),
    "sdnq": lambda shapes: _packed(shapes, _sdnq),
}
FORMS = (*_QUANTISED, "gguf")
"""The quantised forms that ``quantised`` makes."""


def quantised(shapes: Mapping[str, Shape], form: str) -> Header:
    """The header of a model of these tensors in one of ``FORMS``."""
    if form != "gguf":
        return _header(_QUANTISED[form](shapes))
    blocks = {name: ("Q4_K" if _matrix(name, shape) else "F32", shape) for name, shape in shapes.items()}
    return _header(blocks, "gguf")


def _bundle(parts: Mapping[str, str]) -> Header:
    """Layouts behind their prefixes."""
    return _header(
        {
            prefix + name: ("BF16", shape)
            for prefix, part in parts.items()
            for name, shape in load_layout(part).items()
        }
    )


def _quantised_layout(layout: str, form: str) -> Header:
    return quantised(load_layout(layout), form)


def whole_models() -> Iterator[Sample]:
    """Every layout as a whole file: behind prefixes (denoisers), quantised, and as a GGUF file."""
    for layout in layout_ids():
        if not (truth := truth_of(layout)):
            continue
        for prefix in _PREFIXES if truth[0] == "diffusion_model" else ("",):
            yield Sample(f"{layout} {prefix or 'bare'}", *truth, partial(_bundle, {prefix: layout}))
        if truth[0] == "vae":
            continue
        for form in FORMS:
            if form == "svdquant" and not layout.startswith(_NUNCHAKU):
                continue
            yield Sample(f"{layout} {form}", *truth, partial(_quantised_layout, layout, form))


_LDM = "model.diffusion_model."
_SDXL_TEXT = {"conditioner.embedders.0.transformer.": "clip-l", "conditioner.embedders.1.model.": "clip-g"}
_SD1_PARTS = {"first_stage_model.": "vae-kl-f8", "cond_stage_model.transformer.": "clip-l"}
_SD2_PARTS = {"first_stage_model.": "vae-kl-f8", "cond_stage_model.model.": "openclip-h"}
_SDXL_PARTS = {"first_stage_model.": "vae-kl-f8", **_SDXL_TEXT}
_COMFY_CLIP_L = {"text_encoders.clip_l.transformer.": "clip-l"}
_COMFY_T5 = {"text_encoders.t5xxl.transformer.": "t5-xxl"}
_BUNDLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    **dict.fromkeys(("sd1", "sd1-inpainting", "sd1-pix2pix"), (_LDM, _SD1_PARTS)),
    **dict.fromkeys(("sd2", "sd2-inpainting", "sd2-depth"), (_LDM, _SD2_PARTS)),
    **dict.fromkeys(("sdxl", "sdxl-inpainting", "ssd-1b", "segmind-vega"), (_LDM, _SDXL_PARTS)),
    "sdxl-refiner": (_LDM, {"first_stage_model.": "vae-kl-f8", "conditioner.embedders.0.model.": "clip-g"}),
    "sd3-medium": (
        _LDM,
        {
            "first_stage_model.": "vae-flux1",
            **_COMFY_CLIP_L,
            "text_encoders.clip_g.transformer.": "clip-g.hf",
            **_COMFY_T5,
        },
    ),
    "flux1-dev": (_LDM, {"vae.": "vae-flux1", **_COMFY_CLIP_L, **_COMFY_T5}),
    "flux1-schnell": (_LDM, {"vae.": "vae-flux1", **_COMFY_CLIP_L, **_COMFY_T5}),
    "chroma": (_LDM, {"vae.": "vae-flux1", **_COMFY_T5}),
    "sd1.diffusers": ("unet.", {"vae.": "vae-kl-f8.diffusers", "text_encoder.": "clip-l"}),
    "sdxl.diffusers": (
        "unet.",
        {"vae.": "vae-kl-f8.diffusers", "text_encoder.": "clip-l", "text_encoder_2.": "clip-g.hf"},
    ),
}
"""All-in-one files: prefix of the denoiser, and what stands behind the other prefixes."""


def checkpoints() -> Iterator[Sample]:
    """All-in-one files, and ones that lost their VAE or their text encoders."""
    for layout, (prefix, others) in _BUNDLES.items():
        truth = truth_of(layout)
        assert truth is not None
        for kept in (dict(others), *({only: others[only]} for only in others)):
            name = f"{layout} with {', '.join(kept.values())}"
            yield Sample(name, "checkpoint", truth[1], partial(_bundle, {prefix: layout, **kept}))


Factors = Callable[[Shape, int], dict[str, Shape]]


def _kernel(shape: Shape) -> Shape:
    return tuple(1 for _ in shape[2:])


def _lora(down: str, up: str) -> Factors:
    return lambda shape, rank: {down: (rank, *shape[1:]), up: (shape[0], rank, *_kernel(shape))}


def _kohya(shape: Shape, rank: int) -> dict[str, Shape]:
    return {**_lora(".lora_down.weight", ".lora_up.weight")(shape, rank), ".alpha": ()}


def _loha(shape: Shape, rank: int) -> dict[str, Shape]:
    halves = {f".hada_w{side}_a": (shape[0], rank) for side in "12"}
    return {**halves, **{f".hada_w{side}_b": (rank, prod(shape[1:])) for side in "12"}, ".alpha": ()}


def _factor(size: int) -> int:
    return next(factor for factor in (8, 4, 2, 1) if size % factor == 0)


def _lokr(shape: Shape, rank: int) -> dict[str, Shape]:
    rows, columns = _factor(shape[0]), _factor(shape[1])
    second = (rank, shape[1] // columns * prod(shape[2:]))
    return {
        ".lokr_w1": (rows, columns),
        ".lokr_w2_a": (shape[0] // rows, rank),
        ".lokr_w2_b": second,
        ".alpha": (),
    }


def _lokr_full(shape: Shape, rank: int) -> dict[str, Shape]:
    rows, columns = _factor(shape[0]), _factor(shape[1])
    return {
        ".lokr_w1": (rows, columns),
        ".lokr_w2": (shape[0] // rows, shape[1] // columns, *shape[2:]),
        ".alpha": (),
    }


def _oft(shape: Shape, rank: int) -> dict[str, Shape]:
    blocks = _factor(shape[0])
    return {".oft_blocks": (blocks, shape[0] // blocks, shape[0] // blocks), ".alpha": ()}


def _glora(shape: Shape, rank: int) -> dict[str, Shape]:
    columns = prod(shape[1:])
    return {
        ".a1.weight": (rank, columns),
        ".a2.weight": (columns, rank),
        ".b1.weight": (rank, columns),
        ".b2.weight": (shape[0], rank),
        ".alpha": (),
    }


def _ia3(shape: Shape, rank: int) -> dict[str, Shape]:
    return {".weight": (shape[0],), ".on_input": ()}


def _diff(shape: Shape, rank: int) -> dict[str, Shape]:
    return {".diff": shape}


def _dora(factors: Factors, suffix: str) -> Factors:
    return lambda shape, rank: {**factors(shape, rank), suffix: (shape[0], 1, *_kernel(shape))}


_PEFT = _lora(".lora_A.weight", ".lora_B.weight")
_DIALECTS: Mapping[str, tuple[str, bool, Factors]] = {
    "kohya": ("lora_unet_", True, _kohya),
    "kohya-loha": ("lora_unet_", True, _loha),
    "kohya-lokr": ("lora_unet_", True, _lokr),
    "kohya-lokr-full": ("lora_unet_", True, _lokr_full),
    "kohya-glora": ("lora_unet_", True, _glora),
    "kohya-ia3": ("lora_unet_", True, _ia3),
    "kohya-full": ("lora_unet_", True, _diff),
    "kohya-dora": ("lora_unet_", True, _dora(_kohya, ".dora_scale")),
    "kohya-oft": ("oft_unet_", True, _oft),
    "lycoris-lokr": ("lycoris_", True, _lokr),
    "onetrainer": ("lora_transformer_", True, _kohya),
    "videox-fun": ("lora_unet__", True, _kohya),
    "comfyui": ("diffusion_model.", False, _PEFT),
    "comfyui-lokr": ("diffusion_model.", False, _lokr),
    "diffusers": ("transformer.", False, _PEFT),
    "diffusers-unet": ("unet.", False, _PEFT),
    "diffusers-old": ("transformer.", False, _lora(".lora.down.weight", ".lora.up.weight")),
    "peft": ("base_model.model.", False, _PEFT),
    "peft-dora": ("base_model.model.", False, _dora(_PEFT, ".lora_magnitude_vector")),
    "bare": ("", False, _PEFT),
}

_ATTENTION = ("attn", "attention", "to_q", "to_k", "to_v", "qkv", "linear1")


def _scopes(shapes: Mapping[str, Shape], chance: random.Random) -> Iterator[tuple[str, dict[str, Shape]]]:
    """What trainers choose to train: all matrices and kernels, matrices, attention alone, some blocks."""
    every = {
        name[:-7]: shape for name, shape in shapes.items() if name.endswith(".weight") and len(shape) > 1
    }
    linear: dict[str, Shape] = {name: shape for name, shape in every.items() if len(shape) == 2}
    attention = {name: shape for name, shape in linear.items() if any(word in name for word in _ATTENTION)}
    blocks = sorted({".".join(name.split(".")[:2]) + "." for name in linear if name.split(".")[1:2] != ["0"]})
    few = tuple(chance.sample(blocks, min(3, len(blocks))))
    yield "all", every
    yield "linear", linear
    yield "attention", attention
    yield "some blocks", {name: shape for name, shape in linear.items() if name.startswith(few)}
    yield "attention of some blocks", {n: shape for n, shape in attention.items() if n.startswith(few)}


def adapters(seed: int = 0) -> Iterator[Sample]:
    """Every denoiser's adapters: dialect by dialect, for all that trainers choose to train."""
    chance = random.Random(seed)
    for layout in layout_ids():
        named = layout_architecture(layout)
        if not named or architecture(named).role != "denoiser":
            continue
        for scope, modules in _scopes(load_layout(layout), chance):
            if named == _CONTROL:
                modules = {name: s for name, s in modules.items() if name not in ("x_embedder", "img_in")}
            if modules:
                yield from _trained(layout, named, scope, modules)


def _trained(layout: str, named: str, scope: str, modules: Mapping[str, Shape]) -> Iterator[Sample]:
    for dialect in _DIALECTS:
        yield Sample(f"{layout} {dialect} {scope}", "lora", named, partial(_adapter, dialect, modules))


def _adapter(dialect: str, modules: Mapping[str, Shape], rank: int = 16) -> Header:
    prefix, flat, factors = _DIALECTS[dialect]
    tensors: Tensors = {}
    for module, shape in modules.items():
        stem = prefix + (module.replace(".", "_") if flat else module)
        tensors |= {stem + suffix: ("BF16", size) for suffix, size in factors(shape, rank).items()}
    return _header(tensors)


def trimmed(sample: Sample, seed: int, keep: float) -> Sample:
    """The same file with only a share of its tensors listed (at least one)."""
    name = f"{sample.name}, {keep:.0%} kept"
    return Sample(name, sample.kind, sample.architecture, partial(_trim, sample, seed, keep))


def _trim(sample: Sample, seed: int, keep: float) -> Header:
    whole = sample.make()
    names = list(whole.tensors)
    kept = sorted(random.Random(seed).sample(range(len(names)), max(1, round(keep * len(names)))))
    return Header(whole.container, {names[place]: whole.tensors[names[place]] for place in kept}, {}, 0, 0)
