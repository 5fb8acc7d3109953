"""The vector index of large collections: lists of short codes find candidates, exact mapped rows decide.

What changed since the lists were made lies beside them: removed rows are only marked, new ones are kept in
a small exact index that every query scans too. ``save`` writes just these, until they are many; then new rows
are appended and coded. Only a collection that has doubled, or lost a fifth, is written and trained anew.

Rows are kept as float16. Searching changes nothing, so many threads may search one index that nobody changes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.indexes import planner
from indexer.indexes.vector_base import Found, Ids, Vectors, checked_ids, checked_rows, ranked
from indexer.indexes.vector_building import fill, write_changes
from indexer.indexes.vector_codes import Codes
from indexer.indexes.vector_generation import GenerationWriter, packed, writing
from indexer.indexes.vector_ids import Places, within
from indexer.indexes.vector_manifest import ROWS, SavedIndex, VectorIndexError, read_generation
from indexer.indexes.vector_rows import Rows, append_rows, block_sums, check_sample, rounded
from indexer.indexes.vectors import FaissIndex

__all__ = ["IvfIndex"]


class IvfIndex:
    """A ``VectorIndex`` over files of ``vector_building``. Open it with ``load`` or ``open_index``."""

    def __init__(
        self, saved: SavedIndex, rows: Rows, places: Places, codes: Codes, overlay: FaissIndex
    ) -> None:
        self._saved, self._rows, self._places, self._codes = saved, rows, places, codes
        self._overlay = overlay

    @classmethod
    def load(cls, folder: Path, identity: str) -> Self:
        """The saved index, if it holds vectors of ``identity`` and is intact; else ``VectorIndexError``."""
        return read_generation(folder, identity, "ivf", cls.read)

    @classmethod
    def read(cls, saved: SavedIndex) -> Self:
        """The index of a generation. Raises ``VectorIndexError``, ``FileNotFoundError``."""
        manifest, path = saved.manifest, saved.path(ROWS)
        check_sample(path, manifest.count * manifest.dimension * 2, saved.checked("sums.bin").read_bytes())
        places = Places(saved.integers("ids.npy"), saved.integers("dead.npy"), manifest.count)
        codes = Codes.read(saved.checked("codes.faiss"), manifest.dimension, manifest.count)
        overlay = FaissIndex(manifest.identity, manifest.dimension)
        overlay.put(saved.integers("overlay-ids.npy"), saved.floats("overlay.npy"))
        if len(places.of(overlay.ids())):
            raise VectorIndexError("ids", f"{saved.folder}: an id stands twice; rebuild the index")
        return cls(saved, Rows(path, manifest.count, manifest.dimension), places, codes, overlay)

    @property
    def identity(self) -> str:
        return self._saved.manifest.identity

    @property
    def dimension(self) -> int:
        return self._saved.manifest.dimension

    @property
    def generation(self) -> int:
        return self._saved.manifest.generation

    def __len__(self) -> int:
        return self._places.living + len(self._overlay)

    def ids(self) -> Ids:
        return np.sort(np.concatenate([self._places.ids(), self._overlay.ids()]))

    def put(self, ids: Ids, vectors: Vectors) -> None:
        names, rows = checked_ids(ids, vectors, self.dimension)
        rows = rounded(rows)
        self._places.remove(names)
        self._overlay.put(names, rows)

    def remove(self, ids: Ids) -> int:
        return self._places.remove(np.asarray(ids, np.int64)) + self._overlay.remove(ids)

    def vectors(self, ids: Ids) -> Vectors:
        wanted = np.asarray(ids, np.int64)
        positions = self._places.each(wanted)
        rows = np.empty((len(wanted), self.dimension), np.float32)
        rows[positions >= 0] = self._rows.at(positions[positions >= 0])
        rows[positions < 0] = self._overlay.vectors(wanted[positions < 0])
        return rows

    def search(self, vector: Vectors, k: int, allowed_ids: Ids | None = None) -> Found:
        return self.search_many(np.asarray(vector)[None, :], k, allowed_ids)[0]

    def search_many(self, vectors: Vectors, k: int, allowed_ids: Ids | None = None) -> list[Found]:
        queries = checked_rows(vectors, self.dimension)
        if k < 1:
            return [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        if allowed_ids is None:
            found = [self._plain(query, k) for query in queries]
            beside = self._overlay.search_many(queries, k)
        else:
            found, beside = self._filtered(queries, k, np.asarray(allowed_ids, np.int64))
        return [
            self._merged(query, positions, names, k)
            for query, positions, (names, _) in zip(queries, found, beside, strict=True)
        ]

    def _merged(self, query: Vectors, positions: Ids, beside: Ids, k: int) -> Found:
        """The best of candidates among the rows and of those beside them."""
        positions = self._rows.best(query, positions, k)
        ids = np.concatenate([self._places.names(positions), beside])
        rows = self._rows.at(positions)
        if len(beside):
            rows = np.concatenate([rows, self._overlay.vectors(beside)])
        return ranked(query, ids, rows, k)

    def _plain(self, query: Vectors, k: int) -> Ids:
        turned = self._codes.turned(query)
        lists = self._codes.nearest_lists(turned, planner.probes_for(k))
        bits = self._places.living_bits()
        count = planner.candidates_for(k, self._places.living, filtered=False)
        return self._codes.search(turned, lists, count, bits)

    def _filtered(self, queries: Vectors, k: int, allowed: Ids) -> tuple[list[Ids], list[Found]]:
        positions, member = self._places.members(allowed)
        room = int(np.count_nonzero(member))
        among = self._overlay.search_many(queries, k, within(self._overlay.ids(), allowed))
        if planner.is_narrow(room, self._places.living, self.dimension):
            positions = np.unique(positions)
            return [self._rows.best(query, positions, k) for query in queries], among
        bits = np.packbits(member, bitorder="little")
        step = planner.counted_step(room)
        held = step * np.bincount(self._codes.list_of[positions[::step]], minlength=self._codes.lists)
        count = planner.candidates_for(k, room, filtered=True)
        return [self._among(query, k, held, bits, count) for query in queries], among

    def _among(
        self, query: Vectors, k: int, held: NDArray[np.integer], bits: NDArray[np.uint8], count: int
    ) -> Ids:
        turned = self._codes.turned(query)
        order = self._codes.nearest_lists(turned, self._codes.lists)
        lists = planner.lists_holding(order, held, self._rows.count, k)
        return self._codes.search(turned, lists, count, bits)

    def save(self, folder: Path, note: Mapping[str, Any] | None = None, beside: Ids | None = None) -> int:
        """See ``VectorIndex.save``. A collection that shrank much is saved as a flat index."""
        with writing(folder) as generation:
            if folder != self._saved.folder or self._outgrown():
                few = planner.exact_most(self.dimension) // 2
                manifest = fill(
                    generation,
                    self.identity,
                    self.dimension,
                    self._batches(),
                    note,
                    beside,
                    self._codes.spread,
                    few,
                )
            else:
                merged = len(self._overlay) > planner.overlay_most(self._rows.count)
                count = self._append(generation) if merged else self._keep(generation)
                if beside is not None:
                    generation.add("beside.npy", packed(beside))
                trained = self._saved.manifest.trained
                manifest = generation.commit("ivf", self.identity, self.dimension, count, trained, note)
        self._take(SavedIndex(folder, manifest))
        return manifest.generation

    def _outgrown(self) -> bool:
        """Whether the files no longer fit what is left of the rows or has come to them."""
        manifest = self._saved.manifest
        return (
            manifest.kind != "ivf"
            or planner.needs_training(len(self), manifest.trained)
            or planner.is_sparse(self._places.living, self._rows.count)
        )

    def _batches(self) -> Iterator[Found]:
        """All rows, a bounded number at a time."""
        for positions, rows in self._rows.batches(self._places.of(self._places.ids())):
            yield self._places.names(positions), rows
        if len(self._overlay):
            yield self._overlay.ids(), self._overlay.vectors(self._overlay.ids())

    def _keep(self, generation: GenerationWriter) -> int:
        """Write only what changed since the lists were made."""
        for role in (ROWS, "sums.bin", "ids.npy", "codes.faiss"):
            generation.keep(role, self._saved)
        ids = self._overlay.ids()
        write_changes(generation, self._places.dead(), ids, self._overlay.vectors(ids))
        return self._rows.count

    def _append(self, generation: GenerationWriter) -> int:
        """Put the rows beside the lists behind the others; removed ones leave holes."""
        ids, saved, start = self._overlay.ids(), self._saved, self._rows.count
        rows = self._overlay.vectors(ids)
        # Codes are read again: those in memory must still fit the rows if writing fails.
        codes = Codes.read(saved.checked("codes.faiss"), self.dimension, start)
        codes.add([rows])
        size, sums = start * self.dimension * 2, saved.checked("sums.bin").read_bytes()
        path = generation.extend(ROWS, saved, size, lambda path: append_rows(path, [rows]))
        generation.add_bytes("sums.bin", block_sums(path, sums, size))
        generation.add("ids.npy", packed(np.concatenate([self._places.by_position(), ids])))
        generation.add("codes.faiss", codes.write)
        write_changes(generation, ids[:0], ids[:0], rows[:0])
        return start + len(ids)

    def _take(self, saved: SavedIndex) -> None:
        """Go on from what was saved."""
        if saved.manifest.kind == "ivf":
            self.__dict__.update(self.read(saved).__dict__)
        else:
            self._saved = saved
