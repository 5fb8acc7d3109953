"""Measuring adapters in a library, on both databases: once each, broken ones flagged, twins found."""

import shutil
from pathlib import Path

import pytest

from indexer.catalog import entries
from indexer.catalog.database import Catalog, open_catalog
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages.adapters import measure_adapters
from search.service import Pinakes
from tests.adapters import dotted, kohya, renamed, save, trained, unet_sizes, weighted
from tests.models import write_picture, write_safetensors

ONE, OTHER = trained(1, unet_sizes()), trained(2, unet_sizes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    loras = tmp_path / "models" / "loras"
    save(loras / "ink.safetensors", kohya(ONE, alpha=4.0), "F32")
    save(loras / "ink-diffusers.safetensors", dotted(renamed(ONE)), "BF16")
    save(loras / "ink-weak.safetensors", kohya(weighted(ONE, 0.5)), "F16", {"ss_output_name": "weak"})
    save(loras / "other.safetensors", kohya(OTHER), "F16")
    (loras / "copies").mkdir()
    shutil.copy2(loras / "other.safetensors", loras / "copies" / "again.safetensors")
    write_safetensors(loras / "empty.safetensors")
    return tmp_path / "models"


def flagged(catalog: Catalog, flag: str) -> set[str]:
    with catalog.read() as session:
        documents = (row[2] for row in entries.changed_entries(session, 0))
        return {document.name for document in documents if document and flag in document.flags}


def test_broken_ones_are_flagged_and_each_is_read_once(both: Settings, folder: Path) -> None:
    report = index_folders([folder], both, Silent())
    assert (report.adapters.measured, report.adapters.nonfunctional) == (5, 1)
    again = index_folders([folder], both, Silent())
    assert (again.adapters.measured, again.adapters.twins) == (0, 0)
    assert again.published == 0
    catalog = open_catalog(both)
    assert flagged(catalog, "nonfunctional") == {"empty"}
    catalog.close()
    with Pinakes(both) as pinakes:
        assert [hit.document.name for hit in pinakes.search("is:nonfunctional").hits] == ["empty"]
        details = pinakes.show(pinakes.find("empty").id)
        assert details is not None
        assert "nonfunctional" in details.files[0]["warnings"]
        assert details.files[0]["weights"]["fault"] == "zero"


def test_duplicates_are_told_with_their_evidence(both: Settings, folder: Path) -> None:
    index_folders([folder], both, Silent())
    with Pinakes(both) as pinakes:
        report = pinakes.duplicates()
        twins, copies = report.groups
        page = pinakes.duplicates(limit=1, offset=1)
    assert report.total == 2 and report.hidden == 0
    assert twins["sort"] == "weights"
    told = {Path(file["paths"][0]).stem: file for file in twins["files"]}
    assert told["ink"]["keep"] and told["ink"]["why"] == ""
    assert told["ink-diffusers"]["why"] == "the same weights"
    assert told["ink-weak"]["factor"] == pytest.approx(0.5, abs=0.01)
    assert "0.50 times" in told["ink-weak"]["why"]
    assert twins["bytes"] == sum(file["size"] for file in twins["files"] if not file["keep"])
    assert copies["sort"] == "copies"
    assert len(copies["files"][0]["paths"]) == 2
    assert copies["bytes"] == copies["files"][0]["size"]
    assert report.bytes == twins["bytes"] + copies["bytes"]
    assert [group["sort"] for group in page.groups] == ["copies"]


def test_what_was_removed_counts_no_more(both: Settings, folder: Path) -> None:
    index_folders([folder], both, Silent())
    for name in ("ink-diffusers", "ink-weak", "copies/again"):
        (folder / "loras" / f"{name}.safetensors").unlink()
    index_folders([folder], both, Silent())
    with Pinakes(both) as pinakes:
        assert pinakes.duplicates().total == 0


def test_a_newcomer_meets_those_that_were_measured_before(both: Settings, folder: Path) -> None:
    index_folders([folder], both, Silent())
    save(folder / "loras" / "late.safetensors", kohya(weighted(OTHER, 2.0)), "F32")
    report = index_folders([folder], both, Silent())
    assert (report.adapters.measured, report.adapters.twins) == (1, 1)


def test_similar_by_weights_works_without_a_preview(settings: Settings, folder: Path) -> None:
    write_picture(folder / "loras" / "other.png")
    index_folders([folder], settings, Silent())
    with Pinakes(settings) as pinakes:
        asked = pinakes.similar("ink-weak", by="weights")
        fallen = pinakes.similar("ink-weak")
        narrowed = pinakes.similar("ink-weak", by="weights", query="-is:duplicate")
    assert {hit.document.name for hit in asked.hits[:2]} == {"ink", "ink-diffusers"}
    assert fallen.query["by"] == "weights"
    assert [h.document.id for h in fallen.hits] == [h.document.id for h in asked.hits]
    assert asked.hits[0].score.signals["weights"][0] > 0.99
    assert "other" not in {hit.document.name for hit in narrowed.hits}


def test_reading_weights_can_be_switched_off(settings: Settings, folder: Path) -> None:
    off = settings.model_copy(update={"read_weights": False})
    assert index_folders([folder], off, Silent()).adapters.measured == 0
    catalog = open_catalog(off)
    assert flagged(catalog, "nonfunctional") == set()
    assert measure_adapters(catalog, Silent()).measured == 5
    catalog.close()


def test_a_file_that_vanished_is_told_and_tried_again(settings: Settings, folder: Path) -> None:
    off = settings.model_copy(update={"read_weights": False})
    index_folders([folder], off, Silent())
    path = folder / "loras" / "ink.safetensors"
    away = path.rename(path.with_suffix(".away"))
    catalog, progress = open_catalog(off), Silent()
    assert measure_adapters(catalog, progress).measured == 4
    assert any("ink.safetensors" in note for note in progress.notes)
    away.rename(path)
    assert measure_adapters(catalog, progress).measured == 1
    catalog.close()
