"""Writing the demo library: a folder of models as an artist has it, and the truth about each of them."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime
from math import prod
from pathlib import Path
from typing import TypeAlias

from indexer.demo.cast import Cast, Part, load_cast
from indexer.demo.container import write_gguf, write_safetensors
from indexer.demo.metadata import header_metadata, published
from indexer.demo.pictures import Picture, pictures_of, save
from indexer.demo.raster import to_image
from indexer.demo.report import DemoModel, DemoReport
from indexer.demo.sidecars import Stored, model_id, sidecar, version_id
from indexer.demo.styles import draw, plate_for
from indexer.demo.tensors import tensors_of, trained_tensors
from indexer.errors import UsageError

__all__ = ["Watcher", "fitting", "write_cast", "write_demo"]

Watcher: TypeAlias = Callable[[int, int, str], None]

_MARKER = ".pinakes-demo"
_HASH_BELOW = 60_000_000
_LARGE = 64_000_000
_PROBE = 32_000_000
_VARIANTS = 3
_GGUF_NAMES = {"flux1-schnell": "flux", "qwen-image": "qwen_image"}
_PAGE = b"""<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><h1>Sign in to download</h1><p>Your session has ended. Please sign in and try again.</p></body></html>
"""


def write_demo(folder: Path, *, progress: Watcher | None = None, seed: int = 7) -> DemoReport:
    """Write the library below ``folder/models`` and tell the truth about it.

    The same ``seed`` gives the same bytes. ``progress(done, total, what)`` is called from this thread. On
    file systems without sparse files, models above 64 MB are left out and named in the report. Raises
    ``UsageError`` (``folder_not_empty``, ``not_a_folder``, ``cannot_write``).
    """
    return write_cast(folder, load_cast(), progress or _nobody, seed)


def write_cast(folder: Path, cast: Cast, watch: Watcher, seed: int) -> DemoReport:
    """``write_demo`` for another cast, for instance a few parts of the whole."""
    try:
        _prepare(folder)
        return _write(folder, cast, watch, seed)
    except OSError as error:
        fault = error.strerror or error
        detail = f"the demo cannot be written to {str(folder)!r}: {fault}; choose another folder."
        raise UsageError("cannot_write", detail) from error


def _nobody(done: int, total: int, what: str) -> None:
    return None


def _prepare(folder: Path) -> None:
    """Make the folder, or clear away what a former demo wrote there, and nothing else."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("not_a_folder", f"{str(folder)!r} is a file; give the demo a folder of its own.")
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / _MARKER
    if marker.is_file():
        _clear(folder, marker)
    elif any(folder.iterdir()):
        raise UsageError(
            "folder_not_empty",
            f"{str(folder)!r} is not empty and no former demo; give the demo a new folder.",
        )
    marker.touch()  # from now on the folder is a demo's, even if the writing is cut short


def _clear(folder: Path, marker: Path) -> None:
    root = folder.resolve()
    for line in marker.read_text(encoding="utf-8").splitlines():
        path = folder / line
        if line and path.parent.resolve().is_relative_to(root) and path.is_file() and path != marker:
            path.unlink()


def _sparse(folder: Path) -> bool:
    """Whether a hole takes no room here; taken to be so where a system does not tell blocks (Windows)."""
    probe = folder / f"{_MARKER}-probe"
    with probe.open("wb") as stream:
        stream.truncate(_PROBE)
    blocks = getattr(probe.stat(), "st_blocks", 0)
    probe.unlink()
    return blocks * 512 < _PROBE // 2


