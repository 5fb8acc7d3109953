"""The index of large collections against the exact twin: answers, changes, files, and what damage does."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.indexes import planner
from indexer.indexes.ivf import IvfIndex
from indexer.indexes.vector_base import VectorIndex
from indexer.indexes.vector_manifest import CODES, VectorIndexError, read_manifest, saved_generation
from indexer.indexes.vector_rows import rounded
from indexer.indexes.vector_store import build_index, open_index, read_beside, save_index, verify_index
from indexer.indexes.vectors import ExactIndex, FaissIndex
from tests.clocks import PATIENCE, patiently

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
IDENTITY = "semantic-0123456789abcdef"
COUNT, DIMENSION = 60_000, 32
CRAFTED = Path(__file__).parents[3] / "shared" / "data" / "hostile.tar.xz"


def clustered(count: int, dimension: int, seed: int = 0) -> Rows:
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(200, dimension))
    rows = centres[generator.integers(0, 200, count)] + generator.normal(size=(count, dimension)) * 0.5
    return rounded(np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32))


def build(folder: Path, ids: Ids, rows: Rows, exact_most: int = 0) -> None:
    batches = (
        (ids[start : start + 9_000], rows[start : start + 9_000]) for start in range(0, len(ids), 9_000)
    )
    build_index(folder, IDENTITY, rows.shape[1], batches, exact_most=exact_most)


def small(folder: Path, count: int = 3_000) -> Path:
    build(folder, np.arange(count, dtype=np.int64) * 2, clustered(count, 16))
    return folder


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(VectorIndexError) as caught:
        call()
    assert caught.value.code in CODES
    return caught.value.code


class Large:
    """60,000 vectors in lists, and the same in the exact twin."""

    def __init__(self, folder: Path) -> None:
        self.ids = np.random.default_rng(1).permutation(COUNT * 2)[:COUNT].astype(np.int64)
        self.rows = clustered(COUNT, DIMENSION)
        self.folder = folder
        build(folder, self.ids, self.rows, 50_000)
        self.index = open_index(folder, IDENTITY)
        self.twin = ExactIndex(IDENTITY, DIMENSION)
        self.twin.put(self.ids, self.rows)
        self.queries = clustered(60, DIMENSION, seed=7)

    def recall(self, k: int, allowed: Ids | None) -> float:
        pairs = zip(
            self.index.search_many(self.queries, k, allowed),
            self.twin.search_many(self.queries, k, allowed),
            strict=True,
        )
        return float(np.mean([len(np.intersect1d(got[0], real[0])) / len(real[0]) for got, real in pairs]))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    return Large(tmp_path_factory.mktemp("large"))


def test_collections_beyond_the_limit_get_lists(large: Large) -> None:
    assert isinstance(large.index, IvfIndex)
    assert (len(large.index), large.index.dimension, large.index.identity) == (COUNT, DIMENSION, IDENTITY)
    np.testing.assert_array_equal(large.index.ids(), large.twin.ids())
    some = large.ids[:50]
    np.testing.assert_array_equal(large.index.vectors(some), large.twin.vectors(some))
    assert code_of(lambda: large.index.vectors(np.array([COUNT * 9], np.int64))) == "ids"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 4_000), k=st.integers(1, 60))
def test_narrow_filters_answer_exactly_as_the_twin(large: Large, seed: int, size: int, k: int) -> None:
    generator = np.random.default_rng(seed)
    allowed = generator.integers(-5, COUNT * 2 + 50, size)  # doubled and unknown ids too
    query = large.queries[seed % len(large.queries)]
    got, real = large.index.search(query, k, allowed), large.twin.search(query, k, allowed)
    np.testing.assert_array_equal(got[0], real[0])
    np.testing.assert_allclose(got[1], real[1], atol=1e-6)


@pytest.mark.parametrize(
    ("share", "k"), [(None, 10), (0.5, 10), (0.1, 10), (0.05, 10), (None, 100), (0.3, 100)]
)
def test_wide_searches_find_nearly_all(
    large: Large, monkeypatch: pytest.MonkeyPatch, share: float | None, k: int
) -> None:
    monkeypatch.setattr(planner, "NARROW_NUMBERS", 1_000 * DIMENSION)
    chosen = np.random.default_rng(3).random(COUNT) < (share or 0)
    assert large.recall(k, None if share is None else large.ids[chosen]) >= 0.97


def test_a_filter_that_keeps_only_far_vectors_finds_them(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "NARROW_NUMBERS", 1_000 * DIMENSION)
    nearness = large.rows @ large.queries.mean(0)
    far = large.ids[nearness < np.quantile(nearness, 0.1)]
    assert large.recall(10, far) >= 0.97


def test_ties_are_broken_by_id(tmp_path: Path) -> None:
    rows = np.repeat(clustered(1, 16), 600, axis=0)
    build(tmp_path, np.arange(600, dtype=np.int64)[::-1].copy(), rows)
    index = open_index(tmp_path)
    assert index.search(rows[0], 4, np.arange(40, 600, dtype=np.int64))[0].tolist() == [40, 41, 42, 43]


def test_queries_made_otherwise_than_rows_need_their_spread(tmp_path: Path) -> None:
    """As in style: what rows say loudly, and queries hardly ask for, must not decide who is near."""
    generator = np.random.default_rng(0)
    said, asked = np.array([0.3] * 16 + [1.0] * 48), np.array([1.0] * 16 + [0.02] * 48)
    rows = rounded((generator.normal(size=(20_000, 64)) * said).astype(np.float32))
    queries = (generator.normal(size=(30, 64)) * asked).astype(np.float32)
    ids, twin = np.arange(20_000, dtype=np.int64), ExactIndex(IDENTITY, 64)
    twin.put(ids, rows)
    found = []
    for told in (None, queries.std(0)):
        build_index(tmp_path, IDENTITY, 64, [(ids, rows)], spread=told, exact_most=0)
        pairs = zip(open_index(tmp_path).search_many(queries, 10), twin.search_many(queries, 10), strict=True)
        found.append(np.mean([len(np.intersect1d(got[0], real[0])) / 10 for got, real in pairs]))
    assert found[1] > 0.9
    assert found[1] > found[0] + 0.05


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.lists(st.sampled_from(["put", "remove", "save"]), max_size=6))
def test_changes_agree_with_the_twin(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[str]
) -> None:
    folder, generator = tmp_path_factory.mktemp("changes"), np.random.default_rng(seed)
    ids, rows = np.arange(300, dtype=np.int64) * 2, clustered(300, 8)
    build(folder, ids, rows)
    index, twin = open_index(folder), ExactIndex(IDENTITY, 8)
    twin.put(ids, rows)
    for step in steps:
        some = generator.choice(700, size=int(generator.integers(1, 80)), replace=False).astype(np.int64)
        if step == "put":
            fresh = clustered(len(some), 8, seed=int(some[0]))
            index.put(some, fresh)
            twin.put(some, fresh)
        elif step == "remove":
            assert index.remove(some) == twin.remove(some)
        else:
            save_index(index, folder, exact_most=0)
            index = open_index(folder)
    np.testing.assert_array_equal(index.ids(), twin.ids())
    np.testing.assert_array_equal(index.vectors(twin.ids()), twin.vectors(twin.ids()))
    every = np.arange(700, dtype=np.int64)
    for query in clustered(5, 8, seed=5):
        np.testing.assert_array_equal(index.search(query, 20, every)[0], twin.search(query, 20)[0])
        removed = np.setdiff1d(index.search(query, 20)[0], twin.ids())
        assert not len(removed)


def names(folder: Path) -> dict[str, int]:
    """Role to the generation that wrote it, for what the manifest names."""
    parts = (name.split("-", 1) for name in read_manifest(folder).files)
    return {role: int(generation[1:]) for generation, role in parts}


def test_small_changes_are_written_beside_and_many_are_merged(tmp_path: Path) -> None:
    index = open_index(small(tmp_path))
    index.put(np.arange(100, dtype=np.int64), clustered(100, 16, seed=2))
    index.save(tmp_path)
    assert names(tmp_path)["rows.f16"] == names(tmp_path)["codes.faiss"] == 1
    assert names(tmp_path)["overlay.npy"] == names(tmp_path)["dead.npy"] == 2
    many = planner.overlay_most(3_000) + 1
    fresh = clustered(many, 16, seed=3)
    index.put(np.arange(many, dtype=np.int64) + 100_000, fresh)
    index.save(tmp_path)
    assert names(tmp_path)["rows.f16"] == names(tmp_path)["codes.faiss"] == 3
    assert read_manifest(tmp_path).trained == 3_000, "centroids stay"
    assert (tmp_path / "g3-overlay.npy").stat().st_size == 128
    assert open_index(tmp_path).search(fresh[5], 1)[0][0] == 100_005
    assert verify_index(tmp_path) == []


def test_a_doubled_collection_is_trained_again(tmp_path: Path) -> None:
    index = open_index(small(tmp_path))
    index.put(np.arange(3_100, dtype=np.int64) + 100_000, clustered(3_100, 16, seed=2))
    save_index(index, tmp_path, exact_most=0)
    reopened = open_index(tmp_path)
    # 6,100 vectors of 16 numbers are few for lists: what is written anew takes the kind that fits.
    assert isinstance(reopened, FaissIndex)
    assert len(reopened) == 6_100


def test_a_flat_index_that_grew_is_saved_with_lists(tmp_path: Path) -> None:
    index: VectorIndex = FaissIndex(IDENTITY, 16)
    rows = clustered(3_000, 16)
    index.put(np.arange(3_000, dtype=np.int64), rows)
    save_index(index, tmp_path, {"seq": 5}, np.array([[1, 2]], np.int64), exact_most=2_000)
    assert isinstance(open_index(tmp_path), IvfIndex)
    manifest, beside = read_beside(tmp_path)
    assert (manifest.note, beside.tolist() if beside is not None else None) == ({"seq": 5}, [[1, 2]])


def test_doubled_ids_are_refused_when_building(tmp_path: Path) -> None:
    batch = (np.array([1, 2], np.int64), clustered(2, 16))
    assert code_of(lambda: build_index(tmp_path, IDENTITY, 16, [batch, batch], exact_most=1)) == "ids"
    assert list(tmp_path.iterdir()) == []


def test_numbers_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    index = open_index(small(tmp_path))
    assert (
        code_of(lambda: index.put(np.array([1], np.int64), np.full((1, 16), 7e4, np.float32))) == "not_finite"
    )
    assert len(index) == 3_000


def reseal(folder: Path, role: str, content: bytes) -> None:
    """Replace a file and make the manifest agree with it: a liar who knows the format."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    name = next(name for name in manifest["files"] if name.endswith(role))
    (folder / name).write_bytes(content)
    manifest["files"][name] = [len(content), hashlib.sha256(content).hexdigest()]
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


