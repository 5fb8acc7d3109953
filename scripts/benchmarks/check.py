"""How fast adapters are compared with bases: one pair, and a library of 20,000 adapters against five bases.

All are in a catalog (SQLite), stored as an index run stores them; tables of bases are built once. One pair
is looked up by id, unpacked and compared. Adapters of a few dialects and models, with blocks missing at
random so that few are alike;
of ``--distinct`` listings each stands in the library several times. The peer is ``json.loads`` of what a
header of the same modules weighs, as the least that opening the file would cost.
"""

import argparse
import json
import multiprocessing
import random
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.entries import documents, refresh_entries
from indexer.catalog.fits import fit_rows, iterate_fits
from indexer.catalog.library import store_judged
from indexer.catalog.roots import open_root
from indexer.checking import Base, base_of, check_sides
from indexer.domain.fit import pack
from indexer.domain.found import Judged
from indexer.domain.layouts import load_layout
from indexer.domain.verdict import Verdict
from indexer.domain.vocabulary import architecture_path
from indexer.reading_remote import found_at
from indexer.rules import identify
from indexer.rules.fit_profile import fit_profile
from indexer.settings import Settings
from scripts.benchmarks.fit_library import SOURCES, factors, header
from search.checking_bulk import fit_all
from search.checking_found import BASES, side_of_row

__all__ = ["main"]

_TARGETS = tuple(
    source
    for architecture in ("sdxl", "sd1", "flux1", "qwen-image", "wan2.2-t2v-a14b")
    for source in SOURCES[architecture]
)
_BASES = ("sdxl", "sd1", "flux1-dev", "qwen-image", "wan2.1-t2v-14b")
_Entry = tuple[bytes, Verdict]
"""A packed profile, and what the adapter was found to be."""
_BATCH = 500
_PAIRS = 200


@cache
def _library(distinct: int) -> tuple[_Entry, ...]:
    source = random.Random(20260321)
    entries = []
    for _ in range(distinct):
        made = header(factors(source.choice(_TARGETS), source))
        entries.append((pack(fit_profile(made, "lora")), identify(made)))
    return tuple(entries)


def _fill(catalog: Catalog, adapters: int, distinct: int) -> None:
    """So many adapters in a catalog, as an index run stores them; the bases behind them."""
    library = _library(distinct)
    with catalog.write() as session:
        root = open_root(session, "/library", "plain")
    for first in range(0, adapters, _BATCH):
        numbers = range(first, min(first + _BATCH, adapters))
        _store(catalog, root, [_judged(number, *library[number % distinct]) for number in numbers])
    bases = [header(load_layout(layout)) for layout in _BASES]
    verdicts = [identify(one) for one in bases]
    packed = [pack(fit_profile(h, v.kind)) for h, v in zip(bases, verdicts, strict=True)]
    _store(
        catalog,
        root,
        [_judged(adapters + n, *row) for n, row in enumerate(zip(packed, verdicts, strict=True))],
    )


def _judged(number: int, data: bytes, verdict: Verdict) -> Judged:
    found = replace(
        found_at(f"/library/{number}.safetensors", f"{number}.safetensors", 1), inode=f"1:{number}"
    )
    return Judged(found, f"{number:064x}", "safetensors", verdict, (), fit=data)


def _store(catalog: Catalog, root: int, batch: list[Judged]) -> None:
    with catalog.write() as session:
        stored = store_judged(session, root, batch, 1)
        refresh_entries(session, stored.versions, architecture_path)


def _ready(catalog: Catalog) -> list[Base]:
    """The bases made ready from the catalog, all look-ups built."""
    with catalog.read() as session:
        rows = [row for batch in iterate_fits(session, BASES) for row in batch]
        shown = documents(session, [row.version_id for row in rows])
    bases = [base_of(side) for row in rows if (side := side_of_row(row, shown[row.version_id]))]
    for base in bases:
        _ = [table.exact for table in base.tables]
    return bases


def _judge(work: tuple[Path, int, int]) -> tuple[Counter[str], float]:
    """Verdicts of a part of the library, and the seconds of processor they took."""
    home, after, until = work
    start = time.process_time()
    catalog = open_catalog(Settings(home=home))
    counts: Counter[str] = Counter()
    for fitted in fit_all(catalog, _kept(home), ("lora",), after=after, until=until):
        counts.update(verdict.verdict for verdict in fitted.verdicts)
    catalog.close()
    return counts, time.process_time() - start


@cache
def _kept(home: Path) -> tuple[Base, ...]:
    catalog = open_catalog(Settings(home=home))
    bases = tuple(_ready(catalog))
    catalog.close()
    return bases


def _one_pair(catalog: Catalog, bases: Sequence[Base]) -> None:
    """One adapter that is looked up by its id, unpacked and compared with one base."""
    with catalog.read() as session:
        rows = next(iterate_fits(session, ("lora",), _PAIRS))
    times = []
    for row in rows:
        for base in bases:
            start = time.perf_counter()
            with catalog.read() as session:
                (found,) = fit_rows(session, [row.version_id])[row.version_id]
                document = documents(session, [row.version_id])[row.version_id]
            side = side_of_row(found, document)
            assert side is not None  # all were stored with a profile
            check_sides(side, base)
            times.append(1000 * (time.perf_counter() - start))
    times.sort()
    parse = []
    for row in rows[:200]:
        text = zlib.decompress(row.data or b"")
        start = time.perf_counter()
        json.loads(text)
        parse.append(1000 * (time.perf_counter() - start))
    print(
        f"one pair, warm, from the catalog: median {times[len(times) // 2]:.2f} ms, "
        f"95 % under {times[len(times) * 95 // 100]:.2f} ms (limit 5), worst {times[-1]:.2f} ms"
    )
    print(f"json.loads of the profile alone: {sum(parse) / len(parse):.2f} ms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``check.py [--adapters N] [--distinct N] [--processes N]``."""
    parser = argparse.ArgumentParser(description="Adapters against bases.")
    parser.add_argument("--adapters", type=int, default=20_000)
    parser.add_argument("--distinct", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), options.adapters, options.distinct, options.processes)
    return 0


def _measure(home: Path, adapters: int, distinct: int, processes: int) -> None:
    catalog = open_catalog(Settings(home=home))
    start = time.perf_counter()
    _fill(catalog, adapters, min(distinct, adapters))
    print(f"{adapters:,} adapters stored in {time.perf_counter() - start:.1f} s")
    size = sum(len(data) for data, _ in _library(min(distinct, adapters))) / min(distinct, adapters) / 1000
    start = time.perf_counter()
    bases = _kept(home)
    print(f"{len(bases)} bases made ready in {time.perf_counter() - start:.2f} s; {size:.1f} kB a profile")
    _one_pair(catalog, bases)
    catalog.close()
    step = max(1, adapters // (processes * 8))
    works = [(home, first, min(first + step, adapters)) for first in range(0, adapters, step)]
    start = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        done = pool.map(_judge, works)
    spent = time.perf_counter() - start
    pairs, busy = adapters * len(bases), sum(seconds for _, seconds in done)
    counts = sum((verdicts for verdicts, _ in done), Counter[str]())
    print(f"{pairs:,} pairs in {spent:.1f} s with {processes} processes: {dict(counts)}")
    print(
        f"{busy:.1f} s of processor, {1000 * busy / pairs:.2f} ms a pair; alone on two cores {busy / 2:.0f} s"
    )


if __name__ == "__main__":
    raise SystemExit(main())
