"""The library's styles as a map: what is drawn alike lies side by side, in neighbourhoods that have names.

The layout covers the whole style index and is kept until the index changes; what is shown of it, and how its
neighbourhoods are called, follows from the query, as in a search.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.domain.filters import Filter
from indexer.domain.records import Document
from indexer.embedding.style_store import load_style_space
from indexer.indexes.vector_base import VectorIndex
from indexer.indexes.vector_manifest import Manifest, read_manifest, saved_generation
from indexer.indexes.vector_store import open_index
from indexer.settings import Settings
from search.map_clusters import cluster_names, clusters_of
from search.map_layout import EXACT, fitted, lay_out, place

__all__ = ["SHOWN", "Cluster", "Maps", "Point", "StyleMap", "layout_of"]

SHOWN = 20_000
"""Of more entries, an even sample of so many is shown and gives the words; all are counted."""

KEPT = 4  # maps of as many queries are remembered
BATCH = 2_048
Ids = NDArray[np.int64]
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Point:
    """One entry: ``x`` and ``y`` are 0..1 from the upper left; ``cluster`` is its neighbourhood's id."""

    id: int
    x: float
    y: float
    cluster: int
    name: str
    preview_id: int | None
    nsfw_level: int | None
    hidden: bool

    @property
    def preview(self) -> str | None:
        """A path on the API's server."""
        return None if self.preview_id is None else f"/api/previews/{self.preview_id}"

    def to_json(self) -> dict[str, Any]:
        """The point as the API spells it."""
        names = ("id", "x", "y", "cluster", "name", "preview", "nsfw_level")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A neighbourhood: its middle, how many entries it holds, at most three words, the entry nearest to the
    middle."""

    id: int
    x: float
    y: float
    size: int
    words: tuple[str, ...]
    example: Point

    @property
    def title(self) -> str:
        """Its words; without any, what it lies around."""
        return " · ".join(self.words) or f"around {self.example.name}"

    def to_json(self) -> dict[str, Any]:
        """The cluster as the API spells it."""
        example = {name: getattr(self.example, name) for name in ("id", "name", "preview")}
        here = {name: getattr(self, name) for name in ("id", "x", "y", "size")}
        return here | {"words": list(self.words), "example": example}


@dataclass(frozen=True, slots=True)
class StyleMap:
    """``points`` by id, ``clusters`` largest first. ``total`` entries are meant; ``generation`` is that of
    the style index, 0 where there is none."""

    generation: int = 0
    total: int = 0
    points: tuple[Point, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    took_ms: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The map as the API spells it."""
        return {
            "points": [point.to_json() for point in self.points],
            "clusters": [cluster.to_json() for cluster in self.clusters],
            "total": self.total,
            "generation": self.generation,
            "took_ms": self.took_ms,
        }


