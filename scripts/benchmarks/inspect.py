"""How fast files are told apart: read, parsed, identified and put into the object of ``pinakes inspect``.

The limit is one ``pread`` of the header and ``orjson.loads``: no checks, no answer. Both sides take the same
files in turn, in small blocks, in one process on one core. Files are sparse, with names and shapes of the
reference layouts: adapters of four dialects, checkpoints, denoisers, encoders. Told apart are

* ``mixed``: as in a library, where many files have the very same names and shapes;
* ``cold``: every file has a tensor that no other has, so that nothing can be remembered.

``--hostile`` measures headers made to be slow instead, each in a process of its own: seconds, and what
reading and identifying add to the memory of the process.
"""

import argparse
import gc
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

import indexer.reading as reading
from indexer.demo.cast import Cast, Part, load_cast
from indexer.demo.tensors import Tensor, tensors_of
from indexer.domain.collector import collector_paused
from indexer.domain.found import FoundFile
from indexer.inspecting import describe
from indexer.parsers.safetensors import read_header
from indexer.rules import identify

__all__ = ["main"]

_BLOCK = 50
_STEPS = ("read_model", "identify", "parse_metadata")
"""Functions of ``indexer.reading`` that are timed."""
_BITS = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "I64": 8}
_RANKS = (4, 8, 16, 24, 32, 48, 64, 96, 128, 256)

_TARGETS: Mapping[str, Mapping[str, Any]] = {
    "flux1": {
        "layout": "flux1-dev",
        "keep": r"blocks\.\d+\.(img|txt|lin|mod)",
        "prefix": "lora_unet_",
        "flat": True,
    },
    "flux1-peft": {
        "layout": "flux1-dev.diffusers",
        "keep": "blocks",
        "prefix": "base_model.model.",
        "flat": False,
    },
    "qwen-image": {"layout": "qwen-image", "keep": "blocks", "prefix": "transformer.", "flat": False},
    "wan": {"layout": "wan2.1-t2v-14b", "keep": r"blocks\.\d+", "prefix": "diffusion_model.", "flat": False},
    "z-image": {"layout": "z-image", "keep": r"layers\.\d+", "prefix": "diffusion_model.", "flat": False},
}
_RECIPES: Mapping[str, Mapping[str, Any]] = {
    "qwen-image": {"parts": [["", "qwen-image"]]},
    "qwen-image-wrapped": {"parts": [["model.diffusion_model.", "qwen-image"]]},
    "wan": {"parts": [["", "wan2.1-t2v-14b"]]},
    "vae": {"parts": [["", "vae-kl-f8"]]},
    "encoder": {"parts": [["", "t5-xxl"]]},
}
_ADAPTERS = (
    *(("sdxl-text", "lora"),) * 6,
    *(("sdxl", "lora"),) * 4,
    ("sdxl", "dora"),
    ("sdxl", "loha"),
    ("sdxl", "lokr"),
    *(("sdxl-diffusers", "lora"),) * 2,
    *(("sd1", "lora"),) * 4,
    ("sd1-conv", "locon"),
    *(("flux1", "lora"),) * 4,
    *(("flux1-peft", "lora"),) * 2,
    *(("qwen-image", "lora"),) * 3,
    *(("wan", "lora"),) * 2,
    ("z-image", "lora"),
)
_MODELS = (
    *("sdxl",) * 8,
    *("sd1",) * 5,
    "sdxl-vpred",
    "flux1-dev",
    "qwen-image",
    "qwen-image-wrapped",
    "wan",
    "vae",
    "encoder",
)


def _tensors(source: random.Random, cast: Cast) -> list[Tensor]:
    """One file of the mix: three adapters for each whole model, some adapters over a part of the blocks."""
    dtype = source.choice(("F16", "F16", "BF16", "F32"))
    if source.random() < 0.25:
        dtype = source.choice((dtype, dtype, "F8_E4M3"))
        return tensors_of(Part("", "", form="recipe", recipe=source.choice(_MODELS), dtype=dtype), cast)
    target, algorithm = source.choice(_ADAPTERS)
    rank = source.choice(_RANKS)
    tensors = tensors_of(Part("", "", target=target, adapter=algorithm, rank=rank, dtype=dtype), cast)
    if source.random() < 0.15:
        block = f"{source.randrange(20)}"
        return [t for t in tensors if f"blocks_{block}_" not in t.name and f"s.{block}." not in t.name]
    return tensors


