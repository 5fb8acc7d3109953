"""PyTorch's zip archives: cases PK-20 to PK-36 of our test plan, and torch.save as the oracle for tensors."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch

from indexer.parsers.byte_sources import MemorySource
from indexer.parsers.torch_files import read_pickled, read_source
from indexer.parsers.torch_values import DTYPES
from tests.clocks import in_time
from tests.parsers.pickle_files import EVIL, archive, checkpoint, dictionary, npy, proto, tensor
from tests.parsers.test_pickled import DANGEROUS, TENSORS, UNKNOWN, judged, verdict

GOOD = proto(dictionary({"model.a": tensor((2, 3)), "model.b": tensor((4,), "HalfStorage", "1")}))
STORED = {"0": bytes(24), "1": bytes(8)}
EVIL_PICKLE = proto(EVIL)


def codes(data: bytes) -> set[str]:
    return {warning.code for warning in judged(data)[0].warnings}


def test_a_checkpoint() -> None:
    header, program = judged(checkpoint(GOOD, STORED))
    assert (header.container, header.data_size, header.warnings) == ("zip", 32, ())
    assert program.verdict == TENSORS
    assert header.tensors == {
        "model.a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 0]},
        "model.b": {"dtype": "F16", "shape": [4], "data_offsets": [0, 0]},
    }


def test_missing_storages_are_told() -> None:
    assert codes(checkpoint(GOOD, {"0": bytes(24)})) == {"storage_missing"}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_entries(method: int) -> None:
    assert verdict(archive({"a/data.pkl": EVIL_PICKLE, "a/data/0": bytes(99)}, method=method)) == DANGEROUS
    assert verdict(archive({"a/data.pkl": proto(b"N"), "a/data/0": bytes(99)}, method=method)) == TENSORS


@pytest.mark.parametrize("name", ["x.txt", "payload", "data/7", "version", "data/x.bin", "other/data.pkl"])
@pytest.mark.parametrize("payload", [EVIL_PICKLE, b"cos\nsystem\n(S'true'\ntR."])
def test_every_entry_is_sniffed(name: str, payload: bytes) -> None:
    assert verdict(checkpoint(GOOD, STORED, **{name: payload})) == DANGEROUS


def test_entries_that_no_checkpoint_has() -> None:
    assert verdict(checkpoint(GOOD, STORED, **{"run.py": b"print('hello')"})) == UNKNOWN
    assert verdict(checkpoint(GOOD, STORED, **{"inner.zip": checkpoint(GOOD, STORED)})) == UNKNOWN
    assert verdict(checkpoint(GOOD, STORED, **{"inner.zip": checkpoint(EVIL_PICKLE)})) == DANGEROUS
    deep = checkpoint(GOOD, None, **{"in": archive({"in": archive({"data.pkl": EVIL_PICKLE})})})
    assert verdict(deep) in (DANGEROUS, "unreadable:budget")


def test_names_as_paths_are_told_and_harmless() -> None:
    entries = {
        "../../tmp/evil.pkl": proto(b"}"),
        "/etc/x": proto(b"}"),
        "C:\\x": proto(b"}"),
        "a/data.pkl": GOOD,
    }
    assert verdict(archive(entries)) == TENSORS
    assert "zip_entry_path" in codes(archive(entries))


def test_a_symbolic_link_is_told() -> None:
    buffer = io.BytesIO(checkpoint(GOOD, STORED))
    with zipfile.ZipFile(buffer, "a") as writer:
        link = zipfile.ZipInfo("archive/link")
        link.external_attr = 0o120777 << 16
        writer.writestr(link, "/etc/passwd")
    assert verdict(buffer.getvalue()) == TENSORS and codes(buffer.getvalue()) == {"zip_symlink"}


def test_before_and_behind() -> None:
    good = checkpoint(GOOD, STORED)
    for junk in (b"junk", EVIL_PICKLE, b"MZ" + bytes(60)):
        expected = DANGEROUS if junk == EVIL_PICKLE else UNKNOWN
        assert verdict(junk + good) == expected
        assert verdict(good + junk) == expected
    assert "zip_extra_bytes" in codes(good + b"junk")
    assert verdict(checkpoint(EVIL_PICKLE) + good) == DANGEROUS
    assert verdict(good + checkpoint(EVIL_PICKLE)) == DANGEROUS


def test_two_directories() -> None:
    """One reader takes the last end record, which stands in the comment of the first."""
    first, second = checkpoint(EVIL_PICKLE), checkpoint(GOOD, STORED)
    shifted = bytearray(second)
    joined = first[:-2] + struct.pack("<H", len(second)) + bytes(shifted)
    assert verdict(joined) == DANGEROUS


def entry(name: bytes, data: bytes, **changed: Any) -> tuple[bytes, bytes]:
    """Local and central header of one stored entry; ``changed`` fields lie."""
    crc, size = changed.get("crc", zlib.crc32(data)), changed.get("size", len(data))
    local_name, flags, method = changed.get("local", name), changed.get("flags", 0), changed.get("method", 0)
    local = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, crc, len(data), len(data), len(local_name), 0
    )
    central = struct.pack(
        "<4s6H3L5H2L",
        b"PK\1\2",
        20,
        20,
        flags,
        method,
        0,
        33,
        crc,
        len(data),
        size,
        len(name),
        0,
        0,
        0,
        0,
        0,
        changed.get("offset", 0),
    )
    return local + local_name + data, central + name


def crafted(data: bytes, *, count: int = 1, name: bytes = b"archive/data.pkl", **changed: Any) -> bytes:
    local, central = entry(name, data, **changed)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central) * count, len(local), 0)
    return local + central * count + end


@pytest.mark.parametrize(
    ("changed", "word", "warning"),
    [
        ({"crc": 0xDEADBEEF}, TENSORS, "zip_crc"),
        ({"flags": 0x1}, UNKNOWN, "zip_flags"),
        ({"flags": 0x20}, UNKNOWN, "zip_flags"),
        ({"flags": 0x40}, UNKNOWN, "zip_flags"),
        ({"local": b"archive/datap.kl"}, UNKNOWN, "zip_names_differ"),
    ],
)
def test_lies_that_hide_nothing(changed: dict[str, Any], word: str, warning: str) -> None:
    assert verdict(crafted(proto(b"N"), **changed)) == word
    assert verdict(crafted(EVIL_PICKLE, **changed)) == DANGEROUS
    assert warning in codes(crafted(EVIL_PICKLE, **changed))


def test_lies_that_end_the_reading() -> None:
    assert verdict(crafted(EVIL_PICKLE, method=99)) == "unreadable:zip_method"
    assert verdict(crafted(EVIL_PICKLE, size=2**31 - 1)) == "unreadable:zip_size"
    assert verdict(crafted(EVIL_PICKLE, offset=2**31)) == "unreadable:zip_offset"
    assert verdict(crafted(proto(b"N"), count=2)) == "unreadable:zip_overlap"
    assert verdict(crafted(proto(b"N"), count=60_000)) == "unreadable:budget"
    assert verdict(crafted(b"\x01\x02\x03", flags=1)) == "unreadable:zip_encrypted"


def test_cut_anywhere() -> None:
    good = checkpoint(GOOD, STORED)
    for end in range(4, len(good)):
        assert verdict(good[:end]) == "unreadable:zip_truncated"


def test_duplicate_names_are_both_read() -> None:
    buffer = io.BytesIO(checkpoint(GOOD, STORED))
    with zipfile.ZipFile(buffer, "a") as writer, pytest.warns(UserWarning):
        writer.writestr("archive/data.pkl", EVIL_PICKLE)
    assert verdict(buffer.getvalue()) == DANGEROUS and "zip_duplicate" in codes(buffer.getvalue())


def test_bomb() -> None:
    data = archive({"archive/data.pkl": bytes(256 << 20)}, method=zipfile.ZIP_DEFLATED)
    assert verdict(data) == "unreadable:budget"


def test_archives_without_a_model() -> None:
    assert verdict(archive({})) == "unreadable:zip_no_model"
    assert verdict(archive({"readme.txt": b"hello"})) == "unreadable:zip_no_model"


def test_npz() -> None:
    header, program = judged(archive({"weight.npy": npy(), "bias.npy": npy("'<f2'", "(4,)", bytes(8))}))
    assert program.verdict == TENSORS
    assert {name: row["dtype"] for name, row in header.tensors.items()} == {"weight": "F32", "bias": "F16"}
    assert verdict(archive({"a.npy": npy(), "b.npy": npy("'|O'", "()", EVIL_PICKLE)})) == DANGEROUS
    assert verdict(archive({"a.npy": npy("'|O'", "()", proto(b"N"))})) == UNKNOWN


def wide_archive(path: Path, size: int, pickle: bytes) -> None:
    """A sparse 64-bit archive of PyTorch's layout: a storage of ``size`` zero bytes, then the pickle."""
    name, full, crc = b"big/data/0", 2**32 - 1, 0
    wide = struct.pack("<2H2Q", 1, 16, size, size)
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 0, 0, 33, crc, full, full, len(name), len(wide))
        + name
        + wide
    )
    at = len(local) + size
    second, beside = entry(b"big/data.pkl", pickle, offset=full)
    place = struct.pack("<2HQ", 1, 8, at)
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 0, 0, 33, crc, full, full, len(name), len(wide), 0, 0, 0, 0, 0
    )
    central += name + wide + beside[:30] + struct.pack("<H", len(place)) + beside[32:] + place
    start = at + len(second)
    with path.open("wb") as file:
        file.write(local)
        file.seek(at)
        file.write(second + central)
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(central), start))
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, start + len(central), 1))
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, full, full, 0))


