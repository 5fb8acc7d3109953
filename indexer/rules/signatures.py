"""Signatures: rows of ``indexer/data/signatures/*.toml`` that say what a part of a file is.

Grammar of a row (every condition given must hold; ``id``, ``kind`` and ``why`` are required):

``architectures``  what it proves; several are alternatives that the tensors cannot tell apart
``of``             ids of rows, one of which must hold for the same part first
``has``            names that must all be there; ``a|b`` means either
``any``            names of which one must be there
``lacks``          names that must not be there
``prefix``         starts of names, one of which must be there
``shape``          name -> dimensions: a number, ``"*"`` any, ``"16|32"`` either, ``"..."`` any further ones
                   (at the front: any earlier ones); the name ``"*"`` means every tensor
``count``          template -> how many tensors have it
``only``           the file has no more tensors than this
``overrides``      ids of rows that this one, being more telling, puts out of court

In names ``#`` is any number and a leading ``/`` means the root of the file. All rows are evaluated for all
parts. A shape that quantisation hides leaves a row *unproven*: it may still hold, and says less."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from indexer.domain.vocabulary import TableError
from indexer.rules.profile import Pattern, Profile, View

__all__ = ["Match", "Signature", "match_all", "signatures"]

_FOLDER = files("indexer") / "data" / "signatures"
_COLUMNS = frozenset(
    "id kind why architectures of has any lacks prefix shape count only overrides".split()  # noqa: SIM905
)

_SHOWN = 200
"""Characters of a name in the evidence."""

Alternatives = tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """One row, its names parsed. See the module's docstring for the meaning of each field."""

    id: str
    kind: str
    why: str
    architectures: tuple[str, ...]
    of: frozenset[str]
    has: tuple[Alternatives, ...]
    any: Alternatives
    lacks: Alternatives
    prefix: tuple[str, ...]
    shape: tuple[tuple[Alternatives, tuple[str, ...]], ...]
    count: tuple[tuple[str, int], ...]
    only: int
    overrides: frozenset[str]
    number: int = 0

    @property
    def weight(self) -> int:
        """How much the row asks for: breaks ties between rows that disagree."""
        return len(self.has) * 2 + len(self.shape) * 2 + len(self.count) + bool(self.any) + len(self.lacks)


@dataclass(frozen=True, slots=True)
class Match:
    """A signature that holds for a part; ``proven`` when no shape it asks for was hidden."""

    signature: Signature
    view: View
    proven: bool
    detail: str


def _alternatives(text: str) -> Alternatives:
    return tuple(map(Pattern.parse, text.split("|")))


def _parse(row: Mapping[str, Any]) -> Signature:
    if not _COLUMNS >= row.keys() >= {"id", "kind", "why"}:
        raise TableError(f"signature {row.get('id')!r}: unknown or missing columns; see signatures.py")
    return Signature(
        id=row["id"],
        kind=row["kind"],
        why=row["why"],
        architectures=tuple(row.get("architectures", ())),
        of=frozenset(row.get("of", ())),
        has=tuple(map(_alternatives, row.get("has", ()))),
        any=tuple(map(Pattern.parse, row.get("any", ()))),
        lacks=tuple(map(Pattern.parse, row.get("lacks", ()))),
        prefix=tuple(row.get("prefix", ())),
        shape=tuple(
            (_alternatives(key), tuple(map(str, dims))) for key, dims in row.get("shape", {}).items()
        ),
        count=tuple(row.get("count", {}).items()),
        only=row.get("only", 0),
        overrides=frozenset(row.get("overrides", ())),
    )


