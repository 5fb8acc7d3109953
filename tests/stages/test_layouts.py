"""Libraries of every tool, indexed in place: models, claims, conflicts with folders, previews."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.schema import ClaimRow, Preview, Root
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.sources.folders import recognise_layout
from tests.models import write_picture, write_safetensors
from tests.sources.trees import LAYOUTS, lora
from tests.stages.test_scan import Library


def rows(settings: Settings, *columns: Any) -> list[Any]:
    catalog = open_catalog(settings)
    with catalog.read() as session:
        found = list(session.execute(select(*columns)))
    catalog.close()
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_library_is_read_in_place_without_configuration(
    layout: str, tmp_path: Path, settings: Settings
) -> None:
    root = tmp_path / "root"
    expected = LAYOUTS[layout](root, tmp_path / "outside")
    library = Library(root, settings)
    library.index()
    documents = {d.name: d for d in library.documents()}
    assert documents.keys() == expected.keys()
    said = {claim["kind"] for _, claim in rows(settings, ClaimRow.source, ClaimRow.claims) if "kind" in claim}
    folders = {s.split(":")[1] for (s,) in rows(settings, ClaimRow.source) if s.startswith("folder:")}
    assert {folder for folder in expected.values() if folder} <= folders
    assert said or not any(expected.values())
    assert (
        all("preview" in d.has for d in documents.values()) or layout == "huggingface" or layout == "invokeai"
    )
    if layout in ("comfyui", "a1111", "sdnext", "swarmui", "stability-matrix", "invokeai"):
        assert recognise_layout(root) == layout
    report = library.index()
    assert [(s.read, s.moved, s.missing) for s in report.scans.values()] == [(0, 0, 0)] * len(report.scans)


def test_a_home_folder_with_every_tool(tmp_path: Path, both: Settings) -> None:
    outside = tmp_path / "outside"
    titles = [t for name, make in LAYOUTS.items() for t in make(tmp_path / "all" / name, outside / name)]
    library = Library(tmp_path / "all", both)
    report = library.index()
    assert sum(len(d.files) for d in library.documents()) == len(titles)
    assert len(report.scans) == 6, "the root; a folder outside for each of four tools, two of SwarmUI"
    number = library.look()[3]
    again = index_folders([], both, Silent())
    assert sum(s.unchanged for s in again.scans.values()) == len(titles)
    assert not any(s.read or s.missing for s in again.scans.values())
    assert library.look()[3] == number


def test_a_folder_outside_keeps_its_category_when_it_is_indexed_alone(
    tmp_path: Path, settings: Settings
) -> None:
    LAYOUTS["comfyui"](tmp_path / "root", tmp_path / "outside")
    library = Library(tmp_path / "root", settings)
    library.index()
    (alone,) = library.index(tmp_path / "outside" / "styles").scans.values()
    assert (alone.read, alone.unchanged) == (0, 1)
    layouts = {Path(path).name: layout for path, layout in rows(settings, Root.path, Root.layout)}
    assert layouts == {"root": "comfyui", "styles": "comfyui:loras"}


def test_a_lora_in_the_checkpoints_folder_is_a_conflict(tmp_path: Path, settings: Settings) -> None:
    LAYOUTS["comfyui"](tmp_path / "root", tmp_path / "outside")
    library = Library(tmp_path / "root", settings)
    library.index()
    flagged = {d.name: "mislabelled" in d.flags for d in library.documents()}
    assert [name for name, wrong in flagged.items() if wrong] == ["stray"]


def test_what_invokeai_knows_becomes_claims(tmp_path: Path, settings: Settings) -> None:
    LAYOUTS["invokeai"](tmp_path / "root", tmp_path)
    library = Library(tmp_path / "root", settings)
    library.index()
    (document,) = library.documents()
    assert (document.name, document.trigger_words) == ("Ink of Invoke", ("inkwash",))
    database = tmp_path / "root" / "databases" / "invokeai.db"
    database.unlink()
    assert library.scan()[:2] == (1, 0), "what a tool says is part of the surroundings"


@pytest.mark.parametrize(
    ("layout", "first"),
    [
        ("comfyui", ".webp"),
        ("a1111", ".preview.png"),
        ("swarmui", ".jpg"),
        ("sdnext", ".thumb.jpg"),
        ("plain", ".jpg"),
    ],
)
def test_each_tool_shows_its_own_preview_first(
    layout: str, first: str, tmp_path: Path, settings: Settings
) -> None:
    LAYOUTS[layout](tmp_path / "root", tmp_path / "outside")
    (model,) = (p for p in (tmp_path / "root").rglob("ink.safetensors"))
    for old in model.parent.glob("ink.*g"):
        old.unlink()
    for place, ending in enumerate((".webp", ".jpg", ".preview.png", ".thumb.jpg")):
        write_picture(model.with_name("ink" + ending), (place * 50, 0, 0))
    Library(tmp_path / "root", settings).index()
    found = [p for (p, n) in rows(settings, Preview.location, Preview.position) if n == 0 and b"/ink." in p]
    assert [os.fsdecode(path).rsplit("/ink", 1)[1] for path in found] == [first]


def test_a_picture_inside_the_metadata_is_the_last_preview(tmp_path: Path, both: Settings) -> None:
    picture = write_picture(tmp_path / "p.png", (9, 9, 200)).read_bytes()
    inside = "data:image/png;base64," + base64.b64encode(picture).decode()
    path = write_safetensors(tmp_path / "lib" / "a.safetensors", metadata={"modelspec.thumbnail": inside})
    library = Library(tmp_path / "lib", both)
    library.index()
    (found,) = rows(both, Preview.status, Preview.original, Preview.thumbnail)
    assert found[0] == "ok" and found[2]
    assert (both.fetched_folder / found[1]).read_bytes() == picture
    write_picture(path.with_suffix(".png"), (200, 9, 9))
    library.index()
    shown = sorted(rows(both, Preview.position, Preview.source, Preview.status, Preview.original))
    assert [row[2] for row in shown] == ["ok", "ok"] and shown[0][3] is None and shown[1][3] == found[1]
    path.rename(path.with_name("b.safetensors"))
    path.with_suffix(".png").rename(path.with_name("b.png"))
    library.index()
    assert sorted(rows(both, Preview.position, Preview.source, Preview.status, Preview.original)) == shown


def test_a_video_beside_a_model_is_noted_and_not_decoded(tmp_path: Path, both: Settings) -> None:
    lora(tmp_path / "lib" / "a.safetensors", None)
    (tmp_path / "lib" / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    library = Library(tmp_path / "lib", both)
    report = library.index()
    assert (report.pictures.embedded, report.pictures.broken) == (0, 0)
    assert rows(both, Preview.media, Preview.status) == [("video", "new")]
    (document,) = library.documents()
    assert document.preview_id is None
