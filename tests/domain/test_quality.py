"""What can be seen of an entry."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from indexer.domain.quality import quality, quality_parts
from indexer.domain.records import Document, FileRef
from tests.strategies import documents

GOOD = Document(
    1,
    1,
    "x",
    kind="lora",
    architecture="sdxl",
    has=("preview", "prompt"),
    trigger_words=("inkwash",),
    description="long " * 100,
    licence="MIT",
    files=(FileRef("/m/x.safetensors", None, 1),),
)


def part(document: Document, name: str) -> float | None:
    return next((p.value for p in quality_parts(document) if p.name == name), None)


def test_nothing_is_missing_where_all_can_be_seen() -> None:
    assert quality(GOOD) == 1.0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"flags": ("nonfunctional",)}, "works"),
        ({"flags": ("mislabelled",)}, "label"),
        ({"kind": "unknown", "trigger_words": ("x",)}, "identified"),
        ({"architecture": None}, "identified"),
        ({"has": ()}, "shown"),
        ({"has": ("preview",)}, "shown"),
        ({"trigger_words": ()}, "trigger"),
        ({"description": "short"}, "described"),
        ({"licence": None}, "licence"),
        ({"files": (FileRef("/m/x.ckpt", None, 1),)}, "container"),
    ],
)
def test_what_is_missing_lowers_it(change: dict[str, Any], name: str) -> None:
    worse = replace(GOOD, **change)
    assert quality(worse) < quality(GOOD)
    assert (part(worse, name) or 0.0) < 1.0


def test_weights_that_cannot_work_count_most() -> None:
    broken = quality(replace(GOOD, flags=("nonfunctional",)))
    for change in ({"licence": None}, {"has": ()}, {"trigger_words": ()}, {"description": ""}):
        assert broken < quality(replace(GOOD, **change))


def test_what_a_kind_does_not_need_is_not_missed() -> None:
    assert part(replace(GOOD, kind="checkpoint", trigger_words=()), "trigger") is None
    assert part(replace(GOOD, files=()), "container") is None
    assert part(replace(GOOD, files=(FileRef("/m/odd.ending", None, 1),)), "container") is None


def test_permissions_alone_state_a_licence() -> None:
    assert part(replace(GOOD, licence=None, permissions=("commercial",)), "licence") == 1.0


@given(documents())
def test_quality_is_the_weighted_mean_of_its_parts(document: Document) -> None:
    parts = quality_parts(document)
    mean = sum(p.value * p.weight for p in parts) / sum(p.weight for p in parts)
    assert 0.0 <= quality(document) <= 1.0
    assert quality(document) == pytest.approx(mean)
