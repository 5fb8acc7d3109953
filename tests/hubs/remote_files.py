"""Files as large as models are, sparse on disk, served by range, with the bytes on the wire counted."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from tests.hub_server import Reply, Request
from tests.models import SDXL_LORA, lora_tensors
from tests.parsers.headers import compact, lay_out

__all__ = ["lora_bytes", "padded", "serve", "sparse_checkpoint"]

_PART = 65_536


def lora_bytes(rank: int = 4, metadata: dict[str, str] | None = None) -> bytes:
    """A small whole LoRA for SDXL."""
    header, size = lay_out(
        [(name, "F16", shape) for name, shape in lora_tensors(rank, SDXL_LORA).items()], metadata
    )
    raw = compact(header)
    return struct.pack("<Q", len(raw)) + raw + bytes(size)


def padded(length: int) -> tuple[bytes, int]:
    """The front of a LoRA whose header is ``length`` bytes of JSON, and the size of the whole file."""
    header, size = lay_out([(name, "F16", shape) for name, shape in lora_tensors().items()])
    raw = compact(header)
    raw += b" " * (length - len(raw))
    return struct.pack("<Q", len(raw)) + raw, 8 + len(raw) + size


def sparse_checkpoint(path: Path, tensors: list[tuple[str, str, list[int]]]) -> Path:
    """A safetensors file of these tensors, whose data is a hole."""
    header, size = lay_out(tensors)
    raw = compact(header)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw)
    os.truncate(path, 8 + len(raw) + size)
    return path


def serve(path: Path, request: Request, etag: str = '"1"') -> Reply:
    """A file from disk, by range or whole, read only as far as the client goes."""
    size = path.stat().st_size
    wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return Reply(200, _parts(path, 0, size), headers, length=size)
    start, stop = int(wanted[1]), min(int(wanted[2]) + 1, size)
    told = {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
    return Reply(206, _parts(path, start, stop), headers | told)


def _parts(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop:
            data = file.read(min(_PART, stop - start))
            start += len(data)
            yield data
