"""Re-encoded previews in the home folder, named by their content: the same picture is kept once."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_whole", "store_picture", "store_thumbnail", "stored_thumbnails", "thumbnail_path"]


def thumbnail_path(folder: Path, name: str) -> Path:
    """Where a thumbnail lies; two letters of its name spread 70,000 files over 256 folders."""
    return folder / name[:2] / f"{name}.webp"


def store_thumbnail(folder: Path, content: bytes) -> str:
    """Keep a WebP and answer its name (SHA-256 of its bytes). Whole or not at all: written aside, renamed.

    Raises ``OSError`` when the disk is full.
    """
    name = hashlib.sha256(content).hexdigest()
    _store(thumbnail_path(folder, name), content)
    return name


def store_picture(folder: Path, content: bytes, suffix: str) -> str:
    """Keep a stranger's picture as it is, named by its content; answers its name below ``folder``.

    Raises ``OSError`` when the disk is full.
    """
    digest = hashlib.sha256(content).hexdigest()
    name = f"{digest[:2]}/{digest}{suffix}"
    _store(folder / name, content)
    return name


def _store(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def stored_thumbnails(folder: Path) -> Iterator[Path]:
    """Every file in the store, folder by folder; those that no thumbnail is called by too."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        yield from sorted(place.iterdir())


def is_whole(path: Path) -> bool:
    """Whether a file of the store holds the bytes that its name says.

    Raises ``OSError`` when it cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == path.stem
