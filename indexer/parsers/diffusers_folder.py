"""A diffusers pipeline on disk: ``model_index.json`` and one folder for each component.

Layout (diffusers, ``DiffusionPipeline.save_pretrained``): the index names a library and a class for each
component; components with weights have ``config.json`` beside them, the scheduler has
``scheduler_config.json``. What these files say becomes claims; only the tensors' own headers are findings.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from indexer.domain.bundles import index_names, shard
from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.found import FoundPath
from indexer.domain.header import Header, HeaderWarning
from indexer.domain.vocabulary import read_table
from indexer.errors import BadFileError
from indexer.parsers.shards import read_shards, read_small
from indexer.parsers.strict_json import JsonFault, decode_text, load_lenient, shorten

__all__ = ["CODES", "SOURCE", "WARNING_CODES", "DiffusersFolder", "read_folder"]

SOURCE: Final = "header:diffusers"
MAX_CONFIG: Final = 1 << 20  # bytes of one JSON file; real ones have a few KiB
_MAX_KEYS = 200
_MAX_TEXT = 200

CODES: Final[Mapping[str, str]] = {
    "index_json": "model_index.json is not one JSON object; download it again",
    "component_missing": "the network that draws is not there; download the whole folder",
}
WARNING_CODES: Final[Mapping[str, str]] = {
    "component_missing": "a component has no weights here; download it too, or let the program that loads it",
    "component_config": "a component's configuration is missing or broken; its weights were read alone",
}


class DiffusersFolder(NamedTuple):
    """What a folder holds: headers by component, what its files claim, and the fingerprint of each weight
    file. ``prediction`` is ``epsilon``, ``v`` or ``sample`` where the scheduler says so."""

    components: Mapping[str, Header]
    claims: ClaimSet
    prediction: str | None
    prints: tuple[str, ...]


def read_folder(index: bytes, parts: Sequence[FoundPath]) -> DiffusersFolder:
    """Read the headers of all ``parts`` and the settings beside them; ``index`` is model_index.json's path.

    Raises BadFileError with a code of ``CODES`` or of the shards' and containers' readers, TemporaryError,
    ``OSError``.
    """
    folder = os.path.dirname(index)
    stated = _object(read_small(index, MAX_CONFIG))
    if stated is None:
        raise BadFileError("index_json", CODES["index_json"])
    headers: dict[str, Header] = {}
    prints: list[str] = []
    for component, files in _by_component(parts).items():
        name = os.path.basename(component).decode("utf-8", "replace")
        shards = read_shards(files, _index(files))
        headers[name] = shards.header
        prints += shards.prints
    warnings = _absent(stated, headers)
    configs = {}
    for name, file in [*((name, "config.json") for name in headers), ("scheduler", "scheduler_config.json")]:
        config = _config(os.path.join(folder, os.fsencode(name), os.fsencode(file)))
        if config is not None:
            configs[name] = config
        elif name in headers:
            detail = f"{shorten(name)}: {WARNING_CODES['component_config']}"
            warnings.append(HeaderWarning("component_config", detail))
    prediction = _table()["prediction"].get(str(configs.get("scheduler", {}).get("prediction_type")))
    return DiffusersFolder(headers, _claims(stated, configs, warnings), prediction, tuple(prints))


def _by_component(parts: Sequence[FoundPath]) -> dict[bytes, list[FoundPath]]:
    groups: dict[bytes, list[FoundPath]] = {}
    for part in parts:
        groups.setdefault(os.path.dirname(part.path), []).append(part)
    return groups


def _index(files: Sequence[FoundPath]) -> bytes | None:
    """The index of a component's shards, where there is one."""
    named = shard(os.path.basename(files[0].path))
    folder = os.path.dirname(files[0].path)
    paths = (os.path.join(folder, name) for name in index_names(named.weights)) if named else ()
    return next((path for path in paths if os.path.lexists(path)), None)


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value, _ = load_lenient(decode_text(data)[0])
    except JsonFault:
        return None
    return value if isinstance(value, dict) else None


def _config(path: bytes) -> dict[str, Any] | None:
    if not os.path.lexists(path):
        return None
    try:
        return _object(read_small(path, MAX_CONFIG))
    except BadFileError:
        return None


@cache
def _table() -> Mapping[str, Any]:
    return read_table("diffusers.toml")


def _absent(stated: Mapping[str, Any], headers: Mapping[str, Header]) -> list[HeaderWarning]:
    """Components with weights that the index names and the folder lacks; a denoiser must not be missing.

    Raises BadFileError ``component_missing``.
    """
    absent = [name for name, value in stated.items() if name not in headers and _has_weights(value)]
    denoisers = _table()["denoisers"]["names"]
    needed = [name for name in absent if name in denoisers]
    if not headers or (needed and headers.keys().isdisjoint(denoisers)):
        shown = shorten(needed[0]) if needed else "no component at all"
        raise BadFileError("component_missing", f"{shown}: {CODES['component_missing']}")
    if not absent:
        return []
    shown = ", ".join(shorten(name) for name in absent[:5])
    return [HeaderWarning("component_missing", f"{shown}: {WARNING_CODES['component_missing']}")]


def _has_weights(value: object) -> bool:
    """Whether an entry of the index, ``[library, class]``, stands for a component with weights."""
    named = isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
    return named and not value[1].endswith(tuple(_table()["weightless"]["endings"]))  # type: ignore[index]


def _claims(
    stated: Mapping[str, Any], configs: Mapping[str, Mapping[str, Any]], warnings: Sequence[HeaderWarning]
) -> ClaimSet:
    pipeline = stated.get("_class_name")
    row = _table()["pipelines"].get(pipeline) if isinstance(pipeline, str) else None
    claims = [Claim("architecture", row["architecture"])] if row else []
    prediction = _table()["prediction"].get(str(configs.get("scheduler", {}).get("prediction_type")))
    if prediction:
        claims.append(Claim("prediction_type", prediction))
    raw = {
        "model_index": _brief(stated),
        **{f"{name}/config": _brief(config) for name, config in configs.items()},
    }
    return ClaimSet(SOURCE, tuple(claims), raw, {}, tuple(warnings))


def _brief(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values and short lists of a configuration: enough to read later, bounded in size."""
    kept = ((key, value) for key, value in settings.items() if len(key) <= _MAX_TEXT and _is_brief(value))
    return dict([*kept][:_MAX_KEYS])


def _is_brief(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MAX_TEXT and all(not isinstance(v, list | dict) and _is_brief(v) for v in value)
    return not isinstance(value, dict) and not (isinstance(value, str) and len(value) > _MAX_TEXT)
