"""Single numbers out of the data section: values, limits, and files that lie."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.header import Header, TensorEntry
from indexer.errors import TemporaryError
from indexer.parsers.scalars import MAX_BYTES, alpha_names, read_scalars

SIZES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}


def pack(dtype: str, value: float) -> bytes:
    if dtype == "BF16":
        return struct.pack("<f", value)[2:]
    return struct.pack({"F16": "<e", "F32": "<f", "F64": "<d"}[dtype], value)


def written(path: Path, values: list[tuple[str, float]], gap: int = 0) -> Header:
    """A file of scalars with ``gap`` bytes between them, behind ten bytes of header."""
    data, tensors = bytearray(), {}
    for number, (dtype, value) in enumerate(values):
        start = len(data)
        data += pack(dtype, value)
        entry: TensorEntry = {"dtype": dtype, "shape": [], "data_offsets": [start, len(data)]}
        tensors[f"m{number}.alpha"] = entry
        data += bytes(gap)
    path.write_bytes(b"0123456789" + data)
    return Header("safetensors", tensors, {}, 10, len(data))


@pytest.mark.parametrize("dtype", SIZES)
def test_every_float_type_is_read(tmp_path: Path, dtype: str) -> None:
    header = written(tmp_path / "a", [(dtype, 8.0), (dtype, 0.5)])
    assert read_scalars(tmp_path / "a", header, header.tensors) == {"m0.alpha": 8.0, "m1.alpha": 0.5}


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(SIZES)), st.sampled_from([0.25, 1.0, 16.0, 128.0])), max_size=30
    ),
    st.sampled_from([0, 1, 5000]),
)
def test_neighbours_and_strangers_are_read_alike(values: list[tuple[str, float]], gap: int) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"scalars-{os.getpid()}"
    header = written(path, values, gap)
    try:
        found = read_scalars(path, header, header.tensors, reads=100, limit=1 << 20)
    finally:
        path.unlink()
    assert list(found.values()) == [value for _, value in values]


def test_of_many_only_some_are_read_the_ends_among_them(tmp_path: Path) -> None:
    header = written(tmp_path / "a", [("F32", float(n)) for n in range(100)], gap=5000)
    found = read_scalars(tmp_path / "a", header, header.tensors, reads=5)
    assert list(found.values()) == [0.0, 24.0, 49.0, 74.0, 99.0]
    assert read_scalars(tmp_path / "a", header, header.tensors, reads=1) == {"m0.alpha": 0.0}


def test_the_bytes_are_bounded(tmp_path: Path) -> None:
    header = written(tmp_path / "a", [("F32", 1.0)] * 40_000, gap=8)
    found = read_scalars(tmp_path / "a", header, header.tensors, reads=1000)
    assert 0 < len(found) * 12 <= MAX_BYTES


def test_what_is_no_scalar_is_left_out(tmp_path: Path) -> None:
    header = written(tmp_path / "a", [("F32", 1.0), ("F32", float("inf")), ("F32", float("nan"))])
    odd: dict[str, TensorEntry] = {
        "matrix": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]},
        "whole": {"dtype": "I32", "shape": [], "data_offsets": [0, 4]},
        "beyond": {"dtype": "F32", "shape": [], "data_offsets": [1 << 40, (1 << 40) + 4]},
        "wrong": {"dtype": "F32", "shape": [], "data_offsets": [0, 12]},
        "backwards": {"dtype": "F32", "shape": [], "data_offsets": [8, 4]},
    }
    header = Header("safetensors", {**header.tensors, **odd}, {}, header.data_start, header.data_size)
    assert read_scalars(tmp_path / "a", header, [*header.tensors, "absent"]) == {"m0.alpha": 1.0}


def test_a_file_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    header = written(tmp_path / "a", [("F32", 1.0), ("F32", 2.0)])
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:15])
    assert read_scalars(tmp_path / "a", header, header.tensors) == {"m0.alpha": 1.0}


def test_a_file_that_is_gone_is_temporary(tmp_path: Path) -> None:
    header = written(tmp_path / "a", [("F32", 1.0)])
    (tmp_path / "a").unlink()
    with pytest.raises(TemporaryError):
        read_scalars(tmp_path / "a", header, header.tensors)


def test_alphas_are_told_by_name() -> None:
    assert alpha_names(["a.alpha", "a.lora_down.weight", "alpha", "b.alpha"]) == ["a.alpha", "b.alpha"]
