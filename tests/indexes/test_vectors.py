"""The two vector indexes: equal answers, durable files, and no trust in what is on disk."""

import hashlib
import json
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.indexes.vectors import (
    CODES,
    ExactIndex,
    FaissIndex,
    VectorIndex,
    VectorIndexError,
    saved_generation,
)
from tests.clocks import PATIENCE, patiently

Kind = type[ExactIndex] | type[FaissIndex]
KINDS = pytest.mark.parametrize("kind", [ExactIndex, FaissIndex])
IDENTITY, DIMENSION = "style-0123456789abcdef", 16


def rows(count: int, seed: int = 0, dimension: int = DIMENSION) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True), np.float32)


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def filled(kind: Kind, count: int = 50) -> ExactIndex | FaissIndex:
    index = kind(IDENTITY, DIMENSION)
    index.put(np.arange(count, dtype=np.int64) * 10, rows(count))
    return index


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(VectorIndexError) as caught:
        call()
    assert caught.value.code in CODES
    return caught.value.code


@KINDS
def test_a_vector_finds_itself_first(kind: Kind) -> None:
    index: VectorIndex = filled(kind)
    found, scores = index.search(rows(50)[7], 3)
    assert found[0] == 70
    assert scores[0] == pytest.approx(1.0)
    assert list(scores) == sorted(scores, reverse=True)
    assert len(found) == len(scores) == 3


@KINDS
def test_filters_limit_the_answer_and_ignore_unknown_ids(kind: Kind) -> None:
    index = filled(kind)
    found, _ = index.search(rows(50)[7], 10, ids(30, 80, 10, 999, -5, 30))
    assert sorted(found) == [10, 30, 80]
    for nothing in (ids(), ids(5, 999)):
        assert len(index.search(rows(1)[0], 10, nothing)[0]) == 0


@KINDS
def test_more_neighbours_than_vectors_gives_all(kind: Kind) -> None:
    assert sorted(filled(kind, 4).search(rows(1)[0], 100)[0]) == [0, 10, 20, 30]
    assert len(filled(kind, 4).search(rows(1)[0], 0)[0]) == 0
    assert len(kind(IDENTITY, DIMENSION).search(rows(1)[0], 5)[0]) == 0


@KINDS
def test_ties_are_broken_by_id_even_at_the_cut(kind: Kind) -> None:
    index = kind(IDENTITY, DIMENSION)
    same = np.repeat(rows(1), 300, axis=0)
    index.put(np.arange(300, dtype=np.int64)[::-1].copy(), same)
    index.put(ids(1000), rows(1, seed=3))
    assert list(index.search(rows(1)[0], 5)[0]) == [0, 1, 2, 3, 4]
    assert list(index.search(rows(1)[0], 3, ids(250, 40, 77, 90, 1000))[0]) == [40, 77, 90]


@KINDS
def test_replacing_and_removing(kind: Kind) -> None:
    index = filled(kind)
    fresh = rows(2, seed=9)
    index.put(ids(70, 5), fresh)
    assert len(index) == 51
    assert index.search(fresh[0], 1)[0][0] == 70
    assert index.search(fresh[1], 1)[0][0] == 5
    np.testing.assert_array_equal(index.vectors(ids(5, 70)), fresh[::-1])
    assert index.remove(ids(70, 70, 12345)) == 1
    assert 70 not in index.search(fresh[0], 50)[0]
    assert list(index.ids()[:3]) == [0, 5, 10]
    assert code_of(lambda: index.vectors(ids(70))) == "ids"


@KINDS
def test_wrong_input_is_refused_and_changes_nothing(kind: Kind) -> None:
    index = filled(kind)
    poisoned = rows(2)
    poisoned[1, 3] = np.nan
    assert code_of(lambda: index.put(ids(1, 2), poisoned)) == "not_finite"
    assert code_of(lambda: index.put(ids(1), np.full((1, DIMENSION), np.inf, np.float32))) == "not_finite"
    assert code_of(lambda: index.put(ids(1, 2), rows(2, dimension=8))) == "dimension"
    assert code_of(lambda: index.put(ids(1, 1), rows(2))) == "ids"
    assert code_of(lambda: index.put(ids(1), rows(2))) == "ids"
    assert code_of(lambda: index.put(ids(-1), rows(1))) == "ids"
    assert code_of(lambda: index.search(poisoned[1], 5)) == "not_finite"
    assert code_of(lambda: index.search(rows(1, dimension=8)[0], 5)) == "dimension"
    assert len(index) == 50


