"""The made-up hub of ``search_library`` with a picture for every version, for a page that people look at.

Pictures are a hundred small ones drawn by program; each version shows one of them. What was built is used
again by the next run, and a build that was stopped goes on.
"""

import io
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from PIL import Image
from sqlalchemy import func, select

from indexer.catalog.database import Session, open_catalog
from indexer.catalog.norms import refresh_norms
from indexer.catalog.schema import Entry
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages.publish import publish_text
from indexer.thumbnails import store_thumbnail
from scripts.benchmarks.search_building import store_documents
from scripts.benchmarks.search_library import BATCH, Batch

__all__ = ["build_page_library"]

_PICTURES = 100
_EDGE = 512
"""Pixels of a thumbnail's longer side."""


def build_page_library(settings: Settings, count: int) -> None:
    """Fill the catalog with ``count`` versions and their pictures, and publish what is not."""
    with closing(open_catalog(settings)) as catalog:
        names = _thumbnails(settings)
        with catalog.read() as session:
            have = session.scalar(select(func.max(Entry.version_id))) or 0
        for number in range(have // BATCH, -(-count // BATCH)):
            with catalog.write() as session:
                _store(session, number, names)
        with catalog.write() as session:
            refresh_norms(session, datetime.now(UTC).date())
        publish_text(catalog, settings, Silent())


def _thumbnails(settings: Settings) -> list[str]:
    return [store_thumbnail(settings.thumbnail_folder, _drawn(number)) for number in range(_PICTURES)]


def _drawn(number: int) -> bytes:
    """A WebP about as large as that of a real preview: soft shapes with some grain."""
    chance = np.random.default_rng([5, number])
    coarse = chance.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    soft = Image.fromarray(coarse).resize((_EDGE * 3 // 4, _EDGE), Image.Resampling.BICUBIC)
    grain = chance.normal(0, 9, (_EDGE, _EDGE * 3 // 4, 1))
    picture = Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80)
    return out.getvalue()


def _store(session: Session, number: int, names: list[str]) -> None:
    documents = [replace(one, preview_id=one.id, preview_colour="#808890") for one in Batch(number).documents]
    store_documents(session, documents, [_picture(d.id, names[d.id % len(names)]) for d in documents])


def _picture(id_: int, name: str) -> dict[str, object]:
    return {
        "id": id_,
        "version_id": id_,
        "source": "civitai",
        "location": f"https://127.0.0.1/{id_}.png".encode(),
        "position": 0,
        "size": 0,
        "mtime_ns": 0,
        "status": "ok",
        "width": _EDGE * 3 // 4,
        "height": _EDGE,
        "colour": "#808890",
        "thumbnail": name,
        "told": True,
    }
