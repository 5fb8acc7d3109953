"""Orders of large indexes, of which only the first entries are looked at: against sorting everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, AnyOf, Filter, Not
from indexer.domain.ordering import sort_key
from indexer.domain.records import Document
from indexer.indexes.text import TextQuery
from indexer.indexes.text_bands import Bands
from indexer.indexes.text_schema import key_name, name_key
from indexer.indexes.text_tantivy import TantivyIndex

ORDERS = ("newest", "updated", "rating", "downloads", "size", "name")
NAMES = ("ink", "Ink wash", "0 zero", "Zebra", "木", "(odd)", "inkwell", "a")


def entry(n: int) -> Document:
    """Values that meet often, and some that are not there."""
    return Document(
        n, n, f"{NAMES[n % len(NAMES)]} {n % 17}", kind=("lora", "vae")[n % 3 == 0],
        created=f"2025-{1 + n % 12:02d}-{1 + n % 28:02d}" if n % 5 else None,
        updated=f"2024-{1 + n % 7:02d}-01" if n % 2 else "no day",
        rating=(None, 5.0, 4.8123, 1 / 3)[n % 4], downloads=n * 7 % 90 if n % 6 else None,
        size=10**9 + n * 31 % 70 * 10**6, flags=("adult",) if n % 9 == 0 else (), description="common" if n % 4 else "",
    )  # fmt: skip


LIBRARY = [entry(n) for n in range(1, 301)]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TantivyIndex]:
    monkeypatch.setattr("indexer.indexes.text_ahead._LARGE", 1)
    monkeypatch.setattr("indexer.indexes.text_bands._SIZES", dict.fromkeys(ORDERS, (20, 60, 150)))
    made = TantivyIndex(tmp_path / "text")
    for start in range(0, 300, 120):
        with made.writing() as writer:
            writer.put(LIBRARY[start : start + 120])
    made._kept.bands.gather(made._searcher())
    yield made


def wanted(order: str, where: Filter, terms: tuple[str, ...] = ()) -> list[int]:
    matching = [d for d in LIBRARY if where.match(d) and (not terms or d.description)]
    return [d.id for d in sorted(matching, key=lambda d: sort_key(d, order))]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("terms", [(), ("common",)])
@pytest.mark.parametrize(
    "where", [ALL, AnyOf(FIELDS["type"], ("vae",)), Not(AnyOf(FIELDS["type"], ("vae",)))]
)
def test_pages_are_those_of_all_sorted(
    index: TantivyIndex, order: str, terms: tuple[str, ...], where: Filter
) -> None:
    slow = wanted(order, where, terms)
    for limit, offset in ((7, 0), (7, 7), (25, 10), (100, 30), (300, 0)):
        found = index.search(TextQuery(terms, where=where, order=order), limit, offset=offset)
        assert list(found.ids) == slow[offset : offset + limit]


@pytest.mark.parametrize("order", ORDERS)
def test_only_the_first_are_looked_at(index: TantivyIndex, order: str) -> None:
    bands = index._kept.bands.of(index._searcher(), order)
    slow = wanted(order, ALL)
    assert bands
    for band in bands:
        found = index._searcher().search(band.query, limit=300)
        ids = {int(n) for n in index._searcher().fast_field_values("id", [at for _, at in found.hits])}
        assert len(ids) == band.size < 300
        held = [id_ for id_ in slow[: band.size] if id_ in ids]
        assert len(held) > band.size // 2


def test_all_but_those_kept_back_are_counted_exactly(index: TantivyIndex) -> None:
    found = index.search(TextQuery((), kept_back=("adult",)), 5, ("type",))
    assert (found.total, found.hidden) == (
        sum(not d.flags for d in LIBRARY),
        sum(bool(d.flags) for d in LIBRARY),
    )
    assert not found.estimated


def test_a_small_index_has_none(tmp_path: Path) -> None:
    small = TantivyIndex(tmp_path / "small")
    assert not Bands(small.schema).of(small._searcher(), "newest")


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_key_parts_the_names_before_it(name: str, other: str) -> None:
    before = key_name(name_key(name))
    if name_key(other) < name_key(before):
        assert other < before


@pytest.mark.parametrize("name", ["ink wash", "0", "zz", "木", "a木", "(odd)", "a name that is long", ""])
def test_a_key_names_what_is_near(name: str) -> None:
    before = key_name(name_key(name))
    assert before[: len(before) - 1] == name[: len(before) - 1]