def _header(tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> tuple[bytes, int]:
    """The header's text and the bytes of data that it promises."""
    entries: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for tensor in tensors:
        size = _BITS[tensor.dtype]
        for width in tensor.shape:
            size *= width
        entries[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "data_offsets": (offset, offset + size),
        }
        offset += size
    text = orjson.dumps(entries)
    return text + b" " * (-len(text) % 8), offset


def _metadata(tensors: Sequence[Tensor], source: random.Random) -> dict[str, str]:
    if "lora_" not in tensors[0].name:
        return {"format": "pt"} if source.random() < 0.5 else {}
    tags = {f"{word} {source.randrange(90)}": source.randrange(1, 200) for word in ("hair", "dress") * 20}
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": "16",
        "ss_network_alpha": "8",
        "ss_sd_model_name": source.choice(
            ("ponyDiffusionV6XL.safetensors", "v1-5-pruned.ckpt", "base.safetensors")
        ),
        "ss_learning_rate": str(source.uniform(1e-5, 1e-3)),
        "ss_tag_frequency": json.dumps({f"{source.randrange(1, 20)}_drawn": tags}),
        "modelspec.title": f"Style no. {source.randrange(10**6)}",
    }


def _write(path: Path, text: bytes, data: int) -> FoundFile:
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + data)
    status = path.stat()
    folder, name = os.path.split(os.fsencode(path))
    return FoundFile(
        path=os.fsencode(path),
        directory=folder,
        name=name,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode="",
        sidecars=(),
        previews=(),
        surroundings="",
    )


def _word(number: int) -> str:
    """A word without digits for each number."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def _files(folder: Path, count: int, cold: bool) -> Iterator[tuple[FoundFile, int, int]]:
    """Each file with the bytes of its header and the number of its tensors."""
    source = random.Random(20240911)
    cast = load_cast()
    cast = replace(cast, targets={**cast.targets, **_TARGETS}, recipes={**cast.recipes, **_RECIPES})
    for number in range(count):
        tensors = _tensors(source, cast)
        if cold:
            tensors.insert(source.randrange(len(tensors)), Tensor(f"extra.{_word(number)}", "F32", (1,)))
        text, data = _header(tensors, _metadata(tensors, source))
        yield _write(folder / f"{number:05}.safetensors", text, data), len(text), len(tensors)


class _Watch:
    """Sums the seconds spent in one function of ``indexer.reading``, put in its place."""

    def __init__(self, name: str) -> None:
        self.spent = 0.0
        self._name = name
        self._inner: Callable[..., Any] = getattr(reading, name)
        setattr(reading, name, self)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        before = time.process_time()
        try:
            return self._inner(*arguments, **named)
        finally:
            self.spent += time.process_time() - before

    def take_away(self) -> None:
        """Put the function back."""
        setattr(reading, self._name, self._inner)


def _headers(block: Sequence[FoundFile]) -> list[bytes]:
    texts = []
    for found in block:
        handle = os.open(found.path, os.O_RDONLY)
        try:
            texts.append(os.pread(handle, int.from_bytes(os.pread(handle, 8, 0), "little"), 8))
        finally:
            os.close(handle)
    return texts


def _parse(texts: Sequence[bytes]) -> None:
    """Parse and forget, undisturbed by the collector, which orjson's dictionaries would set off."""
    gc.disable()
    for text in texts:
        orjson.loads(text)
    gc.enable()


def _inspect(block: Sequence[FoundFile]) -> None:
    for found in block:
        json.dumps(describe(reading.judge(found, named=False)), ensure_ascii=False)


def _warm_up(folder: Path) -> None:
    """Load tables and reference layouts, as any run does once."""
    for found, _, _ in _files(folder, 3, cold=True):
        reading.judge(found)


def _timed(work: Callable[..., Any], *arguments: Any) -> float:
    before = time.process_time()
    work(*arguments)
    return time.process_time() - before


class _Tally:
    """Seconds of both sides over all blocks."""

    def __init__(self) -> None:
        self.pread = self.parse = self.whole = 0.0
        self.files = 0

    def measure(self, block: Sequence[FoundFile]) -> None:
        """Both sides over one block; who goes first changes from block to block."""
        texts = _headers(block)  # both sides find the pages cached
        if self.files // _BLOCK % 2:
            self.whole += _timed(_inspect, block)
        self.pread += _timed(_headers, block)
        self.parse += _timed(_parse, texts)
        if not self.files // _BLOCK % 2:
            self.whole += _timed(_inspect, block)
        self.files += len(block)
        for found in block:
            Path(os.fsdecode(found.path)).unlink()


