"""The container follows from the first bytes, never from the name."""

import os
from pathlib import Path

import pytest

from indexer.errors import BadFileError
from indexer.parsers.containers import sniff, sniff_bytes
from tests.models import write_safetensors


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"GGUF\x03\x00\x00\x00", "gguf"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x80\x02}q\x00.", "pickle"),
        (b"\x80\x04\x95abcdefgh", "pickle"),
        ((640).to_bytes(8, "little") + b"{", "safetensors"),  # a length that begins like a pickle
        ((2).to_bytes(8, "little") + b"{}", "safetensors"),
        (b"<html><body>", "unknown"),
        (b"", "unknown"),
        (b"PK\x05\x06" + bytes(18), "zip"),  # empty
        (b"(dp0\nS'a'\n", "pickle"),
        (b"(lp0\nVa\n", "pickle"),
        (b"ccollections\nOrderedDict\n", "pickle"),
        (b"}q\x00(U\x01aN", "pickle"),
        (b"]q\x00.", "pickle"),
        (b"\x80\x00N.", "pickle"),
        (b"\x93NUMPY\x01\x00", "pickle"),
        (b"sys_info".ljust(257, b"\0") + b"ustar\x0000", "pickle"),
        (b"could be text\nof any kind\n", "unknown"),
    ],
)
def test_first_bytes(head: bytes, container: str) -> None:
    assert sniff_bytes(head) == container


def test_a_zip_behind_other_bytes() -> None:
    end = b"PK\x05\x06" + bytes(4) + b"\x01\x00\x01\x00" + bytes(8)
    assert sniff_bytes(b"junk", b"junk" + end + b"\x00\x00") == "zip"
    assert sniff_bytes(b"junk", b"junk" + end + b"\x03\x00abc") == "zip"
    assert sniff_bytes(b"junk", b"junk" + end + b"\x09\x00abc") == "unknown"
    assert sniff_bytes(b"\x80\x02N.", end + b"\x00\x00") == "zip"


def test_a_name_only_decides_who_reads_what_is_unknown(tmp_path: Path) -> None:
    for name, expected in {"a.bin": "pickle", "a.CKPT": "pickle", "a.txt": "unknown"}.items():
        (tmp_path / name).write_bytes(b"no container at all")
        assert sniff(tmp_path / name) == expected
    assert sniff(write_safetensors(tmp_path / "model.pt")) == "safetensors"


def test_a_file_is_opened_without_blocking(tmp_path: Path) -> None:
    assert sniff(write_safetensors(tmp_path / "model.gguf")) == "safetensors"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFileError) as caught:
        sniff(tmp_path / "pipe")
    assert caught.value.code == "not_regular_file"
