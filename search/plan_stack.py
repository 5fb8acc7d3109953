"""Which models an image or a workflow was made with: the stack that is to move."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from indexer.catalog import resources
from indexer.catalog.database import Catalog
from indexer.domain.generation import GenerationRecord, UsedModel, model_stem
from indexer.errors import UsageError
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import MAX_TEXT_BYTES, TextChunk
from indexer.parsers.image_file import parse_image
from indexer.parsers.image_text import container_of

__all__ = ["Stack", "read_stack"]

_HEAD = 64
_MODELS = 200


@dataclass(frozen=True, slots=True)
class Stack:
    """The models of a picture: ``ids`` are entries of ours in the order named; ``weights`` their strengths
    where told; ``unknown`` the names that mean no entry."""

    ids: tuple[int, ...]
    weights: dict[int, float]
    unknown: tuple[UsedModel, ...]


def read_stack(catalog: Catalog, what: Path | bytes) -> Stack:
    """The stack of an image, of a ComfyUI workflow (JSON) or of A1111's text, as a file or its bytes.

    Raises ``UsageError`` (``stack``) where it cannot be read or names no model.
    """
    record = _record(what)
    models = record.models[:_MODELS] if record else ()
    if not models:
        raise UsageError(
            "stack",
            f"{_called(what)} names no model: give an image that a generator saved with its settings, or a "
            "ComfyUI workflow as JSON.",
        )
    names = [_named(model) for model in models]
    with catalog.read() as session:
        links = resources.link(session, dict.fromkeys(names))
    ids: dict[int, None] = {}
    weights: dict[int, float] = {}
    unknown = []
    for model, name in zip(models, names, strict=True):
        id_ = links[name].version_id if name in links else None
        if id_ is None:
            unknown.append(model)
            continue
        ids[id_] = None
        if model.weight is not None:
            weights.setdefault(id_, model.weight)
    return Stack(tuple(ids), weights, tuple(unknown))


def _named(model: UsedModel) -> resources.Named:
    stem = model_stem(model.name) if model.name else None
    return resources.Named(model.kind, stem or None, model.hash, model.version_id)


def _record(what: Path | bytes) -> GenerationRecord | None:
    try:
        head = _head(what)
        if container_of(head) is not None:
            return _image(what)
        data = what if isinstance(what, bytes) else _bounded(what)
    except OSError as error:
        raise UsageError(
            "stack", f"{_called(what)} cannot be read: {error.strerror}. Check its name."
        ) from None
    text = data.decode("utf-8", "replace")
    for keyword in _keywords(text):
        found = read_generation([TextChunk(keyword, text)], None)
        if found is not None and found.models:
            return found
    return None


def _image(what: Path | bytes) -> GenerationRecord | None:
    if isinstance(what, Path):
        return parse_image(what).generation
    with TemporaryDirectory(prefix="pinakes-") as folder:  # readers of images seek in files
        path = Path(folder) / "picture"
        path.write_bytes(what)
        return parse_image(path).generation


def _keywords(text: str) -> Iterator[str]:
    """Under which names tools write such a text into pictures."""
    try:
        graph = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        graph = False
    yield from ("prompt", "workflow", "parameters") if graph else ("parameters",)


def _head(what: Path | bytes) -> bytes:
    if isinstance(what, bytes):
        return what[:_HEAD]
    with what.open("rb") as stream:
        return stream.read(_HEAD)


def _bounded(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        limit = MAX_TEXT_BYTES >> 20
        raise UsageError("stack", f"{str(path)!r} is larger than {limit} MiB: too large for a workflow.")
    return data


def _called(what: Path | bytes) -> str:
    return repr(str(what)) if isinstance(what, Path) else "What was sent"
