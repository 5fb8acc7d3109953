"""The page and its API under load: a real server process, real sockets, a real Chromium, against limits.

usage: scripts/bench page [--count 100000] [--home DIR] [--clients 50] [--seconds 60] [--think 1.0]

A hub of 100,000 versions is made up (``page_library``), each with a picture; ``--home`` keeps it for the next
run. Measured: the gallery's first page at the socket; Chromium until the pictures in its window are drawn,
with an empty cache; answers of 100 models; then ``--clients`` people at once, who pause ``--think`` seconds
between two questions on average: first as they come, then each under an address that was not asked before.
"cpu" is the server process's own processor time a request: it tells of a busy machine what an idle one would
need. Chromium is PINAKES_TEST_CHROMIUM, else /usr/bin/chromium.
"""

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import quote

import httpx
from playwright.sync_api import sync_playwright

from indexer.settings import Settings
from scripts.benchmarks.page_library import build_page_library
from scripts.benchmarks.page_people import visits
from scripts.benchmarks.search_queries import kinds_of_queries

__all__ = ["main"]

CHROMIUM = os.environ.get("PINAKES_TEST_CHROMIUM", "/usr/bin/chromium")
_TICKS = os.sysconf("SC_CLK_TCK")
_LOG = 8_000
"""So many characters of what the server wrote are printed."""
_VISIBLE = """() => {
    const inside = [...document.images].filter((image) => {
        const box = image.getBoundingClientRect();
        return box.top < innerHeight && box.bottom > 0 && box.width > 0;
    });
    return inside.length >= 4 && inside.every((image) => image.complete && image.naturalWidth > 0);
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is missing, measure, and print; 1 when a limit is passed."""
    options = _options().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pinakes-page-") as folder:
        settings = Settings(home=(options.home or Path(folder)).absolute())
        if not options.no_build:
            build_page_library(settings, options.count)
        with _running(settings) as server:
            table = _Table(server)
            table.head()
            _first_pages(table, options.repeats)
            _chromium(table, options.repeats)
            _people(table, options)
    return 0 if table.within else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000, help="versions")
    parser.add_argument("--home", type=Path, help="keep catalog and index here, and use what is here")
    parser.add_argument("--no-build", action="store_true", help="ask what is there")
    parser.add_argument("--repeats", type=int, default=40, help="how often a page is asked for")
    parser.add_argument("--clients", type=int, default=50, help="people at once")
    parser.add_argument("--seconds", type=float, default=60, help="how long they stay")
    parser.add_argument("--think", type=float, default=1.0, help="mean pause of each, in seconds")
    return parser


# ---------------------------------------------------------------- the server


