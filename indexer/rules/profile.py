"""A header as rules see it: names with their numbers taken out, parts set apart, shapes looked up on demand.

A library has tens of millions of tensors, so nothing here works name by name where it can be helped: all
names are joined into one text, numbers become ``#`` in two passes over its bytes, and rules then work on the
few hundred distinct *templates* that remain (``double_blocks.#.img_attn.qkv.weight``). The cost is linear in
the bytes of the names, whatever they contain. Those millions of tensors have few distinct names, so what
was once found out about a name is remembered."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import compress, islice
from sys import intern
from typing import Generic, TypeVar, cast

from indexer.domain.header import Header, TensorEntry
from indexer.domain.vocabulary import read_table

__all__ = ["Pattern", "Profile", "Recall", "View", "recall_templates", "templates_of"]

Value = TypeVar("Value")


_DIGITS = bytes.maketrans(b"0123456789", b"##########")
_NUMBER = re.compile("[0-9]+")
_LONGEST = 100
_LONGEST_KEPT = 250
"""No prefix, no name is longer; what caches keep stays bounded whatever a file holds."""
_MOST_TEMPLATES = 8_000
_MOST_SEARCHED = 100_000
_MOST_NAMES = 250_000
_MOST_CHARACTERS = 20_000_000
_LONGEST_NAME = 250
_MOST_PARTS = 50
"""No model comes near these; files made to be slow are looked at only so far."""
_MOST_KEPT = 60_000
_MOST_REMEMBERED = 20_000
"""Names kept; a file with more names than the second is no common model, and is not to crowd others out."""
_PACKED = frozenset({"U8", "U16", "I16", "I32", "U32", "I64"})
"""Types that hold several quantised weights in one element: the shape in the header is not the real one."""


def templates_of(names: list[str]) -> list[str]:
    """Every name with its runs of digits replaced by ``#``, in the same order.

    ``blocks.12.attn1.weight`` -> ``blocks.#.attn#.weight``.
    """
    lines = _template_text("\n".join(names)).split("\n")
    if len(lines) == len(names):
        return lines
    return [_template_text(name) for name in names]  # a name holds a line break: legal, and never ours


def _template_text(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass").translate(_DIGITS)
    while b"##" in data:
        data = data.replace(b"##", b"#")
    return data.decode("utf-8", "surrogatepass")


class Recall(Generic[Value]):
    """A pure function of lists of names, remembered name by name; what it returns must be true. Bounded in
    names and in bytes, whatever files hold."""

    def __init__(self, function: Callable[[list[str]], list[Value]]) -> None:
        self._function = function
        self._kept: dict[str, Value] = {}

    def __call__(self, names: list[str]) -> list[Value]:
        """What ``function`` returns for ``names``."""
        if len(names) > _MOST_REMEMBERED:
            return self._function(names)
        found = list(map(self._kept.get, names))
        if not all(found):
            self._learn([name for name, value in zip(names, found, strict=True) if not value], found)
        return cast("list[Value]", found)

    def _learn(self, strangers: list[str], found: list[Value | None]) -> None:
        values = self._function(strangers)
        fresh = iter(values)
        found[:] = [value or next(fresh) for value in found]
        if len(self._kept) + len(strangers) > _MOST_KEPT:
            self._kept.clear()
        short = [len(name) <= _LONGEST_KEPT for name in strangers]
        self._kept.update(compress(zip(strangers, values, strict=True), short))


def _shared_templates(names: list[str]) -> list[str]:
    return list(map(intern, templates_of(names)))


recall_templates: Recall[str] = Recall(_shared_templates)
"""``templates_of``, remembered."""


@dataclass(frozen=True, slots=True)
class View:
    """One part of a file: the names behind ``prefix``, as templates without it."""

    prefix: str
    templates: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name in a rule. ``#`` stands for any number; a leading ``/`` means the name from the root of the
    file."""

    text: str
    template: str
    rooted: bool
    numbered: bool
    open: bool

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        bare = text.removeprefix("/")
        return cls(bare, _template_text(bare), bare != text, bool(_NUMBER.search(bare)), "#" in bare)


