"""Model files on disk: walk the folders, group what lies beside each file. Reads names and stats only.

Roots and folders may be symbolic links; each real folder is entered once, so loops end.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from indexer.domain.bundles import MODEL_INDEX
from indexer.domain.claims import ClaimSet
from indexer.domain.found import FoundFile, FoundPath, WalkProblem
from indexer.sources.bundles import Bundle, take_folder, take_shards, without_component
from indexer.sources.folders import folder_claims
from indexer.sources.libraries import Survey
from indexer.sources.listing import IMAGE_SUFFIXES, MODEL_SUFFIXES, Listing, found_path
from indexer.sources.preview_names import preview_order
from indexer.sources.titles import Titles, is_hub_store

__all__ = ["IMAGE_SUFFIXES", "MODEL_SUFFIXES", "Start", "walk"]

_HUB_STORES = (b"blobs", b"refs")
"""What a Hugging Face cache keeps beside its snapshots: the same bytes without names."""


@dataclass(frozen=True, slots=True)
class Start:
    """A folder below the root at which a partial walk begins; ``deep``: with all folders below it."""

    directory: bytes
    deep: bool


def walk(
    root: Path,
    sidecar_suffixes: Sequence[str],
    skip: Sequence[Path] = (),
    survey: Survey | None = None,
    starts: Sequence[Start] | None = None,
) -> Iterator[list[FoundFile] | WalkProblem]:
    """Yield the model files of one folder after another, or the folders that could not be read.

    ``sidecar_suffixes`` are what follows the stem in names of sidecars (``.civitai.info``). Folders in
    ``skip`` (Pinakes' own home) are not entered. ``survey`` tells which tools the folders belong to, and what
    those know. ``starts`` (absolute paths) limit the walk; one that vanished is passed over. Several files
    that are one model are one of the list. Memory is that of one folder.
    """
    top = os.fsencode(root)
    context = _Walk(top, sidecar_suffixes, survey or Survey(top))
    seen: set[tuple[int, int]] = {_identity(path) for path in skip if path.exists()}
    if starts is None:
        yield from context.below([(top, False)], seen, deep=True)
        return
    for start in starts:
        if os.path.isdir(start.directory):
            pending = [(start.directory, start.directory != top and _is_component(start.directory))]
            yield from context.below(pending, seen, deep=start.deep)


def _is_component(directory: bytes) -> bool:
    """Whether the weights of a folder belong to the pipeline above it."""
    parent = os.path.dirname(directory)
    try:
        if not os.path.isfile(os.path.join(parent, MODEL_INDEX)):
            return False
        bundle = take_folder(Listing(parent))
    except OSError:
        return False
    return bundle is not None and directory in bundle.components


class _Walk:
    """What holds for all folders of a walk."""

    def __init__(self, root: bytes, suffixes: Sequence[str], survey: Survey) -> None:
        self.root = root
        self.survey = survey
        self.suffixes = [(suffix, os.fsencode(suffix)) for suffix in suffixes]

    def below(
        self, pending: list[tuple[bytes, bool]], seen: set[tuple[int, int]], *, deep: bool
    ) -> Iterator[list[FoundFile] | WalkProblem]:
        """Walk from ``pending`` (folder, and whether it is a pipeline's component) on."""
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
            if deep:
                parts = frozenset[bytes]().union(*(bundle.components for bundle in bundles))
                pending.extend((path, path in parts) for path in sorted(_folders(listing), reverse=True))
            if listing.models or bundles:
                yield _group(self, listing, bundles)


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


@dataclass(frozen=True)
class _Place:
    """A folder of the walk with what holds for all models in it."""

    walk: _Walk
    listing: Listing
    directory: bytes
    claims: tuple[ClaimSet, ...]
    titles: Titles
    order: Mapping[bytes, int]
    previews: dict[bytes, tuple[FoundPath, ...]] = field(default_factory=dict)

    @cached_property
    def words(self) -> bytes:
        """The folder's claims as bytes of the digest."""
        return _spoken(self.claims)


def _group(walk: _Walk, listing: Listing, bundles: Sequence[Bundle]) -> list[FoundFile]:
    stems = {name: os.path.splitext(name)[0] for name in listing.models}
    relative = os.path.relpath(listing.directory, walk.root)
    directory = b"" if relative == b"." else relative
    order = preview_order(walk.survey.tool_of(listing.directory))
    place = _Place(
        walk,
        listing,
        directory,
        folder_claims(walk.root, directory, walk.survey.promises),
        Titles(walk.root, directory, listing),
        order,
        _previews(listing, {*stems.values()}.union(*(bundle.stems for bundle in bundles)), order),
    )
    files = [_file(place, name, stem) for name, stem in sorted(stems.items())]
    return files + [_bundle(place, bundle) for bundle in bundles]


def _file(place: _Place, name: bytes, stem: bytes) -> FoundFile:
    status = place.listing.models[name]
    path = os.path.join(place.listing.directory, name)
    sidecars = _sidecars(place, stem)
    images = place.previews.get(stem, ())
    own = place.titles.of_file(name) + place.walk.survey.claims_for(path)
    return FoundFile(
        path=path,
        directory=place.directory,
        name=name,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode=f"{status.st_dev}:{status.st_ino}",
        sidecars=sidecars,
        previews=images,
        surroundings=_digest(
            os.path.join(place.listing.directory, stem),
            (*(path for _, path in sidecars), *images),
            place.words + _spoken(own),
        ),
        claims=place.claims + own,
    )


def _bundle(place: _Place, bundle: Bundle) -> FoundFile:
    sidecars = [found for stem in bundle.stems for found in _sidecars(place, stem)]
    images = [path for stem in bundle.stems for path in place.previews.get(stem, ())]
    folder = place.listing.directory
    if bundle.folder and place.directory:
        outside = _beside(folder, place.walk.suffixes, place.order)
        sidecars, images = [*outside[0], *sidecars], [*outside[1], *images]
    path = os.path.join(folder, bundle.name)
    whole = (*bundle.settings, *bundle.parts)
    own = place.titles.of_bundle(bundle) + place.walk.survey.claims_for(folder if bundle.folder else path)
    return FoundFile(
        path=path,
        directory=place.directory,
        name=bundle.name,
        size=sum(part.size for part in bundle.parts),
        mtime_ns=max(part.mtime_ns for part in whole),
        inode=_inode(bundle.parts[0].path if bundle.parts else path),
        sidecars=tuple(sidecars),
        previews=tuple(images),
        surroundings=_digest(
            folder, (*whole, *(found for _, found in sidecars), *images), place.words + _spoken(own)
        ),
        claims=place.claims + own,
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
        for suffix, raw in place.walk.suffixes
        if stem + raw in others and stem + raw != MODEL_INDEX
    )


def _beside(
    folder: bytes, suffixes: Sequence[tuple[str, bytes]], order: Mapping[bytes, int]
) -> tuple[list[tuple[str, FoundPath]], list[FoundPath]]:
    """Sidecars and previews named like a folder, beside it."""
    sidecars = [(suffix, path) for suffix, raw in suffixes if (path := _regular(folder + raw))]
    images = (_regular(folder + ending) for ending in order)
    return sidecars, [path for path in images if path]


def _regular(path: bytes) -> FoundPath | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return found_path(path, status) if stat.S_ISREG(status.st_mode) else None


def _previews(
    listing: Listing, stems: set[bytes], order: Mapping[bytes, int]
) -> dict[bytes, tuple[FoundPath, ...]]:
    """Images by the stem they belong to: the longest that starts their name, then the ``STEM/`` folder."""
    ranked: dict[bytes, list[tuple[tuple[int, bytes], FoundPath]]] = {}
    for name, path in listing.images.items():
        owner = _owner(os.path.splitext(name)[0], stems)
        if owner is not None:
            place = order.get(name[len(owner) :].lower(), len(order))
            ranked.setdefault(owner, []).append(((place, name), path))
    for stem in stems & listing.folders.keys():
        found = _folder_images(listing.folders[stem])
        ranked.setdefault(stem, []).extend(((len(order) + 1, path.path), path) for path in found)
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


def _spoken(claims: Sequence[ClaimSet]) -> bytes:
    """Claims as bytes that change when one of them does."""
    return repr([(said.source, said.claims) for said in claims]).encode() if claims else b""


def _digest(start: bytes, paths: Sequence[FoundPath], words: bytes) -> str:
    """Names after ``start`` (so that a move or a rename of all changes nothing), sizes, times and claims."""
    if not paths and not words:
        return ""
    rows = [b"%s\0%d\0%d" % (p.path.removeprefix(start), p.size, p.mtime_ns) for p in paths]
    return hashlib.sha256(b"\0".join([*rows, words])).hexdigest()[:32]
