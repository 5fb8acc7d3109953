"""How fast adapters are compared with bases: one pair, and a library of 20,000 adapters against five bases.

Profiles are kept as bytes, as a catalog keeps them, and are unpacked anew for every adapter; tables of bases
are built once. Adapters of a few dialects and models, with blocks missing at random so that few are alike;
of ``--distinct`` listings each stands in the library several times. The peer is ``json.loads`` of what a
header of the same modules weighs, as the least that opening the file would cost.
"""

import argparse
import json
import multiprocessing
import random
import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from indexer.checking import Base, Side, base_of, check_sides
from indexer.domain.fit import pack, unpack
from indexer.domain.header import Header, TensorEntry
from indexer.domain.layouts import load_layout
from indexer.rules import identify
from indexer.rules.fit_base import architecture_subject
from indexer.rules.fit_profile import fit_profile, subject_of

__all__ = ["main"]

_TARGETS = (
    ("sdxl", "lora_unet_", "attn", "sdxl"),
    ("sdxl", "lora_unet_", "attn", "sdxl"),
    ("sdxl.diffusers", "unet.", "attn", "sdxl"),
    ("sd1.diffusers", "lora_unet_", "attn", "sd1"),
    ("flux1-dev", "lora_unet_", "blocks", "flux1-dev"),
    ("flux1-dev.diffusers", "transformer.", "attn", "flux1-dev"),
    ("qwen-image", "transformer.", "attn", "qwen-image"),
    ("wan2.1-t2v-14b", "diffusion_model.", "blocks", "wan2.1-t2v-14b"),
)
_BASES = ("sdxl", "sd1", "flux1-dev", "qwen-image", "wan2.1-t2v-14b")
_Entry = tuple[bytes, str]
"""A packed profile, and the architecture that the adapter was found to be for."""


def _header(shapes: Mapping[str, Sequence[int]]) -> Header:
    tensors: dict[str, TensorEntry] = {
        name: {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 0]} for name, shape in shapes.items()
    }
    return Header("safetensors", tensors, {}, 0, 0)


def _factors(source: random.Random) -> tuple[dict[str, tuple[int, ...]], str]:
    """The factors of one adapter, and the architecture it is for."""
    layout, prefix, word, architecture = source.choice(_TARGETS)
    rank, dropped = source.choice((4, 8, 16, 32, 64, 128)), source.randrange(2, 40)
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in load_layout(layout).items():
        stem = name.removesuffix(".weight")
        if stem == name or len(shape) < 2 or word not in name or f".{dropped}." in name:
            continue
        flat = prefix.endswith("_")
        module = prefix + (stem.replace(".", "_") if flat else stem)
        down, up = ("lora_down", "lora_up") if flat else ("lora_A", "lora_B")
        found[f"{module}.{down}.weight"] = (rank, *shape[1:])
        found[f"{module}.{up}.weight"] = (shape[0], rank, *(1 for _ in shape[2:]))
    return found, architecture


@cache
def _library(distinct: int) -> tuple[_Entry, ...]:
    source = random.Random(20260321)
    entries = []
    for _ in range(distinct):
        factors, architecture = _factors(source)
        entries.append((pack(fit_profile(_header(factors), "lora")), architecture))
    return tuple(entries)


@cache
def _bases() -> tuple[Base, ...]:
    found = []
    for layout in _BASES:
        header = _header(load_layout(layout))
        verdict = identify(header)
        packed = pack(fit_profile(header, verdict.kind))
        found.append(base_of(Side(subject_of(verdict), unpack(packed))))
    for base in found:
        _ = [table.exact for table in base.tables]
    return tuple(found)


def _side(entry: _Entry) -> Side:
    data, architecture = entry
    subject = architecture_subject(architecture)
    return Side(replace(subject, kind="lora"), unpack(data))


def _judge(work: tuple[int, int, int]) -> tuple[Counter[str], float]:
    """Verdicts of a part of the library, and the seconds of processor they took."""
    distinct, first, last = work
    start = time.process_time()
    library = _library(distinct)
    counts: Counter[str] = Counter()
    for number in range(first, last):
        side = _side(library[number % distinct])
        for base in _bases():
            counts[check_sides(side, base).verdict] += 1
    return counts, time.process_time() - start


def _one_pair(distinct: int) -> None:
    library, bases = _library(distinct), _bases()
    times = []
    for entry in library[:500]:
        for base in bases:
            start = time.perf_counter()
            check_sides(_side(entry), base)
            times.append(time.perf_counter() - start)
    times.sort()
    parse = []
    for data, _ in library[:200]:
        text = zlib.decompress(data)
        start = time.perf_counter()
        json.loads(text)
        parse.append(time.perf_counter() - start)
    middle = 1000 * times[len(times) // 2]
    print(
        f"one pair, warm, profile unpacked: median {middle:.2f} ms, "
        f"99 % under {1000 * times[len(times) * 99 // 100]:.2f} ms, worst {1000 * times[-1]:.2f} ms"
    )
    print(f"json.loads of the profile alone: {1000 * sum(parse) / len(parse):.2f} ms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``check.py [--adapters N] [--distinct N] [--processes N]``."""
    parser = argparse.ArgumentParser(description="Adapters against bases.")
    parser.add_argument("--adapters", type=int, default=20_000)
    parser.add_argument("--distinct", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    library = _library(options.distinct)
    size = sum(len(data) for data, _ in library) / len(library) / 1000
    start = time.perf_counter()
    _bases()
    print(f"{len(_BASES)} bases made ready in {time.perf_counter() - start:.2f} s; {size:.1f} kB a profile")
    _one_pair(options.distinct)
    step = max(1, options.adapters // (options.processes * 8))
    works = [
        (options.distinct, first, min(first + step, options.adapters))
        for first in range(0, options.adapters, step)
    ]
    start = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(options.processes) as pool:
        done = pool.map(_judge, works)
    spent = time.perf_counter() - start
    pairs, busy = options.adapters * len(_BASES), sum(seconds for _, seconds in done)
    counts = sum((verdicts for verdicts, _ in done), Counter[str]())
    print(f"{pairs:,} pairs in {spent:.1f} s with {options.processes} processes: {dict(counts)}")
    print(
        f"{busy:.1f} s of processor, {1000 * busy / pairs:.2f} ms a pair; alone on two cores {busy / 2:.0f} s"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
