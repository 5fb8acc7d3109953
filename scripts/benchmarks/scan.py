"""How fast model headers are read, against the least that any reader must do.

The bare limit opens each file, reads its header with one ``pread`` and hands it to orjson: no checks, no
protection. Both sides read the same files in turn, in small blocks, in one
process, so that the machine's moods hit both. Files are sparse: full logical size, real headers, no data.
"""

import argparse
import json
import os
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from indexer.parsers.safetensors import read_header

__all__ = ["main", "run", "write_models"]

_BLOCK = 50
_HEADER_BYTES = 100_000
_WIDTHS = (320, 640, 768, 1280, 1536, 2048, 2560, 3072, 10240)
_BYTES = {"F16": 2, "BF16": 2, "F32": 4, "F8_E4M3": 1}


def run(files: int = 10_000) -> None:
    """Write ``files`` model files below the system's temporary folder, read them both ways, print a table."""
    folder = Path(tempfile.mkdtemp(prefix="pinakes-scan-"))
    try:
        paths, header_bytes, tensors = write_models(folder, files)
        limit, ours = _measure(paths)
    finally:
        shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{files:,} files, on average {header_bytes / files / 1000:.1f} kB and {tensors / files:,.0f} tensors"
    )
    print(f"{'reader':<28}{'files/s':>10}{'MB/s':>10}{'ms/file':>10}")
    for name, seconds in (("pread + orjson (bare limit)", limit), ("read_header (all checks)", ours)):
        rates = (
            f"{files / seconds:>10,.0f}{header_bytes / seconds / 1e6:>10,.0f}{seconds / files * 1000:>10.3f}"
        )
        print(f"{name:<28}{rates}")
    print(f"ratio {limit / ours:.2f}, peak RSS {peak:,.0f} MiB")


def _measure(paths: Sequence[bytes]) -> tuple[float, float]:
    """Seconds that the bare limit and ``read_header`` take for all of ``paths``, in alternating blocks."""
    spent = [0.0, 0.0]
    readers: tuple[Callable[[bytes], Any], ...] = (_bare, read_header)
    for number, begin in enumerate(range(0, len(paths), _BLOCK)):
        block = paths[begin : begin + _BLOCK]
        for path in block:
            _bare(path)  # both find the pages cached
        for side in (number % 2, 1 - number % 2):
            reader = readers[side]
            start = time.perf_counter()
            for path in block:
                reader(path)
            spent[side] += time.perf_counter() - start
    return spent[0], spent[1]


def _bare(path: bytes) -> Any:
    handle = os.open(path, os.O_RDONLY)
    try:
        length = int.from_bytes(os.pread(handle, 8, 0), "little")
        return orjson.loads(os.pread(handle, length, 8))
    finally:
        os.close(handle)


def write_models(folder: Path, files: int) -> tuple[list[bytes], int, int]:
    """Paths, bytes of all headers, number of all tensors."""
    source = random.Random(20240911)
    paths, total, tensors = [], 0, 0
    for number in range(files):
        layout = (_kohya, _diffusers, _kohya, _checkpoint)[number % 4]
        header, size = _header(layout(source), source)
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        path = folder / f"{number:05}_{layout.__name__[1:]}.safetensors"
        path.write_bytes(struct.pack("<Q", len(text)) + text)
        os.truncate(path, 8 + len(text) + size)
        paths.append(os.fsencode(path))
        total, tensors = total + len(text), tensors + len(header)
    return paths, total, tensors


def _header(
    layout: Iterator[tuple[str, str, list[int]]], source: random.Random
) -> tuple[dict[str, Any], int]:
    header: dict[str, Any] = {"__metadata__": _metadata(source)}
    room = _HEADER_BYTES * source.uniform(0.8, 1.2) - len(json.dumps(header))
    offset = 0
    for name, dtype, shape in layout:
        size = _BYTES[dtype]
        for width in shape:
            size *= width
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
        room -= len(name) + len(str(shape)) + 2 * len(str(offset)) + 42
        if room < 0:
            break
    return header, offset


def _metadata(source: random.Random) -> dict[str, str]:
    tags = {
        f"{word} {source.randrange(90)}": source.randrange(1, 200) for word in ("hair", "eyes", "dress") * 20
    }
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(source.choice((4, 8, 16, 32, 64, 128))),
        "ss_output_name": f"style_{source.randrange(10**6)}",
        "ss_learning_rate": str(source.uniform(1e-5, 1e-3)),
        "ss_tag_frequency": json.dumps({f"{source.randrange(1, 20)}_drawn": tags}),
        "modelspec.title": f"Style no. {source.randrange(10**6)}",
    }


def _kohya(source: random.Random) -> Iterator[tuple[str, str, list[int]]]:
    rank, dtype = source.choice((4, 8, 16, 32, 64)), source.choice(("F16", "BF16"))
    for block in range(10**6):
        for layer in ("q_proj", "k_proj", "out_proj", "mlp_fc1"):
            stem = f"lora_te_layers_{block}_{layer}"
            wide, high = source.choice(_WIDTHS), source.choice(_WIDTHS)
            yield f"{stem}.alpha", dtype, []
            yield f"{stem}.lora_down.weight", dtype, [rank, wide]
            yield f"{stem}.lora_up.weight", dtype, [high, rank]


def _diffusers(source: random.Random) -> Iterator[tuple[str, str, list[int]]]:
    rank = source.choice((8, 16, 32))
    for block in range(10**6):
        for layer in ("attn.to_q", "attn.to_out.0", "ff.net.2"):
            stem = f"transformer.{block}.{layer}"
            yield f"{stem}.lora_A.weight", "BF16", [rank, source.choice(_WIDTHS)]
            yield f"{stem}.lora_B.weight", "BF16", [source.choice(_WIDTHS), rank]


def _checkpoint(source: random.Random) -> Iterator[tuple[str, str, list[int]]]:
    dtype = source.choice(("F16", "F8_E4M3"))
    for block in range(10**6):
        wide = source.choice(_WIDTHS)
        stem = f"input_blocks.{block}"
        yield f"{stem}.0.in_layers.0.weight", "F32", [wide]
        yield f"{stem}.0.in_layers.2.weight", dtype, [wide, source.choice(_WIDTHS), 3, 3]
        yield f"{stem}.0.in_layers.2.bias", "F16", [wide]
        yield f"{stem}.1.attn2.to_k.weight", dtype, [wide, 768]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``scan.py [--files N]``."""
    parser = argparse.ArgumentParser(description="Header scan rate against pread + orjson.")
    parser.add_argument("--files", type=int, default=10_000, help="number of files (default 10,000)")
    run(parser.parse_args(arguments).files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
