"""Dumps in every shape and packing give the same items; damage is told, what came before it is kept."""

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from indexer.errors import BadFileError
from indexer.parsers import dumps
from indexer.parsers.dumps import BadLine, read_dump

ITEMS: list[dict[str, Any]] = [
    {"id": 1, "name": "Ünï", "stats": {"rating": 4.67}},
    {"id": 2, "items": ["not a page"]},
    {"id": 3, "big": 2**60},
]


def lines(items: list[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


SHAPES: dict[str, Callable[[list[Any]], str]] = {
    "lines": lines,
    "lines without a last break": lambda items: lines(items).rstrip(),
    "blank lines between": lambda items: lines(items).replace("\n", "\n\n"),
    "array": json.dumps,
    "pretty array": lambda items: json.dumps(items, indent=2),
    "page": lambda items: json.dumps({"items": items, "metadata": {"nextCursor": None}}),
    "pretty page": lambda items: json.dumps({"metadata": {}, "items": items}, indent=1),
    "one page a line": lambda items: lines([{"items": items[:1]}, {"items": items[1:], "metadata": {}}]),
    "pretty items in a row": lambda items: "\n".join(json.dumps(item, indent=1) for item in items),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("packing", PACKINGS)
def test_every_shape_in_every_packing(shape: str, packing: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.bin"  # the name tells nothing
    path.write_bytes(PACKINGS[packing](SHAPES[shape](ITEMS).encode()))
    found = list(read_dump(path))
    assert [item["id"] for item in found] == [1, 2, 3]
    assert found[0]["name"] == "Ünï"
    assert found[0]["stats"] == {"rating": 4.67}


@pytest.mark.parametrize("packing", ["gz", "xz", "zst"])
def test_items_before_the_damage_are_kept(packing: str, tmp_path: Path) -> None:
    many = [{"id": n, "text": str(hash(str(n))) * 20} for n in range(3000)]
    path = tmp_path / "dump"
    data = PACKINGS[packing](lines(many).encode())
    path.write_bytes(data[: len(data) * 2 // 3])
    found = 0
    with pytest.raises(BadFileError, match=r"'dump' cannot be read to its end .* fetch the file again"):
        for found, item in enumerate(read_dump(path), 1):
            assert item["id"] == found - 1
    assert found > 1000


def test_a_cut_array_gives_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text(json.dumps(ITEMS)[:-20])
    found: list[Any] = []
    with pytest.raises(BadFileError):
        for item in read_dump(path):
            found.append(item)
    assert [item["id"] for item in found] == [1, 2]


def test_a_bad_line_leaves_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(b'{"id": 1}\n{"id": \n\xff\xfe\n[1\n{"id": 5}\n')
    found = list(read_dump(path))
    assert [item.number if isinstance(item, BadLine) else item["id"] for item in found] == [1, 2, 3, 4, 5]


def test_an_endless_line_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "MAX_ITEM", 100)
    path = tmp_path / "dump"
    path.write_text('{"id": 1}\n{"id": "' + "x" * 500 + '"}\n{"id": 3}\n')
    found = list(read_dump(path))
    assert isinstance(found[1], BadLine)
    assert [found[0], found[2]] == [{"id": 1}, {"id": 3}]


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(gzip.compress(lines(ITEMS).encode()))
    told: list[int] = []
    list(read_dump(path, told.append))
    assert sum(told) == path.stat().st_size


def test_empty_files_hold_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(b"")
    assert list(read_dump(path)) == []
