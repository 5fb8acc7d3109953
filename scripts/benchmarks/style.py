"""Pictures a second: decoding alone, style features alone, and both as indexing runs them.

    scripts/bench style [FOLDER]

Over the demo library's previews (512 x 512), or over the pictures in FOLDER. CPU milliseconds are those of
all processes together: divide the cores by them for what an idle machine would reach.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.database import open_catalog
from indexer.demo import write_demo
from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.descriptors import DESCRIPTORS
from indexer.encoders import Encoders
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.pictures import embed_pictures
from indexer.stages.scan import scan_root

__all__ = ["Clock", "main", "write_small_model"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
TARGET = 10_000 / 600  # pictures a second: 10,000 in ten minutes


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall and CPU time of this process and of its ended children, in seconds."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Clock":
        """The clocks now; children count once they have ended."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.perf_counter(), sum(u.ru_utime + u.ru_stime for u in used))

    def tell(self, what: str, count: int) -> float:
        """Print the line of what ran since, and answer pictures a second."""
        now = Clock.now()
        wall, cpu = now.wall - self.wall, now.cpu - self.cpu
        print(f"{what:34}{wall:8.2f} s{count / wall:9.1f} pictures/s{1000 * cpu / count:9.1f} CPU ms each")
        return count / wall


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; always 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="pictures to use instead of the demo library's")
    folder = parser.parse_args(arguments).folder
    with tempfile.TemporaryDirectory(prefix="pinakes-style-") as work:
        demo = Path(work) / "demo"
        if folder is None:
            write_demo(demo)
        paths = sorted(p for p in (folder or demo).rglob("*") if p.suffix in SUFFIXES)
        workers = os.cpu_count() or 1
        print(f"{len(paths)} pictures, {workers} cores")
        _measure_parts(paths, workers)
        rate = _measure_stage(_library(demo, folder, paths), Path(work) / "home", workers)
        print(f"10,000 pictures would take {10_000 / rate / 60:.1f} minutes; the bar is 10")
    return 0


def _measure_parts(paths: Sequence[Path], workers: int) -> None:
    before = Clock.now()
    with PreviewDecoder(workers=workers) as decoder:
        decoded = [d for _, d in decoder.decode_many(paths) if isinstance(d, Decoded)]
    before.tell(f"decoding, {workers} processes", len(decoded))
    before = Clock.now()
    DESCRIPTORS["style"].encode([d.rgb for d in decoded])
    before.tell("style features, 1 thread", len(decoded))


def _library(demo: Path, folder: Path | None, paths: Sequence[Path]) -> Path:
    """A folder to index: the demo library, or a model of one number beside a link to each picture."""
    if folder is None:
        return demo
    for number, path in enumerate(paths):
        place = demo / f"{number:06}"
        write_small_model(place, number)
        (place / f"model{path.suffix}").symlink_to(path.resolve())
    return demo


def write_small_model(place: Path, number: int) -> None:
    """The smallest model file there is, one of its kind by ``number``, in a folder of its own."""
    place.mkdir(parents=True)
    head = b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (place / "model.safetensors").write_bytes(
        len(head).to_bytes(8, "little") + head + number.to_bytes(4, "little")
    )


def _measure_stage(library: Path, home: Path, workers: int) -> float:
    settings = Settings(home=home, decode_workers=workers)
    catalog = open_catalog(settings)
    scan_root(library, catalog, settings, Silent(), lambda found: judge(found, 60.0))
    before = Clock.now()
    encoders = Encoders(DESCRIPTORS["style"], DESCRIPTORS["content"], None)
    report = embed_pictures(catalog, settings, encoders, Silent())
    rate = before.tell("picture stage as indexed", report.embedded)
    catalog.close()
    return rate


if __name__ == "__main__":
    raise SystemExit(main())
