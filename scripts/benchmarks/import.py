"""Importing a dump to searchable: items a second, and memory at a quarter, a half and the end of the dump.

Records are generated in the size and shape of a hub's: one or two versions, a few pictures with prompts, a
description. The limit it is held against reads and parses the same packed dump and keeps nothing.
"""

import argparse
import gzip
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from indexer.importing import import_dumps
from indexer.indexes.text_open import open_text_index
from indexer.progress import Silent, Stage
from indexer.settings import Settings

__all__ = ["main", "write_dump"]

_WORDS = (
    *("ink", "wash", "paper", "harbour", "light", "soft", "style", "portrait"),
    *("storm", "garden", "river", "anime", "photo", "detail", "dress", "armour"),
)
_LABELS = ("SDXL 1.0", "SD 1.5", "Pony", "Illustrious", "Flux.1 D", "Wan Video 2.2 T2V-A14B", "Odd Base 9")


class _Watch(Silent):
    """Notes this process's memory while bytes of the dump go by."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total
        self._read = 0
        self._in_bytes = False
        self.seen: dict[int, float] = {}

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``."""
        self._in_bytes = unit == "bytes"
        yield self

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        self._read += count if self._in_bytes else 0
        for part in (25, 50, 100):
            if part not in self.seen and self._read * 100 >= self._total * part:
                self.seen[part] = _resident()


def write_dump(path: Path, items: int) -> int:
    """Write a packed dump of JSON lines; answers its plain bytes."""
    source = random.Random(20240911)
    size = 0
    with gzip.open(path, "wb", compresslevel=1) as out:
        for number in range(1, items + 1):
            size += out.write(orjson.dumps(_item(number, source)) + b"\n")
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; ``--items`` is how many; files given are imported in place of generated ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("files", type=Path, nargs="*")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pinakes-import-") as work:
        files: list[Path] = wanted.files or [Path(work) / "dump.gz"]
        if not wanted.files:
            size = write_dump(files[0], wanted.items)
            print(f"{wanted.items:,} items, {size / 1e6:.0f} MB plain")
        _measure(files, Settings(home=Path(work) / "home"))
    return 0


def _measure(files: Sequence[Path], settings: Settings) -> None:
    watch = _Watch(sum(path.stat().st_size for path in files))
    before, busy = time.perf_counter(), time.process_time()
    report = import_dumps(files, settings, watch)
    spent, busy = time.perf_counter() - before, time.process_time() - busy
    found = open_text_index(settings).count()
    print(f"{report.items:,} items to searchable in {spent:.1f} s ({busy:.1f} s of processor): ", end="")
    print(f"{report.items / spent:,.0f} items/s, {found:,} entries found, {report.refused:,} refused")
    told = ", ".join(f"{part}%: {size:.0f} MiB" for part, size in watch.seen.items())
    print(f"memory while reading {told}; after publishing {_resident():.0f} MiB, ", end="")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    before = time.perf_counter()
    again = import_dumps(files, settings, Silent())
    print(f"again, unchanged: {again.items / (time.perf_counter() - before):,.0f} items/s")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def _item(number: int, source: random.Random) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"{_text(source, 3).title()} {number}",
        "description": f"<p>{_text(source, 130)}</p>",
        "type": source.choice(("LORA", "LORA", "Checkpoint", "TextualInversion")),
        "nsfw": False,
        "nsfwLevel": 1,
        "poi": False,
        "minor": False,
        "allowNoCredit": True,
        "allowCommercialUse": "{Image,RentCivit}",
        "stats": {"downloadCount": source.randrange(10**5), "thumbsUpCount": source.randrange(10**3)},
        "creator": {"username": f"creator{source.randrange(2_000)}", "image": None},
        "tags": source.sample(_WORDS, 5),
        "modelVersions": [_version(number * 10 + k, source) for k in range(1 + number % 2)],
    }


def _version(number: int, source: random.Random) -> dict[str, Any]:
    sha256 = f"{source.getrandbits(256):064X}"
    return {
        "id": number,
        "name": f"v{number % 10}.0",
        "baseModel": source.choice(_LABELS),
        "publishedAt": "2026-03-01T10:00:00.000Z",
        "trainedWords": [f"{_text(source, 1)}{number}"],
        "stats": {"downloadCount": source.randrange(10**5)},
        "files": [
            {
                "id": number,
                "name": f"model{number}.safetensors",
                "type": "Model",
                "sizeKB": source.uniform(1e4, 1e6),
                "primary": True,
                "metadata": {"format": "SafeTensor", "fp": "fp16", "size": "pruned"},
                "hashes": {"SHA256": sha256, "AutoV2": sha256[:10], "CRC32": sha256[:8]},
                "downloadUrl": f"https://hub.example/api/download/models/{number}",
            }
        ],
        "images": [_image(number * 10 + k, source) for k in range(3)],
    }


def _image(number: int, source: random.Random) -> dict[str, Any]:
    meta = {"prompt": _text(source, 60), "negativePrompt": _text(source, 20), "seed": number, "steps": 30}
    return {
        "url": f"https://image.hub.example/{number}.jpeg",
        "nsfwLevel": 1,
        "width": 832,
        "height": 1216,
        "hash": "U6D[wt4p",
        "type": "image",
        "meta": meta | {"sampler": "Euler a", "cfgScale": 7, "Model hash": f"{number:010x}"},
    }


def _text(source: random.Random, count: int) -> str:
    return " ".join(source.choices(_WORDS, k=count))


if __name__ == "__main__":
    raise SystemExit(main())
