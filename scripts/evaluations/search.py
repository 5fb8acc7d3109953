"""Is what people look for found? Known items, prompts and topics, beside other engines in the same run.

usage: python -m scripts.evaluations.search FOLDER [options]

FOLDER holds ``models.jsonl.xz``, items of Civitai's API v1, which are imported by the program's own import.
Each task's queries are made from the items by fixed rules (see ``search_tasks``, ``search_prompts``,
``search_topics``). Answers count by model: whichever version is found. Creators belong to one half as a
whole: look at ``tune`` alone while anything is tuned. ``MEILISEARCH_BIN`` names the server's program.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from indexer.progress import Silent
from indexer.settings import Settings
from scripts.evaluations.search_catalog import Dump, filtered, indexed
from scripts.evaluations.search_engines import (
    Asked,
    Candidates,
    FullText,
    Meilisearch,
    Ours,
    Server,
    peer_documents,
    server,
)
from scripts.evaluations.search_figures import DEPTH, TARGETS, TITLES, Figures, figures_of, mean, show
from scripts.evaluations.search_models import DUMP, Model, model_of, order_key, read_items
from scripts.evaluations.search_prompts import prompt_cases, twins
from scripts.evaluations.search_tasks import Case, known_item_cases
from scripts.evaluations.search_topics import topic_cases

__all__ = ["main"]

HELD_OUT_PICTURES = 600
"""Pictures of a half that are left out of the index, so that it is the same whatever ``--limit`` says."""

_NO_SERVER = "meilisearch is not measured: MEILISEARCH_BIN must name the server's program"
TASKS = tuple(TITLES)
HALVES = ("tune", "held-out")


@dataclass(frozen=True, slots=True)
class Miss:
    """A query whose wanted model was not first: what was wanted, what came."""

    engine: str
    case: Case
    rank: int
    came: tuple[int, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 1 when one is below what is to be reached, 2 when the folder holds no items."""
    options = _options().parse_args(argv)
    items = list(read_items(options.folder / DUMP)) if (options.folder / DUMP).is_file() else []
    if not items:
        print(f"{options.folder}: no model items in {DUMP}", file=sys.stderr)
        return 2
    models = [model_of(item) for item in items]
    with ExitStack() as stack:
        asked = _Asking(options, items, models, stack)
        results = {task: asked.measure(task) for task in options.tasks}
        if options.dump_failures:
            _write_misses(options.dump_failures, asked.misses, {m.id: m.name for m in models})
    return _report(options, results, asked)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="search", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help=f"holds {DUMP}")
    parser.add_argument("--engine", choices=("tantivy", "meilisearch", "both"), default="tantivy")
    parser.add_argument("--half", choices=(*HALVES, "all"), default="all")
    parser.add_argument("--tasks", type=_tasks, default=TASKS, help=f"of {','.join(TASKS)}")
    parser.add_argument("--limit", type=int, default=300, help="most queries a task and half")
    parser.add_argument("--baselines", action="store_true", help="ask FTS5, and Meilisearch as it comes, too")
    parser.add_argument("--recall", action="store_true", help="recall@100 of the engines' candidates as well")
    parser.add_argument(
        "--dump-failures", type=Path, metavar="FILE", help="misses as JSON lines, tune half only"
    )
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "pinakes-evaluate-search")
    parser.add_argument("--keep", action="store_true", help="use indexes made by older code")
    parser.add_argument("--json", action="store_true")
    return parser


def _tasks(text: str) -> tuple[str, ...]:
    tasks = tuple(text.split(","))
    if unknown := set(tasks) - set(TASKS):
        raise argparse.ArgumentTypeError(
            f"no task {', '.join(sorted(unknown))}; choose of {', '.join(TASKS)}"
        )
    return tasks


