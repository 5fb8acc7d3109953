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
    ],
)
def test_first_bytes(head: bytes, container: str) -> None:
    assert sniff_bytes(head) == container


def test_a_file_is_opened_without_blocking(tmp_path: Path) -> None:
    assert sniff(write_safetensors(tmp_path / "model.gguf")) == "safetensors"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFileError) as caught:
        sniff(tmp_path / "pipe")
    assert caught.value.code == "not_regular_file"
