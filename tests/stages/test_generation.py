"""From pictures' own texts and hubs' words to records, and to the models they name."""

import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import func, select, update

from indexer.catalog import generations
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.schema import GenerationRecord, Preview, ResourceUse
from indexer.domain.generation import GenerationRecord as Record
from indexer.domain.generation import UsedModel
from indexer.importing import import_dumps
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages import generation
from indexer.stages.generation import read_records
from search.service import Pinakes
from tests.models import write_picture, write_safetensors
from tests.parsers.civitai_items import item, version

SETTINGS = "Steps: 30, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 832x1216"


def infotext(prompt: str = "a teapot <lora:ink:0.8>", more: str = "") -> str:
    return f"{prompt}\nNegative prompt: blurry\n{SETTINGS}{more}"


def write_told(path: Path, text: str, colour: tuple[int, int, int] = (9, 90, 160)) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), colour).save(path, pnginfo=info)
    return path


def write_lora(folder: Path, name: str) -> Path:
    return write_safetensors(folder / f"{name}.safetensors", metadata={"ss_output_name": name})


def uses(settings: Settings) -> list[tuple[str | None, bool, float, float | None]]:
    """Name, whether it is linked, confidence and weight of every use."""
    catalog = open_catalog(settings)
    with catalog.read() as session:
        rows = session.scalars(select(ResourceUse).order_by(ResourceUse.name, ResourceUse.id))
        found = [(r.name, r.version_id is not None, r.confidence, r.weight) for r in rows]
    catalog.close()
    return found


def asked(settings: Settings, name: str) -> dict[str, Any]:
    with Pinakes(settings) as pinakes:
        details = pinakes.show(pinakes.find(name).id)
    assert details is not None
    return dict(details.usage)


def dumped(path: Path, *items: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in items))
    return path