@KINDS
def test_putting_nothing_is_allowed(kind: Kind) -> None:
    index = filled(kind)
    index.put(ids(), np.zeros((0, DIMENSION), np.float32))
    assert (len(index), index.remove(ids())) == (50, 0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_faiss_and_numpy_agree_on_random_histories_and_filters(data: st.DataObject) -> None:
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pool = generator.integers(-2, 3, size=(12, 4)).astype(np.float32)  # small whole numbers: many exact ties
    twins = ExactIndex(IDENTITY, 4), FaissIndex(IDENTITY, 4)
    for _ in range(data.draw(st.integers(1, 5))):
        batch = generator.choice(200, size=int(generator.integers(1, 80)), replace=False).astype(np.int64)
        values = pool[generator.integers(0, len(pool), len(batch))]
        removed = generator.integers(0, 200, 30)
        for twin in twins:
            twin.put(batch, values)
            twin.remove(removed)
    queries = generator.normal(size=(25, 4)).astype(np.float32)
    k = data.draw(st.integers(1, 40))
    allowed = generator.integers(0, 220, data.draw(st.integers(0, 150))) if data.draw(st.booleans()) else None
    exact, fast = (twin.search_many(queries, k, allowed) for twin in twins)
    for (left_ids, left), (right_ids, right) in zip(exact, fast, strict=True):
        np.testing.assert_array_equal(left_ids, right_ids)
        np.testing.assert_allclose(left, right, atol=1e-6)
        assert allowed is None or set(left_ids.tolist()) <= set(allowed.tolist())
    np.testing.assert_array_equal(twins[0].ids(), twins[1].ids())


@pytest.mark.parametrize("writer", [ExactIndex, FaissIndex])
@pytest.mark.parametrize("reader", [ExactIndex, FaissIndex])
def test_each_loads_what_the_other_saved(tmp_path: Path, writer: Kind, reader: Kind) -> None:
    index = filled(writer)
    index.remove(ids(20))
    assert index.save(tmp_path) == 1
    loaded = reader.load(tmp_path, IDENTITY)
    assert (len(loaded), loaded.generation, loaded.identity, loaded.dimension) == (49, 1, IDENTITY, DIMENSION)
    np.testing.assert_array_equal(loaded.search(rows(1, 5)[0], 9)[0], index.search(rows(1, 5)[0], 9)[0])
    loaded.put(ids(3), rows(1, 6))
    assert loaded.search(rows(1, 6)[0], 1)[0][0] == 3


def test_both_write_the_same_bytes(tmp_path: Path) -> None:
    for kind in (ExactIndex, FaissIndex):
        filled(kind).save(tmp_path / kind.__name__)
    for name in ("g1-vectors.faiss", "g1-ids.npy", "manifest.json"):
        assert (tmp_path / "ExactIndex" / name).read_bytes() == (tmp_path / "FaissIndex" / name).read_bytes()


@KINDS
def test_an_empty_index_survives_saving(tmp_path: Path, kind: Kind) -> None:
    kind(IDENTITY, DIMENSION).save(tmp_path)
    loaded = kind.load(tmp_path, IDENTITY)
    assert (len(loaded), loaded.dimension) == (0, DIMENSION)
    loaded.put(ids(1), rows(1))
    assert len(loaded) == 1


def saved(folder: Path) -> Path:
    filled(ExactIndex).save(folder)
    return folder


def test_nothing_saved_yet(tmp_path: Path) -> None:
    assert code_of(lambda: FaissIndex.load(tmp_path, IDENTITY)) == "no_index"
    assert saved_generation(tmp_path) == 0


def test_another_identity_is_refused(tmp_path: Path) -> None:
    assert code_of(lambda: FaissIndex.load(saved(tmp_path), "style-another")) == "identity"


def resealed(folder: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the vector file and make the manifest agree with its new bytes."""
    path = folder / "g1-vectors.faiss"
    path.write_bytes(change(path.read_bytes()))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest["files"][path.name] = [path.stat().st_size, digest]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def patched(offset: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content[:offset] + new + content[offset + len(new) :]


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "one bit": (patched(100, b"\xff"), "header"),
    "empty": (lambda content: b"", "header"),
    "cut at 4": (lambda content: content[:4], "header"),
    "cut at 20": (lambda content: content[:20], "header"),
    "cut at the end": (lambda content: content[:-1], "header"),
    "one byte more": (lambda content: content + b"\0", "header"),
    "another fourcc": (patched(0, b"IxF2"), "header"),
    "d negative": (patched(4, struct.pack("<i", -1)), "header"),
    "d other": (patched(4, struct.pack("<i", DIMENSION // 2)), "header"),
    "ntotal huge": (patched(8, struct.pack("<q", 2**60)), "header"),
    "metric L2": (patched(33, struct.pack("<i", 1)), "header"),
    "size max": (patched(37, b"\xff" * 8), "header"),
    "NaN": (patched(101, struct.pack("<f", float("nan"))), "not_finite"),
    "a pickle": (lambda content: b"\x80\x04cposix\nsystem\n.", "header"),
}


@KINDS
@pytest.mark.parametrize("name", [name for name in DAMAGE if name != "one bit"])
def test_a_lying_file_with_a_matching_manifest_is_refused(tmp_path: Path, kind: Kind, name: str) -> None:
    change, code = DAMAGE[name]
    resealed(saved(tmp_path), change)
    assert code_of(lambda: kind.load(tmp_path, IDENTITY)) == code


@KINDS
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_by_its_checksum(tmp_path: Path, kind: Kind, name: str) -> None:
    path = saved(tmp_path) / "g1-vectors.faiss"
    path.write_bytes(DAMAGE[name][0](path.read_bytes()))
    assert code_of(lambda: kind.load(tmp_path, IDENTITY)) == "checksum"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\x80\x04.",
        b"[" * 60_000,
        b'{"format": 2, "generation": 1, "identity": "x", "dimension": 2, "count": 0, "files": {}}',
        b'{"format": 1, "generation": -1, "identity": "x", "dimension": 2, "count": 0, "files": {}}',
        b'{"format": 1, "generation": 1, "identity": "x", "dimension": 2, "count": 0, "files": {}}',
        b'{"format": 1, "generation": 1, "identity": "x", "dimension": 2, "count": 0, "files": []}',
        b'{"format": 1, "generation": 1, "identity": "x", "dimension": 2, "count": 0,'
        b' "files": {"../../etc/passwd": [1, "x"], "g1-ids.npy": [1, "x"]}}',
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: bytes) -> None:
    (saved(tmp_path) / "manifest.json").write_bytes(text)
    assert code_of(lambda: FaissIndex.load(tmp_path, IDENTITY)) == "manifest"


def test_damaged_ids_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path) / "g1-ids.npy"
    path.write_bytes(path.read_bytes()[:-8])
    assert code_of(lambda: FaissIndex.load(tmp_path, IDENTITY)) == "checksum"
    path.unlink()
    assert code_of(lambda: FaissIndex.load(tmp_path, IDENTITY)) == "checksum"


def test_old_generations_and_leftovers_are_swept(tmp_path: Path) -> None:
    index = filled(ExactIndex)
    for expected in range(1, 5):
        (tmp_path / ".g9-ids.npy.tmp").write_bytes(b"left by a crash")
        assert index.save(tmp_path) == expected
    assert saved_generation(tmp_path) == 4
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["g3-ids.npy", "g3-vectors.faiss", "g4-ids.npy", "g4-vectors.faiss", "manifest.json"]


def test_a_reader_overtaken_by_the_writer_starts_over(tmp_path: Path) -> None:
    """Loading is interrupted between manifest and files by as many saves as remove what it wanted."""
    index = filled(ExactIndex)
    index.save(tmp_path)

    class Slow(ExactIndex):
        turns = 0

        def _read(self, path: Path) -> None:
            Slow.turns += 1
            if Slow.turns == 1:
                for _ in range(3):
                    index.save(tmp_path)
            super()._read(path)

    assert Slow.load(tmp_path, IDENTITY).generation == 4
    assert Slow.turns == 2


def test_a_full_disk_leaves_the_old_index_and_no_rubbish(tmp_path: Path) -> None:
    saved(tmp_path)
    code = (
        "import resource, signal, sys, numpy as np; from pathlib import Path\n"
        "from indexer.indexes.vectors import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "index = ExactIndex('i', 16); index.put(np.arange(9000), np.ones((9000, 16), np.float32))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: index.save(Path(sys.argv[1]))\n"
        "except VectorIndexError as error: print(error.code)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "write"
    assert not list(tmp_path.glob(".*.tmp"))
    assert FaissIndex.load(tmp_path, IDENTITY).generation == 1


def write_for_ever(folder: str) -> None:
    """Each generation holds equal vectors whose ids and values both tell its number."""
    number = 0
    while True:
        number += 1
        index = ExactIndex(IDENTITY, DIMENSION)
        index.put(
            np.arange(200, dtype=np.int64) + 1000 * number, np.full((200, DIMENSION), number, np.float32)
        )
        index.save(Path(folder))


def test_readers_never_see_a_mixture_and_a_killed_writer_does_no_harm(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        writer = context.Process(target=write_for_ever, args=(str(tmp_path),))
        writer.start()
        patiently(lambda: saved_generation(tmp_path) > 0)
        seen: set[int] = set()
        until, deadline = time.monotonic() + 1.0, time.monotonic() + PATIENCE
        while time.monotonic() < until or (len(seen) < 2 and time.monotonic() < deadline):
            index = FaissIndex.load(tmp_path, IDENTITY)
            numbers = set((index.ids() // 1000).tolist()) | set(
                np.unique(index.vectors(index.ids())).tolist()
            )
            assert len(numbers) == 1
            seen.add(index.generation)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        assert len(seen) > 1
        assert len(FaissIndex.load(tmp_path, IDENTITY)) == 200


def test_the_module_loads_without_faiss() -> None:
    code = "import sys, indexer.indexes.vectors as v; v.ExactIndex('i', 3); assert 'faiss' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
