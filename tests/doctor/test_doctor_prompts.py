"""What pasted prompts are compared with is looked at too: damage is found out and mended."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indexer.domain.health import Finding
from indexer.settings import Settings
from tests.doctor.homes import COUNT, cut, indexed, look, remove, repair, sql

Damage = Callable[[Settings], None]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("prompts")
    return indexed(place / "models", Settings(home=place / "home", decode_workers=1))


@pytest.fixture
def home(kept: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(kept.home, tmp_path / "home")
    return Settings(home=tmp_path / "home", decode_workers=1)


def found(settings: Settings) -> Finding:
    return next(finding for finding in look(settings).findings if finding.check == "prompt index")


def changed(name: str, statement: str) -> Damage:
    def act(settings: Settings) -> None:
        with closing(sqlite3.connect(settings.home / name)) as connection, connection:
            connection.execute(statement)

    return act


def test_a_sound_one(home: Settings) -> None:
    assert found(home).state == "ok"
    assert f"{COUNT} entries" in found(home).detail


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (remove("prompts.sqlite3"), "It is missing"),
        (remove("prompt_makers.sqlite3"), "were not counted"),
        (cut("prompts.sqlite3"), "prompts.sqlite3 is damaged"),
        (cut("prompt_makers.sqlite3"), "prompt_makers.sqlite3 is damaged"),
        (changed("prompts.sqlite3", "DELETE FROM entry WHERE id = 1"), "It holds 5 entries"),
        (changed("prompts.sqlite3", "UPDATE entry SET numbers = x'0102'"), "entry 1 is cut short"),
        (changed("prompts.sqlite3", "UPDATE state SET generation = 'x'"), "It is another one"),
        (changed("prompts.sqlite3", "UPDATE state SET seq = seq - 1"), "changed entries are not in it yet"),
        (changed("prompt_makers.sqlite3", "UPDATE state SET counts = x'00'"), "cut short"),
        (changed("prompt_makers.sqlite3", "UPDATE state SET seq = 0"), "too long ago"),
        (
            changed(
                "prompt_makers.sqlite3", "INSERT OR REPLACE INTO word VALUES (1, 1, x'ffff000001000100')"
            ),
            "the creators of word 1",
        ),
        (sql("UPDATE watermark SET detail = '{}' WHERE name = 'prompt_cuts'"), "It is another one"),
    ],
)
def test_damage_is_told_and_mended(home: Settings, damage: Damage, told: str) -> None:
    damage(home)
    finding = found(home)
    assert finding.state == "fault"
    assert told in finding.detail
    assert finding.advice == "Run: pinakes doctor --repair"
    assert "prompt index" in repair(home).mended
    assert found(home).state == "ok"