def _write(folder: Path, cast: Cast, watch: Watcher, seed: int) -> DemoReport:
    models = folder / "models"
    parts, left_out = fitting(cast, _sparse(folder))
    total = len(parts) + sum(len(part.drawn) for part in parts)
    stored: dict[str, Stored] = {}
    for done, part in enumerate(sorted(parts, key=lambda p: p.form == "copy"), 1):
        stored[part.path] = _store(models, part, cast, seed)
        watch(done, total, part.path)
    shown = _plan_pictures(parts, stored, cast)
    beside = {
        part.path: _write_sidecars(models, part, stored[part.path], shown[part.path], cast) for part in parts
    }
    _draw_all(
        models, [picture for group in shown.values() for picture in group], seed, len(parts), total, watch
    )
    truths = tuple(
        _truth(part, stored[part.path], shown[part.path], beside[part.path], cast) for part in parts
    )
    written = [name for truth in truths for name in (truth.path, *truth.sidecars, *truth.previews)]
    _date(folder, parts, truths, seed)
    (folder / _MARKER).write_text("".join(f"{name}\n" for name in sorted(written)), encoding="utf-8")
    stats = [(folder / name).stat() for name in written]
    return DemoReport(
        folder,
        truths,
        sum(len(truth.pictures) for truth in truths),
        sum(len(truth.sidecars) for truth in truths),
        sum(status.st_size for status in stats),
        sum(getattr(status, "st_blocks", status.st_size // 512) * 512 for status in stats),
        left_out,
    )


def fitting(cast: Cast, sparse: bool) -> tuple[list[Part], tuple[str, ...]]:
    """The parts that can be written, and the paths of those too large for a disk without sparse files."""
    if sparse:
        return list(cast.parts), ()
    large = {
        part.path
        for part in cast.parts
        if part.form in ("recipe", "gguf", "adapter", "truncated") and _weight(part, cast) > _LARGE
    }
    large |= {part.path for part in cast.parts if part.copy_of in large}
    return [part for part in cast.parts if part.path not in large], tuple(
        sorted(f"models/{path}" for path in large)
    )


def _weight(part: Part, cast: Cast) -> int:
    """Bytes of the tensors, near enough to tell large from small."""
    width = 1 if part.dtype == "F8_E4M3" or part.form == "gguf" else 2
    return sum(prod(tensor.shape) for tensor in tensors_of(part, cast)) * width


def _store(models: Path, part: Part, cast: Cast, seed: int) -> Stored:
    path = models / part.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if part.form == "html":
        path.write_bytes(_PAGE)
    elif part.form == "copy":
        _copy_sparse(models / (part.copy_of or ""), path)
    elif part.form == "gguf":
        name = _GGUF_NAMES[part.recipe or ""]
        write_gguf(path, tensors_of(part, cast), name, part.name, part.number + seed)
    else:
        tensors = tensors_of(part, cast)
        whole = trained_tensors(tensors) if part.form in ("adapter", "truncated") else ()
        size = write_safetensors(path, tensors, header_metadata(part, cast), part.number + seed, whole)
        if part.form == "truncated":
            os.truncate(path, size * 3 // 5)
    return _measured(path)


def _copy_sparse(source: Path, target: Path) -> None:
    """The same bytes without filling the hole: only stretches that hold something are written."""
    with source.open("rb") as old, target.open("wb") as new:
        while block := old.read(65_536):
            if block.strip(b"\0"):
                new.seek(old.tell() - len(block))
                new.write(block)
        new.truncate(old.tell())


def _measured(path: Path) -> Stored:
    size = path.stat().st_size
    if size > _HASH_BELOW:
        return Stored(size)
    whole, data = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        head = stream.read(length) if length < size else b""
        whole.update(start + head)
        while block := stream.read(1 << 20):
            whole.update(block)
            data.update(block)
    return Stored(size, whole.hexdigest(), data.hexdigest())


def _plan_pictures(parts: Iterable[Part], stored: dict[str, Stored], cast: Cast) -> dict[str, list[Picture]]:
    """Twins on other bases show the same subjects, seen anew each time."""
    seen: Counter[tuple[str, str]] = Counter()
    plan = {}
    for part in parts:
        variants = []
        for pair in part.drawn:
            variants.append((seen[pair] + len(pair[0])) % _VARIANTS)
            seen[pair] += 1
        plan[part.path] = pictures_of(part, stored[part.path], cast, variants)
    return plan


def _write_sidecars(models: Path, part: Part, stored: Stored, shown: list[Picture], cast: Cast) -> list[str]:
    names = [picture.path for picture in shown]
    written = []
    for kind in part.sidecars:
        name = f"{part.folder}/{part.stem}.{kind}"
        (models / name).write_bytes(sidecar(kind, part, stored, names, cast))
        written.append(f"models/{name}")
    return written


def _draw_all(
    models: Path, pictures: list[Picture], seed: int, done: int, total: int, watch: Watcher
) -> None:
    groups: dict[tuple[str, int], list[Picture]] = defaultdict(list)
    for picture in pictures:
        groups[picture.subject, picture.variant].append(picture)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        largest = sorted(groups.items(), key=lambda item: -len(item[1]))
        work: list[Future[list[str]]] = [
            pool.submit(_draw_group, models, group, seed) for _, group in largest
        ]
        for future in as_completed(work):
            for name in future.result():
                done += 1
                watch(done, total, name)


def _draw_group(models: Path, group: list[Picture], seed: int) -> list[str]:
    """All pictures of one view of one subject, which is painted once for them."""
    plate = plate_for(group[0].subject, group[0].variant, seed)
    for picture in group:
        path = models / picture.path
        path.parent.mkdir(parents=True, exist_ok=True)
        save(to_image(draw(picture.style, plate, seed, picture.path)), picture, path)
    return [picture.path for picture in group]


def _date(folder: Path, parts: list[Part], truths: Iterable[DemoModel], seed: int) -> None:
    """Give all files the day their model came out; a file of this minute looks like a running download."""
    for part, truth in zip(parts, truths, strict=True):
        moment = datetime.fromisoformat(published(part)).timestamp() + seed
        for name in (truth.path, *truth.sidecars, *truth.previews):
            os.utime(folder / name, (moment, moment))


def _truth(part: Part, stored: Stored, shown: list[Picture], beside: list[str], cast: Cast) -> DemoModel:
    told = bool({"civitai.info", "metadata.json", "cm-info.json"} & set(part.sidecars))
    styles = {style for style, _ in part.drawn}
    lora = part.kind == "lora"
    return DemoModel(
        path=f"models/{part.path}",
        name=part.name,
        kind=part.kind,
        architecture=part.architecture,
        family=part.family,
        adapter=part.adapter if lora else None,
        key_format=cast.targets[part.target]["key_format"] if lora and part.target else None,
        rank=part.rank if lora else None,
        base_label=cast.bases[part.base]["label"] if part.base else None,
        category=part.category,
        style=part.style if len(styles) == 1 else None,
        subjects=tuple(dict.fromkeys(part.subjects)),
        pictures=tuple((f"models/{picture.path}", picture.style, picture.subject) for picture in shown),
        sidecars=tuple(beside),
        trigger_words=part.trigger,
        creator=part.creator if told else None,
        model_id=model_id(part) if told else None,
        version_id=version_id(part) if told else None,
        equivalent_of=f"models/{part.equivalent_of}" if part.equivalent_of else None,
        hidden=part.real_person or part.nsfw_level >= 4,
        bad=part.bad,
        size=stored.size,
        note=part.note,
    )
