"""Downloads that signs of use bear out."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.popularity import attention, believed_attention, believed_downloads
from indexer.domain.records import Document, to_json

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/civitai/models.jsonl.xz"
SIGNS = ("votes", "favourites", "comments", "uses", "tips")
numbers = st.one_of(st.none(), st.integers(0, 10**7))
signs = st.fixed_dictionaries(dict.fromkeys(SIGNS, numbers))


@given(numbers, signs)
def test_no_more_is_believed_than_was_told_and_more_of_anything_never_lowers_it(
    downloads: int | None, told: dict[str, int | None]
) -> None:
    believed = believed_downloads(downloads, **told)
    assert 0.0 <= believed <= (downloads or 0)
    assert believed_downloads((downloads or 0) + 1000, **told) >= believed
    for name in SIGNS:
        more = told | {name: (told[name] or 0) + 10}
        assert believed_downloads(downloads, **more) >= believed


def test_a_farmed_count_falls_below_an_honest_one() -> None:
    honest = believed_downloads(20_000, votes=44, favourites=3_000, comments=30)
    assert honest == 20_000
    assert believed_downloads(1_000_000, votes=3, uses=0) < honest
    assert believed_downloads(1_000_000) < believed_downloads(3_000, votes=5)


@pytest.mark.parametrize("cheap", ["comments", "tips"])
def test_what_one_person_can_give_alone_bears_little_out(cheap: str) -> None:
    assert believed_downloads(1_000_000, **{cheap: 10**6}) == believed_downloads(1_000_000)
    assert believed_downloads(1_000_000, votes=3, **{cheap: 10**6}) < 20_000


def test_documents_and_their_stored_form_get_the_same_attention() -> None:
    document = Document(
        1, 1, "x", downloads=90_000, rating_count=3, favourites=50, comments=9, uses=2, tips=80
    )
    assert attention(document) == believed_attention(to_json(document)) > attention(Document(1, 1, "x"))


@pytest.mark.shared
@pytest.mark.no_cover
@pytest.mark.skipif(not SHARED.is_file(), reason="the cases are kept beside the checkout")
def test_honest_models_are_hardly_touched() -> None:
    kept = [_kept(item) for item in _items(SHARED)]
    assert median(kept) == 1.0
    assert sum(share < 1.0 for share in kept) < 0.01 * len(kept)


def _kept(item: dict[str, Any]) -> float:
    stats = item["stats"]
    downloads = stats["downloadCount"]
    return believed_downloads(downloads, votes=stats["ratingCount"]) / downloads if downloads else 1.0


def _items(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path) as lines:
        yield from map(orjson.loads, lines)
