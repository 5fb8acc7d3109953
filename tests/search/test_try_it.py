"""The "try it" list keeps its promises: each search is run as it stands there, on the indexed demo library.

Bold is the name of the first hit. A comment in a row says more, in conditions parted by semicolons:
``every FIELD OP VALUE`` and ``first FIELD OP VALUE`` of the hits' documents (``every … , 1``: of so many first
ones), ``hits OP NUMBER``, ``note TEXT``, ``explained TEXT`` and ``same again``.
"""

import json
import operator
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from indexer.domain.records import Document
from indexer.settings import Settings
from search.cli import app
from search.service import Pinakes

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md"]
ROW = re.compile(r"^\| `(?P<typed>[^`]+)` \| (?P<promise>.+) \|$")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "has": operator.contains,
    "lacks": lambda values, value: value not in values,
}


class Promise(NamedTuple):
    typed: str
    first: str | None
    conditions: tuple[str, ...]


def promises() -> Iterator[Promise]:
    for page in PAGES:
        if not page.is_file() or "Try it" not in (text := page.read_text("utf-8")):
            continue
        section = text.split("# Try it", 1)[1].split("\n## ", 1)[0]
        for line in section.splitlines():
            if found := ROW.match(line):
                bold = re.search(r"\*\*(.+?)\*\*", found["promise"])
                said = re.search(r"<!-- (.+) -->", found["promise"])
                conditions = said[1].split("; ") if said else ()
                yield Promise(found["typed"], bold[1] if bold else None, tuple(conditions))


PROMISES = list(dict.fromkeys(promises()))


@pytest.fixture(scope="module")
def pinakes(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


def run(typed: str, home: Path, *more: str) -> str:
    words = [*shlex.split(typed), "--home", str(home), *more]
    done = CliRunner().invoke(app, ["search", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def holds(document: Document, condition: str) -> bool:
    name, how, value = condition.split(" ", 2)
    have = getattr(document, name)
    return have is not None and OPERATORS[how](have, type(have)(value) if isinstance(have, int) else value)


def kept(condition: str, answer: dict[str, Any], found: list[Document], promise: Promise, home: Path) -> bool:
    sort, _, rest = condition.partition(" ")
    match sort:
        case "every":
            told, _, count = rest.partition(", ")
            return bool(found) and all(holds(d, told) for d in found[: int(count) if count else None])
        case "first":
            return holds(found[0], rest)
        case "hits":
            how, number = rest.split()
            return OPERATORS[how](answer["total"], int(number))
        case "note":
            return any(rest in note for note in answer["notes"])
        case "explained":
            return rest in " ".join(run(promise.typed, home).split())
        case "same":
            again: dict[str, Any] = json.loads(run(promise.typed, home, "--json"))
            return [hit["id"] for hit in again["hits"]] == [hit["id"] for hit in answer["hits"]]
    raise ValueError(f"no condition is called {sort!r}")


def test_there_are_twenty_or_more() -> None:
    assert len(PROMISES) >= 20


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.typed)
def test_it_gives_what_it_promises(promise: Promise, demo_home: Settings, pinakes: Pinakes) -> None:
    answer = json.loads(run(promise.typed, demo_home.home, "--json"))
    documents = [pinakes.entry(hit["id"]) for hit in answer["hits"]]
    found = [document for document in documents if document is not None]
    assert found
    assert promise.first is None or found[0].name == promise.first
    for condition in promise.conditions:
        assert kept(condition, answer, found, promise, demo_home.home), condition
