"""What the preview decoder and its worker process say to each other: frames of bytes over two pipes.

A frame is a little-endian u32 length and as many bytes. A request is two frames: what is wanted (JSON), and
``P`` + path bytes or ``B`` + the image itself. An answer is five: a flat JSON object, RGB pixels, thumbnail,
the view for an image tower, and descriptors as little-endian float32; what was not wanted is empty. No object
is ever revived from what the worker says: it has read hostile input and is not trusted, so each length is
bounded before reading.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import BinaryIO

__all__ = [
    "BYTES",
    "PATH",
    "DecodeLimits",
    "ProtocolError",
    "View",
    "Wanted",
    "limits_from_json",
    "limits_to_json",
    "read_frame",
    "wanted_from_json",
    "wanted_to_json",
    "write_frame",
]

PATH, BYTES = b"P", b"B"
_LENGTH = struct.Struct("<I")


class ProtocolError(ConnectionError):
    """The other end is gone, or what it says is not a frame within bounds."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one image may cost.

    ``pixels`` after decoding, ``file_bytes`` on disk, ``memory_bytes`` of address space for the worker,
    ``seconds`` of wall time an image; ``side`` is the longest side handed on, in pixels.
    """

    pixels: int = 64_000_000
    file_bytes: int = 200_000_000
    memory_bytes: int = 1 << 30
    seconds: float = 10.0
    side: int = 512


@dataclass(frozen=True, slots=True)
class View:
    """The square that an image tower sees, ``side`` pixels wide.

    ``fit`` is ``shortest`` (the shorter side fills it, the middle is cut out) or ``squash``; ``resample`` is
    ``bicubic`` or ``bilinear``. Both as open_clip names them.
    """

    side: int
    fit: str = "shortest"
    resample: str = "bicubic"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker is to make of an image, beside the facts.

    ``descriptors`` are names of ``descriptors.DESCRIPTORS`` with their dimensions: computing them in the
    worker spreads the work over processes, and spares the pixels their way through the pipe. A ``view`` alone
    is made straight from the file, at a third of the cost.
    """

    pixels: bool = True
    thumbnail: bool = True
    view: View | None = None
    descriptors: Mapping[str, int] = field(default_factory=dict)
    colour: bool = True

    @property
    def only_view(self) -> bool:
        """Whether nothing but the view is made of the pixels."""
        rest = self.pixels or self.thumbnail or self.colour or bool(self.descriptors)
        return self.view is not None and not rest


def wanted_to_json(wanted: Wanted) -> bytes:
    """``wanted`` as a frame."""
    return json.dumps(asdict(wanted)).encode()


def wanted_from_json(frame: bytes) -> Wanted:
    """The inverse of ``wanted_to_json``."""
    values = json.loads(frame)
    view = values.pop("view")
    return Wanted(view=None if view is None else View(**view), **values)


def limits_to_json(limits: DecodeLimits) -> str:
    """``limits`` as one command-line argument."""
    return json.dumps(asdict(limits))


def limits_from_json(text: str) -> DecodeLimits:
    """The inverse of ``limits_to_json``."""
    values: Mapping[str, float] = json.loads(text)
    seconds = float(values["seconds"])
    whole = {name: int(value) for name, value in values.items() if name != "seconds"}
    return DecodeLimits(seconds=seconds, **whole)


def read_frame(stream: BinaryIO, limit: int) -> bytes:
    """The next frame, at most ``limit`` bytes; raises ``ProtocolError`` on end of stream or a longer one."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > limit:
        raise ProtocolError(f"a frame of {length} bytes where {limit} are allowed")
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count) if count else b""
    if len(data) != count:
        raise ProtocolError(f"the stream ended after {len(data)} of {count} bytes")
    return data


def write_frame(stream: BinaryIO, *parts: bytes) -> None:
    """Write ``parts`` as one frame; the caller flushes."""
    stream.write(_LENGTH.pack(sum(len(part) for part in parts)))
    for part in parts:
        stream.write(part)
