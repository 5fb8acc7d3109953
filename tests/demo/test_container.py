"""Containers as other programs read them: the reference reader, and the GGUF layout by hand."""

import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from indexer.demo.container import write_gguf, write_safetensors
from indexer.demo.tensors import Tensor

_shapes = st.lists(st.integers(0, 7), max_size=3).map(tuple)
_tensors = st.lists(
    st.builds(
        Tensor, st.text(min_size=1, max_size=12), st.sampled_from(["F32", "F16", "I64"]), _shapes, st.none()
    ),
    max_size=6,
    unique_by=lambda tensor: tensor.name,
).filter(lambda rows: all(row.name != "__metadata__" for row in rows))


@settings(deadline=None, max_examples=60)
@given(tensors=_tensors, seed=st.integers(0, 2**32))
def test_the_reference_reader_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, tensors: list[Tensor], seed: int
) -> None:
    path = tmp_path_factory.mktemp("written") / "a.safetensors"
    size = write_safetensors(path, tensors, {"why": "a test"}, seed)
    assert path.stat().st_size == size
    read = load_file(path)
    assert {name: values.shape for name, values in read.items()} == {t.name: t.shape for t in tensors}
    assert all(np.isfinite(values).all() for values in read.values())


def test_alphas_are_stored_and_small_values_too(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, [Tensor("m.alpha", "F16", (), 4.0), Tensor("m.down", "F16", (8, 32))], {}, 1)
    read = load_file(path)
    assert read["m.alpha"] == 4.0
    assert 0.005 < read["m.down"].std() < 0.05


def test_a_large_file_is_a_hole_with_a_head(tmp_path: Path) -> None:
    path = tmp_path / "big.safetensors"
    size = write_safetensors(path, [Tensor("w", "BF16", (30_000, 10_000))], {}, 1)
    status = path.stat()
    assert status.st_size == size > 600_000_000
    assert status.st_blocks * 512 < 2_000_000
    with path.open("rb") as stream:
        stream.seek(0x100000)
        assert stream.read(0x10000).strip(b"\0"), "the stretch that AutoV1 hashes differs from file to file"


def test_all_types_of_the_cast_are_told_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "types.safetensors"
    types = ["F32", "F16", "BF16", "F8_E4M3", "I64"]
    write_safetensors(path, [Tensor(name, name, (3, 5)) for name in types], {"a": "b"}, 1)
    with safe_open(path, framework="numpy") as reader:
        assert {name: reader.get_slice(name).get_dtype() for name in reader.keys()} == {n: n for n in types}  # noqa: SIM118
        assert reader.metadata() == {"a": "b"}


def _strings(data: bytes, place: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<Q", data, place)
    return data[place + 8 : place + 8 + length].decode(), place + 8 + length


def _gguf_rows(data: bytes) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    _, _, count, pairs = struct.unpack_from("<4sIQQ", data)
    place = 24
    for _ in range(pairs):
        _, place = _strings(data, place)
        (kind,) = struct.unpack_from("<I", data, place)
        place = _strings(data, place + 4)[1] if kind == 8 else place + 8
    for _ in range(count):
        name, place = _strings(data, place)
        (dims,) = struct.unpack_from("<I", data, place)
        shape = struct.unpack_from(f"<{dims}Q", data, place + 4)
        kind, offset = struct.unpack_from("<IQ", data, place + 4 + 8 * dims)
        place += 16 + 8 * dims
        yield name, shape, kind, offset


def test_gguf_tensors_lie_one_after_another_and_end_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    tensors = [
        Tensor("a.weight", "F16", (96, 64)),
        Tensor("a.bias", "F16", (96,)),
        Tensor("b", "F16", (5, 7)),
    ]
    size = write_gguf(path, tensors, "flux", "a test", 1)
    data = path.read_bytes()
    rows = list(_gguf_rows(data))
    assert len(data) == size
    assert [(name, shape) for name, shape, _, _ in rows] == [(t.name, t.shape[::-1]) for t in tensors]
    assert [kind for _, _, kind, _ in rows] == [2, 0, 30]
    assert rows[1][3] == prod((96, 64)) // 32 * 18
    assert all(offset % 32 == 0 for *_, offset in rows)
