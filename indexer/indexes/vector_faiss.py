"""FAISS, loaded at first use and kept to one thread while it answers."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.indexes.vector_manifest import VectorIndexError

__all__ = ["import_faiss", "one_thread", "read_faiss", "write_faiss"]

ROOM = 1 << 26  # bytes; every array of an honest file is shorter than its file, or than this


def import_faiss() -> Any:
    """The module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SWIG's own types lack __module__; not ours to mend
        import faiss
    return faiss


@contextmanager
def one_thread() -> Iterator[Any]:
    """FAISS with one thread for this thread's calls: for a single query, waking others costs more than
    it gains (0.9 ms against 11 ms for 20,000 rows on a busy machine)."""
    faiss = import_faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)


def read_faiss(path: Path) -> Any:
    """The FAISS index in a file that was checked; FAISS may allocate no array longer than the file.

    Raises ``VectorIndexError`` (``header``), and ``FileNotFoundError`` if it has just been removed.
    """
    faiss = import_faiss()
    faiss.set_deserialization_vector_byte_limit(max(ROOM, path.stat().st_size))
    try:
        return faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        if not path.exists():
            raise FileNotFoundError(2, "removed by a newer generation", str(path)) from None
        raise VectorIndexError(
            "header", f"{path}: FAISS cannot read it ({error}); rebuild the index"
        ) from None


def write_faiss(index: Any, path: Path) -> None:
    """Write a FAISS index; raises ``OSError`` when the disk refuses."""
    try:
        import_faiss().write_index(index, str(path))
    except RuntimeError as error:
        raise OSError(None, str(error), os.fspath(path)) from error