ROLES = ("rows.f16", "sums.bin", "ids.npy", "codes.faiss", "dead.npy", "overlay-ids.npy", "overlay.npy")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "absent"])
def test_damage_is_noticed_when_opening(tmp_path: Path, role: str, damage: str) -> None:
    path = small(tmp_path) / f"g1-{role}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    changed = {"cut": bytes(content[:-3]), "flipped": bytes(content), "empty": b""}
    path.unlink()
    if damage != "absent":
        path.write_bytes(changed[damage])
    assert code_of(lambda: open_index(tmp_path)) == "checksum"


@pytest.mark.parametrize("role", ["ids.npy", "codes.faiss", "dead.npy", "overlay-ids.npy", "overlay.npy"])
@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x80\x04cposix\nsystem\n.", b"IxPT" + b"\xff" * 200]
)
def test_a_lying_file_with_a_matching_manifest_is_refused(tmp_path: Path, role: str, content: bytes) -> None:
    reseal(small(tmp_path), role, content)
    assert code_of(lambda: open_index(tmp_path)) in {"header", "ids"}


@pytest.mark.parametrize(
    ("role", "array"),
    [
        ("ids.npy", np.zeros(3_000, np.int64)),
        ("ids.npy", np.arange(2_999)),
        ("ids.npy", np.arange(3_000) - 5),
        ("ids.npy", np.arange(3_000).astype(np.float64)),
        ("dead.npy", np.array([3_000])),
        ("dead.npy", np.array([-1])),
        ("overlay-ids.npy", np.array([1])),
        ("overlay.npy", np.full((1, 16), np.nan, np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, role: str, array: NDArray[np.generic]) -> None:
    scratch = tmp_path / "scratch.npy"
    np.save(scratch, array)
    reseal(small(tmp_path / "index"), role, scratch.read_bytes())
    assert code_of(lambda: open_index(tmp_path / "index")) in {"ids", "not_finite"}


def test_codes_of_other_vectors_are_refused(tmp_path: Path) -> None:
    other = small(tmp_path / "other", 2_000)
    reseal(small(tmp_path / "index"), "codes.faiss", (other / "g1-codes.faiss").read_bytes())
    assert code_of(lambda: open_index(tmp_path / "index")) == "header"


@pytest.mark.shared
@pytest.mark.skipif(not CRAFTED.is_file(), reason="no shared data here")
def test_crafted_faiss_files_are_refused(tmp_path: Path) -> None:
    with tarfile.open(CRAFTED) as archive:
        crafted = {
            member.name: file.read()
            for member in archive
            if "crafted-faiss" in member.name and (file := archive.extractfile(member))
        }
    assert crafted
    for name, content in crafted.items():
        folder = tmp_path / hashlib.sha256(content).hexdigest()
        reseal(small(folder, 500), "codes.faiss", content)
        assert code_of(lambda at=folder: open_index(at)) == "header"  # type: ignore[misc]  # bound at once
        (folder / "flat").mkdir()
        index = ExactIndex(IDENTITY, 4)
        index.put(np.arange(3, dtype=np.int64), np.ones((3, 4), np.float32))
        index.save(folder / "flat")
        reseal(folder / "flat", "vectors.faiss", content)
        if "ok_" not in name:
            refused = code_of(lambda at=folder: open_index(at / "flat"))  # type: ignore[misc]  # as above
            assert refused in {"header", "not_finite"}


def test_damage_between_the_samples_is_found_by_verifying(tmp_path: Path) -> None:
    rows = np.ones((70_000, 512), np.float32)  # 72 MB: more blocks than opening looks at
    ids = np.arange(len(rows), dtype=np.int64)
    build_index(tmp_path, IDENTITY, 512, [(ids[:60_000], rows[:60_000]), (ids[60_000:], rows[60_000:])])
    path = tmp_path / "g1-rows.f16"
    with path.open("rb+") as stream:
        stream.seek(4 << 20)
        stream.write(b"\xff\xff" * 512)  # NaN
    index = open_index(tmp_path)
    (fault,) = verify_index(tmp_path)
    assert "block 1" in fault
    hit = np.arange(4 << 10, (4 << 10) + 20, dtype=np.int64)
    assert code_of(lambda: index.search(rows[0], 20, hit)) == "not_finite"
    path.write_bytes(path.read_bytes()[:-2])
    assert "shorter" in verify_index(tmp_path)[0]


def test_nothing_saved_is_no_fault_and_another_identity_is(tmp_path: Path) -> None:
    assert verify_index(tmp_path) == []
    small(tmp_path)
    assert code_of(lambda: open_index(tmp_path, "style-other")) == "identity"
    assert code_of(lambda: FaissIndex.load(tmp_path, IDENTITY)) == "kind"


def test_rows_left_by_a_killed_writer_are_cut_off(tmp_path: Path) -> None:
    """Appending shares the file with the generation before; what was not committed must not come back."""
    index = open_index(small(tmp_path))
    with (tmp_path / "g1-rows.f16").open("ab") as stream:
        stream.write(b"\x01" * 1_000)
    many = planner.overlay_most(3_000) + 1
    fresh = clustered(many, 16, seed=3)
    index.put(np.arange(many, dtype=np.int64) + 100_000, fresh)
    index.save(tmp_path)
    np.testing.assert_array_equal(open_index(tmp_path).vectors(np.arange(many) + 100_000), fresh)
    assert verify_index(tmp_path) == []


def write_for_ever(folder: str) -> None:
    """Every generation: rows under id 1,000,000 + n all hold n; from time to time they are merged."""
    number = 0
    many = planner.overlay_most(3_000) + 1
    while True:
        number += 1
        index = open_index(Path(folder))
        index.remove(index.ids()[index.ids() >= 1_000_000])
        size = many if number % 3 == 0 else 5
        index.put(np.arange(size, dtype=np.int64) + 1_000_000, np.full((size, 16), number % 100, np.float32))
        index.save(Path(folder))


def has_reached(folder: Path, generation: int) -> bool:
    return saved_generation(folder) >= generation


def test_readers_see_old_or_new_and_a_killed_writer_does_no_harm(tmp_path: Path) -> None:
    small(tmp_path)
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        writer = context.Process(target=write_for_ever, args=(str(tmp_path),))
        before = saved_generation(tmp_path)
        writer.start()
        patiently(partial(has_reached, tmp_path, before + 2))
        seen: set[int] = set()
        until, deadline = time.monotonic() + 1.5, time.monotonic() + PATIENCE
        while time.monotonic() < until or (len(seen) < 2 and time.monotonic() < deadline):
            index = open_index(tmp_path, IDENTITY)
            added = index.ids()[index.ids() >= 1_000_000]
            assert len(np.unique(index.vectors(added))) <= 1
            assert len(index) - len(added) == 3_000
            seen.add(index.generation)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        assert len(seen) > 1
        assert verify_index(tmp_path) == []
    index = open_index(tmp_path)
    index.put(np.array([1], np.int64), clustered(1, 16))
    index.save(tmp_path)
    shutil.rmtree(tmp_path)
