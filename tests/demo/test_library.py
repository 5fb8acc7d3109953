"""The library as written: what is good opens, what is bad is bad as told, little room is taken."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import SafetensorError, safe_open

from indexer.adapter_weights import read_adapter_weights
from indexer.demo import DemoModel, DemoReport
from indexer.demo.cast import Cast, load_cast
from indexer.demo.library import fitting, write_cast, write_demo
from indexer.embedding.adapter_vector import TWIN_COSINE, sketches
from indexer.errors import UsageError

Library = tuple[Path, DemoReport]


def _bad(report: DemoReport, fault: str) -> DemoModel:
    (found,) = (model for model in report.models if model.bad == fault)
    return found


def _few() -> Cast:
    """Some parts of the cast that take little time: a pair of twins, a tiny one, the page."""
    endings = (
        "pencilcase_sd15.safetensors",
        "lacquerXL.safetensors",
        "loginPage_xl.safetensors",
        "quicksilver-schnell-Q4_0.gguf",
    )
    cast = load_cast()
    return replace(cast, parts=tuple(part for part in cast.parts if part.path.endswith(endings)))


def _quiet(done: int, total: int, what: str) -> None:
    return None


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gguf")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_report_counts_what_lies_there(demo_library: Library) -> None:
    folder, report = demo_library
    files = [path for path in (folder / "models").rglob("*") if path.is_file()]
    assert len(files) == len(report.models) + report.pictures + report.sidecars
    assert len(report.models) >= 60
    assert report.pictures >= 100
    assert report.left_out == ()
    assert sum(path.stat().st_size for path in files) == report.logical_bytes


def test_adapters_hold_trained_values(demo_library: Library) -> None:
    """Weights that are all zero would make every one of them an untrained adapter."""
    folder, report = demo_library
    adapters = [model for model in report.models if model.kind == "lora" and model.bad is None]
    found = [read_adapter_weights(folder / model.path) for model in adapters[::6]]
    assert [weights.fault for weights in found] == [None] * len(found)
    rows = sketches(np.stack([weights.vector for weights in found if weights.vector is not None]))
    assert len(rows) == len(found)
    assert np.abs(rows @ rows.T - np.eye(len(rows))).max() < TWIN_COSINE / 2


def test_sizes_are_real_and_room_is_little(demo_library: Library) -> None:
    folder, report = demo_library
    assert report.logical_bytes > 50_000_000_000
    assert report.disk_bytes < 120_000_000
    (checkpoint,) = (model for model in report.models if model.path.endswith("atlasXL_v1.safetensors"))
    assert 6_900_000_000 < (folder / checkpoint.path).stat().st_size == checkpoint.size < 7_000_000_000


def test_the_reference_reader_opens_every_good_file(demo_library: Library) -> None:
    folder, report = demo_library
    good = [
        m
        for m in report.models
        if m.bad in (None, "mislabelled", "duplicate") and m.path.endswith(".safetensors")
    ]
    assert len(good) > 60
    for model in good:
        with safe_open(folder / model.path, framework="numpy") as reader:
            assert len(list(reader.keys())) > 0, model.path


def test_the_truncated_file_promises_more_than_it_has(demo_library: Library) -> None:
    folder, report = demo_library
    path = folder / _bad(report, "truncated").path
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
    promised = max(row["data_offsets"][1] for name, row in header.items() if name != "__metadata__")
    assert 8 + length + promised > path.stat().st_size
    with pytest.raises(SafetensorError), safe_open(path, framework="numpy"):
        pass


def test_the_page_is_no_model(demo_library: Library) -> None:
    folder, report = demo_library
    path = folder / _bad(report, "not_a_model").path
    assert path.read_bytes().startswith(b"<!DOCTYPE html>")
    with pytest.raises(SafetensorError), safe_open(path, framework="numpy"):
        pass


def test_the_mislabelled_file_says_sd15_and_is_sdxl(demo_library: Library) -> None:
    folder, report = demo_library
    model = _bad(report, "mislabelled")
    info, settings = (json.loads((folder / name).read_text()) for name in model.sidecars)
    assert (info["baseModel"], settings["sd version"], model.architecture) == ("SD 1.5", "SD1", "sdxl")
    with safe_open(folder / model.path, framework="numpy") as reader:
        cross = [name for name in reader.keys() if "attn2_to_k.lora_down" in name]  # noqa: SIM118
        assert {reader.get_slice(name).get_shape()[1] for name in cross} == {2048}


def test_only_the_duplicate_is_a_duplicate(demo_library: Library) -> None:
    folder, report = demo_library
    same_size = Counter(model.size for model in report.models)
    digests = {}
    for model in report.models:
        if same_size[model.size] > 1 and model.kind == "lora":
            with (folder / model.path).open("rb") as stream:
                digests[model.path] = hashlib.file_digest(stream, "sha256").hexdigest()
    (twice,) = (digest for digest, count in Counter(digests.values()).items() if count > 1)
    assert digests[_bad(report, "duplicate").path] == twice
    assert sorted(path for path, digest in digests.items() if digest == twice) == [
        "models/loras/style/wetpaper_watercolour_xl.safetensors",
        "models/loras/unsorted/copy of wetpaper.safetensors",
    ]


def test_data_sections_differ_although_headers_are_alike(demo_library: Library) -> None:
    """Tools hash data without the header; a hole only would make all files of one layout the same to them."""
    folder, report = demo_library
    heads: Counter[bytes] = Counter()
    for model in report.models:
        if model.bad is None and model.path.endswith(".safetensors"):
            with (folder / model.path).open("rb") as stream:
                stream.seek(8 + int.from_bytes(stream.read(8), "little"))
                heads[stream.read(65_536)] += 1
    assert max(heads.values()) == 1


def test_all_pictures_open_and_some_say_how_they_were_made(demo_library: Library) -> None:
    folder, report = demo_library
    formats: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for name in (name for model in report.models for name in model.previews):
        with Image.open(folder / name) as image:
            image.load()
            assert image.size == (512, 512)
            formats[str(image.format)] += 1
            told["a1111"] += "parameters" in image.info or b"Steps: 28" in _comment(image)
            told["comfyui"] += "prompt" in image.info and _is_graph(image.info["prompt"])
    assert set(formats) == {"PNG", "JPEG", "WEBP"}
    assert told["a1111"] > 30
    assert told["comfyui"] > 20


def _comment(image: Image.Image) -> bytes:
    raw: Any = image.getexif().get_ifd(0x8769).get(0x9286, b"")
    return bytes(raw).replace(b"\0", b"")


def _is_graph(text: str) -> bool:
    nodes = json.loads(text)
    links = [value for node in nodes.values() for value in node["inputs"].values() if isinstance(value, list)]
    return "KSampler" in {node["class_type"] for node in nodes.values()} and all(
        link[0] in nodes for link in links
    )


def test_no_two_pictures_are_the_same(demo_library: Library) -> None:
    folder, report = demo_library
    names = [name for model in report.models for name in model.previews]
    assert len({hashlib.sha256((folder / name).read_bytes()).digest() for name in names}) == len(names)


def test_sidecars_are_json_of_four_tools(demo_library: Library) -> None:
    folder, report = demo_library
    endings: Counter[str] = Counter()
    for name in (name for model in report.models for name in model.sidecars):
        assert isinstance(json.loads((folder / name).read_text(encoding="utf-8")), dict)
        endings[
            next(e for e in (".civitai.info", ".metadata.json", ".cm-info.json", ".json") if name.endswith(e))
        ] += 1
    assert min(endings.values()) >= 2
    assert len(endings) == 4


def test_hashes_in_sidecars_are_true(demo_library: Library) -> None:
    folder, report = demo_library
    checked = 0
    for model in report.models:
        for name in (name for name in model.sidecars if name.endswith(".civitai.info")):
            claimed = json.loads((folder / name).read_text())["files"][0]["hashes"]
            if claimed and checked < 5:
                data = (folder / model.path).read_bytes()
                start = 8 + int.from_bytes(data[:8], "little")
                assert claimed["SHA256"] == hashlib.sha256(data).hexdigest().upper()
                assert claimed["AutoV3"] == hashlib.sha256(data[start:]).hexdigest()[:12].upper()
                checked += 1
    assert checked == 5


def test_hidden_entries_are_flagged_in_their_sidecars(demo_library: Library) -> None:
    folder, report = demo_library
    hidden = [model for model in report.models if model.hidden]
    assert len(hidden) == 2
    flags = [json.loads((folder / model.sidecars[0]).read_text()) for model in hidden]
    assert sorted((flag["model"]["poi"], flag["model"]["nsfw"]) for flag in flags) == [
        (False, True),
        (True, False),
    ]


def test_twins_show_one_style_on_two_bases(demo_library: Library) -> None:
    _, report = demo_library
    by_path = {model.path: model for model in report.models}
    twins = [(m, by_path[m.equivalent_of]) for m in report.models if m.equivalent_of and m.style]
    assert len(twins) >= 10
    assert all(a.style == b.style and a.architecture != b.architecture for a, b in twins)
    assert all(len({m.architecture for m in group}) > 0 for group in report.by_style().values())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    write_cast(first, _few(), _quiet, 7)
    write_cast(second, _few(), _quiet, 7)
    write_cast(other, _few(), _quiet, 8)
    assert _digests(first) == _digests(second)
    assert _digests(first) != _digests(other)


def test_without_sparse_files_the_large_models_are_left_out_and_named() -> None:
    parts, left_out = fitting(load_cast(), sparse=False)
    assert len(parts) + len(left_out) == len(load_cast().parts)
    assert "models/checkpoints/SDXL/atlasXL_v1.safetensors" in left_out
    assert "models/loras/unsorted/copy of wetpaper.safetensors" in left_out
    assert len(parts) > 20
    assert all(part.copy_of is None for part in parts)


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = write_cast(tmp_path / "demo", _few(), lambda done, total, what: seen.append((done, total)), 7)
    total = len(report.models) + report.pictures
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_a_former_demo_is_replaced_and_strangers_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write_cast(folder, _few(), _quiet, 7)
    before = _digests(folder)
    (folder / "mine.txt").write_text("keep me")
    stale = replace(_few(), parts=_few().parts[:1])
    write_cast(folder, stale, _quiet, 7)
    assert (folder / "mine.txt").read_text() == "keep me"
    assert len(_digests(folder)) < len(before)


def test_a_marker_cannot_reach_outside(tmp_path: Path) -> None:
    folder, outside = tmp_path / "demo", tmp_path / "precious.safetensors"
    outside.write_bytes(b"mine")
    folder.mkdir()
    (folder / ".pinakes-demo").write_text(f"../precious.safetensors\n{outside}\n")
    write_cast(folder, replace(_few(), parts=()), _quiet, 7)
    assert outside.read_bytes() == b"mine"


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        write_demo(tmp_path)
    assert caught.value.code == "folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        write_demo(tmp_path / "file")
    assert caught.value.code == "not_a_folder"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        write_demo(tmp_path / "file" / "below")
    assert caught.value.code == "cannot_write"
