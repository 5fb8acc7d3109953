"""What became of a version: its sources' words one after the other, a person's decisions, lost files."""

import json
from pathlib import Path

from indexer.overriding import change_overrides
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.models import write_safetensors


def say(path: Path, **record: object) -> None:
    path.with_suffix(".json").write_text(json.dumps(record), "utf-8")


def indexed(folder: Path, settings: Settings) -> list[dict[str, object]]:
    index_folders([folder], settings, Silent())
    with Pinakes(settings) as pinakes:
        (hit,) = pinakes.search("file:ink").hits
        return pinakes.history(hit.document.id)


def test_it_is_told_newest_first(tmp_path: Path, both: Settings) -> None:
    settings = both.model_copy(update={"unstable_seconds": 0})
    path = write_safetensors(tmp_path / "models" / "loras" / "ink.safetensors")
    write_safetensors(path.with_name("other.safetensors"), metadata={"ss_output_name": "other"})
    say(path, description="first", **{"activation text": "inkwash"})
    before = indexed(path.parent.parent, settings)
    assert "added" in {row["what"] for row in before}
    assert {row["source"] for row in before if row["what"] == "heard"} >= {"sidecar:json", "folder:loras"}
    say(path, description="second " + "x" * 900, **{"activation text": "inkwash, paper"})
    (changed,) = [row for row in indexed(path.parent.parent, settings) if row["what"] == "changed"]
    told = {one["name"]: one for one in changed["changes"]}  # type: ignore[attr-defined]  # plain JSON
    assert told["trigger_words"] == {"name": "trigger_words", "before": "inkwash", "after": "inkwash, paper"}
    assert len(told["description"]["after"]) < 250
    change_overrides(str(path), settings, Silent(), {"kind": "vae"})
    path.unlink()
    last = indexed(path.parent.parent, settings)
    assert [row["what"] for row in last[:2]] == ["missing", "decided"]
    assert last[0]["path"] == str(path)
    assert json.loads(json.dumps(last)) == last


def test_nobody_knows_of_what_is_not_there(settings: Settings) -> None:
    with Pinakes(settings) as pinakes:
        assert pinakes.history(7) == []
