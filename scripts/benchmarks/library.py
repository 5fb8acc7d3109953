"""Indexing a library of realistic headers: the first run, the second run over the same files, and memory.

The second run is held against its own limit: one ``os.scandir`` walk with a ``stat`` of every file.
"""

import argparse
import os
import resource
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
    files = parser.parse_args(arguments).files
    with tempfile.TemporaryDirectory(prefix="pinakes-library-") as work:
        models = Path(work) / "models"
        models.mkdir()
        write_models(models, files)
        settings = Settings(home=Path(work) / "home")
        catalog = open_catalog(settings)
        print(f"{files:,} files")
        for name in ("first run", "second run"):
            before = time.perf_counter()
            report = scan_root(models, catalog, settings, Silent(), lambda f: judge(f, 60.0))
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
