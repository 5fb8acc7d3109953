"""Which files may an agent have looked at? Models and pictures in folders that a person indexed or named.

A verdict tells little of a file, but an agent may follow a stranger's words; so it cannot even learn whether
some other file is there.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from indexer.errors import UsageError
from indexer.sources.local import IMAGE_SUFFIXES, MODEL_SUFFIXES

__all__ = ["allowed_file"]

_PICTURES = frozenset(IMAGE_SUFFIXES)
_FILES = _PICTURES | MODEL_SUFFIXES


def allowed_file(text: str, folders: Iterable[str | Path], *, picture: bool = False) -> Path:
    """The file at a whole path that lies, all links followed, in one of ``folders``.

    Raises ``UsageError``: ``outside`` for every other path, whether something is there or not; ``suffix`` for
    a name that is no model's (nor a picture's), ``path_missing``.
    """
    real = _real(text)
    if real is None or not _is_below(real, [os.path.realpath(folder) for folder in folders]):
        raise UsageError(
            "outside",
            "Only files in indexed folders are looked at, by their whole path. Index the folder "
            "(pinakes index FOLDER), or start pinakes mcp with --allow FOLDER.",
        )
    path = Path(text)
    # The name as it was given: caches of hubs link it to a file that is named by its hash.
    if os.fsencode(path.suffix.lower()) not in (_PICTURES if picture else _FILES):
        raise UsageError(
            "suffix", f"{path.name!r} is not named like a {'picture' if picture else 'model file'}."
        )
    if not path.is_file():
        raise UsageError("path_missing", f"There is no file {text[:200]!r}. Check its name.")
    return path


def _real(text: str) -> str | None:
    if "\x00" in text or not Path(text).is_absolute():
        return None
    try:
        return os.path.realpath(text)
    except (OSError, ValueError):
        return None  # a ring of links, or no path at all


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(folder.rstrip("/") + "/") for folder in folders)
