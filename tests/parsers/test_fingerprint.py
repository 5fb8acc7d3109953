"""Cheap names of content, and the full hash."""

from pathlib import Path

import pytest

from indexer.parsers.fingerprint import BLOCK, fingerprint


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * (16 * BLOCK // 256))
    return path


def change(path: Path, place: int) -> str:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return fingerprint(path, len(content))


def test_it_changes_with_head_middle_and_tail_but_not_elsewhere(file: Path) -> None:
    size = file.stat().st_size
    first = fingerprint(file, size)
    assert fingerprint(file, size) == first
    assert change(file, size // 4) == first, "this is what a full hash is for"
    seen = {first, change(file, 0), change(file, BLOCK + (size - BLOCK) // 2), change(file, size - 1)}
    assert len(seen) == 4


def test_a_longer_header_is_read_whole(file: Path) -> None:
    size = file.stat().st_size
    first = fingerprint(file, size, header=size // 2)
    content = bytearray(file.read_bytes())
    content[size // 2 - 1] ^= 1
    file.write_bytes(content)
    assert fingerprint(file, size, header=size // 2) != first


@pytest.mark.parametrize("size", [0, 1, BLOCK, 3 * BLOCK, 3 * BLOCK + 1])
def test_small_files(tmp_path: Path, size: int) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"x" * size)
    assert len(fingerprint(path, size)) == 64


def test_size_is_part_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(bytes(10 * BLOCK))
    assert fingerprint(path, 10 * BLOCK) != fingerprint(path, 9 * BLOCK)