def _bounded(counts: Counter[str]) -> Counter[str]:
    if len(counts) <= _MOST_TEMPLATES:
        return counts
    return Counter(dict(islice(counts.items(), _MOST_TEMPLATES)))


@cache
def _spellings() -> tuple[tuple[str, str], ...]:
    rows = read_table("quantisation.toml")["spelling"]
    return tuple((row["suffix"], row["plain"]) for row in rows)


@cache
def _spelled() -> tuple[str, ...]:
    return tuple(suffix for suffix, _ in _spellings())


def _plain_name(name: str) -> str:
    for suffix, plain in _spellings():
        if name.endswith(suffix):
            return name.removesuffix(suffix) + plain
    return name


def _bounded_templates(names: list[str]) -> list[str]:
    """The templates of ``names``; where they are beyond any model's, of their beginnings only, so marked that
    no ending fits."""
    if sum(map(len, names)) <= _MOST_CHARACTERS:
        return recall_templates(names)
    return templates_of(
        [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}\0" for name in names]
    )


class Profile:
    """What rules ask about one header. Build it once a file; every question is then a look-up.

    ``names`` are those of all tensors, but for files beyond any model, of which only the first are looked at.
    Weights that a quantiser saved under names of its own go by their plain names. ``folded``: whole numbers
    of eight bits hold several weights each, so their shapes are not the real ones either.
    """

    def __init__(self, header: Header, *, folded: bool = False) -> None:
        self._packed = _PACKED | {"I8"} if folded else _PACKED
        self.tensors: Mapping[str, TensorEntry] = header.tensors
        self.names: list[str] = list(islice(header.tensors, _MOST_NAMES))
        self.templates: list[str] = _bounded_templates(self.names)
        self.counts: Counter[str] = _bounded(Counter(self.templates))
        if any(template.endswith(_spelled()) for template in self.counts):
            self._spell_plainly()
        self._found: dict[tuple[str, str], str | None] = {}
        self._starts: dict[str, str] = {"": ""}
        self._lines: dict[str, str] = {}

    def _spell_plainly(self) -> None:
        plain = {name: spelt for name in self.names if (spelt := _plain_name(name)) not in self.tensors}
        self.tensors = {plain.get(name, name): self.tensors[name] for name in self.names}
        self.names = list(self.tensors)
        self.templates = _bounded_templates(self.names)
        self.counts = _bounded(Counter(self.templates))

    @cached_property
    def examples(self) -> dict[str, str]:
        """One real name for every template: the first."""
        return dict(zip(reversed(self.templates), reversed(self.names), strict=True))

    @cached_property
    def root(self) -> View:
        """The whole file as one part."""
        return View("", frozenset(self.counts))

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The parts of the file: the whole, then each known prefix, then each network without its wrapper."""
        parts = _split_parts(self)
        return (self.root, *parts, *(inner for view in (self.root, *parts) for inner in _unwrap(view)))

    def find(self, view: View, pattern: Pattern) -> str | None:
        """A real tensor name that fits ``pattern`` in ``view``, or ``None``."""
        if pattern.rooted:
            view = self.root
        if pattern.template not in view.templates:
            return None
        key = (view.prefix, pattern.text)
        if key not in self._found:
            self._found[key] = self._search(view, pattern)
        return self._found[key]

    def _search(self, view: View, pattern: Pattern) -> str | None:
        if not pattern.open:
            name = view.prefix + pattern.text
            return name if name in self.tensors else None
        for number in "012":
            name = view.prefix + pattern.text.replace("#", number)
            if name in self.tensors:
                return name
        template = self._start(view) + pattern.template
        if not pattern.numbered:
            return self.examples.get(template)
        fits = re.compile(re.escape(view.prefix) + "[0-9]+".join(map(re.escape, pattern.text.split("#"))))
        names = islice(zip(self.names, self.templates, strict=True), _MOST_SEARCHED)
        return next((name for name, its in names if its == template and fits.fullmatch(name)), None)

    def shape(self, name: str) -> list[int] | None:
        """The real shape ``[out, in, ...]`` of a tensor; ``None`` where quantisation hides it."""
        entry = self.tensors[name]
        return None if entry["dtype"] in self._packed else entry["shape"]

    def count(self, view: View, template: str) -> int:
        """How many tensors of ``view`` have this template."""
        return self.counts[self._start(view) + template]

    def starts(self, view: View, prefixes: Iterable[str]) -> bool:
        """Whether a template of ``view`` begins with one of ``prefixes``."""
        if view.prefix not in self._lines:
            self._lines[view.prefix] = "\n".join(("", *view.templates))
        lines = self._lines[view.prefix]
        return any(f"\n{prefix}" in lines for prefix in prefixes)

    def _start(self, view: View) -> str:
        """The template of the view's prefix."""
        if view.prefix not in self._starts:
            self._starts[view.prefix] = _template_text(view.prefix)
        return self._starts[view.prefix]


