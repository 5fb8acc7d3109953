"""Walking model folders: what is found, what belongs to it, and that odd disks do no harm."""

import os
from pathlib import Path

import pytest

from indexer.domain.found import FoundFile, WalkProblem
from indexer.sources.folders import folder_claims, recognise_layout
from indexer.sources.local import walk

SIDECARS = (".civitai.info", ".json")


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def files(root: Path, skip: tuple[Path, ...] = ()) -> dict[str, FoundFile]:
    groups = [group for group in walk(root, SIDECARS, skip) if isinstance(group, list)]
    return {os.fsdecode(f.path): f for group in groups for f in group}


def only(root: Path) -> FoundFile:
    (found,) = files(root).values()
    return found


def names(found: FoundFile) -> list[str]:
    return [os.fsdecode(p.path).rsplit("/", 1)[1] for p in found.previews]


def test_models_of_all_extensions_are_found_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.CKPT", "c.gguf", "d.txt", "e.png", ".hidden.safetensors"):
        touch(tmp_path / "deep" / name)
    assert [Path(p).name for p in files(tmp_path)] == ["a.safetensors", "b.CKPT", "c.gguf"]


def test_previews_in_order_of_preference(tmp_path: Path) -> None:
    touch(tmp_path / "m.safetensors")
    for name in ("m.2.png", "m.10.webp", "m.thumb.jpg", "m.preview.png", "m.png", "m/z.jpg", "other.png"):
        touch(tmp_path / name)
    assert names(only(tmp_path)) == ["m.png", "m.preview.png", "m.thumb.jpg", "m.10.webp", "m.2.png", "z.jpg"]


def test_a_picture_belongs_to_the_longest_stem(tmp_path: Path) -> None:
    for name in ("m.safetensors", "m.v2.safetensors", "m.v2.preview.png", "m.x.png"):
        touch(tmp_path / name)
    found = {os.fsdecode(f.name): names(f) for f in files(tmp_path).values()}
    assert found == {"m.safetensors": ["m.x.png"], "m.v2.safetensors": ["m.v2.preview.png"]}


def test_a_folder_named_like_a_model_that_holds_models_is_no_preview_folder(tmp_path: Path) -> None:
    for name in ("m.safetensors", "m/inner.safetensors", "m/inner.png"):
        touch(tmp_path / name)
    assert {k.rsplit("/", 1)[1]: names(f) for k, f in files(tmp_path).items()} == {
        "m.safetensors": [],
        "inner.safetensors": ["inner.png"],
    }


def test_sidecars_and_the_digest_of_the_surroundings(tmp_path: Path) -> None:
    touch(tmp_path / "m.safetensors")
    bare = only(tmp_path)
    assert bare.sidecars == () and bare.surroundings == ""
    side = touch(tmp_path / "m.civitai.info", b"{}")
    first = only(tmp_path)
    assert [suffix for suffix, _ in first.sidecars] == [".civitai.info"]
    os.utime(side, ns=(1, 1))
    assert len({bare.surroundings, first.surroundings, only(tmp_path).surroundings}) == 3


def test_loops_of_links_end_and_linked_roots_and_folders_work(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "sub" / "m.safetensors")
    (tmp_path / "real" / "sub" / "up").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert [Path(p).name for p in files(tmp_path / "root")] == ["m.safetensors"]


def test_a_linked_model_file_is_read_in_place(tmp_path: Path) -> None:
    blob = touch(tmp_path / "blobs" / "0123", b"12345")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "m.safetensors").symlink_to(blob)
    assert only(tmp_path / "root").size == 5


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.safetensors",
        b"bad\xff\xfe.safetensors",
        "☕️ émoji.safetensors".encode(),
        b"-rf.safetensors",
    ],
)
def test_odd_names(tmp_path: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    found = only(tmp_path)
    assert found.name == name
    assert os.path.exists(found.path)


def test_the_home_inside_a_root_is_skipped(tmp_path: Path) -> None:
    touch(tmp_path / "home" / "x.safetensors")
    touch(tmp_path / "m.safetensors")
    assert len(files(tmp_path, skip=(tmp_path / "home",))) == 1


def test_a_folder_that_cannot_be_read_is_told_and_its_neighbours_are_walked(tmp_path: Path) -> None:
    touch(tmp_path / "ok" / "m.safetensors")
    groups = list(walk(tmp_path / "missing", SIDECARS))
    assert isinstance(groups[0], WalkProblem) and "No such file" in groups[0].detail
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        return  # root reads everything; the missing folder above is the same path of code
    assert any(isinstance(g, WalkProblem) for g in walk(tmp_path, SIDECARS))


def test_a_pipe_behind_a_models_name_is_listed_for_judgement(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert os.fsdecode(only(tmp_path).name) == "pipe.safetensors"


@pytest.mark.parametrize(
    ("directory", "kind"),
    [(b"models/loras/style", "lora"), (b"Stable-diffusion", "checkpoint"), (b"stuff", None), (b"", None)],
)
def test_folders_promise_kinds(directory: bytes, kind: str | None) -> None:
    claims = folder_claims(b"/x/root", directory)
    assert [c.value for s in claims for c in s.claims] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("folders", "layout"),
    [
        (("models/checkpoints", "models/loras"), "comfyui"),
        (("models/Stable-diffusion", "models/Lora"), "a1111"),
        (("Data/Models/StableDiffusion",), "stability-matrix"),
        (("stuff",), "plain"),
    ],
)
def test_layouts(tmp_path: Path, folders: tuple[str, ...], layout: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert recognise_layout(tmp_path) == layout
