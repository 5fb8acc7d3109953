"""How long work tells what it is doing, without knowing who looks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["Noted", "Progress", "Silent", "Stage"]


class Stage(Protocol):
    """One stage of the work under way."""

    def advance(self, count: int = 1) -> None:
        """So many more are done."""


class Progress(Protocol):
    """Somebody who looks on."""

    def stage(self, title: str, unit: str, total: int | None) -> AbstractContextManager[Stage]:
        """A stage begins; ``total`` is None while unknown."""

    def note(self, text: str) -> None:
        """A sentence worth reading: a folder that cannot be read, a disk that is away."""


class Silent:
    """Nobody looks on; notes are kept."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``."""
        yield self

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""

    def note(self, text: str) -> None:
        """See ``Progress.note``."""
        self.notes.append(text)


class Noted(Silent):
    """Nobody looks at the stages, but somebody reads the notes: work behind a server."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def note(self, text: str) -> None:
        """See ``Progress.note``; nothing is kept."""
        self._say(text)
