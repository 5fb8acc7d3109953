"""The user's own layer from end to end: marks, their file, saved searches, the verbs. On both databases."""

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from indexer.catalog.database import open_catalog
from indexer.catalog.lock import writer_lock
from indexer.errors import UsageError
from indexer.importing import import_dumps
from indexer.personal import (
    entries_meant,
    mark,
    mark_entries,
    read_marked,
    wanted_change,
)
from indexer.personal_files import export_marks, import_marks
from indexer.pipeline import index_folders, rebuild_indexes
from indexer.progress import Silent
from indexer.saved import remove_saved, rename_saved, save_search, saved_searches_of
from indexer.settings import Settings
from search.service import Pinakes
from tests.command import pinakes
from tests.models import write_library
from tests.parsers.civitai_items import item


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Path:
    folder = write_library(tmp_path / "models", 3, pictures=False)
    index_folders([folder], both, Silent())
    return folder


def dumped(path: Path, *items: object) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in items))
    return path


def found(settings: Settings, query: str) -> list[int]:
    with Pinakes(settings) as pinakes:
        return sorted(hit.document.id for hit in pinakes.search(query).hits)


def test_search_sees_marks_at_once(library: Path, both: Settings) -> None:
    first, second, third = found(both, "")
    change = wanted_change(favourite=True, rating=4.5, purpose="Portrait", note="soft light", tag=["Comic"])
    assert mark(both, [first, second], change).changed == (first, second)
    assert mark(both, [second], wanted_change(seen=True, favourite=False)).published
    assert found(both, "is:favourite") == [first]
    assert (
        found(both, "is:rated") == found(both, "mytag:comic") == found(both, "note:soft") == [first, second]
    )
    assert found(both, "mine:>=4") == [first, second]
    assert found(both, "is:unseen") == [first, third]
    assert mark(both, [first, second], change).changed == (second,)
    rebuild_indexes(both, Silent())
    assert found(both, "is:favourite") == [first, second]
    assert read_marked(both, [first])[first]["opinions"] == [
        {"purpose": "portrait", "rating": 4.5, "note": "soft light"}
    ]


def test_marks_stay_with_a_file_that_moves(library: Path, both: Settings) -> None:
    path = library / "loras" / "set0" / "model000.safetensors"
    (document,) = entries_meant(both, [str(path)])
    mark(both, [document.id], wanted_change(favourite=True))
    os.rename(path, library / "renamed.safetensors")
    index_folders([], both, Silent())
    with Pinakes(both) as pinakes:
        (hit,) = pinakes.search("is:favourite").hits
        assert hit.document.files[0].path.endswith("renamed.safetensors")


def test_marks_are_taken_while_another_program_writes(library: Path, both: Settings) -> None:
    (first, *_) = found(both, "")
    running = open_catalog(both)
    with writer_lock(running, both):
        told = mark(both, [first], wanted_change(favourite=True))
    running.close()
    assert (told.changed, told.published) == ((first,), False)
    index_folders([], both, Silent())
    assert found(both, "is:favourite") == [first]


def test_a_thousand_marks_cost_as_many_statements_as_ten(tmp_path: Path, settings: Settings) -> None:
    items = [item(number, name=f"Model {number}", modelVersions=[]) for number in range(1, 3)]
    few = [item(n, name=f"M {n}") | {"modelVersions": [version(n)]} for n in range(10, 1_010)]
    import_dumps([dumped(tmp_path / "dump.jsonl", *items, *few)], settings, Silent())
    with Pinakes(settings) as pinakes:
        ids = [
            hit.document.id
            for page in range(5)
            for hit in pinakes.search("", limit=200, offset=page * 200).hits
        ]
    assert len(ids) == 1_000
    catalog, asked = open_catalog(settings), [0]
    event.listen(catalog.engine, "before_cursor_execute", lambda *_: asked.__setitem__(0, asked[0] + 1))
    mark_entries(catalog, ids[:10], wanted_change(seen=True))
    ten, asked[0] = asked[0], 0
    assert len(mark_entries(catalog, ids[10:], wanted_change(seen=True))) == 990
    assert asked[0] <= 3 * ten
    catalog.close()


def version(number: int) -> dict[str, object]:
    return {"id": number, "name": "v1", "baseModel": "SDXL 1.0", "files": [], "images": []}


def test_there_and_back_again(library: Path, both: Settings, tmp_path: Path) -> None:
    first, second, _ = found(both, "")
    mark(both, [first], wanted_change(favourite=True, rating=3.5, note="soft\nlight", tag=["Comic", "ink"]))
    mark(both, [second], wanted_change(seen=True, favourite=False))
    save_search(both, "new", "is:unseen", sort="newest", base="sdxl")
    path = tmp_path / "marks.json"
    told = export_marks(both, path)
    assert (told.marks, told.pending, told.saved) == (2, 0, 1)
    again = import_marks(both, path)
    assert (again.changed, again.known, again.pending, again.saved) == (0, 2, 0, 1)

    other = Settings(home=tmp_path / "other", decode_workers=1)
    early = import_marks(other, path)
    assert (early.changed, early.pending, early.new_pending) == (0, 2, 2)
    waiting = export_marks(other, tmp_path / "waiting.json")
    assert (waiting.marks, waiting.pending) == (2, 2)
    index_folders([library], other, Silent())
    assert export_marks(other, tmp_path / "back.json").pending == 0
    before, after = (json.loads(file.read_text()) for file in (path, tmp_path / "back.json"))
    assert sorted(before["marks"], key=str) == sorted(after["marks"], key=str)
    assert before["saved"] == after["saved"]
    assert len(found(other, "is:favourite")) == 1


