"""What is asked first is ready before anybody asks; what cannot be made ready is told to whoever asks."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.settings import Settings
from search.api.warming import warm, warmed
from search.service import Pinakes


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_indexes_are_open_and_out_of_the_collectors_sight(demo_home: Settings, collector: None) -> None:
    with Pinakes(demo_home) as pinakes:
        warmed(pinakes).join(60)
        assert {"catalog", "text"} <= pinakes._opened.keys()
        assert gc.get_freeze_count() > 1_000


def test_a_library_that_cannot_be_opened_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    warm(Pinakes(Settings(home=tmp_path / "home")))


def test_an_empty_library_is_no_fault(settings: Settings) -> None:
    with Pinakes(settings) as pinakes:
        warm(pinakes)