def _measure(name: str, count: int) -> None:
    tally = _Tally()
    header_bytes = tensors = 0
    block: list[FoundFile] = []
    with tempfile.TemporaryDirectory(prefix="pinakes-inspect-") as folder:
        _warm_up(Path(folder))
        watches = {step: _Watch(step) for step in _STEPS}
        for found, length, number in _files(Path(folder), count, name == "cold"):
            block.append(found)
            header_bytes, tensors = header_bytes + length, tensors + number
            if len(block) == _BLOCK or tally.files + len(block) == count:
                tally.measure(block)
                block.clear()
        for watch in watches.values():
            watch.take_away()
    size = f"{header_bytes / count / 1000:.0f} kB and {tensors / count:,.0f} tensors on average"
    print(f"\n{name}: {count:,} files, {size}")
    _print_table(tally, {step: watch.spent for step, watch in watches.items()})


def _print_table(tally: _Tally, steps: Mapping[str, float]) -> None:
    limit = {
        "orjson.loads": tally.parse,
        "limit: pread + orjson.loads": tally.pread + tally.parse,
    }
    ours = {
        "strict reading": steps["read_model"],
        "identification": steps["identify"],
        "training metadata": steps["parse_metadata"],
        "claims, scalars, JSON": tally.whole - sum(steps.values()),
        "inspect, in all": tally.whole,
    }
    print(f"{'step':<30}{'ms/file':>9}{'share':>8}{'x parse':>9}{'files/s':>10}")
    for step, seconds in (limit | ours).items():
        share = f"{seconds / tally.whole:.0%}" if step in ours else ""
        each = f"{seconds / tally.files * 1000:>9.3f}{share:>8}{seconds / tally.parse:>9.2f}"
        print(f"{step:<30}{each}{tally.files / seconds:>10,.0f}")


# ---------------------------------------------------------------- hostile headers


_HOSTILE: Mapping[str, Callable[[], Iterator[str]]] = {
    "1,000,000 tensors, one template": lambda: (f"blocks.{n}.weight" for n in range(1_000_000)),
    "1,000,000 tensors of an adapter": lambda: (
        f"lora_unet_b_{n // 2}.lora_{('up', 'down')[n % 2]}.weight" for n in range(1_000_000)
    ),
    "1,000,000 templates": lambda: (f"{_word(n)}.weight" for n in range(1_000_000)),
    "100,000 templates of an adapter": lambda: (
        f"lora_unet_{_word(n)}.lora_down.weight" for n in range(100_000)
    ),
    "90 names of 1 MB": lambda: (f"blocks.{n}.{'attn.to_q.' * 100_000}weight" for n in range(90)),
    "400 names of 100,000 numbers": lambda: (f"{n}{'.1' * 100_000}.lora_down.weight" for n in range(400)),
    "9,000 names with one prefix of 10 kB": lambda: (
        f"model.diffusion_model.{'a1_' * 3300}{n}.weight" for n in range(9_000)
    ),
    "40,000 text encoders": lambda: (f"text_encoders.{_word(n)}.x.weight" for n in range(40_000)),
}


def _memory(field: str) -> float:
    """``VmRSS`` or ``VmHWM`` (the highest since it was set back) of this process in MiB; Linux."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def _growth(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, MiB of memory added at the highest, and the result."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before = _memory("VmRSS")
    start = time.process_time()
    result = work()
    return time.process_time() - start, _memory("VmHWM") - before, result


def _judge_hostile(path: Path, name: str) -> None:
    _warm_up(path.parent)
    with collector_paused():
        read, reading_memory, header = _growth(lambda: read_header(path))
        told, memory, verdict = _growth(lambda: identify(header, file_name=path.name))
    reading_row = f"{header.data_start / 1e6:>6.1f}{read:>8.2f}{reading_memory:>8,.0f}"
    print(f"{name:<38}{reading_row}{told:>12.2f}{memory:>8,.0f}  {verdict.kind}")


def _measure_hostile() -> None:
    print(f"{'header':<38}{'MB':>6}{'read s':>8}{'+ MiB':>8}{'identify s':>12}{'+ MiB':>8}")
    start = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="pinakes-hostile-") as folder:
        for name, names in _HOSTILE.items():
            path = Path(folder) / "hostile.safetensors"
            entry = '":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}'
            text = ("{" + ",".join(f'"{name}{entry}' for name in names()) + "}").encode()
            _write(path, text, 0)
            child = start.Process(target=_judge_hostile, args=(path, name))
            child.start()
            child.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``inspect.py [--files N] [--only mixed|cold] [--hostile]``."""
    parser = argparse.ArgumentParser(description="Identification rate against pread + orjson.")
    parser.add_argument("--files", type=int, default=10_000, help="number of files (default 10,000)")
    parser.add_argument("--only", choices=("mixed", "cold"), help="one of the two mixes")
    parser.add_argument("--hostile", action="store_true", help="headers made to be slow instead")
    options = parser.parse_args(arguments)
    if options.hostile:
        _measure_hostile()
        return 0
    for name in (options.only,) if options.only else ("mixed", "cold"):
        _measure(name, options.files)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
