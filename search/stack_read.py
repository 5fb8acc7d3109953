"""Reading back what ``stack_json`` wrote: the models of a stack, by their names and hashes. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.domain.hub_links import read_link
from indexer.domain.vocabulary import kinds

__all__ = ["Listed", "listed_models"]

_MOST = 200
_LONGEST = 1_000
_HASHES = ("SHA256", "AutoV2", "AutoV3", "BLAKE3", "AutoV1")
"""The surest first."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a stack lists it: as pictures name models, and with the ``id`` and ``title`` that it had in
    the library that wrote the stack."""

    model: UsedModel
    id: int | None
    title: str


def listed_models(told: Any) -> list[Listed] | None:
    """The models of a stack's JSON, the base first; None for any other JSON. At most 200 are read; a base
    that is a mere architecture is none."""
    if not isinstance(told, Mapping) or not isinstance(told.get("pinakes_stack"), int):
        return None
    rows = (told.get("base"), *_rows(told.get("addons")), *_rows(told.get("parts")))
    return [found for row in rows[:_MOST] if (found := _listed(row)) is not None]


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _listed(row: Any) -> Listed | None:
    if not isinstance(row, Mapping):
        return None
    title, kind = _text(row.get("name")), row.get("kind")
    file, id_ = _text(row.get("file")), row.get("id")
    hash_, version = next(_hashes(row), None), next(_versions(row), None)
    if not (file or hash_ or version) and not isinstance(id_, int):
        return None
    weight = row.get("weight")
    model = UsedModel(
        kind if isinstance(kind, str) and kind in kinds() else "unknown",
        file or title or None,
        hash_,
        version,
        float(weight) if isinstance(weight, int | float) and not isinstance(weight, bool) else None,
    )
    return Listed(model, id_ if isinstance(id_, int) and 0 < id_ < 1 << 62 else None, title)


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _hashes(row: Mapping[str, Any]) -> Iterator[str]:
    told = row.get("hashes")
    hashes = told if isinstance(told, Mapping) else {}
    yield from filter(None, (_text(hashes.get(name)) for name in _HASHES))


def _versions(row: Mapping[str, Any]) -> Iterator[str]:
    """Civitai's number of the version, of its address."""
    for address in _rows(row.get("addresses")):
        link = read_link(_text(address))
        if link is not None and link.hub == "civitai" and link.version:
            yield link.version
