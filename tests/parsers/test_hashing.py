"""All hashes of a file in one pass, against each computed alone."""

import hashlib
import zlib
from pathlib import Path

import blake3
import pytest

from indexer.parsers.hashing import hash_file

MIB = 1 << 20


def alone(data: bytes, data_start: int | None) -> dict[str, str]:
    """The same hashes, each from its definition."""
    found = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "autov2": hashlib.sha256(data).hexdigest()[:10],
        "blake3": blake3.blake3(data).hexdigest(),
        "crc32": f"{zlib.crc32(data):08x}",
    }
    if len(data) >= 2 * MIB:
        found["autov1"] = hashlib.sha256(data[MIB : MIB + 65536]).hexdigest()[:8]
    if data_start is not None:
        found["autov3"] = hashlib.sha256(data[data_start:]).hexdigest()[:12]
    return found


@pytest.mark.parametrize("size", [0, 1, 65536, 2 * MIB - 1, 2 * MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB])
@pytest.mark.parametrize("data_start", [None, 0, 8, 5 * MIB])
def test_one_pass_equals_many(size: int, data_start: int | None, tmp_path: Path) -> None:
    data = hashlib.shake_128(b"model").digest(size)
    path = tmp_path / "model"
    path.write_bytes(data)
    told: list[int] = []
    assert hash_file(bytes(path), data_start, told.append) == alone(data, data_start)
    assert sum(told) == size


def test_known_values(tmp_path: Path) -> None:
    path = tmp_path / "hello"
    path.write_bytes(b"hello world")
    found = hash_file(bytes(path))
    assert found["sha256"].startswith("b94d27b9934d3e08")
    assert found["autov2"] == "b94d27b993"
    assert found["blake3"].startswith("d74981ef")
    assert found["crc32"] == "0d4a1185"


def test_metadata_may_change_without_changing_autov3(tmp_path: Path) -> None:
    found = []
    for header in (b"short", b"a much longer header"):
        path = tmp_path / header.decode()
        path.write_bytes(header + b"tensors" * 1000)
        found.append(hash_file(bytes(path), len(header)))
    assert found[0]["autov3"] == found[1]["autov3"]
    assert found[0]["sha256"] != found[1]["sha256"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hash_file(bytes(tmp_path / "none"))


def test_a_fault_in_telling_stops_the_threads(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(20 * MIB))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hash_file(bytes(path), None, stop)
