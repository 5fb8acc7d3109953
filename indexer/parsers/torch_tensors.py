"""Turns the value of a checkpoint's pickle into tensors by name, and reads PyTorch's old file layout.

The old layout (``torch/serialization.py``, ``_legacy_save``): five pickles - magic number, protocol version,
system information, the object, the keys of its storages - then for each key its element count (8 bytes) and
its bytes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from indexer.domain.header import TensorEntry
from indexer.domain.vocabulary import read_table
from indexer.parsers.byte_sources import Source
from indexer.parsers.pickle_findings import MAX_OPCODES, Findings, unreadable
from indexer.parsers.pickle_values import Made, Opaque, Storage, Tensor, Value
from indexer.parsers.safetensors_strict import DTYPE_BITS
from indexer.parsers.torch_values import DTYPES

__all__ = ["MAGIC", "legacy_data_end", "tensors_of"]

MAGIC: Final = 0x1950A86A20F9469CFC6C
_MAX_DEPTH: Final = 32
_LONGEST_NAME: Final = 4096
_PARTS: Final = ("_parameters", "_buffers", "_modules")


def _wrappers() -> tuple[str, ...]:
    rows: list[dict[str, Any]] = read_table("torch_files.toml")["wrapper"]
    return tuple(row["key"] for row in rows)


def tensors_of(value: Value, findings: Findings) -> tuple[dict[str, TensorEntry], int]:
    """The state dict that a loader would see, flattened with dots, and how many tensors stand beside it.

    Raises BadFileError ``unreadable:budget`` when shared parts unfold to more than any model has.
    """
    inner = _unwrapped(value)
    tensors: dict[str, TensorEntry] = {}
    for name, tensor in _walk(inner):
        if type(tensor) is Tensor and len(name) <= _LONGEST_NAME:
            tensors[name.encode("utf-8", "replace").decode()] = TensorEntry(
                dtype=DTYPES[tensor.dtype], shape=list(tensor.shape), data_offsets=[0, 0]
            )
        else:
            findings.warn("tensor_skipped", name[:80].encode("unicode_escape").decode())
    beside = 0 if inner is value else sum(1 for _ in _walk(value)) - len(tensors)
    return tensors, max(0, beside)


def _unwrapped(value: Value) -> Value:
    """Inside the dictionaries that trainers put around a state dict."""
    for _ in range(_MAX_DEPTH):
        children = _children(value)
        inner = next((children[key] for key in _wrappers() if _is_dictionary(children.get(key))), None)
        if inner is None:
            return value
        value = inner
    return value


def _is_dictionary(value: Value) -> bool:
    return bool(_children(value))


def _children(value: Value) -> Mapping[Any, Value]:
    """Named parts of a dictionary, or of an object: its parameters, buffers and modules."""
    if isinstance(value, dict):
        return value
    if type(value) is not Made:
        return {}
    state = value.state
    if type(state) is tuple and len(state) == 2 and isinstance(state[0], dict):
        state = state[0]  # (attributes, slots)
    if not isinstance(state, dict):
        return value.items
    parts = [part for key in _PARTS if isinstance(part := state.get(key), dict)]
    if not parts:
        return state
    return {name: child for part in parts for name, child in part.items()}


def _walk(root: Value) -> Iterator[tuple[str, Value]]:
    """Tensors (also unreadable ones) below ``root`` in order, names joined with dots."""
    pending: list[tuple[str, Value, int]] = [("", root, 0)]
    steps = 0
    while pending:
        name, value, depth = pending.pop()
        steps += 1
        if type(value) is Tensor or (type(value) is Opaque and value.what == "tensor"):
            yield name, value
            continue
        # A list may hold itself, so what is nested too deeply is left out; no model is.
        parts = _named(value) if depth < _MAX_DEPTH else []
        steps += len(parts)
        if steps > MAX_OPCODES:
            raise unreadable("budget", "parts shared without end")
        prefix = f"{name}." if name else ""
        pending += [
            (prefix + str(key)[: _LONGEST_NAME + 1], child, depth + 1)
            for key, child in reversed(parts)
            if type(child) in _DEEPER or isinstance(child, dict)
        ]


_DEEPER = frozenset((Tensor, Opaque, Made, list, tuple))


def _named(value: Value) -> list[tuple[Any, Value]]:
    if type(value) in (list, tuple):
        return list(enumerate(value))
    return [(key, child) for key, child in _children(value).items() if type(key) in (str, int)]


def legacy_data_end(
    source: Source, offset: int, keys: Value, storages: Mapping[str, Storage], findings: Findings
) -> int:
    """Where the storages of an old file end that begin at ``offset``.

    Raises BadFileError ``unreadable:truncated`` when the file ends before.
    """
    for key in keys if type(keys) is list else ():
        storage = storages.get(key) if type(key) is str else None
        dtype = DTYPES.get(storage.dtype) if storage is not None else None
        elements = int.from_bytes(source.read(offset, 8), "little")
        if storage is None or dtype is None or elements != storage.elements:
            findings.doubt("the storages behind the pickles are not those that the pickles name")
            return offset
        offset += 8 + elements * DTYPE_BITS[dtype] // 8
        if offset > source.size:
            raise unreadable("truncated", "the tensors' data is not all there")
    return offset
