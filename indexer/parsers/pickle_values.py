"""What stands on the stack of the abstract pickle machine: plain values and these symbols for the rest.

Texts, bytes, numbers, None, tuples, lists and dictionaries stand for themselves; a symbol stands for what
only running the pickle could make.
"""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Import", "Made", "Opaque", "Ordered", "Storage", "Tensor", "Value", "plain_key"]

Value = Any
"""A plain value or a symbol of this module."""


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """Something whose content does not matter; ``what`` is for messages."""

    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """A name looked up in a module."""

    module: str
    name: str


@dataclass(slots=True, eq=False, repr=False)
class Made:
    """What calling ``maker`` would give, with what was set on it afterwards."""

    maker: Value
    args: Value
    state: Value = None
    items: dict[Value, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """The bytes behind tensors: element type as PyTorch names it, key in the archive, element count."""

    dtype: str
    key: str
    elements: int


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor; ``dtype`` as PyTorch names it, ``shape`` checked."""

    dtype: str
    shape: tuple[int, ...]


class Ordered(dict[Value, Value]):
    """A dictionary that was called into being (OrderedDict), so that attributes can be set on it."""


def plain_key(key: Value) -> Value:
    """``key`` if it is a text or number, else a symbol: hashing nested tuples has no depth limit."""
    return key if type(key) in (str, int, bytes, bool, Import) else Opaque("key")
