"""Indexing a library of realistic headers: the first run, the second run over the same files, and memory.

``--empty`` makes tiny headers instead, with a sidecar beside every fourth, in folders of
``--folder`` files: for the second run over many files, which is what a person waits for every day.

The second run is held against its own limit: one ``os.scandir`` walk with a ``stat`` of every file.
"""

import argparse
import json
import os
import resource
import struct
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scan import write_models
from indexer.catalog.database import open_catalog
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.publish import publish_text
from indexer.stages.scan import scan_root

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; ``--files`` is how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--empty", action="store_true", help="tiny files: one tensor each, its data a hole")
    parser.add_argument("--folder", type=int, default=500, help="files a folder with --empty")
    options = parser.parse_args(arguments)
    files = options.files
    with tempfile.TemporaryDirectory(prefix="pinakes-library-") as work:
        models = Path(work) / "models"
        models.mkdir()
        if options.empty:
            _write_empty(models, files, options.folder)
        else:
            write_models(models, files)
        settings = Settings(home=Path(work) / "home")
        catalog = open_catalog(settings)
        print(f"{files:,} files")
        for name in ("first run", "second run"):
            before = time.perf_counter()
            report, _ = scan_root(models, catalog, settings, Silent(), lambda f: judge(f, 60.0))
            published = publish_text(catalog, settings, Silent())
            spent = time.perf_counter() - before
            print(
                f"{name:12}{spent:8.2f} s  {files / spent:8,.0f} files/s  "
                f"read {report.read:,}, unchanged {report.unchanged:,}, published {published:,}"
            )
        limit = _walk(models)
        print(f"{'bare walk':12}{limit:8.2f} s  second run takes {spent / limit:.1f} x the bare walk")
        print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
        catalog.close()
    return 0


def _write_empty(folder: Path, count: int, share: int) -> None:
    for place in range(count):
        inside = folder / "loras" / f"set{place // share:04}"
        inside.mkdir(parents=True, exist_ok=True)
        rank = 4 + place % 61
        tensor = {"dtype": "F16", "shape": [rank, 768], "data_offsets": [0, rank * 1536]}
        header = {"__metadata__": {"ss_output_name": f"m{place}"}, "lora_te_x.lora_down.weight": tensor}
        text = json.dumps(header).encode()
        path = inside / f"m{place:06}.safetensors"
        path.write_bytes(struct.pack("<Q", len(text)) + text)
        os.truncate(path, 8 + len(text) + rank * 1536)
        if place % 4 == 0:
            path.with_suffix(".json").write_text('{"activation text": "x"}')


def _walk(folder: Path) -> float:
    before = time.perf_counter()
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    pending.append(Path(entry.path))
                else:
                    entry.stat()
    return time.perf_counter() - before


if __name__ == "__main__":
    raise SystemExit(main())
