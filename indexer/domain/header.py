"""What a model container says about its tensors, whichever container it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

__all__ = ["Header", "HeaderWarning", "Program", "TensorEntry"]


class TensorEntry(TypedDict):
    """One tensor as safetensors spells it; other containers translate to the same form.

    ``shape`` is ``[out, in, ...]``; ``data_offsets`` are byte offsets from the start of the data section.
    Plain dictionaries, because a library has tens of millions of tensors and building objects would cost
    more than parsing.
    """

    dtype: str
    shape: list[int]
    data_offsets: list[int]


@dataclass(frozen=True, slots=True)
class HeaderWarning:
    """Something odd that did not stop the reading: a stable ``code`` and a sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Program:
    """What a pickled file would do if it were loaded, which it never is here.

    ``verdict`` is ``tensors-only`` (every import stands on a short list of exact names that rebuild
    tensors), ``unknown-imports``, ``dangerous-imports`` or ``unreadable``. ``imports`` are dotted
    ``module.name``, sorted, with odd characters escaped.
    """

    verdict: str
    imports: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Header:
    """Everything read from a container without reading a tensor.

    ``container`` is one of ``safetensors``, ``gguf``, ``pickle``, ``zip``. ``data_start`` is the offset of
    the data section in bytes, ``data_size`` its length. ``metadata`` is what the writer claims, unverified.
    ``listing`` is a digest of names, types and shapes in their order: equal where all of them are; empty
    where the reader made none.
    """

    container: str
    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]
    data_start: int
    data_size: int
    warnings: tuple[HeaderWarning, ...] = field(default=())
    program: Program | None = None
    listing: bytes = b""
