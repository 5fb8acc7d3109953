"""Filters as a small tree; each node has ``match()``, the slow and obviously right answer.

Every engine translates the same tree into its own language, and tests hold the engine against ``match()``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from indexer.domain.fields import FIELDS, Field
from indexer.domain.records import Document
from indexer.domain.text import fold, words

__all__ = ["ALL", "And", "AnyOf", "Filter", "Not", "Or", "Range", "Words", "anywhere", "keyword", "values_of"]


def keyword(value: str) -> str:
    """The form in which whole values are compared: folded, blanks joined."""
    return " ".join(fold(value).split())


def values_of(document: Document, field: Field) -> tuple[Any, ...]:
    """The document's values of a field, always a tuple; empty when nothing is known."""
    value = getattr(document, field.attribute)
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple) else (value,)


class Filter:
    """A node of the tree."""

    __slots__ = ()

    def match(self, document: Document) -> bool:
        """Whether the document passes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class And(Filter):
    """All of the nodes; of none, everything passes."""

    nodes: tuple[Filter, ...]

    def match(self, document: Document) -> bool:
        return all(node.match(document) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Or(Filter):
    """Any of the nodes; of none, nothing passes."""

    nodes: tuple[Filter, ...]

    def match(self, document: Document) -> bool:
        return any(node.match(document) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Not(Filter):
    """Everything that the node does not pass; entries without a value pass too."""

    node: Filter

    def match(self, document: Document) -> bool:
        return not self.node.match(document)


@dataclass(frozen=True, slots=True)
class AnyOf(Filter):
    """A KEYWORD, TREE or FLAG field has one of the values (given in ``keyword`` form)."""

    field: Field
    values: tuple[str, ...]

    def match(self, document: Document) -> bool:
        have = {keyword(str(value)) for value in values_of(document, self.field)}
        if self.field.name == "hash":
            return any(h.startswith(value) for value in self.values for h in have)
        return not have.isdisjoint(self.values)


@dataclass(frozen=True, slots=True)
class Words(Filter):
    """A TEXT field has all the words; as ``phrase``, one value has them in this order, side by side."""

    field: Field
    words: tuple[str, ...]
    phrase: bool = False

    def match(self, document: Document) -> bool:
        texts = [words(str(value)) for value in values_of(document, self.field)]
        if self.phrase:
            return any(_has_run(text, self.words) for text in texts)
        return set(self.words) <= {word for text in texts for word in text}


@dataclass(frozen=True, slots=True)
class Range(Filter):
    """A NUMBER, SIZE or DATE field has a value between the bounds; None is open.

    Bounds are numbers, or ISO dates (compared as text). ``low_open`` / ``high_open`` leave the bound out.
    """

    field: Field
    low: float | str | None = None
    high: float | str | None = None
    low_open: bool = False
    high_open: bool = False

    def match(self, document: Document) -> bool:
        return any(self._holds(value) for value in values_of(document, self.field))

    def _holds(self, value: Any) -> bool:
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return not (self.high is not None and (value > self.high or (self.high_open and value == self.high)))


ALL = And(())
"""The filter that everything passes."""


def anywhere(words: tuple[str, ...], phrase: bool = False) -> Filter:
    """All of the words in one of the fields that plain words search; with ``phrase`` in this order."""
    return Or(tuple(Words(field, words, phrase) for field in FIELDS.values() if field.weight is not None))


def _has_run(text: list[str], run: Iterable[str]) -> bool:
    wanted = list(run)
    return any(text[i : i + len(wanted)] == wanted for i in range(len(text) - len(wanted) + 1))
