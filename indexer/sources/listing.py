"""One folder, read once: names and stats, sorted into what the walk cares about."""

import os
import stat

from indexer.domain.found import FoundPath

__all__ = ["IMAGE_SUFFIXES", "MODEL_SUFFIXES", "VIDEO_SUFFIXES", "Listing", "found_path"]

MODEL_SUFFIXES = frozenset(
    (b".safetensors", b".sft", b".ckpt", b".pt", b".pt2", b".pth", b".bin", b".pkl", b".gguf")
)
"""Extensions that make a file worth opening; what it is follows from its content."""

IMAGE_SUFFIXES = (b".png", b".jpg", b".jpeg", b".webp", b".gif", b".avif")

VIDEO_SUFFIXES = (b".mp4", b".webm")
"""Previews that are noted beside the pictures and never decoded."""

_SHOWN = frozenset(IMAGE_SUFFIXES + VIDEO_SUFFIXES)


class Listing:
    """One folder, read once: names sorted into folders, model files, images (and videos) and others.

    Raises ``OSError`` when the folder cannot be read.
    """

    def __init__(self, directory: bytes) -> None:
        self.directory = directory
        self.folders: dict[bytes, bytes] = {}
        self.models: dict[bytes, os.stat_result] = {}
        self.images: dict[bytes, FoundPath] = {}
        self.others: dict[bytes, FoundPath] = {}
        with os.scandir(directory) as entries:
            for entry in entries:
                self._sort(entry)

    def _sort(self, entry: os.DirEntry[bytes]) -> None:
        try:
            status = entry.stat()
        except OSError:
            return  # vanished, or a dangling link: nothing is there
        if stat.S_ISDIR(status.st_mode):
            self.folders[entry.name] = entry.path
            return
        suffix = os.path.splitext(entry.name)[1].lower()
        # A name with a model's suffix that is no regular file (a pipe, a device) still deserves a verdict.
        if suffix in MODEL_SUFFIXES and not entry.name.startswith(b"."):
            self.models[entry.name] = status
        elif stat.S_ISREG(status.st_mode):
            target = self.images if suffix in _SHOWN else self.others
            target[entry.name] = FoundPath(entry.path, status.st_size, status.st_mtime_ns)

    def model(self, name: bytes) -> FoundPath:
        """A model file of this folder as a path with size and time."""
        return found_path(os.path.join(self.directory, name), self.models[name])


def found_path(path: bytes, status: os.stat_result) -> FoundPath:
    """A path with what its stat says."""
    return FoundPath(path, status.st_size, status.st_mtime_ns)
