"""Several files that are one model: what the walk makes of shards, indexes and diffusers folders."""

import os
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.bundles import index_names, index_of, is_bundle, shard
from indexer.domain.found import FoundFile, WalkProblem
from indexer.sources.local import walk

SIDECARS = (".civitai.info", ".json")


def lay(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    return root


def found(root: Path) -> dict[str, FoundFile]:
    groups = [group for group in walk(root, SIDECARS) if isinstance(group, list)]
    files = [file for group in groups for file in group]
    for group in groups:
        assert len({file.directory for file in group}) == 1
    return {os.path.relpath(os.fsdecode(f.path), root): f for f in files}


def names(paths: Any, root: Path) -> list[str]:
    return [os.path.relpath(os.fsdecode(p.path), root) for p in paths]


def said(file: FoundFile) -> dict[str, Any]:
    return {claim.name: claim.value for source in file.claims for claim in source.claims}


def shards(stem: str = "m", total: int = 2, ending: str = "safetensors") -> list[str]:
    return [f"{stem}-{place:05}-of-{total:05}.{ending}" for place in range(1, total + 1)]


@pytest.mark.parametrize(
    ("index", "parts"),
    [
        ("m.safetensors.index.json", shards()),
        ("model.safetensors.index.fp16.json", shards("model.fp16")),
        ("model.safetensors.index.fp16.json", shards("model", 2, "fp16.safetensors")),
        ("model.fp16.safetensors.index.json", shards("model.fp16")),
        ("pytorch_model.bin.index.json", shards("pytorch_model", 3, "bin")),
        ("M.safetensors.index.json", shards("M", 2, "SAFETENSORS")),
    ],
)
def test_shards_with_their_index_are_one_model(tmp_path: Path, index: str, parts: list[str]) -> None:
    files = found(lay(tmp_path, index, *parts, "other.safetensors"))
    assert set(files) == {index, "other.safetensors"}
    assert names(files[index].parts, tmp_path) == parts
    assert files[index].size == 5 * len(parts)


def test_shards_without_an_index_are_grouped_by_their_names(tmp_path: Path) -> None:
    files = found(lay(tmp_path, *shards("a"), *shards("b", 3)[1:], "c-00001-of-00001.safetensors"))
    assert set(files) == {
        "a-00001-of-00002.safetensors",
        "b-00001-of-00003.safetensors",
        "c-00001-of-00001.safetensors",
    }
    assert [len(file.parts) for file in files.values()] == [0, 2, 2]


def test_an_index_whose_weights_are_kept_in_another_form_is_no_model(tmp_path: Path) -> None:
    files = found(lay(tmp_path, "m.safetensors", "m.safetensors.index.json", "pytorch_model.bin.index.json"))
    assert set(files) == {"m.safetensors"}
    assert set(found(lay(tmp_path / "sub", "m.safetensors.index.json"))) == {"m.safetensors.index.json"}


def test_sidecars_and_previews_of_a_sharded_model_are_named_by_its_stem(tmp_path: Path) -> None:
    lay(tmp_path, "m.safetensors.index.json", *shards(), "m.civitai.info", "m.png", "m.2.png", "x.png")
    (file,) = found(tmp_path).values()
    assert [suffix for suffix, _ in file.sidecars] == [".civitai.info"]
    assert names(file.previews, tmp_path) == ["m.png", "m.2.png"]
    assert said(file)["name"] == "m"


@pytest.mark.parametrize("victim", ["m-00002-of-00002.safetensors", "m.safetensors.index.json"])
def test_a_change_of_any_part_is_noticed(tmp_path: Path, victim: str) -> None:
    lay(tmp_path, "m.safetensors.index.json", *shards())
    (before,) = found(tmp_path).values()
    os.utime(tmp_path / victim, ns=(7, 7))
    (after,) = found(tmp_path).values()
    assert before.surroundings != after.surroundings
    assert after.mtime_ns > 7, "the newest time of all"


PIPELINE = (
    "flux/model_index.json",
    "flux/scheduler/scheduler_config.json",
    "flux/tokenizer/vocab.json",
    "flux/vae/config.json",
    "flux/vae/diffusion_pytorch_model.safetensors",
    "flux/transformer/config.json",
    *(f"flux/transformer/{name}" for name in shards("diffusion_pytorch_model")),
    "flux/transformer/diffusion_pytorch_model.safetensors.index.json",
)


def test_a_diffusers_folder_is_one_model(tmp_path: Path) -> None:
    files = found(lay(tmp_path, *PIPELINE, "flux/flux1-dev.safetensors", "flux/vae/mine.safetensors"))
    assert set(files) == {"flux/model_index.json", "flux/flux1-dev.safetensors", "flux/vae/mine.safetensors"}
    file = files["flux/model_index.json"]
    assert names(file.parts, tmp_path / "flux") == [
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    assert (file.directory, file.name, file.size) == (b"flux", b"model_index.json", 15)
    assert said(file)["name"] == "flux"


@pytest.mark.parametrize("victim", ["scheduler/scheduler_config.json", "vae/config.json", "model_index.json"])
def test_changed_settings_of_a_folder_are_noticed(tmp_path: Path, victim: str) -> None:
    before = found(lay(tmp_path, *PIPELINE))["flux/model_index.json"]
    os.utime(tmp_path / "flux" / victim, ns=(7, 7))
    assert found(tmp_path)["flux/model_index.json"].surroundings != before.surroundings


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["model.safetensors", "model.fp16.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        (["model.fp16.safetensors", "pytorch_model.bin"], ["model.fp16.safetensors"]),
        ([*shards("model")[:1], "model.fp16.safetensors"], ["model.fp16.safetensors"]),
        ([*shards("model")[:1], *shards("pytorch_model", 2, "bin")], shards("pytorch_model", 2, "bin")),
        (["model.non_ema.safetensors", "model.bf16.safetensors"], ["model.bf16.safetensors"]),
        (["pytorch_model.bin"], ["pytorch_model.bin"]),
    ],
)
def test_of_several_copies_of_a_component_one_complete_is_read(
    tmp_path: Path, there: list[str], chosen: list[str]
) -> None:
    lay(tmp_path, "model_index.json", "text_encoder/config.json", *(f"text_encoder/{name}" for name in there))
    (file,) = found(tmp_path).values()
    assert names(file.parts, tmp_path / "text_encoder") == chosen


def test_what_is_a_component_of_a_pipeline(tmp_path: Path) -> None:
    """A known name or a configuration makes one; state that a trainer saved beside it is none."""
    lay(
        tmp_path,
        "model_index.json",
        "unet/diffusion_pytorch_model.safetensors",
        "checkpoint-5/model.safetensors",
    )
    lay(tmp_path, "brush/config.json", "brush/diffusion_pytorch_model.safetensors")
    files = found(tmp_path)
    assert set(files) == {"model_index.json", "checkpoint-5/model.safetensors"}
    assert len(files["model_index.json"].parts) == 2


def test_previews_and_sidecars_lie_in_the_folder_or_beside_it(tmp_path: Path) -> None:
    lay(tmp_path, *PIPELINE, "flux/preview.png", "flux/flux.webp", "flux/chart.png")
    lay(
        tmp_path,
        "flux.png",
        "flux.preview.jpg",
        "flux.json",
        "flux/model_index.civitai.info",
        "fluxother.png",
    )
    file = found(tmp_path)["flux/model_index.json"]
    assert names(file.previews, tmp_path) == [
        "flux.png",
        "flux.preview.jpg",
        "flux/preview.png",
        "flux/flux.webp",
    ]
    assert names((path for _, path in file.sidecars), tmp_path) == [
        "flux.json",
        "flux/model_index.civitai.info",
    ]


def test_nothing_outside_the_root_is_taken(tmp_path: Path) -> None:
    lay(tmp_path, *PIPELINE, "flux.png")
    assert found(tmp_path / "flux")["model_index.json"].previews == ()


def test_a_model_index_without_weights_is_no_model(tmp_path: Path) -> None:
    assert found(lay(tmp_path, "model_index.json", "unet/config.json", "x/m.safetensors")).keys() == {
        "x/m.safetensors"
    }


def test_a_linked_component_is_read_and_also_listed_where_it_is(tmp_path: Path) -> None:
    lay(tmp_path, "sd/model_index.json", "sd/unet/config.json", "sd/unet/diffusion_pytorch_model.safetensors")
    lay(tmp_path, "shared/config.json", "shared/diffusion_pytorch_model.safetensors")
    (tmp_path / "sd" / "vae").symlink_to(tmp_path / "shared")
    files = found(tmp_path)
    assert len(files["sd/model_index.json"].parts) == 2
    assert len(files) == 2, "the pipeline and the shared VAE"


def test_a_hub_cache_is_read_through_its_snapshots(tmp_path: Path) -> None:
    store = tmp_path / "hub" / "models--black-forest--FLUX.1"
    lay(store, "blobs/aa11", "blobs/bb22.safetensors", "refs/main")
    for name, blob in (
        ("model_index.json", "aa11"),
        ("vae/config.json", "aa11"),
        ("vae/model.safetensors", "bb22.safetensors"),
    ):
        link = store / "snapshots" / "0123abcd" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(store / "blobs" / blob)
    (store / "snapshots" / "0123abcd" / "flux1.safetensors").symlink_to(store / "blobs" / "bb22.safetensors")
    files = {os.path.basename(path): file for path, file in found(tmp_path).items()}
    assert set(files) == {"model_index.json", "flux1.safetensors"}
    assert said(files["model_index.json"]) == {
        "name": "FLUX.1",
        "creator": "black-forest",
        "url": "https://huggingface.co/black-forest/FLUX.1",
    }
    assert "name" not in said(files["flux1.safetensors"]), "its own name says more"
    status = (store / "blobs" / "bb22.safetensors").stat()
    assert {file.inode for file in files.values()} == {f"{status.st_dev}:{status.st_ino}"}, (
        "links are no copies"
    )


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("my-vae/diffusion_pytorch_model.safetensors", "my-vae"),
        ("loras/ghibli/pytorch_lora_weights.safetensors", "ghibli"),
        ("models/vae/sdxl-fix/diffusion_pytorch_model.fp16.safetensors", "sdxl-fix"),
        ("juggernaut/unet/diffusion_pytorch_model.safetensors", "juggernaut unet"),
        ("loras/model.safetensors", None),
        ("loras/plain.safetensors", None),
    ],
)
def test_a_file_whose_name_says_nothing_is_called_after_its_folder(
    tmp_path: Path, path: str, title: str | None
) -> None:
    (file,) = found(lay(tmp_path / "models", path)).values()
    assert said(file).get("name") == title
    assert file.parts == ()


