"""Model files on disk: walk the folders, group what lies beside each file. Reads names and stats only.

Roots and folders may be symbolic links; each real folder is entered once, so loops end.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from indexer.domain.found import FoundFile, FoundPath, WalkProblem
from indexer.sources.folders import folder_claims

__all__ = ["IMAGE_SUFFIXES", "MODEL_SUFFIXES", "walk"]

MODEL_SUFFIXES = frozenset(
    (b".safetensors", b".sft", b".ckpt", b".pt", b".pt2", b".pth", b".bin", b".pkl", b".gguf")
)
"""Extensions that make a file worth opening; what it is follows from its content."""

IMAGE_SUFFIXES = (b".png", b".jpg", b".jpeg", b".webp", b".gif", b".avif")
_PREFERRED = (b"", b".preview", b".thumb")


def walk(
    root: Path, sidecar_suffixes: Sequence[str], skip: Sequence[Path] = ()
) -> Iterator[list[FoundFile] | WalkProblem]:
    """Yield the model files of one folder after another, or the folders that could not be read.

    ``sidecar_suffixes`` are what follows the stem in names of sidecars (``.civitai.info``). Folders in
    ``skip`` (Pinakes' own home) are not entered. Memory is that of one folder.
    """
    suffixes = [(suffix, os.fsencode(suffix)) for suffix in sidecar_suffixes]
    seen: set[tuple[int, int]] = {_identity(path) for path in skip if path.exists()}
    pending = [os.fsencode(root)]
    while pending:
        directory = pending.pop()
        try:
            identity = _identity(directory)
            if identity in seen:
                continue
            seen.add(identity)
            listing = _Listing(directory)
        except OSError as error:
            yield WalkProblem(directory, f"{os.fsdecode(directory)!r} cannot be read: {error.strerror}.")
            continue
        pending.extend(sorted(listing.folders.values(), reverse=True))
        if listing.models:
            yield _group(os.fsencode(root), listing, suffixes)


def _identity(path: Path | bytes) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


class _Listing:
    """One folder, read once: names sorted into folders, model files, images and others."""

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
            target = self.images if suffix in IMAGE_SUFFIXES else self.others
            target[entry.name] = FoundPath(entry.path, status.st_size, status.st_mtime_ns)


def _group(root: bytes, listing: _Listing, suffixes: Sequence[tuple[str, bytes]]) -> list[FoundFile]:
    stems = {os.path.splitext(name)[0] for name in listing.models}
    previews = _previews(listing, stems)
    relative = os.path.relpath(listing.directory, root)
    directory = b"" if relative == b"." else relative
    claims = folder_claims(root, directory)
    files = []
    for name, status in sorted(listing.models.items()):
        stem = os.path.splitext(name)[0]
        sidecars = tuple(
            (suffix, listing.others[stem + raw]) for suffix, raw in suffixes if stem + raw in listing.others
        )
        images = previews.get(stem, ())
        files.append(
            FoundFile(
                path=os.path.join(listing.directory, name),
                directory=directory,
                name=name,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                inode=f"{status.st_dev}:{status.st_ino}",
                sidecars=sidecars,
                previews=images,
                surroundings=_digest(path for path in (*(s[1] for s in sidecars), *images)),
                claims=claims,
            )
        )
    return files


def _previews(listing: _Listing, stems: set[bytes]) -> dict[bytes, tuple[FoundPath, ...]]:
    """Images by the stem they belong to: the longest that starts their name, then the ``STEM/`` folder."""
    ranked: dict[bytes, list[tuple[tuple[int, bytes], FoundPath]]] = {}
    for name, path in listing.images.items():
        owner = _owner(os.path.splitext(name)[0], stems)
        if owner is not None:
            middle = os.path.splitext(name)[0][len(owner) :].lower()
            place = _PREFERRED.index(middle) if middle in _PREFERRED else len(_PREFERRED)
            ranked.setdefault(owner, []).append(((place, name), path))
    for stem in stems & listing.folders.keys():
        found = _folder_images(listing.folders[stem])
        ranked.setdefault(stem, []).extend(((len(_PREFERRED) + 1, path.path), path) for path in found)
    return {
        stem: tuple(path for _, path in sorted(rows, key=lambda r: r[0])) for stem, rows in ranked.items()
    }


def _owner(image_stem: bytes, stems: set[bytes]) -> bytes | None:
    while image_stem:
        if image_stem in stems:
            return image_stem
        image_stem, dot, _ = image_stem.rpartition(b".")
        if not dot:
            return None
    return None


def _folder_images(directory: bytes) -> list[FoundPath]:
    """Images in a folder named like a model, unless it holds models of its own."""
    try:
        listing = _Listing(directory)
    except OSError:
        return []  # the walk reports this folder itself when it gets there
    return [] if listing.models else list(listing.images.values())


def _digest(paths: Iterator[FoundPath]) -> str:
    rows = [b"%s\0%d\0%d" % (path.path, path.size, path.mtime_ns) for path in paths]
    return hashlib.sha256(b"\0".join(rows)).hexdigest()[:32] if rows else ""
