"""A move plan of a large library against a made-up hub; the limit is two minutes.

    scripts/bench plan [--folder FOLDER] [--versions N] [--pictures N] [--models N] [--to ARCH]

FOLDER keeps the hub (catalog and indexes, the one of ``scripts/bench search``) and the library beside it for
the next run; making them takes the better part of an hour. The library's files have stored headers, pages
with links and, half of them, pictures; none works on the target, so that candidates are looked for of all.
Printed: seconds by the clock and of the processor, memory, actions; whether two runs agree.
"""

import argparse
import cProfile
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from indexer.progress import Silent, Stage
from indexer.settings import Settings
from indexer.stages.publish_gist import read_gist
from scripts.benchmarks.plan_library import add_library
from scripts.benchmarks.search_building import build
from search.plan_answer import Plan
from search.plan_make import PlanRequest, make_plan
from search.plan_report import plan_json
from search.plan_scope import target_of
from search.service import Pinakes

__all__ = ["main"]

_LIMIT = 120.0


class _Clock(Silent):
    """Says how far it is, a line every tenth."""

    def __init__(self) -> None:
        super().__init__()
        self._done, self._total, self._start = 0, 1, time.perf_counter()

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``."""
        self._done, self._total = 0, total or 1
        yield self

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        before, self._done = self._done * 10 // self._total, self._done + count
        if self._done * 10 // self._total > before:
            spent = time.perf_counter() - self._start
            print(f"  {self._done:,} models, {spent:.1f} s, {_memory():,} MB", flush=True)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


def _settings(home: Path) -> Settings:
    return Settings(home=home, show_adult=True, show_people=True)


def _make(home: Path, versions: int, pictures: int, models: int, target: str) -> None:
    """The hub and the library, as far as they are not there yet."""
    build(_settings(home), versions, pictures)
    add_library(_settings(home), models, target)


def _measure(home: Path, to: str, profile: Path | None) -> None:
    with Pinakes(_settings(home)) as pinakes:
        busy = time.process_time()
        gists = len(read_gist(pinakes.catalog, pinakes.settings, Silent()))
        print(f"gists opened in {time.process_time() - busy:.2f} s of processor", flush=True)
        start, busy = time.perf_counter(), time.process_time()
        plan = _planned(pinakes, PlanRequest(to), profile)
        spent, busy = time.perf_counter() - start, time.process_time() - busy
        count = len(plan.items)
        print(
            f"{count:,} models against {gists - count:,} versions: {spent:.1f} s "
            f"({busy:.1f} s of processor, {1000 * busy / max(count, 1):.1f} ms a model), "
            f"{spent / _LIMIT:.2f} of the limit; {_memory():,} MB at most"
        )
        print({action: count for action, count in plan.totals.items() if count})
        _twice(pinakes, to, [item.document.id for item in plan.items[:200] if item.document])


def _planned(pinakes: Pinakes, request: PlanRequest, profile: Path | None) -> Plan:
    if profile is None:
        return make_plan(pinakes, request, _Clock())
    with cProfile.Profile() as watch:
        plan = make_plan(pinakes, request, _Clock())
    watch.dump_stats(profile)
    return plan


def _twice(pinakes: Pinakes, to: str, ids: Sequence[int]) -> None:
    """Whether two plans of one catalog are the same bytes."""
    one, other = (plan_json(make_plan(pinakes, PlanRequest(to, ids=ids))) for _ in range(2))
    print(f"the same plan twice, of {len(ids):,} models: {'yes' if one == other else 'NO'}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see above."""
    parser = argparse.ArgumentParser(description="Plan a large library.")
    parser.add_argument("--folder", type=Path, help="keeps hub and library for the next run")
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--to", default="sdxl")
    parser.add_argument("--profile", type=Path, help="write what each function took, for pstats")
    options = parser.parse_args(arguments)
    target = target_of(options.to).architecture
    with tempfile.TemporaryDirectory() as scratch:
        home = options.folder or Path(scratch)
        # In a process of its own, so that the memory told is the plan's.
        wanted = (home, options.versions, options.pictures, options.models, target)
        made = multiprocessing.get_context("spawn").Process(target=_make, args=wanted)
        made.start()
        made.join()
        if made.exitcode:
            return 1
        _measure(home, options.to, options.profile)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