@dataclass(frozen=True, slots=True)
class _Server:
    address: str
    process: int

    def busy(self) -> float:
        """Seconds of processor that the server has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _running(settings: Settings) -> Iterator[_Server]:
    """A server of its own process; what it wrote is printed where it wrote something, or ended by itself."""
    command = [sys.executable, "-m", "search", "serve", "--port", "0", "--no-schedules"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*command, "--home", str(settings.home)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
        )
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is not None:
                yield _Server(found[0].rstrip(), process.pid)
        finally:
            ended = process.poll()
            if ended is None:
                process.terminate()
                process.wait(30)
            _tell(log, ended)
    if found is None:
        sys.exit("bench page: the server did not start")


def _tell(log: IO[str], ended: int | None) -> None:
    """What the server wrote last, and how it ended where nobody had asked for that."""
    if ended is not None:
        how = signal.strsignal(-ended) if ended < 0 else f"exit status {ended}"
        print(f"bench page: the server ended by itself: {how}", file=sys.stderr)
    log.seek(0)
    if text := log.read()[-_LOG:]:
        print(f"bench page: the server wrote\n{text}", file=sys.stderr)


# ---------------------------------------------------------------- what is printed


@dataclass(slots=True)
class _Table:
    server: _Server
    within: bool = True
    _before: tuple[float, int] = field(default=(0.0, 0))

    def head(self) -> None:
        """Names of the columns."""
        columns = "asked   p50 ms   p95 ms   max ms  cpu ms  limit  p95/limit"
        print(f"{'':34}  {columns}")

    def measure(self, name: str, limit: float | None, ask: Callable[[], object], repeats: int) -> None:
        """Ask some times, and print a line."""
        ask()
        busy, walls = self.server.busy(), []
        for _ in range(repeats):
            started = time.perf_counter()
            ask()
            walls.append(1000 * (time.perf_counter() - started))
        self.line(name, limit, walls, 1000 * (self.server.busy() - busy) / repeats)

    def line(self, name: str, limit: float | None, walls: Sequence[float], busy: float) -> None:
        """Print a line; past its limit is told."""
        ordered = sorted(walls)
        high = _at(ordered, 0.95)
        numbers = f"{len(ordered):6} {_at(ordered, 0.5):8.1f} {high:8.1f} {ordered[-1]:8.1f} {busy:7.1f}"
        if limit is None:
            print(f"{name:34} {numbers} {'-':>6}", flush=True)
            return
        self.within &= high <= limit
        late = "" if high <= limit else "  too slow"
        print(f"{name:34} {numbers} {limit:6.0f} {high / limit:10.2f}{late}", flush=True)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# ---------------------------------------------------------------- what is measured


def _first_pages(table: _Table, repeats: int) -> None:
    """Each time under another address, so that nothing is remembered; then one as people ask: again."""
    turns = count()
    with httpx.Client(base_url=table.server.address, timeout=60, trust_env=False) as client:

        def new(path: str) -> Callable[[], object]:
            return lambda: client.get(_fresh(path, next(turns))).raise_for_status()

        table.measure("gallery, first page", 150, new("/"), repeats)
        table.measure("gallery, newest", 150, new("/?sort=newest"), repeats)
        table.measure("gallery, words and a filter", 150, new("/?q=shai&type=lora"), repeats)
        table.measure("API, search, 100 models", 100, new("/api/search?limit=100"), repeats)
        table.measure("drop-in, 100 models", 100, new("/api/v1/models?limit=100"), repeats)
        table.measure(
            "drop-in, 100 models, newest", 100, new("/api/v1/models?limit=100&sort=Newest"), repeats
        )
        table.measure(
            "drop-in, 100 models of a rare type", 100, new("/api/v1/models?limit=100&types=VAE"), repeats
        )
        table.measure("gallery, asked again", 150, lambda: client.get("/").raise_for_status(), repeats)


def _fresh(path: str, turn: int) -> str:
    """The same question under an address that was not asked before."""
    return f"{path}{'&' if '?' in path else '?'}_={turn}"


def _chromium(table: _Table, repeats: int) -> None:
    """Until the pictures in the window are drawn, each time with nothing kept."""
    if not Path(CHROMIUM).exists():
        print("Chromium is not here; name it in PINAKES_TEST_CHROMIUM.")
        table.within = False
        return
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)

        def look() -> None:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(table.server.address, wait_until="commit")
            page.wait_for_function(_VISIBLE, polling="raf", timeout=30_000)
            context.close()

        table.measure("Chromium, to visible previews", 1_000, look, max(5, repeats // 4))
        browser.close()


# ---------------------------------------------------------------- many at once


def _people(table: _Table, options: argparse.Namespace) -> None:
    """As people and programs are: some ask what others asked. Then every question is a new one."""
    paths = _mixed(options.count)
    turns = count()
    _crowd(table, f"{options.clients} at once, mixed", lambda one: one, paths, options)
    _crowd(table, f"{options.clients} at once, all new", lambda one: _fresh(one, next(turns)), paths, options)


def _crowd(
    table: _Table, name: str, ask: Callable[[str], str], paths: Sequence[str], options: argparse.Namespace
) -> None:
    busy = table.server.busy()
    address, people = table.server.address, options.clients
    told = asyncio.run(visits(address, paths, ask, people, options.seconds, options.think))
    asked = max(1, len(told.walls))
    table.line(name, 300, told.walls or [0.0], 1000 * (table.server.busy() - busy) / asked)
    print(
        f"{asked / options.seconds:.1f} answers a second, {len(told.faults)} faults; "
        f"asking took {1000 * told.spent / asked:.2f} ms of processor each",
        flush=True,
    )
    for fault in told.faults[:5]:
        print(f"  {fault}")
    table.within &= not told.faults


def _mixed(count: int) -> list[str]:
    """What people and their tools ask: galleries, typing, API, single models, pictures, the drop-in."""
    chance = random.Random(3)
    kinds = kinds_of_queries(count, 12)
    words = [
        quote(ask.query)
        for name in ("rare word", "name", "words and filters", "filters alone")
        for ask in kinds[name]
    ]
    paths = [f"/?q={word}" for word in words]
    paths += [f"/api/search?q={word}" for word in words]
    paths += [f"/api/search?q={quote(ask.query)}&typing=true&limit=10" for ask in kinds["half typed"]] * 3
    paths += [f"/fragment/results?q={word}&offset=24" for word in words[::3]]
    paths += [
        f"/api/v1/models?limit=20&sort=Newest&types={kind}" for kind in ("LORA", "Checkpoint", "VAE")
    ] * 3
    ids = [chance.randrange(1, count) for _ in range(40)]
    paths += [f"/model/{id_}" for id_ in ids[:10]] + [f"/api/models/{id_}" for id_ in ids[10:20]]
    paths += [f"/api/previews/{id_}" for id_ in ids]
    chance.shuffle(paths)
    return paths


if __name__ == "__main__":
    sys.exit(main())
