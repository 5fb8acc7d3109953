"""Settings are read once, frozen, and keep secrets to themselves."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from indexer.errors import CatalogError, UsageError
from indexer.settings import Settings, read_settings


def test_the_environment_is_read_and_home_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PINAKES_HOME", str(tmp_path / "env"))
    monkeypatch.setenv("PINAKES_PORT", "1234")
    assert read_settings().home == tmp_path / "env"
    assert read_settings(tmp_path / "given").home == tmp_path / "given"
    assert read_settings().port == 1234


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINAKES_BATCH_SIZE", "0")
    with pytest.raises(UsageError, match="PINAKES_BATCH_SIZE cannot be used"):
        read_settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        setattr(Settings(home=Path("/x")), "port", 1)  # noqa: B010


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://u:hunter2@h/d", token="letmein")
    assert "hunter2" not in repr(settings) and "letmein" not in repr(settings)
    assert settings.catalog_url.endswith("@h/d")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="PINAKES_HOME"):
        Settings(home=tmp_path / "file").prepare_home()


def test_several_commands_may_look_at_a_home_at_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: settings.prepare_home(), range(400)))
    assert list((tmp_path / "home").iterdir()) == []
