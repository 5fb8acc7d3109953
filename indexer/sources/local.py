"""Model files on disk: walk the folders, group what lies beside each file. Reads names and stats only.

Roots and folders may be symbolic links; each real folder is entered once, so loops end.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.domain.bundles import MODEL_INDEX
from indexer.domain.claims import ClaimSet
from indexer.domain.found import FoundFile, FoundPath, WalkProblem
from indexer.sources.bundles import Bundle, take_folder, take_shards, without_component
from indexer.sources.folders import folder_claims
from indexer.sources.listing import IMAGE_SUFFIXES, MODEL_SUFFIXES, Listing, found_path
from indexer.sources.titles import Titles, is_hub_store

__all__ = ["IMAGE_SUFFIXES", "MODEL_SUFFIXES", "walk"]

_PREFERRED = (b"", b".preview", b".thumb")
_HUB_STORES = (b"blobs", b"refs")
"""What a Hugging Face cache keeps beside its snapshots: the same bytes without names."""


def walk(
    root: Path, sidecar_suffixes: Sequence[str], skip: Sequence[Path] = ()
) -> Iterator[list[FoundFile] | WalkProblem]:
    """Yield the model files of one folder after another, or the folders that could not be read.

    ``sidecar_suffixes`` are what follows the stem in names of sidecars (``.civitai.info``). Folders in
    ``skip`` (Pinakes' own home) are not entered. Several files that are one model are one of the list. Memory
    is that of one folder.
    """
    suffixes = [(suffix, os.fsencode(suffix)) for suffix in sidecar_suffixes]
    seen: set[tuple[int, int]] = {_identity(path) for path in skip if path.exists()}
    pending = [(os.fsencode(root), False)]
    while pending:
        directory, component = pending.pop()
        try:
            identity = _identity(directory)
            if identity in seen:
                continue
            seen.add(identity)
            listing = Listing(directory)
            if component:
                without_component(listing)
            bundles = _bundles(listing)
        except OSError as error:
            at = os.fsdecode(error.filename or directory)
            yield WalkProblem(directory, f"{at!r} cannot be read: {error.strerror}.")
            continue
        parts = frozenset[bytes]().union(*(bundle.components for bundle in bundles))
        pending.extend((path, path in parts) for path in sorted(_folders(listing), reverse=True))
        if listing.models or bundles:
            yield _group(os.fsencode(root), listing, bundles, suffixes)


def _identity(path: Path | bytes) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _folders(listing: Listing) -> list[bytes]:
    if is_hub_store(os.path.basename(listing.directory)):
        return [path for name, path in listing.folders.items() if name not in _HUB_STORES]
    return list(listing.folders.values())


def _bundles(listing: Listing) -> list[Bundle]:
    folder = take_folder(listing)
    return [*take_shards(listing), *([folder] if folder else [])]


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of the walk with what holds for all models in it."""

    listing: Listing
    directory: bytes
    suffixes: Sequence[tuple[str, bytes]]
    claims: tuple[ClaimSet, ...]
    titles: Titles
    previews: dict[bytes, tuple[FoundPath, ...]]


def _group(
    root: bytes, listing: Listing, bundles: Sequence[Bundle], suffixes: Sequence[tuple[str, bytes]]
) -> list[FoundFile]:
    stems = {name: os.path.splitext(name)[0] for name in listing.models}
    relative = os.path.relpath(listing.directory, root)
    directory = b"" if relative == b"." else relative
    place = _Place(
        listing,
        directory,
        suffixes,
        folder_claims(root, directory),
        Titles(root, directory, listing),
        _previews(listing, {*stems.values()}.union(*(bundle.stems for bundle in bundles))),
    )
    files = [_file(place, name, stem) for name, stem in sorted(stems.items())]
    return files + [_bundle(place, bundle) for bundle in bundles]


def _file(place: _Place, name: bytes, stem: bytes) -> FoundFile:
    status = place.listing.models[name]
    sidecars = _sidecars(place, stem)
    images = place.previews.get(stem, ())
    return FoundFile(
        path=os.path.join(place.listing.directory, name),
        directory=place.directory,
        name=name,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode=f"{status.st_dev}:{status.st_ino}",
        sidecars=sidecars,
        previews=images,
        surroundings=_digest((*(path for _, path in sidecars), *images)),
        claims=place.claims + place.titles.of_file(name),
    )


def _bundle(place: _Place, bundle: Bundle) -> FoundFile:
    sidecars = [found for stem in bundle.stems for found in _sidecars(place, stem)]
    images = [path for stem in bundle.stems for path in place.previews.get(stem, ())]
    if bundle.folder and place.directory:
        outside = _beside(place.listing.directory, place.suffixes)
        sidecars, images = [*outside[0], *sidecars], [*outside[1], *images]
    path = os.path.join(place.listing.directory, bundle.name)
    whole = (*bundle.settings, *bundle.parts)
    return FoundFile(
        path=path,
        directory=place.directory,
        name=bundle.name,
        size=sum(part.size for part in bundle.parts),
        mtime_ns=max(part.mtime_ns for part in whole),
        inode=_inode(bundle.parts[0].path if bundle.parts else path),
        sidecars=tuple(sidecars),
        previews=tuple(images),
        surroundings=_digest((*whole, *(found for _, found in sidecars), *images)),
        claims=place.claims + place.titles.of_bundle(bundle),
        parts=bundle.parts,
    )


def _inode(path: bytes) -> str:
    try:
        device, inode = _identity(path)
    except OSError:
        return "0:0"  # it vanished a moment ago
    return f"{device}:{inode}"


def _sidecars(place: _Place, stem: bytes) -> tuple[tuple[str, FoundPath], ...]:
    others = place.listing.others
    return tuple(
        (suffix, others[stem + raw])
        for suffix, raw in place.suffixes
        if stem + raw in others and stem + raw != MODEL_INDEX
    )


def _beside(
    folder: bytes, suffixes: Sequence[tuple[str, bytes]]
) -> tuple[list[tuple[str, FoundPath]], list[FoundPath]]:
    """Sidecars and previews named like a folder, beside it."""
    sidecars = [(suffix, path) for suffix, raw in suffixes if (path := _regular(folder + raw))]
    images = (_regular(folder + middle + suffix) for middle in _PREFERRED for suffix in IMAGE_SUFFIXES)
    return sidecars, [path for path in images if path]


def _regular(path: bytes) -> FoundPath | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return found_path(path, status) if stat.S_ISREG(status.st_mode) else None


def _previews(listing: Listing, stems: set[bytes]) -> dict[bytes, tuple[FoundPath, ...]]:
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
        listing = Listing(directory)
    except OSError:
        return []  # the walk reports this folder itself when it gets there
    return [] if listing.models else list(listing.images.values())


def _digest(paths: Sequence[FoundPath]) -> str:
    rows = [b"%s\0%d\0%d" % (path.path, path.size, path.mtime_ns) for path in paths]
    return hashlib.sha256(b"\0".join(rows)).hexdigest()[:32] if rows else ""
