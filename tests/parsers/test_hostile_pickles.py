"""The crafted pickles and archives of the development cases, and another scanner's corpus: verdicts as written."""

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest

from indexer.errors import BadFileError
from indexer.parsers.torch_files import CODES, read_pickled

ARCHIVE = Path(__file__).resolve().parents[2] / "../shared/data/hostile.tar.xz"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not ARCHIVE.exists(), reason="development cases are not here"),
]
ACCEPTED = {
    "flag-dangerous": {"dangerous-imports"},
    "flag-unknown": {"unknown-imports", "unreadable"},
    "clean": {"tensors-only"},
    "clean+warn": {"tensors-only+warn"},
}


@cache
def contents(folder: str) -> dict[str, bytes]:
    """File name -> bytes, of one folder of the archive."""
    with tarfile.open(ARCHIVE) as archive:
        members = {m.name.removeprefix("./"): m for m in archive if m.isfile()}
        wanted = {name: m for name, m in members.items() if name.rpartition("/")[0] == folder}
        return {Path(name).name: archive.extractfile(m).read() for name, m in wanted.items()}  # type: ignore[union-attr]  # files only


def verdict(path: Path, data: bytes, *, warned: bool = False) -> str:
    path.write_bytes(data)
    try:
        header = read_pickled(path)
    except BadFileError as error:
        assert error.code in CODES or error.code.startswith("unreadable:type:")
        return "unreadable"
    assert header.program is not None
    return header.program.verdict + ("+warn" if warned and header.warnings else "")


@pytest.mark.parametrize("group", ["crafted-pickle", "crafted-torch-zip"])
def test_crafted(group: str, tmp_path: Path) -> None:
    expected = json.loads(contents("")["index.json"])[group]
    wrong = {}
    for name, data in contents(group).items():
        row = expected[name]
        found = verdict(tmp_path / name, data, warned=row["expect"] == "clean+warn")
        if found not in ACCEPTED[row["expect"]]:
            wrong[name] = found, row
    assert wrong == {}


def test_another_scanners_corpus(tmp_path: Path) -> None:
    found = {name: verdict(tmp_path / name, data) for name, data in contents("picklescan/data").items()}
    malicious = {name: word for name, word in found.items() if name.startswith(("malicious", "sys_module"))}
    assert len(malicious) > 30
    assert {name: word for name, word in malicious.items() if word == "tensors-only"} == {}
    assert {name for name, word in malicious.items() if word != "dangerous-imports"} <= {"malicious1.7z"}
    assert {word for name, word in found.items() if name.startswith("benign0")} == {"tensors-only"}
    assert found["pytorch_model.bin"] == found["new_pytorch_model.bin"] == "tensors-only"
