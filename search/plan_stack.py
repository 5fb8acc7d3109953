"""Which models an image or a workflow was made with: the stack that is to move."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from indexer.catalog import entries, resources
from indexer.catalog.database import Catalog
from indexer.domain.generation import GenerationRecord, UsedModel, model_stem
from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.parsers.generation import read_generation
from indexer.parsers.generation.models import tags
from indexer.parsers.image_chunks import MAX_TEXT_BYTES, TextChunk
from indexer.parsers.image_file import parse_image
from indexer.parsers.image_text import container_of
from indexer.parsers.strict_json import decode_text
from search.stack_read import Listed, listed_models

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
    """The stack of an image, of a ComfyUI workflow (JSON), of A1111's text, or of JSON that Pinakes wrote; as
    a file or its bytes.

    Raises ``UsageError`` (``stack``) where it cannot be read or names no model.
    """
    listed = _listed(what)[:_MODELS]
    if not listed:
        raise UsageError(
            "stack",
            f"{_called(what)} names no model: give an image that a generator saved with its settings, a "
            "ComfyUI workflow as JSON, A1111's text, or a stack that Pinakes wrote as JSON.",
        )
    names = [_named(one.model) for one in listed]
    with catalog.read() as session:
        links = resources.link(session, dict.fromkeys(names))
        shown = entries.documents(session, {one.id for one in listed if one.id is not None})
    ids: dict[int, None] = {}
    weights: dict[int, float] = {}
    unknown = []
    for one, name in zip(listed, names, strict=True):
        model = one.model
        id_ = links[name].version_id if name in links else _same(one, shown)
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


def _same(one: Listed, shown: Mapping[int, Document]) -> int | None:
    """The entry of the id that a stack tells, where it is called so, too: ids of other libraries mean other
    models."""
    document = shown.get(one.id or 0)
    return one.id if document is not None and document.name == one.title else None


def _listed(what: Path | bytes) -> list[Listed]:
    """The models of a file, as it names them; none where it names none."""
    try:
        head = _head(what)
        if container_of(head) is not None:
            return _of_record(_image(what))
        data = what if isinstance(what, bytes) else _bounded(what)
    except OSError as error:
        raise UsageError(
            "stack", f"{_called(what)} cannot be read: {error.strerror}. Check its name."
        ) from None
    text, _ = decode_text(data)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    listed = listed_models(told)
    return _of_text(text, graph=isinstance(told, dict)) if listed is None else listed


def _of_text(text: str, *, graph: bool) -> list[Listed]:
    """The models of a text, under whichever name tools write such a text into pictures."""
    for keyword in ("prompt", "workflow", "parameters") if graph else ("parameters",):
        found = _of_record(read_generation([TextChunk(keyword, text)], None))
        if found:
            return found
    return [Listed(model, None, "") for model in tags(text)]  # a prompt without settings


def _of_record(record: GenerationRecord | None) -> list[Listed]:
    return [Listed(model, None, "") for model in (record.models if record else ())]


def _image(what: Path | bytes) -> GenerationRecord | None:
    if isinstance(what, Path):
        return parse_image(what).generation
    with TemporaryDirectory(prefix="pinakes-") as folder:  # readers of images seek in files
        path = Path(folder) / "picture"
        path.write_bytes(what)
        return parse_image(path).generation


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
