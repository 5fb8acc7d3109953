"""The crafted model files and sidecars of the development cases: every verdict as written there."""

import io
import json
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from indexer.errors import BadFileError
from indexer.parsers import gguf
from indexer.parsers.safetensors import CODES, read_header
from indexer.parsers.sidecars import SIDECAR_SUFFIXES, parse_sidecar
from indexer.parsers.training import parse_metadata

ARCHIVE = Path(__file__).resolve().parents[2] / "../shared/data/hostile.tar.xz"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not ARCHIVE.exists(), reason="development cases are not here"),
]
# A cut value is told although the case asks for no warning: nothing may be dropped in silence.
ALWAYS_ALLOWED = {"value_truncated"}


@cache
def _cases(group: str) -> dict[str, tuple[str, bytes]]:
    """Name -> (expected verdict, content)."""
    found: dict[str, bytes] = {}
    expected: dict[str, dict[str, str]] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if name == "index.json" or name.startswith(f"{group}/"):
                handle = archive.extractfile(member)
                data = handle.read() if handle else b""
                if name == "index.json":
                    expected = json.load(io.BytesIO(data))[group]
                else:
                    found[name.removeprefix(f"{group}/")] = data
    return {name: (row["expect"], found[name]) for name, row in expected.items()}


def _verdict(codes: set[str]) -> str:
    return "accept+warn" if codes - ALWAYS_ALLOWED else "accept"


def test_headers(tmp_path: Path) -> None:
    wrong = {}
    for name, (expected, data) in _cases("crafted-safetensors").items():
        path = tmp_path / name
        path.write_bytes(data)
        try:
            header = read_header(path)
        except BadFileError as error:
            assert error.code in CODES
            verdict = "quarantine"
        else:
            told = (*header.warnings, *parse_metadata(header.metadata)[0].warnings)
            verdict = _verdict({warning.code for warning in told})
        if verdict != expected:
            wrong[name] = verdict, expected
    assert wrong == {}


def test_gguf(tmp_path: Path) -> None:
    wrong = {}
    for name, (expected, data) in _cases("crafted-gguf").items():
        path = tmp_path / name
        path.write_bytes(data)
        try:
            header = gguf.read_header(path)
        except BadFileError as error:
            assert error.code in gguf.CODES
            verdict = "quarantine"
        else:
            verdict = _verdict({warning.code for warning in header.warnings})
        if verdict != expected:
            wrong[name] = verdict, expected
    assert wrong == {}


def _sidecars() -> Iterator[tuple[str, str, str, bytes]]:
    for name, (expected, data) in _cases("crafted-sidecars").items():
        suffix = next((suffix for suffix in SIDECAR_SUFFIXES if name.lower().endswith(suffix)), None)
        if suffix:
            yield name, suffix, expected, data


def test_sidecars() -> None:
    wrong = {}
    for name, suffix, expected, data in _sidecars():
        found = parse_sidecar(suffix, data)
        verdict = "accept+warn" if found.warnings else "accept"
        if verdict != expected:
            wrong[name] = verdict, expected
        json.dumps(found.raw, allow_nan=False, ensure_ascii=False).encode()
    assert wrong == {}
