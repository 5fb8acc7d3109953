"""Writes safetensors files with real values in the types that numpy lacks too."""

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OLD = 1_700_000_000


def encoded(values: NDArray[Any], dtype: str) -> bytes:
    """Values in the bytes of a type: F64, F32, F16, BF16 (cut off)."""
    if dtype == "BF16":
        return (np.ascontiguousarray(values, "<f4").view("<u4") >> np.uint32(16)).astype("<u2").tobytes()
    return values.astype({"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def write_values(
    path: Path, tensors: Mapping[str, NDArray[Any]], dtype: str, metadata: Mapping[str, str] | None = None
) -> Path:
    """A valid file whose data are these values; dated long ago, as a finished download is."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    data, place = [], 0
    for name, values in tensors.items():
        raw = encoded(np.asarray(values), dtype)
        header[name] = {
            "dtype": dtype,
            "shape": list(np.shape(values)),
            "data_offsets": [place, place + len(raw)],
        }
        data.append(raw)
        place += len(raw)
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    os.utime(path, (OLD, OLD))
    return path