def test_pictures_tell_what_a_lora_is_used_with(both: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_lora(folder, "ink")
    write_lora(folder, "paper")
    for place, weight in enumerate((0.6, 0.8, 1.0)):
        prompt = f"a teapot <lora:ink:{weight}> <lora:paper:0.5>"
        write_told(folder / f"ink.{place}.png" if place else folder / "ink.png", infotext(prompt))
    write_told(folder / "paper.png", infotext("<lora:ink:0.8> a cup", ", Model: elsewhere"))
    report = index_folders([folder], both, Silent())
    assert report.records.told == report.records.read > 0
    usage = asked(both, "ink")
    names = [(row["name"], row["id"] is not None) for row in usage["together"]]
    assert ("paper", True) in names and ("elsewhere", False) in names
    paper = next(row for row in usage["together"] if row["name"] == "paper")
    assert paper["weight"]["median"] == 0.5
    assert usage["settings"]["sampler"]["value"] == "Euler a"
    with Pinakes(both) as pinakes:
        assert (pinakes.find("ink").uses, pinakes.find("paper").uses) == (4, 3)
        assert pinakes.search("prompt:teapot").total >= 1
    assert index_folders([folder], both, Silent()).records.read == 0


def test_a_changed_picture_is_read_anew(settings: Settings, tmp_path: Path) -> None:
    write_lora(tmp_path / "models", "ink")
    picture = write_told(tmp_path / "models" / "ink.png", infotext())
    index_folders([tmp_path / "models"], settings, Silent())
    assert uses(settings) == [("ink", True, 0.5, 0.8)]
    write_told(picture, infotext("a cup <lora:ink:0.3>"))
    index_folders([tmp_path / "models"], settings, Silent())
    assert uses(settings) == [("ink", True, 0.5, 0.3)]
    write_picture(picture)
    os.utime(picture, (1, 1))
    index_folders([tmp_path / "models"], settings, Silent())
    assert uses(settings) == []


def test_hubs_words_about_pictures(both: Settings, tmp_path: Path) -> None:
    image = version()["images"][0]
    meta = {
        "prompt": "inkwash of a harbour",
        "sampler": "DPM++ 2M",
        "civitaiResources": [
            {"type": "lora", "modelVersionId": 7, "weight": 0.7},
            {"type": "checkpoint", "modelVersionId": 99},
        ],
    }
    shown = [image | {"url": f"https://image.civitai.com/x/{n}.jpeg", "meta": meta} for n in range(3)]
    lora = item(3, name="Ink", modelVersions=[version(7, images=shown)])
    import_dumps([dumped(tmp_path / "a", lora)], both, Silent())
    usage = asked(both, "Ink")
    assert usage["records"] == 3 and usage["weight"]["median"] == 0.7
    assert usage["trigger_words"][0] == {"word": "inkwash", "share": 1.0}
    assert [(row["id"], row["name"]) for row in usage["together"]] == [(None, "Civitai version 99")]
    base = item(4, name="Base", type="Checkpoint", modelVersions=[version(99, images=[], files=[])])
    import_dumps([dumped(tmp_path / "b", base)], both, Silent())
    assert [row["name"] for row in asked(both, "Ink")["together"]] == ["Base"]
    assert [row["name"] for row in asked(both, "Base")["together"]] == ["Ink"]
    assert asked(both, "Base")["together"][0]["weight"]["median"] == 0.7
    with Pinakes(both) as pinakes:
        assert (pinakes.find("Ink").uses, pinakes.find("Base").uses) == (3, 3)


def test_other_words_of_a_hub_replace_the_first_and_silence_does_not(
    settings: Settings, tmp_path: Path
) -> None:
    def told(meta: dict[str, Any] | None) -> None:
        image = version()["images"][0] | {"meta": meta}
        path = dumped(tmp_path / "d", item(3, modelVersions=[version(7, images=[image])]))
        import_dumps([path], settings, Silent())

    resources = [{"type": "lora", "name": "ink", "weight": 0.5}]
    told({"prompt": "a", "resources": resources})
    assert uses(settings) == [("ink", True, 0.5, 0.5)]
    told({"prompt": "a", "resources": [resources[0] | {"weight": 0.9}]})
    assert uses(settings) == [("ink", True, 0.5, 0.9)]
    told(None)
    assert uses(settings) == [("ink", True, 0.5, 0.9)]


def test_hashing_later_makes_a_guess_sure(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    sha256 = hashlib.sha256(write_lora(folder, "ink").read_bytes()).hexdigest()
    write_told(folder / "ink.png", infotext(more=f', Lora hashes: "ink: {sha256[:12]}"'))
    index_folders([folder], settings, Silent())
    assert uses(settings) == [("ink", True, 0.5, 0.8)]
    index_folders([folder], settings, Silent(), hash_all=True)
    assert uses(settings) == [("ink", True, 1.0, 0.8)]


def test_a_name_of_two_models_means_neither(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_lora(folder / "a", "ink")
    write_told(folder / "a" / "ink.png", infotext())
    index_folders([folder], settings, Silent())
    assert uses(settings) == [("ink", True, 0.5, 0.8)]
    write_safetensors(folder / "b" / "ink.safetensors", metadata={"ss_output_name": "other"})
    index_folders([folder], settings, Silent())
    assert uses(settings) == [("ink", False, 0.0, 0.8)]


def test_a_stopped_run_goes_on(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    for name in ("a", "b", "c"):
        write_lora(folder, name)
        write_told(folder / f"{name}.png", infotext(f"<lora:{name}:1>"))
    index_folders([folder], settings, Silent())
    catalog = open_catalog(settings)
    with catalog.write() as session:
        session.execute(update(Preview).values(told=None))
    monkeypatch.setattr(generation, "_BATCH", 1)
    with pytest.raises(KeyboardInterrupt):
        read_records(catalog, settings, Impatient(2))
    assert read_records(catalog, settings, Silent()).read == 1
    with catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(GenerationRecord)) == 3
        assert session.scalar(select(func.count()).select_from(ResourceUse)) == 3
    catalog.close()


class Impatient(Silent):
    """Somebody who stops the work after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def advance(self, count: int = 1) -> None:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


def test_a_picture_that_is_away_is_read_when_it_is_back(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_lora(folder, "ink")
    picture = write_told(folder / "ink.png", infotext())
    index_folders([folder], settings, Silent())
    catalog = open_catalog(settings)
    with catalog.write() as session:
        session.execute(update(Preview).values(told=None))
    picture.rename(tmp_path / "aside.png")
    assert read_records(catalog, settings, Silent()).read == 0
    (tmp_path / "aside.png").rename(picture)
    assert read_records(catalog, settings, Silent()).told == 1
    catalog.close()


def test_numbers_beyond_reason_are_left_out(catalog: Catalog, both: Settings, tmp_path: Path) -> None:
    import_dumps([dumped(tmp_path / "d", item())], both, Silent())
    record = Record(
        "x\0",
        prompt="p" * 100_000,
        steps=10**30,
        cfg=float("nan"),
        width=-(10**20),
        models=tuple(UsedModel("lora", f"n{n}\ud800", weight=float("inf")) for n in range(1_000)),
        raw={"graph": "x" * 100_000},
    )
    with catalog.write() as session:
        preview_id = session.scalars(select(Preview.id)).one()
        generations.store_records(session, [(preview_id, record), (preview_id, record)])
    with catalog.read() as session:
        row = session.scalars(select(GenerationRecord)).one()
        assert (row.steps, row.cfg, row.width, row.detail) == (None, None, None, {"version": None})
        assert len(row.prompt or "") == 10_000
        assert session.scalar(select(func.count()).select_from(ResourceUse)) == 200
