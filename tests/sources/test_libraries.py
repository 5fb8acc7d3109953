"""Other tools' configurations: what they name is found, what is hostile or broken is a sentence."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sources.budgeted_yaml import YamlFault, load_yaml
from indexer.sources.invokeai import SOURCE
from indexer.sources.libraries import Survey, survey
from tests.sources.trees import invokeai_database, lora, write_text


def claims(found: Survey, path: Path) -> dict[str, object]:
    return {c.name: c.value for said in found.claims_for(os.fsencode(path)) for c in said.claims}


def promised(found: Survey) -> dict[str, str]:
    return {os.fsdecode(path): category for path, category in found.promises.items()}


@pytest.fixture
def comfy(tmp_path: Path) -> Callable[[str], Survey]:
    """A ComfyUI with this configuration, looked through."""
    (tmp_path / "ui" / "models" / "loras").mkdir(parents=True)

    def write(text: str) -> Survey:
        write_text(tmp_path / "ui" / "extra_model_paths.yaml", text)
        return survey(tmp_path / "ui")

    return write


def test_sections_base_paths_lists_and_variables(
    tmp_path: Path, comfy: Callable[[str], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/one", "a/two", "b/three", "c/four", "ui/near"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "b"))
    monkeypatch.setenv("MY_DISK", str(tmp_path / "c"))
    found = comfy(
        f"first:\n  base_path: {tmp_path}/a\n  is_default: true\n  loras: |\n    one\n    two\n"
        "second:\n  vae: ~/three\n  upscale_models: $MY_DISK/four\n  clip: near\n  custom_nodes: nodes\n"
    )
    assert promised(found) == {
        f"{tmp_path}/a/one": "loras",
        f"{tmp_path}/a/two": "loras",
        f"{tmp_path}/b/three": "vae",
        f"{tmp_path}/c/four": "upscale_models",
        f"{tmp_path}/ui/near": "clip",
    }
    assert found.problems == []
    assert [row.path.name for row in found.elsewhere()] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x [1]\nb: *x\n", "anchors or aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", "uses tags"),
        ("a: " + "[" * 50 + "]" * 50, "nests deeper"),
        ("a:\n" + "  - x\n" * 30_000, "more than"),
        ("a: [\n", "no valid YAML"),
        ("- a\n- b\n", "holds no sections"),
        ("x" * 300_000, "larger than"),
        ("a:\n  loras: /\n", "no folder of models"),
        ("a:\n  base_path: ..\n  loras: .\n", "no folder of models"),
        ("a:\n  loras: /proc/self\n", "no folder of models"),
        ("a:\n  loras: ../missing\n", "Is its disk mounted?"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told(
    comfy: Callable[[str], Survey], text: str, told: str
) -> None:
    found = comfy(text)
    assert [told in problem and "extra_model_paths.yaml" in problem for problem in found.problems] == [True]
    assert found.elsewhere() == []


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_a_fault(text: str) -> None:
    try:
        assert isinstance(load_yaml(text), dict)
    except YamlFault:
        pass


def test_a_configuration_in_a_folder_that_is_no_tool_is_not_heard(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    write_text(tmp_path / "lib" / "pack" / "extra_model_paths.yaml", f"a:\n  loras: {tmp_path}/far\n")
    assert survey(tmp_path / "lib").promises == {}


RECORD = {
    "path": "k/m.safetensors",
    "name": "Ink",
    "base": "flux",
    "type": "lora",
    "description": "d",
    "trigger_phrases": ["a", 3, "b"],
    "source": "org/repo",
    "hash": "sha256:" + "ab" * 32,
    "cover_image": "data:…",
}


def invoke(tmp_path: Path) -> Path:
    """An InvokeAI without its database; where that belongs."""
    write_text(tmp_path / "invokeai.yaml", "")
    return tmp_path / "databases" / "invokeai.db"


def test_what_invokeai_knows(tmp_path: Path) -> None:
    invokeai_database(invoke(tmp_path), [RECORD, {"name": "no path"}])
    found = survey(tmp_path)
    assert claims(found, tmp_path / "models" / "k" / "m.safetensors") == {
        "name": "Ink",
        "kind": "lora",
        "architecture": "flux1",
        "description": "d",
        "trigger_words": ["a", "b"],
        "sha256": "ab" * 32,
    }
    (said,) = found.claims_for(os.fsencode(tmp_path / "models" / "k" / "m.safetensors"))
    assert said.source == SOURCE and "cover_image" not in said.raw
    assert found.problems == []


def test_the_models_folder_alone_hears_the_database_above_it(tmp_path: Path) -> None:
    invokeai_database(invoke(tmp_path), [RECORD])
    (tmp_path / "models").mkdir()
    assert claims(survey(tmp_path / "models"), tmp_path / "models" / "k" / "m.safetensors")["name"] == "Ink"


def test_an_older_database_with_columns(tmp_path: Path) -> None:
    path = invoke(tmp_path)
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE model_config (id, base, type, name, path)")
        connection.execute("INSERT INTO model_config VALUES ('1', 'sd-1', 'embedding', 'Old', 'e.pt')")
    connection.close()
    assert claims(survey(tmp_path), tmp_path / "models" / "e.pt") == {
        "name": "Old",
        "kind": "textual_inversion",
        "architecture": "sd1",
    }


def test_a_running_invokeai_is_read_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    path = invokeai_database(invoke(tmp_path), [], journal="WAL")
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute(
        'INSERT INTO models (id, config) VALUES (\'9\', json(\'{"path": "new.pt", "name": "New"}\'))'
    )
    writer.commit()
    writer.execute("BEGIN EXCLUSIVE")
    before = {p.name: p.stat().st_mtime_ns for p in path.parent.iterdir()}
    found = survey(tmp_path)
    assert {p.name: p.stat().st_mtime_ns for p in path.parent.iterdir()} == before
    writer.close()
    assert claims(found, tmp_path / "models" / "new.pt") == {"name": "New"}


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE other (x)",),
        ("CREATE TABLE models (x)",),
        (
            "CREATE VIEW models AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
            " SELECT n AS config FROM c",
        ),
        ("CREATE TABLE models (config)", "INSERT INTO models VALUES (zeroblob(3000000))"),
        ("CREATE TABLE models (config)", "INSERT INTO models VALUES ('{'), ('[]'), (7), (NULL)"),
    ],
)
def test_a_database_of_strangers_says_nothing(tmp_path: Path, statements: tuple[str, ...]) -> None:
    path = invoke(tmp_path)
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    assert all(library.claims == {} for library in survey(tmp_path).libraries)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 99, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_database_is_told(tmp_path: Path, content: bytes) -> None:
    path = invoke(tmp_path)
    path.parent.mkdir()
    path.write_bytes(content)
    (problem,) = survey(tmp_path).problems
    assert "invokeai.db" in problem and "left out" in problem


def test_links_are_known_by_where_they_lead(tmp_path: Path) -> None:
    lora(tmp_path / "far" / "ink.safetensors")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "near").symlink_to(tmp_path / "far")
    (tmp_path / "lib" / "loop").symlink_to(tmp_path / "lib")
    found = survey(tmp_path / "lib")
    assert found.links == {os.fsencode(tmp_path / "far"): os.fsencode(tmp_path / "lib" / "near")}


def test_every_tool_in_a_home_folder_is_found(tmp_path: Path) -> None:
    for folder in ("ComfyUI/models/checkpoints", "ComfyUI/models/loras", "swarm/Models/Stable-Diffusion"):
        (tmp_path / folder).mkdir(parents=True)
    found = survey(tmp_path)
    assert found.tool_of(os.fsencode(tmp_path / "ComfyUI" / "models" / "loras")) == "comfyui"
    assert found.tool_of(os.fsencode(tmp_path / "swarm" / "Models" / "Stable-Diffusion")) == "swarmui"
    assert found.tool_of(os.fsencode(tmp_path)) == "default"
