"""Sharded weights and diffusers folders as one model: right ones, damaged ones, and indexes made to harm."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.found import FoundPath
from indexer.domain.header import Program
from indexer.domain.programs import worst_program
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.diffusers_folder import read_folder
from indexer.parsers.safetensors import read_header
from indexer.parsers.shards import MAX_INDEX, Shards, bundle_fingerprint, parse_index, read_shards
from tests.bundles import write_component, write_json, write_pipeline, write_sharded
from tests.models import write_safetensors
from tests.parsers.pickle_files import EVIL, checkpoint, dictionary, proto, tensor

TENSORS = {f"blocks.{place}.weight": [place + 1, 4] for place in range(7)}


def found(paths: list[Path]) -> list[FoundPath]:
    return [FoundPath(os.fsencode(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths if p.exists()]


def read(folder: Path, *, index: bool = True) -> Shards:
    paths = sorted(folder.glob("*.safetensors"))
    return read_shards(found(paths), os.fsencode(folder / "model.safetensors.index.json") if index else None)


def code_of(folder: Path, *, index: bool = True) -> str:
    with pytest.raises(BadFileError) as caught:
        read(folder, index=index)
    return caught.value.code


def warnings(shards: Shards) -> set[str]:
    return {warning.code for warning in shards.header.warnings}


@pytest.mark.parametrize("index", [True, False])
def test_shards_say_together_what_one_file_would(tmp_path: Path, index: bool) -> None:
    write_sharded(tmp_path, TENSORS, index=index)
    whole = read_header(write_safetensors(tmp_path / "alone" / "m.safetensors", TENSORS, {"format": "pt"}))
    header = read(tmp_path, index=index).header
    assert {n: e["shape"] for n, e in header.tensors.items()} == {
        n: e["shape"] for n, e in whole.tensors.items()
    }
    assert (header.metadata, header.data_size, header.warnings) == (whole.metadata, whole.data_size, ())
    spans = sorted(entry["data_offsets"] for entry in header.tensors.values())
    assert all(before[1] == after[0] for before, after in pairwise(spans)), "no two overlap"


@pytest.mark.parametrize("index", [True, False])
def test_a_missing_shard_is_named(tmp_path: Path, index: bool) -> None:
    write_sharded(tmp_path, TENSORS)[1].unlink()
    with pytest.raises(BadFileError, match="model-00002-of-00003"):
        read(tmp_path, index=index)
    assert code_of(tmp_path, index=index) == "shard_missing"


def test_a_damaged_shard_is_the_models_fault(tmp_path: Path) -> None:
    path = write_sharded(tmp_path, TENSORS)[2]
    os.truncate(path, path.stat().st_size - 1)
    assert code_of(tmp_path) == "data_truncated"


def test_a_tensor_in_two_shards(tmp_path: Path) -> None:
    write_sharded(tmp_path, TENSORS)
    write_safetensors(tmp_path / "model-00002-of-00003.safetensors", {"blocks.0.weight": [9]})
    assert code_of(tmp_path) == "duplicate_tensor"


def remap(folder: Path, **changes: str) -> None:
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"] |= changes
    write_json(path, index)


def test_headers_are_believed_where_the_index_disagrees(tmp_path: Path) -> None:
    write_sharded(tmp_path, TENSORS)
    remap(
        tmp_path,
        **{
            "blocks.0.weight": "model-00003-of-00003.safetensors",
            "ghost": "model-00001-of-00003.safetensors",
        },
    )
    shards = read(tmp_path)
    assert warnings(shards) == {"weight_map"}
    assert shards.header.tensors.keys() == TENSORS.keys()


def test_a_shard_that_the_index_does_not_name_is_left_out(tmp_path: Path) -> None:
    write_sharded(tmp_path, TENSORS)
    write_safetensors(tmp_path / "model-00001-of-00002.safetensors", {"stray": [2]})
    shards = read(tmp_path)
    assert warnings(shards) == {"shard_unnamed"}
    assert "stray" not in shards.header.tensors


def test_shards_whose_metadata_differ(tmp_path: Path) -> None:
    write_sharded(tmp_path, {})
    for place in (1, 2, 3):
        write_safetensors(
            tmp_path / f"model-0000{place}-of-00003.safetensors", {f"t{place}": [1]}, {"who": str(place)}
        )
    shards = read(tmp_path, index=False)
    assert warnings(shards) == {"shard_metadata"}
    assert shards.header.metadata == {"who": "1"}


@pytest.mark.parametrize(
    "name",
    [
        "../x.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "a\\b",
        "..",
        ".",
        "",
        "C:x",
        "a\0b",
        "x" * 300,
        "\ud800",
    ],
)
def test_an_index_that_names_files_elsewhere(tmp_path: Path, name: str) -> None:
    write_sharded(tmp_path, TENSORS)
    remap(tmp_path, **{"blocks.0.weight": name})
    assert code_of(tmp_path) == "shard_path"


def test_an_index_that_names_files_of_another_sort(tmp_path: Path) -> None:
    write_sharded(tmp_path, TENSORS)
    (tmp_path / "mine.ckpt").write_bytes(b"x")
    remap(tmp_path, **{"blocks.0.weight": "mine.ckpt"})
    assert code_of(tmp_path) == "shard_name"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "index_json"),
        (b"\xff\xfe", "index_json"),
        (b"[]", "index_json"),
        (b"{}", "index_json"),
        (b'{"weight_map": {}}', "index_json"),
        (b'{"weight_map": {"a": 1}}', "index_json"),
        (b'{"weight_map": {"a": "x", "a": "y"}}', "duplicate_key"),
        (b"[" * 100_000, "json_depth"),
        (b" " * (MAX_INDEX + 1), "index_size"),
    ],
)
def test_indexes_that_are_none(text: bytes, code: str) -> None:
    with pytest.raises(BadFileError) as caught:
        parse_index(text)
    assert caught.value.code == code


def test_ten_thousand_missing_shards_are_told_in_one_short_sentence(tmp_path: Path) -> None:
    names = {f"t{n}": f"model-{n:05}-of-10000.safetensors" for n in range(1, 10_001)}
    write_json(tmp_path / "model.safetensors.index.json", {"weight_map": names})
    with pytest.raises(BadFileError, match="9,997 more of 10,000") as caught:
        read(tmp_path)
    assert caught.value.code == "shard_missing"
    assert len(caught.value.detail) < 400


def test_an_index_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors.index.json")
    assert code_of(tmp_path) == "not_regular_file"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    ).map(lambda v: json.dumps({"weight_map": v}).encode())
)
def test_whatever_an_index_holds_it_is_read_or_refused(data: bytes) -> None:
    try:
        mapped = parse_index(data)
    except BadFileError:
        return
    assert all(os.path.basename(name) == name for name in mapped.values())


def test_pickled_shards_are_read_and_the_worst_of_them_counts(tmp_path: Path) -> None:
    paths = [tmp_path / f"pytorch_model-0000{place}-of-00002.bin" for place in (1, 2)]
    paths[0].write_bytes(checkpoint(proto(dictionary({"a": tensor((2, 3))})), {"0": bytes(24)}))
    paths[1].write_bytes(checkpoint(proto(dictionary({"b": tensor((4,))})), {"0": bytes(16)}))
    header = read_shards(found(paths), None).header
    assert {name: entry["shape"] for name, entry in header.tensors.items()} == {"a": [2, 3], "b": [4]}
    assert (header.container, header.program and header.program.verdict) == ("zip", "tensors-only")
    paths[1].write_bytes(proto(EVIL))
    program = read_shards(found(paths), None).header.program
    assert program is not None and program.verdict == "dangerous-imports"


def test_the_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    write_sharded(tmp_path / "a", TENSORS)
    write_sharded(tmp_path / "b", TENSORS)
    same = {bundle_fingerprint(read(tmp_path / name).prints) for name in "ab"}
    assert len(same) == 1
    write_safetensors(tmp_path / "b" / "model-00001-of-00003.safetensors", {"other": [4]})
    assert bundle_fingerprint(read(tmp_path / "b", index=False).prints) not in same
    assert bundle_fingerprint(["x", "y"]) == bundle_fingerprint(["y", "x"])


def folder(path: Path) -> Any:
    return read_folder(os.fsencode(path / "model_index.json"), found(sorted(path.rglob("*.safetensors"))))


def test_a_folders_components_and_claims(tmp_path: Path) -> None:
    result = folder(write_pipeline(tmp_path / "m"))
    assert set(result.components) == {"unet", "vae", "text_encoder"}
    assert "conv_in.weight" in result.components["unet"].tensors
    assert {c.name: c.value for c in result.claims.claims} == {
        "architecture": "sdxl-inpainting",
        "prediction_type": "v",
    }
    assert result.claims.source == "header:diffusers"
    assert result.claims.raw["scheduler/config"] == {"prediction_type": "v_prediction"}
    assert (result.prediction, len(result.prints), result.claims.warnings) == ("v", 3, ())


def test_a_component_in_shards(tmp_path: Path) -> None:
    write_pipeline(tmp_path, {"vae": "vae-kl-f8.diffusers"}, transformer=["diffusers", "T"])
    write_json(tmp_path / "transformer" / "config.json", {})
    write_sharded(tmp_path / "transformer", TENSORS, stem="diffusion_pytorch_model")
    assert folder(tmp_path).components["transformer"].tensors.keys() == TENSORS.keys()
    (tmp_path / "transformer" / "diffusion_pytorch_model-00003-of-00003.safetensors").unlink()
    with pytest.raises(BadFileError) as caught:
        folder(tmp_path)
    assert caught.value.code == "shard_missing"


def test_missing_components(tmp_path: Path) -> None:
    write_pipeline(
        tmp_path,
        {"unet": "sdxl.diffusers"},
        safety_checker=[None, None],
        image_encoder=["transformers", "Clip"],
    )
    (warning,) = folder(tmp_path).claims.warnings
    assert (warning.code, "image_encoder" in warning.detail) == ("component_missing", True)
    os.rename(tmp_path / "unet", tmp_path / "vae")
    with pytest.raises(BadFileError, match="unet") as caught:
        folder(tmp_path)
    assert caught.value.code == "component_missing"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 1000, '"x"'])
def test_a_broken_model_index(tmp_path: Path, text: str) -> None:
    write_pipeline(tmp_path, {"vae": "vae-kl-f8.diffusers"})
    (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(BadFileError) as caught:
        folder(tmp_path)
    assert caught.value.code == "index_json"


def test_a_broken_configuration_is_a_warning(tmp_path: Path) -> None:
    write_pipeline(tmp_path, {"vae": "vae-kl-f8.diffusers"}, odd=5, strange=["x"], names=[1, 2])
    (tmp_path / "vae" / "config.json").write_text("{")
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(
        '{"prediction_type": ["v"], "deep": {"a": 1}}'
    )
    result = folder(tmp_path)
    assert [warning.code for warning in result.claims.warnings] == ["component_config"]
    assert (result.prediction, result.claims.raw["scheduler/config"]) == (None, {"prediction_type": ["v"]})


def test_a_folder_that_vanishes_is_put_off(tmp_path: Path) -> None:
    write_component(tmp_path / "vae", "vae-kl-f8.diffusers")
    with pytest.raises(TemporaryError):
        folder(tmp_path)


def test_the_worst_program_of_several() -> None:
    programs = [
        Program("tensors-only", ("a.b",), "fine"),
        None,
        Program("dangerous-imports", ("os.system",), "bad"),
    ]
    assert worst_program(programs) == Program("dangerous-imports", ("a.b", "os.system"), "bad")
    assert worst_program([None]) is None
    assert worst_program([Program("new-word", (), "?"), Program("unreadable", (), "!")]) == Program(
        "unreadable", (), "!"
    )