def test_a_component_that_cannot_be_listed_is_told_and_nothing_is_half_read(tmp_path: Path) -> None:
    lay(tmp_path, *PIPELINE)
    locked = tmp_path / "flux" / "vae"
    locked.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65_534)
    try:
        groups = list(walk(tmp_path, SIDECARS)) if os.access(tmp_path, os.R_OK, effective_ids=True) else []
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        locked.chmod(0o700)
    assert all(isinstance(group, WalkProblem) for group in groups)


@pytest.mark.parametrize(
    "name",
    [
        b"a-00000-of-00002.safetensors",
        b"a-00003-of-00002.safetensors",
        b"a-00001-of-00001.safetensors",
        b"a-1-of-2.safetensors",
        b"-00001-of-00002.safetensors",
        b"a-00001-of-00002.png",
        b"a-of-b.safetensors",
    ],
)
def test_names_that_are_no_shards(name: bytes) -> None:
    assert shard(name) is None
    assert not is_bundle(name)


def test_the_parts_of_a_shards_name() -> None:
    part = shard(b"a-00001-of-00002-00002-of-00003.fp16.safetensors")
    assert part is not None
    assert (part.place, part.total) == (2, 3)
    assert part.sibling(1) == b"a-00001-of-00002-00001-of-00003.fp16.safetensors"
    assert all(index_of(name) == part.weights for name in index_names(part.weights))