def test_marks_on_a_hubs_model_are_known_by_its_number(settings: Settings, tmp_path: Path) -> None:
    import_dumps([dumped(tmp_path / "a.jsonl", item(3))], settings, Silent())
    (document,) = entries_meant(settings, [str(found(settings, "")[0])])
    mark(settings, [document.id], wanted_change(rating=5))
    export_marks(settings, tmp_path / "marks.json")
    other = Settings(home=tmp_path / "other", decode_workers=1)
    import_dumps([dumped(tmp_path / "b.jsonl", item(9), item(3))], other, Silent())
    assert import_marks(other, tmp_path / "marks.json").changed >= 1
    with Pinakes(other) as pinakes:
        assert {hit.document.my_rating for hit in pinakes.search("is:rated").hits} == {5.0}


def test_what_is_wrong_in_a_file_is_told_item_by_item(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    rows = [{"keys": ["civitai:7"], "favourite": True}, {"keys": []}, 5, {"keys": ["a:b"], "tags": "x"}]
    path.write_text(json.dumps({"pinakes": "marks", "version": 1, "marks": rows, "saved": [{"name": "x"}]}))
    told = import_marks(settings, path)
    assert (told.pending, told.refused) == (1, 4)
    assert told.reasons[0].startswith("mark 2: its keys are []")
    assert told.reasons[-1].startswith("saved search 1")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"marks": []}', '{"pinakes": "marks", "version": 9, "marks": []}']
)
def test_other_files_are_no_export(settings: Settings, tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="other.json"):
        import_marks(settings, path)
    with pytest.raises(UsageError, match="none.json"):
        import_marks(settings, tmp_path / "none.json")


def test_an_export_that_fails_leaves_the_old_file(library: Path, both: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        export_marks(both, tmp_path / "none" / "marks.json")
    assert export_marks(both, tmp_path / "marks.json").marks == 0
    assert sorted(p.name for p in tmp_path.iterdir() if "marks" in p.name) == ["marks.json"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"rating": 4.7}, "0 to 5 in steps of a half"),
        ({"note": "x" * 10_001}, "at most 10,000"),
        ({"tag": ["x" * 101]}, "at most 100"),
        ({"purpose": "x" * 51}, "at most 50"),
    ],
)
def test_what_cannot_be_noted_is_told(values: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        wanted_change(**values)


def test_unknown_models_are_told(settings: Settings) -> None:
    with pytest.raises(UsageError, match="No model has the id 99"):
        mark(settings, [99], wanted_change(seen=True))


def test_saved_searches(both: Settings) -> None:
    save_search(both, " new  ones ", "is:unseen")
    kept = save_search(both, "new ones", "is:unseen type:lora", sort="newest", base="sdxl")
    assert saved_searches_of(both) == [kept]
    with pytest.raises(UsageError, match="Known are: new ones"):
        remove_saved(both, "old")
    save_search(both, "other", "")
    with pytest.raises(UsageError, match="Another search is kept as 'other'"):
        rename_saved(both, "new ones", "other")
    with pytest.raises(UsageError, match="No search is kept as 'old'"):
        rename_saved(both, "old", "new")
    with closing(open_catalog(both)) as catalog:
        assert rename_saved(catalog, "new ones", " fresh ") == replace(kept, name="fresh")
        assert [one.name for one in saved_searches_of(catalog)] == ["fresh", "other"]
        remove_saved(catalog, "other")
    remove_saved(both, "fresh")
    assert saved_searches_of(both) == []
    with pytest.raises(UsageError, match="1 to 100 characters"):
        save_search(both, "", "x")


def test_the_verbs(settings: Settings, tmp_path: Path) -> None:
    folder = write_library(tmp_path / "models", 2, pictures=False)
    index_folders([folder], settings, Silent())
    home = ("--home", settings.home)
    first = found(settings, "")[0]
    told = pinakes(
        "mark", str(first), "--favourite", "--rating", "4.5", "--for", "portrait", "--tag", "x\x1b", *home
    )
    assert told.returncode == 0, told.stderr
    assert "favourite; 4.5 of 5 for portrait; #x" in told.stdout and "\x1b" not in told.stdout
    answer = json.loads(pinakes("mark", str(first), "--no-favorite", "--json", *home).stdout)
    assert (answer["changed"], answer["entries"][0]["favourite"]) == (1, False)
    assert pinakes("mark", str(first), "--for", "portrait", *home).returncode == 2
    wrong = pinakes("saved", "add", "bad", "rank:", *home)
    assert (wrong.returncode, "^" in wrong.stderr) == (2, True)
    kept = pinakes("saved", "add", "mine", "is:rated", "--sort", "newest", *home)
    assert "mine: is:rated (1 now)" in kept.stdout, kept.stderr
    assert [row["name"] for row in json.loads(pinakes("saved", "list", "--json", *home).stdout)] == ["mine"]
    assert [
        hit["id"] for hit in json.loads(pinakes("saved", "run", "mine", "--json", *home).stdout)["hits"]
    ] == [first]
    out = tmp_path / "marks.json"
    assert "1 marked models and 1 searches" in pinakes("marks", "export", out, *home).stdout
    assert "0 models marked, 1 were so already" in pinakes("marks", "import", out, *home).stdout
    assert pinakes("saved", "remove", "mine", *home).returncode == 0
    assert pinakes("saved", "run", "mine", *home).returncode == 2