@cache
def signatures() -> tuple[Signature, ...]:
    """All rows of all tables, rows that others build on (``of``) before those."""
    tables = sorted(
        (entry for entry in _FOLDER.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name
    )
    rows = [_parse(row) for table in tables for row in tomllib.loads(table.read_text("utf-8"))["signature"]]
    ordered: list[Signature] = []
    placed: set[str] = set()
    while rows:
        ready = [row for row in rows if row.of <= placed]
        if not ready:
            raise TableError(f"signatures wait for each other: {[row.id for row in rows]}; see 'of'")
        ordered += ready
        placed |= {row.id for row in ready}
        rows = [row for row in rows if row.id not in placed]
    return tuple(replace(row, number=number) for number, row in enumerate(ordered))


@dataclass(frozen=True, slots=True)
class _Index:
    """Rows by a template that they cannot do without, rows that have none, and rows by what they build on."""

    keyed: dict[str, list[Signature]]
    free: tuple[Signature, ...]
    above: dict[str, list[Signature]]


@cache
def _index() -> _Index:
    keyed: dict[str, list[Signature]] = {}
    above: dict[str, list[Signature]] = {}
    free = []
    for row in signatures():
        needed = next(
            (names for names in (*row.has, row.any) if names and not any(n.rooted for n in names)), None
        )
        for base in row.of:
            above.setdefault(base, []).append(row)
        if needed and not row.of:
            for template in {pattern.template for pattern in needed}:
                keyed.setdefault(template, []).append(row)
        elif not row.of:
            free.append(row)
    return _Index(keyed, tuple(free), above)


def match_all(profile: Profile, views: Iterable[View]) -> list[Match]:
    """Every signature that holds for any of the parts, overridden ones left out."""
    matches = [match for view in views for match in _match_view(profile, view)]
    overridden = {name for match in matches for name in match.signature.overrides}
    return [match for match in matches if match.signature.id not in overridden]


def _match_view(profile: Profile, view: View) -> list[Match]:
    index = _index()
    waiting = {
        row.id: row for template in index.keyed.keys() & view.templates for row in index.keyed[template]
    }
    waiting.update((row.id, row) for row in index.free)
    held: dict[str, Match] = {}
    while waiting:
        matches = [_evaluate(row, profile, view, _all_proven(row, held)) for row in waiting.values()]
        new = {match.signature.id: match for match in matches if match}
        held.update(new)
        waiting = {row.id: row for base in new for row in index.above.get(base, ()) if row.id not in held}
    return sorted(held.values(), key=lambda match: match.signature.number)


def _all_proven(row: Signature, held: Mapping[str, Match]) -> bool:
    return all(held[base].proven for base in row.of if base in held)


def _evaluate(row: Signature, profile: Profile, view: View, proven: bool) -> Match | None:
    if row.only and len(profile.tensors) > row.only:
        return None
    for names in row.has:
        if not any(profile.find(view, pattern) for pattern in names):
            return None
    if row.any and not any(profile.find(view, pattern) for pattern in row.any):
        return None
    if any(profile.find(view, pattern) for pattern in row.lacks):
        return None
    if any(profile.count(view, template) != number for template, number in row.count):
        return None
    if row.prefix and not profile.starts(view, row.prefix):
        return None
    return _check_shapes(row, profile, view, proven)


def _check_shapes(row: Signature, profile: Profile, view: View, proven: bool) -> Match | None:
    seen: list[str] = []
    asked: list[str] = []
    hidden = 0
    for names, wanted in row.shape:
        if names[0].text == "*":
            verdicts = [(name, _fits(profile.shape(name), wanted)) for name in profile.names]
        else:
            verdicts = [_one_shape(profile, view, names, wanted)]
        if any(fits is False for _, fits in verdicts):
            return None
        hidden += any(fits is None for _, fits in verdicts)
        asked += [name for name, _ in verdicts]
        fitting = (name for name, fits in verdicts if fits)
        seen += [f"{name[:_SHOWN]} {profile.tensors[name]['shape']}" for name in islice(fitting, 2)]
    if hidden == len(row.shape) > 0:
        if not (row.has or row.any or row.count or (row.of and any(asked))):
            return None  # nothing at all was seen
        proven = False
    return Match(row, view, proven, "; ".join([row.why, *seen[:2]]))


def _one_shape(
    profile: Profile, view: View, names: Alternatives, wanted: tuple[str, ...]
) -> tuple[str, bool | None]:
    for pattern in names:
        if name := profile.find(view, pattern):
            return name, _fits(profile.shape(name), wanted)
    return "", None


def _fits(shape: list[int] | None, wanted: tuple[str, ...]) -> bool | None:
    """Whether a shape is as wanted; ``None`` when it is hidden or was never recorded (a single element)."""
    if shape is None or (len(shape) < 2 <= len(wanted) and "..." not in wanted and shape in ([], [1])):
        return None
    if wanted[0] == "...":
        shape, wanted = shape[len(shape) - len(wanted) + 1 :], wanted[1:]
    elif wanted[-1] == "...":
        shape, wanted = shape[: len(wanted) - 1], wanted[:-1]
    if len(shape) != len(wanted):
        return False
    return all(want == "*" or str(size) in want.split("|") for size, want in zip(shape, wanted, strict=True))