@cache
def _part_rows() -> tuple[tuple[str, str, bool], ...]:
    """Template of the prefix, prefix, nested; for every part of ``parts.toml``."""
    rows = read_table("parts.toml")["parts"]
    return tuple((_template_text(row["prefix"]), row["prefix"], row.get("nested", False)) for row in rows)


@cache
def _wrappers() -> tuple[tuple[str, str], ...]:
    prefixes = (row["prefix"] for row in read_table("parts.toml")["wrappers"])
    return tuple((prefix.partition(".")[0], prefix) for prefix in prefixes)


@cache
def _part_starts() -> tuple[str, ...]:
    return tuple(dict.fromkeys(template for template, _, _ in _part_rows()))


def _split_parts(profile: Profile) -> list[View]:
    starts = _part_starts()
    templates = [template for template in profile.counts if template.startswith(starts)]
    names = [profile.examples[template][:_LONGEST_KEPT] for template in templates]
    groups: dict[str, set[str]] = {}
    for (prefix, start), template in zip(_recall_parts(names), templates, strict=True):
        if prefix:
            groups.setdefault(prefix, set()).add(template[start:])
    return [View(prefix, frozenset(templates)) for prefix, templates in islice(groups.items(), _MOST_PARTS)]


@lru_cache(maxsize=50_000)
def _part_candidates(template: str) -> tuple[tuple[str, bool], ...]:
    return tuple((prefix, nested) for start, prefix, nested in _part_rows() if template.startswith(start))


def _parts(names: list[str]) -> list[tuple[str, int]]:
    """For each name the prefix of its part, empty for none, and the length of the prefix's template."""
    prefixes = list(map(_part_prefix, recall_templates(names), names))
    starts = {prefix: len(_template_text(prefix)) for prefix in set(prefixes)}
    return [(prefix, starts[prefix]) for prefix in prefixes]


_recall_parts = Recall(_parts)


def _part_prefix(template: str, name: str) -> str:
    for prefix, nested in _part_candidates(template):
        if nested:
            return ".".join(name.split(".", 2)[:2]) + "."
        if name.startswith(prefix):
            return prefix
    return ""


def _unwrap(view: View) -> list[View]:
    heads = {template.partition(".")[0] for template in view.templates}
    inner = []
    for head, wrapper in _wrappers():
        if head in heads:
            cut = len(wrapper)
            templates = frozenset(
                template[cut:] for template in view.templates if template.startswith(wrapper)
            )
            if len(templates) * 10 >= len(view.templates) and templates:
                inner.append(View(view.prefix + wrapper, templates))
    return inner
