"""A crawl of 10,000 models against the least time that the hub's rate limit allows.

The hub is the tests' fake Civitai, in a process of its own: real sockets, pages of 100. The client keeps to
the limit. The ideal is that limit itself; what the same client needs for the same pages when nothing is
stored stands beside it, and makes the hub write its pages, which it gives again afterwards: the hub's work is
not ours. What is measured is a whole crawl: every model stored with claims, statistics, hashes and previews,
documents made, words indexed and searchable.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from indexer.crawl import crawl_hub
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.sources.civitai import Civitai
from indexer.sources.http import HubClient
from tests.hubs.fake_civitai import FakeCivitai, generated

__all__ = ["main", "run"]

_QUESTION = {"sort": "Newest"}


def run(items: int, per_second: float) -> float:
    """Crawl ``items`` models at so many requests a second; print and answer the ratio to the ideal time."""
    here, there = multiprocessing.Pipe()
    hub = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, items), daemon=True)
    hub.start()
    url = here.recv()
    ideal = _ideal(url, per_second)
    with tempfile.TemporaryDirectory(prefix="pinakes-crawl-") as home:
        settings = Settings(home=Path(home), requests_per_second=per_second)
        busy, start = time.process_time(), time.perf_counter()
        told = crawl_hub(_QUESTION, settings, Silent(), base_url=url)
        spent, busy = time.perf_counter() - start, time.process_time() - busy
    here.send(None)
    hub.join()
    assert told.crawl.taken.models == items, told
    pages = told.crawl.pages
    print(f"{items:,} models on {pages} pages, {per_second:g} requests a second")
    print(f"{'':<36}{'seconds':>10}{'models/s':>10}")
    limit = (pages - 1) / per_second
    for name, seconds in (("limit by arithmetic", limit), ("pages asked for, nothing stored", ideal)):
        print(f"{name:<36}{seconds:>10.1f}{items / seconds:>10,.0f}")
    print(f"{'crawl, stored and searchable':<36}{spent:>10.1f}{items / spent:>10,.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ratio {spent / limit:.3f} to the limit, {spent / ideal:.3f} to asking alone")
    print(f"processor busy {busy / spent:.0%} of the time, peak RSS {peak:,.0f} MiB")
    return spent / limit


def _ideal(url: str, per_second: float) -> float:
    with HubClient(allowed_hosts=[url], per_second=per_second) as client:
        hub, cursor = Civitai(client, url), None
        start = time.perf_counter()
        while (cursor := hub.models(_QUESTION, cursor).next_cursor) is not None:
            pass
        return time.perf_counter() - start


def _serve(pipe: Connection, items: int) -> None:
    with FakeCivitai(generated(items)) as hub:
        hub.remembers = True
        pipe.send(hub.url)
        pipe.recv()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``crawl.py [--items N] [--per-second R]``."""
    parser = argparse.ArgumentParser(description="A whole crawl against the hub's rate limit.")
    parser.add_argument("--items", type=int, default=10_000, help="models at the hub (default 10,000)")
    parser.add_argument(
        "--per-second",
        type=float,
        default=Settings.model_fields["requests_per_second"].default,
        help="requests a second that the hub allows (default: what Pinakes keeps to by itself)",
    )
    parser.add_argument("--most", type=float, default=None, help="exit 1 above this ratio to the limit")
    given = parser.parse_args(arguments)
    ratio = run(given.items, given.per_second)
    return 1 if given.most is not None and ratio > given.most else 0


if __name__ == "__main__":
    sys.exit(main())
