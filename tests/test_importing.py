"""From a dump to answers: everything stored or refused with its reason, a second time nothing changes."""

import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from indexer.catalog.database import open_catalog
from indexer.catalog.schema import Base, File
from indexer.errors import UsageError
from indexer.importing import import_dumps
from indexer.pipeline import index_folders, writing
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.clocks import PATIENCE
from tests.command import pinakes
from tests.models import write_picture, write_safetensors
from tests.parsers.civitai_items import item, old_item, version

CIVITAI = Path(__file__).resolve().parents[2] / "shared" / "data" / "civitai"
OF_INDEXES = {"watermark", "counter"}
"""Tables that tell of indexes, not of hubs."""


def dump(path: Path, items: list[Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(i) + b"\n" for i in items))
    return path


def rows(settings: Settings) -> dict[str, int]:
    catalog = open_catalog(settings)
    with catalog.read() as session:
        counts = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in OF_INDEXES
        }
    catalog.close()
    return counts


def found(settings: Settings, query: str) -> int:
    with Pinakes(settings) as pinakes:
        return pinakes.search(query).matches


def test_a_dump_becomes_searchable_and_importing_again_changes_nothing(
    both: Settings, tmp_path: Path
) -> None:
    odd = item(5, modelVersions=[version(8, baseModel="Base of Tomorrow", id=8)])
    path = dump(tmp_path / "dump.jsonl", [item(3), odd, {"id": -1, "name": "no"}, "text"])
    report = import_dumps([path], both, Silent())
    assert (report.items, report.models, report.versions, report.refused) == (4, 2, 2, 2)
    assert dict(report.unknown_labels) == {"Base of Tomorrow": 1}
    assert len(report.reasons) == 2 and "-1" in report.reasons[0]
    assert found(both, "ink is:remote -is:gone") == 2
    assert found(both, "arch:sdxl") == 1
    assert found(both, 'base:"Base of Tomorrow"') == 1
    before = rows(both)
    again = import_dumps([path, path], both, Silent())
    assert again.to_json() == report.to_json()
    assert rows(both) == before


def test_old_and_new_shapes_and_packings_together(settings: Settings, tmp_path: Path) -> None:
    first = tmp_path / "a"
    first.write_bytes(gzip.compress(json.dumps([old_item(1)]).encode()))
    second = tmp_path / "b"
    second.write_bytes(lzma.compress(json.dumps({"items": [item(2, modelVersions=[version(9)])]}).encode()))
    report = import_dumps([first, second], settings, Silent())
    assert (report.models, report.problems) == (2, {})
    assert found(settings, "rating:>0") == 2


def test_a_damaged_end_keeps_what_came_before(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "dump.gz"
    whole = gzip.compress(
        b"".join(orjson.dumps(item(n, modelVersions=[version(n)])) + b"\n" for n in range(1, 900))
    )
    path.write_bytes(whole[: len(whole) * 2 // 3])
    report = import_dumps([path], settings, Silent())
    assert list(report.problems) == [str(path)]
    assert 0 < report.models < 899
    assert found(settings, "is:remote") == report.models


def test_files_are_looked_for_before_any_is_read(homeless: Settings, tmp_path: Path) -> None:
    path = dump(tmp_path / "dump.jsonl", [item()])
    for wrong in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UsageError, match=str(wrong)):
            import_dumps([path, wrong], homeless, Silent())
    assert not homeless.home.exists()


def test_a_file_of_ours_finds_its_version_and_keeps_its_look(settings: Settings, tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "models" / "mine.safetensors")
    write_picture(path.with_suffix(".png"), (200, 20, 20))
    index_folders([tmp_path / "models"], settings, Silent(), hash_all=True)
    with writing(settings) as catalog, catalog.read() as session:
        sha256 = session.scalars(select(File.sha256)).one()
    assert sha256 is not None
    told = version(7, files=[version()["files"][0] | {"hashes": {"SHA256": sha256.upper()}}])
    report = import_dumps([dump(tmp_path / "d", [item(3, modelVersions=[told])])], settings, Silent())
    assert report.linked == 1
    with Pinakes(settings) as pinakes:
        (hit,) = pinakes.similar(path.with_suffix(".png")).hits
        assert (hit.document.name, "remote" in hit.document.flags) == ("Ink Wash", False)


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return pinakes("import", *arguments)


def test_the_verb_tells_what_came_of_it(tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    path = dump(tmp_path / "d", [item(), {"id": "x\x1b[2J"}])
    told = run(path, *home)
    assert told.returncode == 0, told.stderr
    assert "2 items: 1 models, 1 versions, 1 refused" in told.stdout
    assert "pinakes import --refused" in told.stdout and "\x1b" not in told.stdout
    answer = json.loads(run(path, "--json", *home).stdout)
    assert (answer["models"], answer["unknown_labels"], answer["problems"]) == (1, {}, {})
    (line,) = run("--refused", "--json", *home).stdout.splitlines()
    assert json.loads(line)["code"] == "item"
    assert "[item]" in run("--refused", *home).stdout


def test_mistakes_and_damage_exit_2(tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    missing = run(tmp_path / "none", *home)
    assert (missing.returncode, missing.stdout) == (2, "") and "is not there" in missing.stderr
    assert run(*home).returncode == 2
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(orjson.dumps(item()) + b"\n" + os.urandom(90_000))[:60_000])
    damaged = run(broken, "--json", *home)
    assert damaged.returncode == 2
    assert json.loads(damaged.stdout)["models"] == 1 and "Items before that place" in damaged.stderr


def test_a_stopped_import_goes_on(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    path = dump(tmp_path / "d", [item(n, modelVersions=[version(n)]) for n in range(1, 1_501)])
    command = [sys.executable, "-m", "search", "import", str(path), "--home", str(settings.home)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    log = settings.home / "catalog.sqlite3-wal"
    while not log.exists() or log.stat().st_size < 1 << 20:  # some batches were stored
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "Traceback" not in said
    kept = rows(settings)["model"]
    assert 0 < kept < 1_500
    assert import_dumps([path], settings, Silent()).models == 1_500
    assert rows(settings)["model"] == 1_500 == rows(settings)["entry"]
    assert found(settings, "ink") == 1_500


@pytest.mark.shared
@pytest.mark.no_cover
@pytest.mark.timeout(3_600)
def test_every_real_record_lands_or_has_a_reason(settings: Settings) -> None:
    files = [CIVITAI / "models.jsonl.xz", CIVITAI / "lists.jsonl.xz"]
    if not all(path.is_file() for path in files):
        pytest.skip("no shared data here")
    records = 0
    for path in files:
        with lzma.open(path) as lines:
            records += sum(1 for line in lines if line.strip())
    report = import_dumps(files, settings, Silent())
    told = rows(settings)
    assert report.items == records == report.models + report.refused
    assert told["model"] + report.refused >= records - _twice(files)
    assert told["refused_item"] == report.refused
    assert report.problems == {}
    assert found(settings, "portrait") > 100
    for query in ("arch:sdxl", "arch:flux1", 'base:"SD 1.5"', "is:remote", "type:lora arch:sd1"):
        assert found(settings, query) > 10, query
    import_dumps(files, settings, Silent())
    assert rows(settings) == told


def _twice(files: list[Path]) -> int:
    """Records that are told more than once."""
    seen: set[Any] = set()
    count = 0
    for path in files:
        with lzma.open(path) as lines:
            for line in lines:
                data = orjson.loads(line)
                key = data["id"] if isinstance(data.get("id"), int) else line
                count += key in seen
                seen.add(key)
    return count