class Maps:
    """Draws maps and remembers them. Many threads may share it; they wait for each other's drawing."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self._drawing = threading.Lock()
        self._layout: tuple[Manifest, Ids, Rows] | None = None
        self._drawn: dict[tuple[object, ...], StyleMap] = {}

    def draw(self, asked: str, where: Filter, matching: Callable[[], Sequence[int]]) -> StyleMap:
        """The map of what ``matching`` answers, less what does not pass ``where`` in the catalog.

        ``asked`` is what it is remembered by, together with the state of catalog and index. Raises
        ``VectorIndexError`` and ``StyleSpaceError`` for a damaged index.
        """
        started = time.perf_counter()
        with self._drawing:
            self._lay_out()
            key = (asked, where, *self._state())
            found = self._drawn.pop(key, None)
            if found is None:
                found = self._draw(where, np.asarray(matching(), np.int64)) if self._layout else StyleMap()
            self._drawn[key] = found
            for old in list(self._drawn)[:-KEPT]:
                del self._drawn[old]
        return replace(found, took_ms=round((time.perf_counter() - started) * 1000, 2))

    def _state(self) -> tuple[int, int]:
        with self._catalog.read() as session:
            return changes.last_number(session, "change"), changes.read_watermark(session, "text")[0]

    def _lay_out(self) -> None:
        """Bring the layout up to date with the index on disk. Manifests are compared, not generations: an
        index that was built anew counts from 1 again."""
        folder = self._settings.vector_folder / "style"
        manifest = read_manifest(folder) if saved_generation(folder) else None
        if manifest == (self._layout and self._layout[0]):
            return
        self._drawn.clear()
        self._layout = None
        if manifest is not None:
            index = open_index(folder)
            space = load_style_space(self._settings.style_space_file(index.identity))
            self._layout = (manifest, index.ids(), layout_of(index, space.asking))

    def _draw(self, where: Filter, wanted: Ids) -> StyleMap:
        assert self._layout is not None
        manifest, ids, places = self._layout
        here = np.flatnonzero(np.isin(ids, wanted))
        shown = here[_even(len(here), SHOWN)]
        documents = self._documents(ids[shown].tolist(), where)
        if len(shown) == len(here):
            here = shown = shown[[int(id_) in documents for id_ in ids[shown]]]
        at = fitted(places[here])
        cluster = clusters_of(at)
        points, named = [], []
        for spot in np.flatnonzero(np.isin(here, shown)):
            document = documents.get(int(ids[here[spot]]))
            if document is not None:
                points.append(_point(document, at[spot], int(cluster[spot])))
                named.append((int(cluster[spot]), document))
        names = cluster_names(named, int(cluster.max()) + 1 if len(cluster) else 0)
        clusters = tuple(_clusters(at, cluster, names, points))
        return StyleMap(manifest.generation, len(here), tuple(points), clusters)

    def _documents(self, ids: Sequence[int], where: Filter) -> Mapping[int, Document]:
        """What is needed of the documents that pass; descriptions would fill the memory."""
        found = {}
        for start in range(0, len(ids), BATCH):
            with self._catalog.read() as session:
                some = entries.documents(session, ids[start : start + BATCH])
            for id_, document in some.items():
                if where.match(document):
                    found[id_] = replace(document, description="", prompts=(), files=(), hashes=())
        return found


def layout_of(index: VectorIndex, asking: Callable[[Rows], Rows], most: int = EXACT) -> Rows:
    """(n, 2) places of all entries in the order of ``index.ids()``; see ``map_layout``.

    ``asking`` makes query rows of index rows, so that products are the scores of a search. Of more than
    ``most`` entries an even sample are landmarks; the rest are read and placed in batches.
    """
    ids = index.ids()
    chosen = _even(len(ids), most)
    landmarks = index.vectors(ids[chosen])
    scores = asking(landmarks) @ landmarks.T
    found = np.empty((len(ids), 2), np.float32)
    found[chosen] = lay_out((scores + scores.T) * np.float32(0.5))
    marks = found[chosen]
    rest = np.delete(np.arange(len(ids)), chosen)
    for start in range(0, len(rest), BATCH):
        some = rest[start : start + BATCH]
        found[some] = place(asking(index.vectors(ids[some])) @ landmarks.T, marks, start)
    return found


def _even(count: int, most: int) -> NDArray[np.int64]:
    """Ascending positions of an even sample."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _point(document: Document, at: Rows, cluster: int) -> Point:
    x, y = (round(float(value), 4) for value in at)
    return Point(
        id=document.id,
        x=x,
        y=y,
        cluster=cluster,
        name=document.name,
        preview_id=document.preview_id,
        nsfw_level=document.nsfw_level,
        hidden=bool(document.hidden),
    )


def _clusters(
    at: Rows, cluster: NDArray[np.intp], names: Sequence[tuple[str, ...]], points: Sequence[Point]
) -> Iterator[Cluster]:
    """Clusters in which something is shown."""
    members: dict[int, list[Point]] = {}
    for point in points:
        members.setdefault(point.cluster, []).append(point)
    for number, shown in sorted(members.items()):
        x, y = (round(float(value), 4) for value in at[cluster == number].mean(0))
        example = min(shown, key=lambda point: ((point.x - x) ** 2 + (point.y - y) ** 2, point.id))
        yield Cluster(number, x, y, int((cluster == number).sum()), names[number], example)
