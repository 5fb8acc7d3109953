"""Judging one file: the verdict, its claims, and what goes wrong."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.domain.found import FoundFile, Judged, Problem, WalkProblem
from indexer.parsers.sidecars import SIDECAR_SUFFIXES
from indexer.reading import judge
from indexer.sources.local import walk
from tests.models import write_safetensors


def only(folder: Path) -> FoundFile:
    (group,) = walk(folder, tuple(SIDECAR_SUFFIXES))
    assert isinstance(group, list)
    (found,) = group
    return found


def good(folder: Path) -> Judged:
    outcome = judge(only(folder))
    assert isinstance(outcome, Judged), outcome
    return outcome


def problem(folder: Path, seconds: float = 60.0) -> Problem:
    outcome = judge(only(folder), seconds)
    assert isinstance(outcome, Problem), outcome
    return outcome


def test_header_folder_and_sidecar_all_have_a_say(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "loras" / "a.safetensors", metadata={"ss_network_dim": "4"})
    path.with_suffix(".civitai.info").write_text('{"id": 5, "baseModel": "SDXL 1.0"}')
    outcome = good(tmp_path / "loras")
    assert outcome.verdict.architecture == "sdxl"
    assert {"folder:loras", "sidecar:civitai.info", "header:kohya"} <= {c.source for c in outcome.claims}
    assert outcome.training["dim"] == 4


def test_a_broken_sidecar_is_a_warning_and_the_model_stays(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    path.with_suffix(".civitai.info").write_text('{"id": 5, ')
    outcome = good(tmp_path)
    assert outcome.verdict.kind == "lora"
    assert outcome.warnings


def test_a_label_that_contradicts_the_tensors_is_a_conflict(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    path.with_suffix(".civitai.info").write_text('{"id": 5, "baseModel": "SD 1.5"}')
    (conflict,) = good(tmp_path).verdict.conflicts
    assert conflict.claim == "SD 1.5"


@pytest.mark.parametrize(("age", "code", "retry"), [(0, "unstable", True), (999, "data_truncated", False)])
def test_a_short_file_is_put_off_while_it_is_young(tmp_path: Path, age: int, code: str, retry: bool) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    os.truncate(path, path.stat().st_size - 1)
    then = time.time() - age
    os.utime(path, (then, then))
    assert (problem(tmp_path).code, problem(tmp_path).retry) == (code, retry)


def test_the_extension_is_not_trusted(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.ckpt")
    assert good(tmp_path).container == "safetensors"


@pytest.mark.parametrize(("name", "code"), [("a.safetensors", "type_mismatch"), ("a.ckpt", None)])
def test_a_pickle_is_never_unpickled(tmp_path: Path, name: str, code: str | None) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02cos\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03.")
    os.utime(tmp_path / name, (1, 1))
    outcome = judge(only(tmp_path))
    if code is None:
        assert isinstance(outcome, Judged)
        assert (outcome.container, outcome.verdict.kind) == ("pickle", "unknown")
    else:
        assert isinstance(outcome, Problem)
        assert outcome.code == code


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to read everything, for a moment; others never had it."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_file_is_put_off_with_the_reason(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    found = only(tmp_path)
    path.chmod(0)
    with as_nobody():
        outcome = judge(found)
    assert isinstance(outcome, Problem)
    assert (outcome.code, outcome.retry) == ("io", True)
    assert "Permission denied" in outcome.detail


def test_an_unreadable_folder_is_told_by_the_walk(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "locked" / "a.safetensors")
    (tmp_path / "locked").chmod(0)
    with as_nobody():
        (problem,) = walk(tmp_path / "locked", ())
    (tmp_path / "locked").chmod(0o700)
    assert isinstance(problem, WalkProblem)
    assert "Permission denied" in problem.detail
