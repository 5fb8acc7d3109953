"""The made-up hub in a catalog and its indexes. Rows are written in bulk, indexes by the real publish.

Everything can be stopped and goes on where it was; what is there already is used again.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import func, insert, select

from indexer.catalog import changes, vectors
from indexer.catalog.columns import JSONText
from indexer.catalog.database import Catalog, Session, open_catalog
from indexer.catalog.norms import refresh_norms
from indexer.catalog.schema import Entry, Model, Preview, Version
from indexer.domain.records import Document
from indexer.embedding.encoders import Encoder
from indexer.encoders import active_encoders
from indexer.progress import Silent, Stage
from indexer.settings import Settings
from indexer.stages.publish import publish_text, publish_vectors
from scripts.benchmarks.search_library import BATCH, Batch

__all__ = ["Cloud", "build", "store_documents"]

_WINDOW = 50_000
"""Time a document is told of the first and of the last so many."""

_WORDS = "Indexing words"
_LOOKS = 50
"""Pictures scatter about so many styles and as many contents."""


def build(settings: Settings, count: int, pictures: int) -> None:
    """Fill the catalog with ``count`` versions, ``pictures`` of them with one picture, and publish."""
    with closing(open_catalog(settings)) as catalog:
        _fill(catalog, count)
        _add_pictures(catalog, settings, count, pictures)
        with catalog.write() as session:
            refresh_norms(session, datetime.now(UTC).date())
        watch = _Watch()
        done = publish_text(catalog, settings, watch)
        if done:
            watch.tell(done)
        before = time.perf_counter()
        if publish_vectors(catalog, settings, active_encoders(settings, Silent()), Silent()):
            print(f"vectors published in {time.perf_counter() - before:.0f} s", flush=True)
    _tell_sizes(settings)


class _Watch(Silent):
    """Notes the time at which documents had gone by."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = [(0, time.perf_counter(), time.process_time())]
        self._told = 0

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``. Only documents of the text index are counted."""
        if title != _WORDS:
            with Silent().stage(title, unit, total) as other:  # this very object would count it as well
                yield other
            return
        yield self
        self._note(self._seen[-1][0])

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        done = self._seen[-1][0] + count
        self._note(done)
        if done >= self._told + 100_000:
            self._told = done
            print(f"  {done:,} documents indexed, {self._seen[-1][1] - self._seen[0][1]:.0f} s", flush=True)

    def tell(self, done: int) -> None:
        """Say how long it took, and whether a document takes as long at the end as at the beginning."""
        spent, busy = (self._seen[-1][way] - self._seen[0][way] for way in (1, 2))
        print(f"text index: {done:,} documents in {spent:.0f} s ({busy:.0f} s of processor), ", end="")
        print(f"{1000 * spent / done:.3f} ms a document")
        if done >= 2 * _WINDOW:
            for way, unit in ((1, "ms"), (2, "ms of processor")):
                first, last = self._pace(0, way), self._pace(done - _WINDOW, way)
                print(f"  first {_WINDOW:,}: {first:.3f} {unit} a document, last: {last:.3f}, ", end="")
                print(f"ratio {last / first:.2f}", flush=True)

    def _note(self, done: int) -> None:
        self._seen.append((done, time.perf_counter(), time.process_time()))

    def _pace(self, start: int, way: int) -> float:
        """Milliseconds a document over a window, by the clock (1) or of the processor (2). It ends with the
        first page of the next, so that what was committed at its end is in it."""
        begin = next(seen for seen in self._seen if seen[0] > start or not start)
        end = next((seen for seen in self._seen if seen[0] > start + _WINDOW), self._seen[-1])
        return 1000 * (end[way] - begin[way]) / max(1, end[0] - begin[0])


def _fill(catalog: Catalog, count: int) -> None:
    with catalog.read() as session:
        have = session.scalar(select(func.max(Entry.version_id))) or 0
    if have >= count:
        return
    before = time.perf_counter()
    for number in range(have // BATCH, -(-count // BATCH)):
        with catalog.write() as session:
            store_documents(session, Batch(number).documents)
        done = (number + 1) * BATCH
        if done % 100_000 == 0:
            print(f"  {done:,} versions stored, {time.perf_counter() - before:.0f} s", flush=True)


def store_documents(
    session: Session, documents: Sequence[Document], pictures: Sequence[Mapping[str, object]] = ()
) -> None:
    """Models, versions and entries of made-up documents, written in bulk; with rows of their pictures."""
    models = {document.model_id: f"civitai:{document.model_id}" for document in documents}
    session.execute(insert(Model), [{"id": id_, "key": key} for id_, key in models.items()])
    versions = [
        {"id": d.id, "model_id": d.model_id, "key": f"civitai:{d.model_id}@{d.id}"} for d in documents
    ]
    session.execute(insert(Version), versions)
    if pictures:
        session.execute(insert(Preview), list(pictures))
    last = changes.count_up(session, "change", len(documents))
    rows = [
        {
            "version_id": document.id,
            "document": JSONText(orjson.dumps(document).decode()),
            "seq": last - len(documents) + 1 + place,
        }
        for place, document in enumerate(documents)
    ]
    session.execute(insert(Entry), rows)


def _add_pictures(catalog: Catalog, settings: Settings, count: int, pictures: int) -> None:
    """One picture for evenly chosen versions, with vectors about made-up styles and contents."""
    encoders = active_encoders(settings, Silent())
    with catalog.read() as session:
        have = session.scalar(select(func.max(Preview.id))) or 0
    step = max(1, count // max(1, pictures))
    clouds = [Cloud(encoder, seed) for seed, encoder in enumerate(encoders.all)]
    for start in range(have, pictures, BATCH):
        ids = np.arange(start + 1, min(start + BATCH, pictures) + 1)
        rows = [
            {
                "id": int(id_),
                "version_id": int((id_ - 1) * step + 1),
                "source": "civitai",
                "location": f"https://127.0.0.1/{id_}.png".encode(),
                "position": 0,
                "size": 0,
                "mtime_ns": 0,
                "status": "ok",
                "told": True,
            }
            for id_ in ids
        ]
        with catalog.write() as session:
            session.execute(insert(Preview), rows)
            for cloud in clouds:
                vectors.store_vectors(session, cloud.space(session), ids.tolist(), cloud.rows(ids))


class Cloud:
    """Made-up vectors of one encoder: some way about one of ``_LOOKS`` middles."""

    def __init__(self, encoder: Encoder, seed: int) -> None:
        self._identity = encoder.identity
        self._seed = seed
        chance = np.random.default_rng(seed)
        self._middles = np.abs(chance.normal(size=(_LOOKS, self._identity.dimension)))

    def space(self, session: Session) -> int:
        """The space's id in the catalog."""
        identity = self._identity
        told = {"made": "by scripts/bench search"}
        return vectors.open_space(session, identity.key, identity.space, identity.dimension, told)

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, d) of the pictures with these ids."""
        chance = np.random.default_rng([self._seed, int(ids[0])])
        rows = self._middles[chance.integers(_LOOKS, size=len(ids))]
        return (rows + 0.5 * np.abs(chance.normal(size=rows.shape))).astype(np.float32)


def _tell_sizes(settings: Settings) -> None:
    for name, place in (
        ("catalog", settings.home / "catalog.sqlite3"),
        ("text index", settings.text_folder),
        ("vector indexes", settings.vector_folder),
        ("Meilisearch", settings.home / "meilisearch" / "data"),
    ):
        files = [place] if place.is_file() else list(place.rglob("*"))
        if size := sum(path.stat().st_size for path in files if path.is_file()):
            print(f"{name}: {size / 1e6:,.0f} MB", flush=True)
