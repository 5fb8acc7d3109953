"""A full search over many versions: parse, text, filters, facets, ranking and rows, against limits.

usage: scripts/bench search [--count 1000000] [--engine tantivy|meilisearch] [--home DIR]

The hub is made up (``search_library``): Zipf's words, statistics, pictures for a part. ``--home`` keeps it
for the next run, and a build that was stopped goes on. ``PINAKES_DATABASE_URL`` may name an empty PostgreSQL
database. Meilisearch is started from ``MEILISEARCH_BIN`` unless ``PINAKES_MEILISEARCH_URL`` names one.
Every query is asked once, after a few of its kind for warming; times are those of one client. "cpu" is this
process's own processor time at p95: it tells of a busy machine what an idle one would need.
"""

import argparse
import cProfile
import gc
import pstats
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.catalog import entries
from indexer.domain.fields import FIELDS
from indexer.domain.filters import keyword, values_of
from indexer.errors import PinakesError, UsageError
from indexer.indexes.text import EXACT_FACETS, TextQuery
from indexer.indexes.text_facets import MAX_CODED
from indexer.settings import Settings
from scripts.benchmarks.search_building import build
from scripts.benchmarks.search_queries import Ask, hostile_queries, kinds_of_queries, typed_letter_by_letter
from scripts.evaluations.search_engines import server
from search.answers import Answer
from search.query import QueryError, parse_query
from search.ranking import load_weights
from search.safe import visible
from search.service import Pinakes

__all__ = ["Bench", "main"]

LIMITS = {"tantivy": 50.0, "meilisearch": 100.0}
"""Milliseconds in which 95 of 100 full searches are answered."""

TYPING = 30.0
HOSTILE = 2_000.0
_WARM = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is missing, ask, and print; 1 when a limit is passed."""
    options = _options().parse_args(arguments)
    with ExitStack() as stack:
        home = options.home or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="pinakes-search-"))
        )
        settings = _settings(home, options.engine, stack)
        pictures = min(options.pictures, options.count)
        if not options.no_build:
            build(settings, options.count, pictures)
        bench = Bench(settings, options.engine, stack.enter_context(Pinakes(settings)))
        if options.profile:
            bench.profile(kinds_of_queries(options.count, options.each), options.profile)
            return 0
        kinds = kinds_of_queries(options.count, options.each)
        typed = typed_letter_by_letter(options.count, 20)
        gc.collect()
        gc.freeze()  # the documents that queries were made from are no part of what a search holds
        bench.full(kinds)
        bench.typing(typed)
        if pictures:
            bench.looks(options.count, pictures)
        bench.facets(kinds_of_queries(options.count, 5))
        bench.hostile()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"memory at most {peak:,.0f} MiB")
    return 0 if bench.within else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000, help="versions")
    parser.add_argument("--engine", choices=tuple(LIMITS), default="tantivy")
    parser.add_argument("--home", type=Path, help="keep catalog and indexes here, and use what is here")
    parser.add_argument(
        "--pictures", type=int, default=100_000, help="versions with a picture and its vectors"
    )
    parser.add_argument("--each", type=int, default=60, help="queries of each kind")
    parser.add_argument("--no-build", action="store_true", help="ask what is there")
    parser.add_argument(
        "--profile", type=int, metavar="LINES", help="profile instead: the most costly functions"
    )
    return parser


def _settings(home: Path, engine: str, stack: ExitStack) -> Settings:
    settings = Settings(home=home.absolute())
    if engine == "tantivy" or settings.meilisearch_url:
        return settings
    running = stack.enter_context(server(home.absolute() / "meilisearch"))
    if running is None:
        sys.exit("bench search: MEILISEARCH_BIN must name the server's program")
    return Settings(home=home.absolute(), meilisearch_url=running.url, meilisearch_key=running.key)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds on the clock, and of this process's processor time."""

    wall: float
    busy: float


def _spent(call: Callable[[], object]) -> Spent:
    started, busy = time.perf_counter(), time.process_time()
    call()
    return Spent(1000 * (time.perf_counter() - started), 1000 * (time.process_time() - busy))


