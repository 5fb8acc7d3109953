"""Paging from first to last: each fold once, in one order, and one total on all pages; with both engines."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.cards import Card
from indexer.domain.filters import ALL
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex
from search.answering import Page, page_of
from search.explain import Asked
from search.paging import page_behind
from search.query import parse_query
from search.ranking import Scored, fold_hits
from search.retrieval import Candidates, Way, shuffled_candidates, text_candidates
from search.service import SORTS

COUNT = 50
PROMPT = "1girl, ink, harbour at dusk, paper boat, rusty rope"


def library() -> Iterator[Document]:
    """Models of one to four versions that lie apart in every order."""
    for n in range(1, COUNT + 1):
        yield Document(
            n,
            n % 31,
            f"ink {n % 13} harbour" if n % 3 else f"ink {n % 7}",
            description="harbour " * (n % 5),
            downloads=n * 37 % 101,
            rating=n % 5 + n % 7 / 10,
            size=10**8 * (n * 11 % 17 + 1),
            created=f"2025-{1 + n % 12:02d}-{1 + n % 28:02d}",
            updated=f"2025-{1 + n * 5 % 12:02d}-01",
        )


def candidates(index: TextIndex, query: str, sort: str) -> Candidates:
    parsed = parse_query(query)
    way = Way(None if sort == "relevance" else sort, seed=5)
    found = shuffled_candidates if sort == "random" else text_candidates
    return found(index, parsed, ALL, way, ())


def paged(index: TextIndex, query: str, sort: str, page: Page) -> tuple[list[Scored], set[int]]:
    """All hits of pages of one size, and the totals they told."""
    hits, totals = list[Scored](), set[int]()
    for place in range(0, COUNT + page.limit, page.limit):
        asked = Page(page.limit, place, versions=page.versions)
        shown, total = page_of(candidates(index, query, sort), asked, Asked())
        hits += shown
        totals.add(total)
    return hits, totals


ASKED = [
    *(("", sort) for sort in SORTS),
    ("ink", "relevance"),
    ("ink harbour", "name"),
    (PROMPT, "relevance"),
]


def test_each_model_is_shown_once(text_engine: TextIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    with text_engine.writing() as writer:
        writer.put(library())
    for query, sort in ASKED:
        whole, _ = page_of(candidates(text_engine, query, sort), Page(200, 0), Asked())
        entries = {id_ for hit in whole for id_ in (hit.card.id, *hit.also)}
        with monkeypatch.context() as patch:
            patch.setattr(type(text_engine), "ranked", 4)
            hits, totals = paged(text_engine, query, sort, Page(11, 0))
            versions, _ = paged(text_engine, query, sort, Page(13, 0, versions=True))
        assert len(totals) == 1, (query, sort)
        folds, known = ([hit.card.fold for hit in found] for found in (hits, whole))
        assert sorted(folds) == sorted(known), (query, sort)
        assert sort in ("relevance", "random") or folds == known, sort
        assert sorted(hit.card.id for hit in versions) == sorted(entries), (query, sort)


FOLDS = st.lists(st.integers(0, 12), max_size=60)


def cards_of(folds: Sequence[int]) -> list[Card]:
    return [Card(place, fold) for place, fold in enumerate(folds)]


@given(FOLDS, st.integers(1, 8), st.integers(1, 9))
def test_pages_are_parts_of_one_list(folds: list[int], ranked: int, limit: int) -> None:
    cards = cards_of(folds)
    first = fold_hits((card, 0.0) for card in reversed(cards[:ranked]))  # ranking may turn them round
    whole = [*dict.fromkeys([*(hit.card.fold for hit in first), *folds])]
    for offset in range(0, 70, limit):
        shown = page_behind(first, ranked, lambda start, count: cards[start:][:count], offset, limit)
        assert [hit.card.fold for hit in shown] == whole[offset : offset + limit]


@given(FOLDS, st.integers(1, 8), st.integers(1, 9), st.integers(1, 20))
def test_deep_pages_lose_nobody(folds: list[int], ranked: int, limit: int, deep: int) -> None:
    cards = cards_of(folds)
    first = fold_hits((card, 0.0) for card in cards[:ranked])
    shown = list[Scored]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.paging.DEEP", deep)
        for offset in range(0, 70, limit):
            shown += page_behind(first, ranked, lambda start, count: cards[start:][:count], offset, limit)
    ids = [hit.card.id for hit in shown]
    assert len(ids) == len(set(ids))
    assert {hit.card.fold for hit in shown} == set(folds)