def bytes_read() -> int:
    """Bytes that this process has read so far, from anywhere (0 where the system does not tell)."""
    told = Path("/proc/self/io")
    return int(told.read_text().split()[1]) if told.exists() else 0


def test_forty_gigabytes_cost_little(tmp_path: Path) -> None:
    path, size = tmp_path / "big.ckpt", 40 << 30
    wide_archive(path, size, proto(dictionary({"w": tensor((size // 4,))})))
    before = bytes_read()
    header = read_pickled(path)
    assert bytes_read() - before < 1 << 20
    assert header.program is not None and header.program.verdict == TENSORS, header.program
    assert header.tensors["w"]["shape"] == [size // 4] and header.data_size == size and not header.warnings


SAVED_DTYPES = [getattr(torch, name) for name in DTYPES if name.islower() and not name.startswith(("q", "_"))]


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old layout"])
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_what_torch_saves(tmp_path: Path, old: bool, protocol: int) -> None:
    """torch.save only writes; names, shapes and types must be those of the tensors it was given."""
    legacy_types = [
        t
        for t in SAVED_DTYPES
        if t not in (torch.uint16, torch.uint32, torch.uint64) and "float8" not in str(t)
    ]
    tensors = {str(dtype): torch.zeros(2, 3).to(dtype) for dtype in (legacy_types if old else SAVED_DTYPES)}
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm2d(5))
    base = torch.zeros(10, 10)
    tensors |= {
        **module.state_dict(),
        "view": base[2:5, ::2],
        "scalar": torch.tensor(1.0),
        "empty": torch.zeros(0, 4),
    }
    tensors |= {"shared": base, "parameter": torch.nn.Parameter(torch.zeros(7)), "transposed": base.T}
    path = tmp_path / "saved.ckpt"
    saved = {"state_dict": tensors, "epoch": 3, "config": {"lr": 1e-4, "betas": (0.9, 0.99), "name": "x"}}
    torch.save(saved, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not old)
    header = read_pickled(path)
    assert header.program is not None and header.program.verdict == TENSORS, header.program
    assert not header.warnings and header.container == ("pickle" if old else "zip")
    assert {name: row["shape"] for name, row in header.tensors.items()} == {
        n: list(t.shape) for n, t in tensors.items()
    }
    assert {n: row["dtype"] for n, row in header.tensors.items()} == {
        n: DTYPES[str(t.dtype).removeprefix("torch.")] for n, t in tensors.items()
    }


def test_a_saved_state_dict_keeps_its_metadata_apart(tmp_path: Path) -> None:
    module = torch.nn.Linear(3, 4)
    torch.save(module.state_dict(), tmp_path / "m.pth")
    assert list(read_pickled(tmp_path / "m.pth").tensors) == ["weight", "bias"]
    torch.save(module, tmp_path / "whole.pth")
    whole = read_pickled(tmp_path / "whole.pth")
    assert (
        whole.program is not None
        and whole.program.verdict == UNKNOWN
        and set(whole.tensors) == {"weight", "bias"}
    )


@pytest.mark.no_cover
def test_an_sdxl_sized_checkpoint_reads_quickly(tmp_path: Path) -> None:
    torch.save(
        {f"model.diffusion_model.blocks.{i}.weight": torch.zeros(1) for i in range(2500)}, tmp_path / "a.ckpt"
    )
    data = (tmp_path / "a.ckpt").read_bytes()
    # A tenth of it is usual; this only guards against a slip to quadratic.
    assert len(in_time(0.5, lambda: read_source(MemorySource(data))).tensors) == 2500
