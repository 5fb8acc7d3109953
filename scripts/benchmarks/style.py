"""Pictures a second: decoding alone, style features alone, and both as indexing runs them.

The limit is decoding: no descriptor can be faster than its pictures arrive.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from indexer.catalog.database import open_catalog
from indexer.demo import write_demo
from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.layout import LayoutDescriptor
from indexer.embedding.style import StyleDescriptor
from indexer.encoders import Encoders
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.pictures import embed_pictures
from indexer.stages.scan import scan_root

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it over the demo library's previews (512 x 512)."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pinakes-style-") as work:
        folder = Path(work) / "demo"
        write_demo(folder)
        paths = sorted(p for p in folder.rglob("*") if p.suffix in (".png", ".jpg", ".jpeg", ".webp"))
        print(f"{len(paths)} pictures, {os.cpu_count()} cores")
        workers = os.cpu_count() or 1
        before = time.perf_counter()
        with PreviewDecoder(workers=workers) as decoder:
            decoded = [d for _, d in decoder.decode_many(paths) if isinstance(d, Decoded)]
        decoding = time.perf_counter() - before
        _tell(f"decoding, {workers} processes", len(decoded), decoding)
        before = time.perf_counter()
        StyleDescriptor().encode([d.rgb for d in decoded])
        _tell("style features, 1 thread", len(decoded), time.perf_counter() - before)
        settings = Settings(home=Path(work) / "home", decode_workers=workers)
        catalog = open_catalog(settings)
        scan_root(folder, catalog, settings, Silent(), lambda found: judge(found, 60.0))
        before = time.perf_counter()
        encoders = Encoders(StyleDescriptor(), LayoutDescriptor(), None)
        report = embed_pictures(catalog, settings, encoders, Silent())
        whole = time.perf_counter() - before
        _tell("picture stage as indexed", report.embedded, whole)
        print(f"10,000 pictures would take {whole / report.embedded * 10_000 / 60:.1f} minutes")
        catalog.close()
    return 0


def _tell(what: str, count: int, seconds: float) -> None:
    print(f"{what:32}{seconds:8.2f} s{count / seconds:10.1f} pictures/s")


if __name__ == "__main__":
    raise SystemExit(main())
