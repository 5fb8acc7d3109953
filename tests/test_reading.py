"""Judging one file: the verdict, its claims, and what goes wrong."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.demo.container import write_gguf
from indexer.demo.tensors import Tensor
from indexer.domain.found import FoundFile, Judged, Problem, WalkProblem
from indexer.domain.layouts import load_layout
from indexer.parsers.sidecars import SIDECAR_SUFFIXES
from indexer.reading import judge
from indexer.sources.local import walk
from tests.bundles import OLD, write_pipeline, write_sharded
from tests.models import lora_tensors, write_safetensors


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


@pytest.mark.parametrize(
    ("name", "code"), [("a.safetensors", "type_mismatch"), ("a.ckpt", "dangerous-imports")]
)
def test_a_pickle_is_never_unpickled(tmp_path: Path, name: str, code: str) -> None:
    canary = tmp_path / "canary"
    command = f"touch {canary}".encode()
    program = b"\x80\x02cos\nsystem\nq\x00X%sq\x01\x85q\x02Rq\x03." % (
        len(command).to_bytes(4, "little") + command
    )
    (tmp_path / name).write_bytes(program)
    os.utime(tmp_path / name, (OLD, OLD))
    assert problem(tmp_path).code == code
    assert not canary.exists()


def test_a_sharded_model_is_judged_as_one(tmp_path: Path) -> None:
    write_sharded(tmp_path, lora_tensors(), stem="style")
    outcome = good(tmp_path)
    assert (outcome.verdict.kind, outcome.verdict.architecture, outcome.container) == (
        "lora",
        "sdxl",
        "safetensors",
    )
    assert outcome.verdict.tensors == len(lora_tensors())


def test_a_diffusers_folder_is_judged_as_one_checkpoint(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "checkpoints" / "dreamer")
    outcome = good(tmp_path)
    verdict = outcome.verdict
    assert (verdict.kind, verdict.architecture, verdict.prediction_type) == ("checkpoint", "sdxl", "v")
    assert set(verdict.components) == {"vae", "clip-l"}
    assert verdict.conflicts == ()
    assert {"header:diffusers", "folder:diffusers", "folder:checkpoints"} <= {
        c.source for c in outcome.claims
    }


def test_a_pipeline_class_that_the_tensors_contradict_is_a_conflict(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "dreamer", _class_name="FluxPipeline")
    (conflict,) = good(tmp_path).verdict.conflicts
    assert (conflict.claim, conflict.source) == ("flux1", "header:diffusers")


def test_one_model_wherever_it_lies_and_whatever_it_is_called(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "a" / "one")
    write_pipeline(tmp_path / "b" / "two")
    write_pipeline(tmp_path / "c" / "less", {"unet": "sdxl.diffusers", "vae": "vae-kl-f8.diffusers"})
    prints = [good(tmp_path / name).fingerprint for name in "abc"]
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 64


@pytest.mark.parametrize(("age", "retry"), [(0, True), (999, False)])
def test_a_missing_shard_is_looked_for_while_the_others_are_young(
    tmp_path: Path, age: int, retry: bool
) -> None:
    paths = write_sharded(tmp_path, lora_tensors())
    paths[0].unlink()
    then = time.time() - age
    os.utime(paths[1], (then, then))
    outcome = problem(tmp_path)
    assert (outcome.code, outcome.retry) == ("shard_missing", retry)
    assert paths[0].name in outcome.detail


@pytest.mark.parametrize(
    ("call", "verdict"),
    [(b"cos\nsystem", "dangerous-imports"), (b"cmylab.tools\nRecipe", "unknown-imports")],
)
def test_what_a_pickle_would_run_is_named(tmp_path: Path, call: bytes, verdict: str) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"\x80\x02" + call + b"\nq\x00.")
    os.utime(tmp_path / "a.ckpt", (OLD, OLD))
    outcome = judge(only(tmp_path))
    name = call[1:].replace(b"\n", b".").decode()
    if isinstance(outcome, Problem):
        assert (outcome.code, outcome.retry, name in outcome.detail) == (verdict, False, True)
        assert outcome.program is not None and outcome.program.verdict == verdict
    else:
        assert name in outcome.warnings[verdict]
        assert outcome.verdict.program is not None and outcome.verdict.program.imports == (name,)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.gguf", b"ggml" + bytes(60), "magic"),
        ("a.gguf", b"GGUF\3\0\0\0", "truncated"),
        ("a.gguf", b"<!DOCTYPE html><html>" * 9, "not_a_model:html"),
        ("a.ckpt", b"", "unreadable:empty"),
        ("a.pt", b"PK\3\4" + bytes(60), "unreadable:zip_truncated"),
    ],
)
def test_other_containers_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    os.utime(tmp_path / name, (OLD, OLD))
    assert problem(tmp_path).code == code
    os.utime(tmp_path / name)
    assert problem(tmp_path).code in (code, "unstable")


def test_a_gguf_is_identified_as_any_other_file(tmp_path: Path) -> None:
    tensors = [Tensor(name, "BF16", shape) for name, shape in load_layout("flux1-dev").items()]
    write_gguf(tmp_path / "a.gguf", tensors, "flux", "a", 1)
    outcome = good(tmp_path)
    assert (outcome.container, outcome.verdict.kind) == ("gguf", "diffusion_model")
    assert outcome.verdict.architecture_path[0] == "flux1"


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
