"""What does a request ask for? Query parameters in, one query for the service out, and links back to them.

Every field of ``domain.fields`` is a parameter of its own: ``type=lora,checkpoint`` is any of both,
``tag=-anime`` excludes. A repeated parameter widens where an entry has one value (``type``, ``creator``) and
narrows where it can have several (``tag``, ``has``, ``is``) or is a range (``rank``, ``created``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.records import Document
from indexer.errors import UsageError
from search.query import QueryError, narrowed

__all__ = ["PARAMETERS", "Clause", "Wanted", "parameter_of", "read_wanted"]

PARAMETERS: Mapping[str, Field] = {
    # ``base`` is the architecture to rank for, in the command and in the API alike.
    ("base_label" if field.name == "base" else field.name): field
    for field in FIELDS.values()
}
"""Parameter name -> field."""

_NAMES = {field.name: parameter for parameter, field in PARAMETERS.items()}
_MANY = {f.name for f in fields(Document) if str(f.type).startswith("tuple")}
_RANGES = (FieldType.NUMBER, FieldType.SIZE, FieldType.DATE)
_RANGE_VALUE = re.compile(r"[<>=.\w:+-]{1,64}")
_PARTS = re.compile(r'"[^"]*"|[^,"]+')
_MAX_CLAUSES = 64


@dataclass(frozen=True, slots=True)
class Clause:
    """One filter of a request: an entry has (``negated``: has none of) any of ``values`` in ``field``."""

    field: Field
    values: tuple[str, ...]
    negated: bool = False

    @property
    def widens(self) -> bool:
        """Whether a further value of this field would find more: an entry has one, or any step of a path."""
        return self.field.type is FieldType.TREE or (
            self.field.type is FieldType.KEYWORD and self.field.attribute not in _MANY
        )

    @property
    def parameter(self) -> tuple[str, str]:
        """The clause as a query parameter, name and value."""
        value = ",".join(_quoted(v) if "," in v or v[:1] in '-"' else v for v in self.values)
        return _NAMES[self.field.name], f"{'-' if self.negated else ''}{value}"

    def text(self) -> str:
        """The clause in the query language. Raises ``UsageError`` for a value that it cannot say."""
        return f"{'-' if self.negated else ''}{self.field.name}:{','.join(map(self._literal, self.values))}"

    def _literal(self, value: str) -> str:
        if self.field.type not in _RANGES:
            return _quoted(value)
        if _RANGE_VALUE.fullmatch(value) is None:
            name = _NAMES[self.field.name]
            raise UsageError("filter", f"{name} takes a value like {self.field.example}, not {value[:80]!r}.")
        return value


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that a request asks for. ``q`` is what was typed; ``clauses`` are filters given beside it."""

    q: str = ""
    clauses: tuple[Clause, ...] = ()
    base: str | None = None
    sort: str = "relevance"
    by: str = "style"
    like: int | None = None
    seed: int = 0
    """Which random order."""

    def query(self) -> str:
        """Both as one query. A faulty ``q`` stands alone, so that its error keeps its place."""
        return narrowed(self.q, " ".join(clause.text() for clause in self.clauses))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let through errors of what was typed; those of a filter beside it become a ``UsageError``."""
        try:
            yield
        except QueryError as error:
            if self.query() == self.q:  # a faulty q is asked alone
                raise
            raise UsageError("filter", error.message) from error

    def state(self, field: Field, value: str) -> str:
        """``include``, ``exclude`` or nothing: what the clauses say of a value."""
        for clause in self.clauses:
            if clause.field is field and value in clause.values:
                return "exclude" if clause.negated else "include"
        return ""

    def toggled(self, field: Field, value: str, *, negated: bool = False) -> "Wanted":
        """With the value included (or excluded); asked again, without it."""
        had = self.state(field, value)
        bare = self.without(field, value)
        if had == ("exclude" if negated else "include"):
            return bare
        return replace(bare, clauses=(*bare.clauses, Clause(field, (value,), negated)))

    def without(self, field: Field, value: str | None = None) -> "Wanted":
        """Without a value, or without all clauses of a field."""
        kept = []
        for clause in self.clauses:
            if clause.field is field:
                left = tuple(v for v in clause.values if value is not None and v != value)
                if not left:
                    continue
                clause = replace(clause, values=left)
            kept.append(clause)
        return replace(self, clauses=tuple(kept))

    def url(self, path: str = "/", **more: object) -> str:
        """A link that asks for the same; ``more`` adds parameters such as ``offset``."""
        pairs: list[tuple[str, object]] = [("q", self.q)] if self.q.strip() else []
        pairs += [clause.parameter for clause in _split(self.clauses)]
        pairs += [("base", self.base)] if self.base else []
        pairs += [("sort", self.sort)] if self.sort != "relevance" else []
        pairs += [("seed", self.seed)] if self.sort == "random" and self.seed else []
        pairs += [("like", self.like)] if self.like is not None else []
        pairs += [("by", self.by)] if self.by != "style" else []
        pairs += more.items()
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read_wanted(pairs: Iterable[tuple[str, str]]) -> Wanted:
    """Read query (or form) parameters. Raises ``UsageError`` (``filter``) for one that cannot be a filter.

    Parameters that are no field and not ours are left to the route.
    """
    single: dict[str, str] = {}
    clauses: list[Clause] = []
    for name, value in _joined_bounds(pairs):
        field = PARAMETERS.get(name)
        if field is None:
            single[name] = value
        elif value.strip(" -,"):
            clauses.append(_read_clause(field, value.strip()))
    if len(clauses) > _MAX_CLAUSES:
        raise UsageError("filter", f"{len(clauses)} filters are given; at most {_MAX_CLAUSES} are read.")
    return Wanted(
        q=single.get("q", ""),
        clauses=tuple(_merge(clauses)),
        base=single.get("base") or None,
        sort=single.get("sort") or "relevance",
        by=single.get("by") or "style",
        like=_number(single.get("like")),
        seed=_number(single.get("seed")) or 0,
    )


def parameter_of(field: Field) -> str:
    """The parameter that a field is asked by."""
    return _NAMES[field.name]


def _joined_bounds(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """``rank_min`` and ``rank_max``, boxes of a form, as one ``rank``; sizes in MB where no unit is told."""
    bounds: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        stem, _, which = name.rpartition("_")
        field = PARAMETERS.get(stem)
        if which not in ("min", "max") or field is None or field.type not in _RANGES:
            yield name, value
        elif bound := value.strip():
            unit = "MB" if field.type is FieldType.SIZE and bound[-1:].isdigit() else ""
            bounds.setdefault(stem, {})[which] = f"{bound}{unit}"
    for stem, found in bounds.items():
        low, high = found.get("min"), found.get("max")
        yield stem, f"{low}..{high}" if low and high else f">={low}" if low else f"<={high}"


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def _read_clause(field: Field, value: str) -> Clause:
    negated = value.startswith("-")  # no field holds numbers below zero
    parts = (part.strip().strip('"').strip() for part in _PARTS.findall(value[1:] if negated else value))
    return Clause(field, tuple(dict.fromkeys(part for part in parts if part)) or (value,), negated)


def _merge(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Join repeated clauses of fields that have one value; the others each hold for themselves."""
    joined: dict[tuple[str, bool], Clause] = {}
    for clause in clauses:
        if not clause.negated and not clause.widens:
            yield clause
            continue
        key = clause.field.name, clause.negated
        before = joined[key].values if key in joined else ()
        joined[key] = replace(clause, values=tuple(dict.fromkeys((*before, *clause.values))))
    yield from joined.values()


def _split(clauses: Iterable[Clause]) -> Iterator[Clause]:
    """One clause a value where repeating means the same, so that links read plainly."""
    for clause in clauses:
        if clause.negated or clause.widens:
            yield from (replace(clause, values=(value,)) for value in clause.values)
        else:
            yield clause


def _quoted(value: str) -> str:
    # The language has no escape for a quote; folding and cutting words treats it as a blank anyway.
    return '"' + value.replace('"', " ") + '"'
