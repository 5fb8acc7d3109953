"""``pinakes inspect`` of pictures: the contract's object, and a page for people."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console as RichConsole
from typer.testing import CliRunner

from indexer.console_inspect import show_file
from indexer.inspecting import inspect_paths
from indexer.inspecting_images import describe_image, is_image
from search.cli import app
from tests.parsers import image_files as make

LINE = (
    "a harbour <lora:ink:0.8>\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, "
    "Size: 512x768, Model hash: 0123456789, Model: base, Version: v1.9.4"
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(make.texts_png({"parameters": LINE}))
    return path


def test_the_contracts_object(picture: Path) -> None:
    (told,) = inspect_paths([picture])
    assert {key: told[key] for key in ("container", "status", "reason", "warnings")} == {
        "container": "png",
        "status": "ok",
        "reason": None,
        "warnings": [],
    }
    assert told["path"] == str(picture)
    assert told["generation"]["generator"] == "a1111"
    assert {
        "kind": "checkpoint",
        "name": "base",
        "hash": "0123456789",
        "version_id": None,
        "weight": None,
    } in told["generation"]["models"]


def test_the_command_writes_it(picture: Path) -> None:
    answer = CliRunner().invoke(app, ["inspect", str(picture), "--json"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["generation"]["seed"] == "7"


def test_a_refused_picture(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"<html>")
    told = describe_image(path)
    assert (told["status"], told["reason"]["code"], told["generation"]) == ("quarantined", "type", None)


def test_what_counts_as_a_picture(tmp_path: Path, picture: Path) -> None:
    unnamed = tmp_path / "unnamed"
    unnamed.write_bytes(picture.read_bytes())
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"\2\0\0\0\0\0\0\0{}")
    assert is_image(picture) and is_image(unnamed)
    assert not is_image(model) and not is_image(tmp_path)


def page(path: Path) -> str:
    out = io.StringIO()
    show_file(RichConsole(file=out, width=100), describe_image(path))
    return out.getvalue()


def test_a_page_shows_prompt_settings_and_models(picture: Path) -> None:
    shown = page(picture)
    for words in ("a1111 v1.9.4", "a harbour", "fog", "Euler a", "512 × 768", "ink × 0.8", "hash 0123456789"):
        assert words in shown


def test_a_page_of_a_picture_that_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "silent.png"
    path.write_bytes(make.png(size=(7, 9)))
    assert "it does not say" in page(path)
    assert "7 × 9" in page(path)


def test_what_strangers_wrote_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "evil.png"
    evil = "\x1b]0;x\x07 [red]x[/red]"
    path.write_bytes(make.texts_png({"parameters": f"{evil}\nSteps: 1, Seed: 1, Size: 1x1, Model: {evil}"}))
    shown = page(path)
    assert "\x1b]" not in shown and "\x07" not in shown
    assert "[red]x" in shown
