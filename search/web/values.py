"""One line of the filter panel."""

from dataclasses import dataclass

__all__ = ["Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a click includes or excludes. ``state`` is ``include``, ``exclude`` or empty; ``depth``
    indents a tree; ``count`` is that of entries, None where it was not counted."""

    title: str
    count: int | None
    state: str
    include: str
    exclude: str
    depth: int = 0
