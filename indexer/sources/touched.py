"""From single changes on disk to folders to look at, once the files in them have come to rest."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.sources.listing import IMAGE_SUFFIXES, MODEL_SUFFIXES, VIDEO_SUFFIXES
from indexer.sources.local import Start

__all__ = ["Touched"]

_QUIET = 1.0
"""Seconds without a change after which a file counts as written."""
_AGAIN = 3
"""So many times a file that is not whole is looked at again without a change."""
_ANY = b".again"
"""Stands for whatever lies in a folder; no file of that name is looked at."""
_KNOWN = frozenset((*MODEL_SUFFIXES, *IMAGE_SUFFIXES, *VIDEO_SUFFIXES, b".json", b".info"))
_CONFIGURATIONS = frozenset((b"extra_model_paths.yaml", b"Settings.fds", b"invokeai.yaml"))


@dataclass(slots=True)
class _Touch:
    root: Path
    due: float
    deep: bool


class Touched:
    """Changed paths, until they are taken. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._paths: dict[bytes, _Touch] = {}
        self._left: dict[bytes, int] = {}

    @staticmethod
    def is_configuration(path: bytes) -> bool:
        """Whether a file says where models lie."""
        return os.path.basename(path) in _CONFIGURATIONS

    def add(self, root: Path, path: bytes, now: float) -> None:
        """Something happened to ``path`` below ``root``. What is no part of a model is passed over."""
        name = os.path.basename(path)
        folder = os.path.isdir(path)
        known = os.path.splitext(name)[1].lower() in _KNOWN
        if folder or (known and not name.startswith(b".")) or not os.path.lexists(path):
            self._paths[path] = _Touch(root, now + _QUIET, folder or not known)
            self._left.pop(os.path.dirname(path), None)

    def due(self, now: float) -> bool:
        """Whether some of it came to rest."""
        return any(touch.due <= now for touch in self._paths.values())

    def forget(self, roots: Iterable[Path], now: float) -> None:
        """These roots are compared as a whole; what is still being written stays."""
        gone = set(roots)
        self._paths = {p: t for p, t in self._paths.items() if t.root not in gone or t.due > now}

    def writing(self, now: float) -> set[bytes]:
        """Files that changed a moment ago."""
        return {path for path, touch in self._paths.items() if now < touch.due <= now + _QUIET}

    def take(self, now: float) -> dict[Path, list[Start]]:
        """The folders to look at, widest first, by root; what is still being written stays."""
        ready = {path: touch for path, touch in self._paths.items() if touch.due <= now}
        found: dict[Path, dict[bytes, bool]] = {}
        for path, touch in ready.items():
            del self._paths[path]
            top = os.fsencode(touch.root)
            starts = found.setdefault(touch.root, {})
            if touch.deep:
                starts[path] = True
            # A picture may belong to a model beside its folder, a component to the pipeline above it.
            for _ in range(1 if touch.deep else 2):
                path = os.path.dirname(path)
                if len(path) >= len(top):
                    starts[path] = starts.get(path, False) or not os.path.isdir(path)
        return {
            root: sorted((Start(*row) for row in starts.items()), key=lambda s: (not s.deep, s.directory))
            for root, starts in found.items()
        }

    def again(self, root: Path, starts: Iterable[Start], due: float) -> None:
        """Look at folders once more at a later time: something in them was not whole."""
        for start in starts:
            left = self._left.get(start.directory, _AGAIN)
            if left:
                self._left[start.directory] = left - 1
                self._paths.setdefault(os.path.join(start.directory, _ANY), _Touch(root, due, False))
