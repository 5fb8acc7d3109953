"""Pictures within filters: against looking at every picture of every entry that passes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import vectors
from indexer.demo import DemoReport
from indexer.indexes.vector_store import open_index, read_beside
from indexer.settings import Settings
from search import nearest, retrieval, similar
from search.narrowing import Fixed
from search.query import parse_query
from search.safe import visible
from search.service import Pinakes

Demo = tuple[Path, DemoReport]
FILTERS = ("type:lora", "type:lora arch:sdxl", "-type:lora", "rank:>1", "type:vae", "")


@pytest.fixture(scope="module")
def pinakes(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


@pytest.fixture(scope="module")
def picture(demo_library: Demo) -> Path:
    folder, report = demo_library
    return folder / next(path for model in report.models for path, *_ in model.pictures)


def by_hand(pinakes: Pinakes, picture: Path, query: str, count: int) -> list[int]:
    """Entries of the ``count`` nearest pictures of those that pass, the nearest first: no index, no planner."""
    parsed = parse_query(query)
    allowed = pinakes.text.matching(visible(pinakes.settings, parsed), 10_000)
    content = open_index(pinakes.settings.vector_folder / "content")
    with pinakes.catalog.read() as session:
        owner = vectors.previews_of_versions(session, allowed)
    ids = np.array(sorted(owner), np.int64)
    (seen,) = pinakes.looks.encoders.seen.encode([pinakes.looks.decoder.decode(picture).rgb])
    scores = content.vectors(ids) @ (seen / np.linalg.norm(seen))
    best = ids[np.lexsort((ids, -np.round(scores / 1e-6)))][:count]
    return list(dict.fromkeys(owner[int(id_)] for id_ in best))


@pytest.mark.parametrize("dearer", [0.0, 1e9], ids=["nearest first", "pushed down"])
@pytest.mark.parametrize("query", FILTERS)
def test_content_within_a_filter(
    pinakes: Pinakes, picture: Path, query: str, dearer: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "DEARER", dearer)
    monkeypatch.setattr(similar, "NEAREST", 12)
    answer = pinakes.similar(picture, by="content", query=query, limit=200, min_score=0.0, versions=True)
    assert {hit.document.id for hit in answer.hits} == set(by_hand(pinakes, picture, query, 12))


def test_a_picture_is_held_against_all_that_pass_not_the_newest(
    pinakes: Pinakes, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pinakes.search("type:lora", image=picture, limit=5)
    monkeypatch.setattr(retrieval, "RANKED", 2)
    assert [hit.document.id for hit in pinakes.search("type:lora", image=picture, limit=5).hits] == [
        hit.document.id for hit in whole.hits
    ]
    assert len(whole.hits) == 5


def test_owners_stand_beside_the_index_and_are_those_of_the_catalog(pinakes: Pinakes) -> None:
    _, pairs = read_beside(pinakes.settings.vector_folder / "content")
    assert pairs is not None
    with pinakes.catalog.read() as session:
        assert dict(pairs.tolist()) == vectors.versions_of_previews(session, pairs[:, 0].tolist())


def test_few_entries_are_looked_at_whole(pinakes: Pinakes, picture: Path) -> None:
    found = pinakes.looks.of_image(picture, "content", None)
    some = sorted(found)[:3]
    narrowed = pinakes.looks.of_image(picture, "content", Fixed(some))
    assert narrowed == pytest.approx({id_: found[id_] for id_ in some})
