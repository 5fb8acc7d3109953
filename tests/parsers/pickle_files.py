"""Pickles and archives written opcode by opcode, so that no test ever makes one that its own loader could run."""

import io
import struct
import zipfile
from collections.abc import Mapping

MAGIC = 0x1950A86A20F9469CFC6C
EVIL = b"cos\nsystem\n" + b"X\x04\0\0\0true" + b"\x85R"
"""Calls os.system; left on the stack. Only ever read, never loaded."""


def proto(body: bytes, version: int = 2) -> bytes:
    return b"\x80" + bytes([version]) + body + b"."


def text(value: str) -> bytes:
    data = value.encode("utf-8")
    return b"X" + struct.pack("<L", len(data)) + data


def short(value: str) -> bytes:
    data = value.encode("utf-8")
    return b"\x8c" + bytes([len(data)]) + data


def number(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def named(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stacked(module: str, name: str) -> bytes:
    return short(module) + short(name) + b"\x93"


def dictionary(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def ordered(items: Mapping[str, bytes]) -> bytes:
    body = b"".join(text(key) + value for key, value in items.items())
    return named("collections", "OrderedDict") + b")R(" + body + b"u"


def shape(sizes: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, sizes)) + b"t"


def tensor(
    sizes: tuple[int, ...] = (2, 3), storage: str = "FloatStorage", key: str = "0", *, old: bool = False
) -> bytes:
    """A tensor as torch.save writes it; ``old``: as the layout before zip archives does."""
    elements = 1
    for size in sizes:
        elements *= size
    pid = text("storage") + named("torch", storage) + text(key) + text("cpu") + number(elements)
    view = b"N" if old else b""
    rest = (
        number(0)
        + shape(sizes)
        + shape((1,) * len(sizes))
        + b"\x89"
        + named("collections", "OrderedDict")
        + b")R"
    )
    return named("torch._utils", "_rebuild_tensor_v2") + b"((" + pid + view + b"tQ" + rest + b"tR"


def parameter(inner: bytes) -> bytes:
    hooks = named("collections", "OrderedDict") + b")R"
    return named("torch._utils", "_rebuild_parameter") + b"(" + inner + b"\x88" + hooks + b"tR"


def archive(entries: Mapping[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive as Python writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as writer:
        for name, data in entries.items():
            writer.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def checkpoint(pickle: bytes, storages: Mapping[str, bytes] | None = None, **others: bytes) -> bytes:
    """PyTorch's zip layout around ``pickle``; ``others`` are more entries below the root."""
    entries = {"archive/data.pkl": pickle, "archive/version": b"3\n"}
    entries |= {f"archive/data/{key}": data for key, data in (storages or {}).items()}
    return archive(entries | {f"archive/{name}": data for name, data in others.items()})


def legacy(
    value: bytes, storages: Mapping[str, tuple[int, bytes]] | None = None, *, magic: bytes | None = None
) -> bytes:
    """PyTorch's old layout; ``storages``: key -> (element count, bytes)."""
    stored = storages or {}
    keys = b"](" + b"".join(map(text, stored)) + b"e"
    head = (magic or number(MAGIC), number(1001), b"}", value, keys)
    blobs = (struct.pack("<Q", count) + data for count, data in stored.values())
    return b"".join(map(proto, head)) + b"".join(blobs)


def npy(descr: str = "'<f4'", sizes: str = "(2, 3)", data: bytes = b"\0" * 24) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {sizes}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data
