"""A move plan of a large library against a made-up hub; the limit is two minutes.

    scripts/bench plan [--folder FOLDER] [--versions N] [--pictures N] [--models N] [--to ARCH]

FOLDER keeps the hub (catalog and indexes, the one of ``scripts/bench search``) for the next run. The library
is the first ``--models`` versions that do not work on the target, so that candidates are looked for of every
one. Printed: seconds by the clock and of the processor, memory, actions; whether two runs agree.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from indexer.domain.fields import FIELDS
from indexer.domain.filters import AnyOf, Not
from indexer.progress import Silent, Stage
from indexer.settings import Settings
from indexer.stages.publish_gist import read_gist
from scripts.benchmarks.search_building import build
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
        self._total = total or 1
        yield self

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        before, self._done = self._done * 10 // self._total, self._done + count
        if self._done * 10 // self._total > before:
            spent = time.perf_counter() - self._start
            print(f"  {self._done:,} models, {spent:.1f} s, {_memory():,} MB", flush=True)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


def _library(pinakes: Pinakes, to: str, count: int) -> list[int]:
    """Versions that do not work on the target, by id."""
    where = Not(AnyOf(FIELDS["fits"], (target_of(to).architecture,)))
    return sorted(pinakes.text.matching(where, 10 * count))[:count]


def _twice(pinakes: Pinakes, to: str, ids: Sequence[int]) -> None:
    """Whether two plans of one catalog are the same bytes."""
    one, other = (plan_json(make_plan(pinakes, PlanRequest(to, ids=ids))) for _ in range(2))
    print(f"the same plan twice, of {len(ids):,} models: {'yes' if one == other else 'NO'}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see above."""
    parser = argparse.ArgumentParser(description="Plan a large library.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--to", default="sdxl")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(home=options.folder or Path(scratch), show_adult=True, show_people=True)
        build(settings, options.versions, options.pictures)
        with Pinakes(settings) as pinakes:
            ids = _library(pinakes, options.to, options.models)
            busy = time.process_time()
            read_gist(pinakes.catalog, pinakes.settings, Silent())
            print(f"gists opened in {time.process_time() - busy:.2f} s of processor", flush=True)
            start, busy = time.perf_counter(), time.process_time()
            plan = make_plan(pinakes, PlanRequest(options.to, ids=ids), _Clock())
            spent, busy = time.perf_counter() - start, time.process_time() - busy
            print(
                f"{len(plan.items):,} models against {options.versions:,} versions: {spent:.1f} s "
                f"({busy:.1f} s of processor, {1000 * busy / max(len(plan.items), 1):.1f} ms a model), "
                f"{spent / _LIMIT:.2f} of the limit; {_memory():,} MB at most"
            )
            print({action: count for action, count in plan.totals.items() if count})
            _twice(pinakes, options.to, ids[:200])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
