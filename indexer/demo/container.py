"""Writing model containers that are real in layout and size and nearly empty on disk.

A safetensors file is an 8-byte little-endian header length, a JSON header and the data section; GGUF as told
in the ggml repository's ``docs/gguf.md`` (version 3). Only a few stretches get values: alphas and some
factors of adapters, the head of the data, the stretch that AutoV1 hashes; the rest is a hole.
"""

import json
import struct
from collections.abc import Collection, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from indexer.demo.tensors import Tensor

__all__ = ["write_gguf", "write_safetensors"]

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}
_FULL_BELOW = 1_000_000
"""Files with less data than this are filled throughout."""

_HEAD = 65_536
_AUTOV1 = (0x100000, 0x10000)
"""Offset and length of the stretch that the AutoV1 hash reads."""

_GGUF_ALIGNMENT = 32
_GGUF_F32, _GGUF_Q4_0, _GGUF_BF16 = 0, 2, 30
_GGUF_STRING, _GGUF_UINT32 = 8, 4
_Q4_0_BLOCK, _Q4_0_BYTES = 32, 18


def _values(rng: np.random.Generator, dtype: str, count: int) -> bytes:
    """``count`` small numbers (standard deviation 0.02) as a container stores them; ids count upwards."""
    if dtype == "I64":
        return np.arange(count, dtype="<i8").tobytes()
    if dtype == "F8_E4M3":
        return (
            rng.integers(0x08, 0x30, count, dtype=np.uint8) | rng.integers(0, 2, count, dtype=np.uint8) << 7
        ).tobytes()
    noise = (rng.standard_normal(count, dtype=np.float32) * np.float32(0.02)).astype("<f4")
    return _encode(noise, dtype)


def _encode(values: "np.ndarray[tuple[int], np.dtype[np.float32]]", dtype: str) -> bytes:
    if dtype == "BF16":
        return (values.view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype("<f2" if dtype == "F16" else "<f4").tobytes()


def write_safetensors(
    path: Path,
    tensors: Sequence[Tensor],
    metadata: Mapping[str, str],
    seed: int,
    whole: Collection[str] = (),
) -> int:
    """Write the file and return its logical size in bytes; tensors named in ``whole`` are filled throughout.

    Raises ``OSError``.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    spans: list[tuple[Tensor, int, int]] = []
    end = 0
    # Wide types first, as the reference writer does; the alphas together, so that they share a disk block.
    for tensor in sorted(tensors, key=lambda t: (-_BYTES[t.dtype], t.value is None)):
        begin, end = end, end + prod(tensor.shape) * _BYTES[tensor.dtype]
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
        spans.append((tensor, begin, end))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + end)
        _fill(stream, spans, whole, 8 + len(text), end, np.random.default_rng(seed))
    return 8 + len(text) + end


def _fill(
    stream: BinaryIO,
    spans: Sequence[tuple[Tensor, int, int]],
    whole: Collection[str],
    start: int,
    total: int,
    rng: np.random.Generator,
) -> None:
    windows = (
        [(0, total)] if total < _FULL_BELOW else [(0, _HEAD), (_AUTOV1[0] - start, sum(_AUTOV1) - start)]
    )
    for tensor, begin, end in spans:
        if tensor.value is not None:
            stream.seek(start + begin)
            stream.write(_encode(np.array([tensor.value], dtype="<f4"), tensor.dtype))
            continue
        size = _BYTES[tensor.dtype]
        for low, high in [(begin, end)] if tensor.name in whole else windows:
            first = begin + max(0, low - begin) // size * size
            count = (min(high, end) - first) // size
            if count > 0:
                stream.seek(start + first)
                stream.write(_values(rng, tensor.dtype, count))


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _gguf_type(tensor: Tensor) -> tuple[int, int]:
    """ggml type and byte count: vectors in F32, rows of whole blocks in Q4_0, others in BF16."""
    count = prod(tensor.shape)
    if len(tensor.shape) < 2:
        return _GGUF_F32, count * 4
    if tensor.shape[-1] % _Q4_0_BLOCK == 0:
        return _GGUF_Q4_0, count // _Q4_0_BLOCK * _Q4_0_BYTES
    return _GGUF_BF16, count * 2


def write_gguf(path: Path, tensors: Sequence[Tensor], architecture: str, name: str, seed: int) -> int:
    """Write a quantised GGUF file and return its logical size in bytes. Dimensions stand fastest first."""
    words = {"general.architecture": architecture, "general.name": name, "general.type": "model"}
    numbers = {
        "general.file_type": 2,
        "general.quantization_version": 2,
        "general.alignment": _GGUF_ALIGNMENT,
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(words) + len(numbers))
    for key, word in words.items():
        head += _string(key) + struct.pack("<I", _GGUF_STRING) + _string(word)
    for key, number in numbers.items():
        head += _string(key) + struct.pack("<II", _GGUF_UINT32, number)
    offset, rows = 0, []
    for tensor in tensors:
        kind, size = _gguf_type(tensor)
        shape = tensor.shape[::-1]
        rows.append(
            _string(tensor.name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        )
        offset += size + -size % _GGUF_ALIGNMENT
    head += b"".join(rows)
    head += bytes(-len(head) % _GGUF_ALIGNMENT)
    with path.open("wb") as stream:
        stream.write(head)
        stream.write(np.random.default_rng(seed).bytes(_HEAD))
        stream.truncate(len(head) + offset)
    return len(head) + offset
