"""The weights of one adapter file, read and measured: parser, rules and measure wired. Needs no catalog."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.domain.factors import ModuleFactors
from indexer.domain.header import Header
from indexer.embedding.adapter_vector import AdapterWeights, measure_adapter
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.adapter_config import read_adapter_config
from indexer.parsers.safetensors import read_header
from indexer.parsers.tensor_values import TensorReader
from indexer.rules.factors import factors_of

__all__ = ["NONFUNCTIONAL", "adapter_modules", "read_adapter_weights", "with_weights"]

NONFUNCTIONAL = "nonfunctional"
"""The warning that weights cannot work."""


def read_adapter_weights(path: Path | str | bytes) -> AdapterWeights:
    """Measure the weights of one adapter file, in the order in which they lie on disk.

    Raises ``BadFileError`` and ``TemporaryError``.
    """
    header = read_header(path)
    with TensorReader(path, header) as reader:
        return measure_adapter(adapter_modules(path, header, reader), reader)


def adapter_modules(path: Path | str | bytes, header: Header, reader: TensorReader) -> list[ModuleFactors]:
    """The modules of an adapter in the order in which they lie on disk, with the scales that a configuration
    in the header or beside the file states."""
    modules = factors_of(header, read_adapter_config(path, header.tensors))
    return sorted(modules, key=lambda module: min(map(reader.position, module.tensors.values())))


def with_weights(told: Mapping[str, Any], path: bytes) -> dict[str, Any]:
    """An ``inspect`` object with ``weights`` {modules, unread, norm, fault} measured, ``None`` for what is no
    adapter in safetensors; weights that cannot work are a warning."""
    result = {**told, "weights": None}
    if told["kind"] not in ("lora", "control_lora") or told["container"] != "safetensors":
        return result
    try:
        found = read_adapter_weights(path)
    except (BadFileError, TemporaryError) as error:
        return result | {"status": "quarantined", "reason": {"code": error.code, "detail": error.detail}}
    fault = found.fault[0] if found.fault else None
    result["weights"] = {
        "modules": found.modules,
        "unread": found.unread,
        "norm": found.norm,
        "fault": fault,
    }
    if found.fault:
        result["warnings"] = sorted({*told["warnings"], NONFUNCTIONAL})
        result["warning_details"] = {**told["warning_details"], NONFUNCTIONAL: found.fault[1]}
    return result