class Bench:
    """What is asked and printed; ``within`` tells whether every limit was kept so far."""

    def __init__(self, settings: Settings, engine: str, pinakes: Pinakes) -> None:
        self.engine = engine
        self.limit = LIMITS[engine]
        self.settings = settings
        self.pinakes = pinakes
        self.within = True

    def full(self, kinds: dict[str, list[Ask]]) -> None:
        """Full searches by kind of query."""
        first = self._timed(Ask("first search of all"))
        print(f"first search, opening everything: {first.wall:.0f} ms")
        self._head("full search, limit 24", self.limit)
        for name, asks in kinds.items():
            self._line(name, [self._timed(ask) for ask in self._warmed(asks)], self.limit)

    def typing(self, asks: Sequence[Ask]) -> None:
        """As-you-type: every letter is a search."""
        self._head("as you type", TYPING)
        self._line("letter by letter", [self._timed(ask) for ask in self._warmed(asks)], TYPING)

    def looks(self, count: int, pictures: int) -> None:
        """Searches by an entry's pictures, with words and filters that narrow them."""
        self._head("pictures, limit 24", self.limit)
        step = count // pictures
        for by in ("style", "content"):
            for name, query in (
                ("", ""),
                (" + filters", "type:lora arch:sdxl"),
                (" + rare filter", "rank:4 arch:sd2"),
            ):
                times = []
                for place in range(1, 33):
                    entry = (place * 7 % pictures) * step + 1
                    times.append(
                        _spent(partial(self.pinakes.similar, entry, by=by, query=query, min_score=0.0))
                    )
                self._line(f"{by}{name}", times[2:], self.limit)

    def facets(self, kinds: dict[str, list[Ask]]) -> None:
        """Facet counts against counting the documents of all matches."""
        checked, wrong, marked, beyond = 0, list[str](), 0, 0
        for ask in (ask for asks in kinds.values() for ask in asks if not ask.more):
            answer = self.pinakes.search(ask.query)
            if answer.matches > EXACT_FACETS:
                beyond += 1
                marked += answer.estimated
                continue
            checked += 1
            if answer.estimated or not self._agree(ask.query, answer):
                wrong.append(ask.query)
        print(f"\nfacets up to {EXACT_FACETS:,} matches: {checked} answers counted anew, {len(wrong)} differ")
        print(f"facets beyond: {beyond} answers, {marked} marked as estimates", flush=True)
        for query in wrong[:5]:
            print(f"  differs: {query!r}")
        self.within &= not wrong

    def _agree(self, query: str, answer: Answer) -> bool:
        """Whether counts are those of all matching documents; only the most frequent values are told."""
        parsed = parse_query(query)
        where = visible(self.settings, parsed)
        asked = TextQuery(parsed.terms, parsed.phrases, where, load_weights().fields)
        ids = self.pinakes.text.search(asked, EXACT_FACETS).ids
        counts: dict[str, Counter[str]] = {name: Counter() for name in answer.facets}
        with self.pinakes.catalog.read() as session:
            for document in entries.documents(session, ids).values():
                for name, count in counts.items():
                    count.update({keyword(str(v)) for v in values_of(document, FIELDS[name])})
        return all(
            len(told) == min(len(counts[name]), max(MAX_CODED, len(told)))
            and all(counts[name][value] == number for value, number in told.items())
            for name, told in answer.facets.items()
        )

    def hostile(self) -> None:
        """Nothing typed may break an engine or take long; a mistake gets its caret."""
        times, refused, broken = list[float](), 0, list[str]()
        for query in hostile_queries():
            started = time.perf_counter()
            try:
                self.pinakes.search(query)
            except (QueryError, UsageError):
                refused += 1
            except (PinakesError, ValueError, RecursionError, TypeError) as error:
                broken.append(f"{query[:60]!r}: {type(error).__name__} {str(error)[:100]}")
            times.append(1000 * (time.perf_counter() - started))
            if times[-1] > HOSTILE:
                broken.append(f"{query[:60]!r} took {times[-1]:,.0f} ms")
        print(f"\n{'hostile':24} queries  p50 ms  p95 ms  max ms   max / {HOSTILE:,.0f} ms")
        ordered = sorted(times)
        numbers = f"{_at(ordered, 0.5):7.1f} {_at(ordered, 0.95):7.1f} {ordered[-1]:7.1f}"
        print(
            f"{'':24} {len(times):7} {numbers} {ordered[-1] / HOSTILE:16.2f}   {refused} refused with a caret"
        )
        for line in broken[:20]:
            print(f"  {line}")
        self.within &= not broken

    def profile(self, kinds: dict[str, list[Ask]], lines: int) -> None:
        """Where the time of full searches goes."""
        asks = [ask for asked in kinds.values() for ask in asked]
        for ask in asks[:_WARM]:
            self._timed(ask)
        watched = cProfile.Profile()
        watched.enable()
        for ask in asks:
            self._timed(ask)
        watched.disable()
        pstats.Stats(watched).sort_stats("cumulative").print_stats(lines).sort_stats("tottime").print_stats(
            lines
        )

    def _timed(self, ask: Ask) -> Spent:
        """One search."""
        return _spent(lambda: self.pinakes.search(ask.query, **ask.more))

    def _warmed(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        for ask in asks[:_WARM]:
            self._timed(ask)
        return asks[_WARM:]

    def _head(self, title: str, limit: float) -> None:
        print(f"\n{title:24} queries  p50 ms  p95 ms  max ms     cpu   p95 / {limit:.0f} ms")

    def _line(self, name: str, times: Sequence[Spent], limit: float) -> None:
        walls = sorted(spent.wall for spent in times)
        high = _at(walls, 0.95)
        self.within &= high <= limit
        numbers = f"{_at(walls, 0.5):7.1f} {high:7.1f} {walls[-1]:7.1f}"
        busy = _at(sorted(spent.busy for spent in times), 0.95)
        mark = "" if high <= limit else "  too slow"
        print(f"{name:24} {len(walls):7} {numbers} {busy:7.1f} {high / limit:14.2f}{mark}", flush=True)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    sys.exit(main())
