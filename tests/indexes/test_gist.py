"""The index of gists answers as its entries would one by one, however it came about."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.filters import keyword
from indexer.domain.gist import called, shared_tags, spoken, title_words
from indexer.domain.records import Document
from indexer.indexes.gist import GistIndex, GistWriter, build_segment, digest, open_gists, term
from indexer.indexes.gist_files import read_manifest
from tests.search.planning import model

NAMES = ("Ink Harbour", "Wet Paper v2", "ink", "Neon Grid XL", "水墨画", "")
names = st.sampled_from(NAMES)
words = st.lists(st.sampled_from(["ink", "neon", "paper", "Sumi-e"]), max_size=3).map(tuple)
documents = st.builds(
    lambda id_, name, tags, category, rating, creator, flags: model(
        id_, name, tags=tags, category=category, rating=rating, creator=creator, flags=flags, description=name
    ),
    st.integers(1, 6),
    names,
    words,
    st.sampled_from([None, "style", "character"]),
    st.none() | st.floats(0, 5),
    st.sampled_from([None, "Ann", "Bo"]),
    st.sampled_from([("local",), ("remote", "adult"), ()]),
)
changes = st.one_of(
    documents.map(lambda document: (document.id, document)), st.integers(1, 6).map(lambda id_: (id_, None))
)
histories = st.lists(st.lists(changes, min_size=1, max_size=5), max_size=6)


def check(index: GistIndex, now: dict[int, Document]) -> None:
    """All that the index answers, against the entries themselves."""
    assert sorted(index.ids[index.live].tolist()) == sorted(now)
    assert index.rows_of([*now, 99]).tolist() == [int(index.rows_of([id_])[0]) for id_ in now]
    for id_, document in now.items():
        row = int(index.rows_of([id_])[0])
        assert index.names[index.kinds[row]] == document.kind
        assert index.names[index.categories[row]] == (document.category or "")
        assert index.flagged(("adult",))[row] == ("adult" in document.flags)
        assert index.ratings[row] == pytest.approx(-1 if document.rating is None else document.rating)
        title = tuple(sorted(title_words(document.name)))
        assert index.titles[row] == (digest(*title) if title else 0)
        assert index.creators[row] == (digest(keyword(document.creator)) if document.creator else 0)
        assert set(index.called(np.array([row]))[0].tolist()) == set(map(term, called(document)))
        assert set(index.tags(np.array([row]))[0].tolist()) == set(map(term, shared_tags(document)))
    for word in {word for document in now.values() for word in spoken(document)} | {"nobody"}:
        rows = [first + place for first, places in index.with_word(term(word)) for place in places.tolist()]
        assert rows == sorted(rows)
        there = {int(index.ids[row]) for row in rows if index.live[row]}
        assert there == {id_ for id_, document in now.items() if word in spoken(document)}


@given(histories)
def test_newer_segments_replace_older_ones(history: list[list[tuple[int, Document | None]]]) -> None:
    now = {id_: document for batch in history for id_, document in batch}
    check(GistIndex([build_segment(batch) for batch in history]), {i: d for i, d in now.items() if d})


@given(histories)
def test_merging_on_disk_changes_no_answer(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[tuple[int, Document | None]]]
) -> None:
    folder = tmp_path_factory.mktemp("gist")
    for seq, batch in enumerate(history, 1):
        GistWriter(folder).put(batch, seq)
    manifest, segments = open_gists(folder)
    now = {id_: document for batch in history for id_, document in batch}
    check(GistIndex(segments), {id_: document for id_, document in now.items() if document})
    assert manifest.seq == len(history)


def test_segments_stay_few_and_old_folders_go(tmp_path: Path) -> None:
    writer = GistWriter(tmp_path)
    for id_ in range(1, 65):
        writer.put([(id_, model(id_))], id_)
    segments = open_gists(tmp_path)[1]
    assert sum(map(len, segments)) == 64
    assert len(segments) <= 4
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) <= len(segments) + 4


def test_a_damaged_index_is_started_anew(tmp_path: Path) -> None:
    GistWriter(tmp_path).put([(1, model())], 1)
    stored = read_manifest(tmp_path)
    assert stored is not None
    (tmp_path / stored.segments[0].name / "rows").write_bytes(b"123")
    manifest, segments = open_gists(tmp_path)
    assert (manifest.seq, segments) == (0, [])
    assert manifest.generation != stored.generation


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"segments": [{}]}'])
def test_a_broken_manifest_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    assert open_gists(tmp_path)[1] == []
