"""A header as rules see it: names with their numbers taken out, parts set apart, shapes looked up on demand.

A library has tens of millions of tensors, so nothing here works name by name where it can be helped: all
names are joined into one text, numbers become ``#`` in two passes over its bytes, and rules then work on the
few hundred distinct *templates* that remain (``double_blocks.#.img_attn.qkv.weight``). The cost is linear in
the bytes of the names, whatever they contain."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import islice

from indexer.domain.header import Header, TensorEntry
from indexer.domain.vocabulary import read_table

__all__ = ["Pattern", "Profile", "View", "templates_of"]

_DIGITS = bytes.maketrans(b"0123456789", b"##########")
_NUMBER = re.compile("[0-9]+")
_LONGEST = 100
"""No prefix is longer; what caches keep stays bounded whatever a file holds."""
_MOST_TEMPLATES = 8_000
_MOST_SEARCHED = 100_000
"""No model comes near these; files made to be slow are looked at only so far."""
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


class Profile:
    """What rules ask about one header. Build it once a file; every question is then a look-up."""

    def __init__(self, header: Header) -> None:
        self.tensors: Mapping[str, TensorEntry] = header.tensors
        self.names: list[str] = list(header.tensors)
        self.templates: list[str] = templates_of(self.names)
        self.counts: Counter[str] = _bounded(Counter(self.templates))
        self._found: dict[tuple[str, str], str | None] = {}

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
        template = _template_text(view.prefix) + pattern.template
        if not pattern.numbered:
            return self.examples.get(template)
        fits = re.compile(re.escape(view.prefix) + "[0-9]+".join(map(re.escape, pattern.text.split("#"))))
        names = islice(zip(self.names, self.templates, strict=True), _MOST_SEARCHED)
        return next((name for name, its in names if its == template and fits.fullmatch(name)), None)

    def shape(self, name: str) -> list[int] | None:
        """The real shape ``[out, in, ...]`` of a tensor; ``None`` where quantisation hides it."""
        entry = self.tensors[name]
        return None if entry["dtype"] in _PACKED else entry["shape"]

    def count(self, view: View, template: str) -> int:
        """How many tensors of ``view`` have this template."""
        return self.counts[_template_text(view.prefix) + template]


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
    groups: dict[str, set[str]] = {}
    for template in profile.counts:
        if template.startswith(_part_starts()):
            prefix = _part_prefix(template, profile.examples[template])
            groups.setdefault(prefix, set()).add(template[len(_template_text(prefix)) :])
    return [View(prefix, frozenset(templates)) for prefix, templates in groups.items() if prefix]


@lru_cache(maxsize=50_000)
def _part_candidates(template: str) -> tuple[tuple[str, bool], ...]:
    return tuple((prefix, nested) for start, prefix, nested in _part_rows() if template.startswith(start))


def _part_prefix(template: str, name: str) -> str:
    for prefix, nested in _part_candidates(template[:_LONGEST]):
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
