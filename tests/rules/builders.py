"""Small headers made from the reference layouts: whole models, wrapped models, adapters of every dialect."""

from collections.abc import Iterable, Mapping
from math import prod

from indexer.domain.header import Header, TensorEntry
from indexer.domain.layouts import layout_ids, load_layout
from indexer.domain.vocabulary import architecture
from indexer.rules.fitting import layout_architecture

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def header(
    shapes: Shapes | Iterable[str],
    *,
    metadata: Mapping[str, str] | None = None,
    dtypes: Mapping[str, str] | None = None,
    container: str = "safetensors",
) -> Header:
    """A header of F16 tensors; bare names get a shape of one element, ``dtypes`` sets single types."""
    named = shapes if isinstance(shapes, Mapping) else dict.fromkeys(shapes, (1,))
    types = dtypes or {}
    tensors: dict[str, TensorEntry] = {
        name: {"dtype": types.get(name, "F16"), "shape": list(shape), "data_offsets": [0, 0]}
        for name, shape in named.items()
    }
    return Header(container, tensors, metadata or {}, 0, 0)


def prefixed(prefix: str, shapes: Shapes) -> dict[str, Shape]:
    """The same tensors behind a prefix."""
    return {prefix + name: shape for name, shape in shapes.items()}


def weights(layout: str, *words: str) -> dict[str, Shape]:
    """The matrices and kernels of a layout by module name; only those whose name holds one of ``words``."""
    return {
        name[:-7]: shape
        for name, shape in load_layout(layout).items()
        if name.endswith(".weight") and len(shape) > 1 and (not words or any(word in name for word in words))
    }


def denoiser_layouts() -> list[str]:
    """All layouts of denoisers."""
    named = ((layout, layout_architecture(layout)) for layout in layout_ids())
    return [layout for layout, name in named if name and architecture(name).role == "denoiser"]


def _down(shape: Shape, rank: int) -> Shape:
    return (rank, *shape[1:])


def _up(shape: Shape, rank: int) -> Shape:
    return (shape[0], rank, *(1 for _ in shape[2:]))


def kohya(modules: Shapes, rank: int = 8, prefix: str = "lora_unet_") -> dict[str, Shape]:
    """LoRA as sd-scripts writes it."""
    tensors: dict[str, Shape] = {}
    for module, shape in modules.items():
        stem = prefix + module.replace(".", "_")
        tensors[f"{stem}.lora_down.weight"] = _down(shape, rank)
        tensors[f"{stem}.lora_up.weight"] = _up(shape, rank)
        tensors[f"{stem}.alpha"] = ()
    return tensors


def peft(modules: Shapes, rank: int = 8, prefix: str = "transformer.") -> dict[str, Shape]:
    """LoRA as diffusers, ai-toolkit and PEFT write it."""
    tensors: dict[str, Shape] = {}
    for module, shape in modules.items():
        tensors[f"{prefix}{module}.lora_A.weight"] = _down(shape, rank)
        tensors[f"{prefix}{module}.lora_B.weight"] = _up(shape, rank)
    return tensors


def loha(modules: Shapes, rank: int = 4) -> dict[str, Shape]:
    """LoHa as LyCORIS writes it."""
    tensors: dict[str, Shape] = {}
    for module, shape in modules.items():
        stem = f"lora_unet_{module.replace('.', '_')}"
        for side in "12":
            tensors[f"{stem}.hada_w{side}_a"] = (shape[0], rank)
            tensors[f"{stem}.hada_w{side}_b"] = (rank, prod(shape[1:]))
    return tensors


def lokr(modules: Shapes, rank: int = 4, factor: int = 8) -> dict[str, Shape]:
    """LoKr as LyCORIS writes it: one side whole, the other low-rank. Sizes must divide by ``factor``."""
    tensors: dict[str, Shape] = {}
    for module, shape in modules.items():
        stem = f"lycoris_{module.replace('.', '_')}"
        tensors[f"{stem}.lokr_w1"] = (factor, factor)
        tensors[f"{stem}.lokr_w2_a"] = (shape[0] // factor, rank)
        tensors[f"{stem}.lokr_w2_b"] = (rank, prod(shape[1:]) // factor)
    return tensors


def oft(modules: Shapes, blocks: int = 4) -> dict[str, Shape]:
    """OFT as sd-scripts writes it."""
    return {
        f"oft_unet_{module.replace('.', '_')}.oft_blocks": (blocks, shape[0] // blocks, shape[0] // blocks)
        for module, shape in modules.items()
    }


def nf4(shapes: Shapes) -> tuple[dict[str, Shape], dict[str, str]]:
    """The tensors as bitsandbytes packs them, and their types."""
    packed: dict[str, Shape] = {}
    types: dict[str, str] = {}
    for name, shape in shapes.items():
        if not (name.endswith(".weight") and len(shape) == 2 and prod(shape) > 100_000):
            packed[name] = shape
            continue
        state = f"{name}.quant_state.bitsandbytes__nf4"
        packed |= {
            name: (prod(shape) // 2, 1),
            f"{name}.absmax": (16,),
            f"{name}.quant_map": (16,),
            state: (90,),
        }
        types |= {name: "U8", state: "U8"}
    return packed, types