class _Asking:
    """Cases and those who are asked, made as tasks need them."""

    def __init__(
        self, options: argparse.Namespace, items: list[dict[str, Any]], models: list[Model], stack: ExitStack
    ) -> None:
        self.options = options
        self.items = items
        self.stack = stack
        self.misses: list[Miss] = []
        self.ours: list[str] = []
        self._server: Server | None = None
        held = [
            prompt
            for half in HALVES
            for prompt in sorted(
                (prompt for prompt in prompt_cases(models) if prompt.case.half == half),
                key=lambda prompt: order_key("prompt", prompt.place[0]),
            )[:HELD_OUT_PICTURES]
        ]
        self._left_out = twins(models, held)
        cases = [*known_item_cases(models), *(prompt.case for prompt in held), *topic_cases(models)]
        self._cases = {task: self._chosen(task, cases) for task in options.tasks}
        self._engines: dict[bool, list[Asked]] = {}

    def _chosen(self, task: str, cases: Sequence[Case]) -> list[Case]:
        chosen = []
        for half in HALVES if self.options.half == "all" else (self.options.half,):
            found = [case for case in cases if case.task == task and case.half == half]
            found.sort(key=lambda case: order_key(task, (sorted(case.wanted), case.query)))
            chosen += found[: self.options.limit]
        return chosen

    def chance(self, task: str) -> float | None:
        """The MRR of a perfect answer that cannot tell equals apart; None of prompts and topics."""
        cases = self._cases[task]
        return None if task in ("prompt", "topic") else sum(case.chance for case in cases) / len(cases)

    def measure(self, task: str) -> dict[str, Figures]:
        """Figures of one task by who is asked."""
        cases = self._cases[task]
        if not cases:
            return {}
        return {asked.name: self._ask(asked, cases) for asked in self._of(tags=task != "topic")}

    def _ask(self, asked: Asked, cases: Sequence[Case]) -> Figures:
        depth = 100 if isinstance(asked, Candidates) else DEPTH
        rows, times = [], []
        for case in cases:
            before = time.perf_counter()
            found = asked.search(case.query, depth)
            times.append(time.perf_counter() - before)
            row = figures_of(found, case.wanted, depth)
            rows.append(row)
            if asked.name in self.ours and row.mrr < 1 and case.half == "tune":
                self.misses.append(
                    Miss(asked.name, case, round(1 / row.mrr) if row.mrr else 0, tuple(found[:3]))
                )
        return mean(rows, times)

    def _of(self, *, tags: bool) -> list[Asked]:
        if tags not in self._engines:
            self._engines[tags] = list(self._make(tags))
        return self._engines[tags]

    def _make(self, tags: bool) -> Iterator[Asked]:
        options = self.options
        dump = filtered(self.items, self._left_out, options.home, tags=tags)
        if options.baselines:
            yield from self._peers(dump)
        for engine in ("tantivy", "meilisearch") if options.engine == "both" else (options.engine,):
            settings = self._settings(engine, dump)
            if settings is not None:
                ours = Ours(f"Pinakes, {engine}", settings)
                self.stack.callback(ours.pinakes.close)
                self.ours.append(ours.name)
                yield ours
                if options.recall:
                    yield Candidates(ours)

    def _settings(self, engine: str, dump: Dump) -> Settings | None:
        more: dict[str, Any] = {}
        if engine == "meilisearch":
            at = self._running()
            if at is None:
                print(_NO_SERVER, file=sys.stderr)
                return None
            name = f"pinakes-{dump.digest}"
            more = {"meilisearch_url": at.url, "meilisearch_key": at.key, "meilisearch_index": name}
        folder = self.options.home / f"{dump.digest}-{engine}"
        return indexed(dump, folder, Silent(), more, keep=self.options.keep)

    def _peers(self, dump: Dump) -> Iterator[Asked]:
        with dump.path.open("rb") as lines:
            documents = list(peer_documents(json.loads(line) for line in lines))
        yield FullText(documents, whole=False)
        yield FullText(documents, whole=True)
        running = self._running()
        if running is None:
            return
        for name, index, fields in (
            ("Meilisearch, default", "peer", ("*",)),
            ("Meilisearch, Civitai's fields", "civitai", ("name", "creator", "hashes", "triggers")),
        ):
            peer = Meilisearch(name, running, f"{index}-{dump.digest}", fields)
            peer.fill(documents)
            yield peer

    def _running(self) -> Server | None:
        if self._server is None:
            self._server = self.stack.enter_context(server(self.options.home / "meilisearch"))
        return self._server


def _report(options: argparse.Namespace, results: dict[str, dict[str, Figures]], asked: _Asking) -> int:
    reached = True
    console = Console(stderr=options.json)
    for task, rows in results.items():
        if rows:
            reached = show(console, task, rows, asked.ours, asked.chance(task)) and reached
    if options.json:
        told = {task: {name: asdict(row) for name, row in rows.items()} for task, rows in results.items()}
        print(json.dumps({"reached": reached, "targets": TARGETS, "tasks": told}, indent=1))
    return 0 if reached else 1


def _write_misses(path: Path, misses: Sequence[Miss], names: dict[int, str]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for miss in misses:
            row = {
                "engine": miss.engine,
                "task": miss.case.task,
                "query": miss.case.query,
                "rank": miss.rank,
                "wanted": [[id_, names[id_]] for id_ in sorted(miss.case.wanted)[:DEPTH]],
                "came": [[id_, names[id_]] for id_ in miss.came],
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
