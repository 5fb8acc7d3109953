"""Which arithmetic runs an image tower fastest here? Tried on real pictures, remembered in a file.

Candidates: float32 as it is; bfloat16; on a CPU, weights of linear layers in 8 bits (dynamic quantisation). A
candidate counts only while its vectors keep a cosine of ``LEAST`` to those of float32. Torch comes in as an
argument: this module loads nothing.
"""

import copy
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["FULL", "LEAST", "Tower", "fastest", "quantised"]

Tower = Callable[[Any], Any]
FULL = "float32"
LEAST = 0.99
ROUNDS = 3
SELF_ATTENDING = "ResidualAttentionBlock"  # open_clip's; other blocks may attend from one input to another
# What torch raises where a machine or a model cannot do it
UNSUPPORTED = (RuntimeError, NotImplementedError, AttributeError, TypeError)


def fastest(torch: Any, full: Tower, model: Any, pixels: Any, memory: Path, name: str) -> tuple[str, Tower]:
    """``(arithmetic, tower)``: the fastest for ``model`` on a batch of ``pixels`` (n, 3, side, side).

    ``full`` is the tower in float32. ``memory`` is a JSON file of earlier choices by ``name``; one that
    cannot be read or written only costs the timing again.
    """
    known = _remembered(memory)
    kinds = ("bfloat16",) if pixels.is_cuda else ("int8", "bfloat16")
    remembered = known.get(name) in (FULL, *kinds)
    tried = (known[name],) if remembered else kinds
    towers = {FULL: full}
    for kind in tried:
        tower = full if kind == FULL else _faithful(torch, full, model, kind, pixels)
        if tower is not None:
            towers[kind] = tower
    if remembered:
        chosen = tried[0] if tried[0] in towers else FULL
    else:
        seconds = {kind: _seconds(torch, tower, pixels) for kind, tower in towers.items()}
        chosen = min(seconds, key=lambda kind: seconds[kind])
        _remember(memory, known | {name: chosen})
    return chosen, towers[chosen]


def _faithful(torch: Any, full: Tower, model: Any, kind: str, pixels: Any) -> Tower | None:
    """The tower in another arithmetic; None where it cannot be had, or its vectors are too far off."""
    try:
        tower = _tower(torch, model, kind)
        with torch.inference_mode():
            cosines = torch.nn.functional.cosine_similarity(full(pixels).float(), tower(pixels).float())
    except UNSUPPORTED:
        return None
    return tower if bool(cosines.min() >= LEAST) else None  # None for NaN too


def _seconds(torch: Any, tower: Tower, pixels: Any) -> float:
    """The best of a few rounds: what else runs on the machine only ever adds."""
    best = float("inf")
    with torch.inference_mode():
        for _ in range(ROUNDS):
            before = time.perf_counter()
            tower(pixels).float().cpu()
            best = min(best, time.perf_counter() - before)
    return best


def _tower(torch: Any, model: Any, kind: str) -> Tower:
    if kind == "int8":
        return quantised(torch, model)
    visual = copy.deepcopy(model.visual).to(torch.bfloat16)
    return lambda pixels: visual(pixels.to(torch.bfloat16))


def quantised(torch: Any, model: Any) -> Tower:
    """The image tower of ``model`` with the weights of its linear layers in 8 bits."""
    visual = copy.deepcopy(model.visual)
    _plain_attention(torch, visual)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that this will move to another package
        torch.ao.quantization.quantize_dynamic(visual, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)
    return lambda pixels: visual(pixels)


def _plain_attention(torch: Any, visual: Any) -> None:
    """Attention of two plain linear layers instead of torch's own, whose weights cannot be quantised."""

    class Attention(torch.nn.Module):  # type: ignore[misc]  # torch comes in as an argument
        def __init__(self, old: Any) -> None:
            super().__init__()
            self.heads, width = old.num_heads, old.embed_dim
            self.inward, self.outward = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
            self.inward.weight, self.inward.bias = old.in_proj_weight, old.in_proj_bias
            self.outward.weight, self.outward.bias = old.out_proj.weight, old.out_proj.bias

        def forward(self, rows: Any, *_: Any, attn_mask: Any = None, **__: Any) -> tuple[Any, None]:
            count, length, width = rows.shape
            parted = self.inward(rows).view(count, length, 3, self.heads, width // self.heads)
            query, key, value = parted.permute(2, 0, 3, 1, 4)
            mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=attn_mask)
            return self.outward(mixed.transpose(1, 2).reshape(count, length, width)), None

    for block in [module for module in visual.modules() if type(module).__name__ == SELF_ATTENDING]:
        if isinstance(block.attn, torch.nn.MultiheadAttention) and block.attn.batch_first:
            block.attn = Attention(block.attn)


def _remembered(memory: Path) -> dict[str, str]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(kind) for name, kind in found.items()} if isinstance(found, dict) else {}


def _remember(memory: Path, choices: dict[str, str]) -> None:
    aside = memory.with_name(f".{memory.name}.{os.getpid()}.part")
    try:
        aside.write_text(json.dumps(choices, indent=1), encoding="utf-8")
        aside.replace(memory)
    except OSError:
        aside.unlink(missing_ok=True)
