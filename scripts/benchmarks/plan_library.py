"""A library beside the made-up hub: files with headers, pages of their own with links, pictures.

Files are judged and stored by the code that ``pinakes index`` runs; only their bytes are left out. Nothing of
it works on the target, so that candidates are looked for of every model.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache, cached_property
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select

from indexer.catalog import vectors
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.entries import refresh_entries
from indexer.catalog.library import store_judged
from indexer.catalog.roots import open_root
from indexer.catalog.schema import File, Preview
from indexer.domain.found import Judged
from indexer.domain.header import Header
from indexer.domain.layouts import load_layout
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path
from indexer.encoders import active_encoders
from indexer.parsers.sidecars import parse_sidecar
from indexer.progress import Silent
from indexer.reading import judge_header
from indexer.reading_remote import found_at
from indexer.settings import Settings
from indexer.stages.publish import publish_text, publish_vectors
from scripts.benchmarks.fit_library import SOURCES, factors, header
from scripts.benchmarks.search_building import Cloud
from scripts.benchmarks.search_library import Batch

__all__ = ["add_library"]

_FIRST = 4_000_000
"""Batches of documents from here on are nobody's; the library's models are told of as these are."""

_KNOWN = 5
"""Of so many batches of the hub the models are known by name, so that pages can link to them."""

_SUCCEEDED, _LINKED, _SEEN = 0.1, 0.3, 0.5
"""Shares of the library: with a successor by the same creator, with links to others, with pictures."""

_DISTINCT = 100
"""Listings an architecture; trainers' defaults make most adapters alike."""


def add_library(settings: Settings, count: int, target: str) -> None:
    """Add the missing of ``count`` files whose models do not work on ``target``, and publish."""
    with closing(open_catalog(settings)) as catalog:
        with catalog.read() as session:
            have = session.scalar(select(func.count()).select_from(File)) or 0
        if have >= count:
            return
        start = time.perf_counter()
        _store(catalog, settings, _Made(target), have, count)
        print(f"{count - have:,} files stored in {time.perf_counter() - start:.0f} s", flush=True)
        publish_text(catalog, settings, Silent())
        publish_vectors(catalog, settings, active_encoders(settings, Silent()), Silent())
    print(f"library published in {time.perf_counter() - start:.0f} s", flush=True)


def _store(catalog: Catalog, settings: Settings, made: "_Made", have: int, count: int) -> None:
    with catalog.write() as session:
        root = open_root(session, "/library", "comfyui")
    clouds = [Cloud(encoder, seed) for seed, encoder in enumerate(active_encoders(settings, Silent()).all)]
    files = islice(made.files(), have, count)
    while batch := list(islice(files, 500)):
        with catalog.write() as session:
            stored = store_judged(session, root, batch, 1)
            seen = sorted(stored.versions)[:: int(1 / _SEEN)]
            session.execute(insert(Preview), [_picture(version) for version in seen])
            pictures = sorted(session.scalars(select(Preview.id).where(Preview.version_id.in_(seen))))
            for cloud in clouds:
                rows = cloud.rows(np.array(pictures, np.int64))
                vectors.store_vectors(session, cloud.space(session), pictures, rows)
            refresh_entries(session, stored.versions, architecture_path)


def _picture(version: int) -> dict[str, object]:
    place = f"https://127.0.0.1/library/{version}.png".encode()
    return {
        "version_id": version,
        "source": "civitai",
        "location": place,
        "position": 0,
        "size": 0,
        "mtime_ns": 0,
        "status": "ok",
        "told": True,
    }


class _Made:
    """Judged files, the same for every run."""

    def __init__(self, target: str) -> None:
        self._target = target

    def files(self) -> Iterator[Judged]:
        """All that can be made, in order."""
        chance = random.Random(20_261_124)
        number = 0
        for batch in range(_FIRST, _FIRST + 1_000):
            for document in Batch(batch).documents:
                if self._fits(document) or document.architecture not in SOURCES:
                    continue
                number += 1
                yield self._judged(number, document, chance)

    def _fits(self, document: Document) -> bool:
        return self._target in document.fits

    @cached_property
    def _successors(self) -> list[Document]:
        """Models of the hub that work on the target."""
        documents = (document for number in range(_KNOWN) for document in Batch(number).documents)
        return [document for document in documents if self._fits(document) and document.kind == "lora"]

    def _judged(self, number: int, document: Document, chance: random.Random) -> Judged:
        successor = chance.choice(self._successors) if chance.random() < _SUCCEEDED else None
        links = [successor] if successor else []
        if chance.random() < _LINKED:
            links += chance.choices(self._successors, k=chance.randint(1, 4))
        page = _page(number, document, successor, links)
        claims = [parse_sidecar(".civitai.info", json.dumps(page).encode())]
        found = found_at(f"/library/{number}.safetensors", f"{number}.safetensors", chance.randrange(10**8))
        judged = judge_header(found, _header(document, chance), f"{number:064x}", claims, local=False)
        if not isinstance(judged, Judged):
            raise RuntimeError(f"a made-up file is refused: {judged}")
        return judged


def _page(
    number: int, document: Document, successor: Document | None, links: Sequence[Document]
) -> dict[str, Any]:
    """The answer of Civitai's route for one version, as Civitai Helper keeps it beside the file."""
    told = "".join(f"<p>{line}</p>" for line in document.description.split(". "))
    addresses = [link.sources[0].url for link in links]
    told += "".join(f'<p>See also <a href="{address}">{address}</a></p>' for address in addresses)
    named = successor if successor is not None and number % 2 else document
    return {
        "id": 10_000_000 + number,
        "modelId": 10_000_000 + number,
        "name": document.version,
        "baseModel": document.base_label,
        "trainedWords": list(document.trigger_words),
        "model": {"name": named.name, "type": "LORA", "tags": list(document.tags), "description": told},
        "creator": {"username": (successor or document).creator},
    }


def _header(document: Document, chance: random.Random) -> Header:
    """The header of a LoRA with what kohya writes, now and then of an embedding or a whole model."""
    architecture = document.architecture or ""
    if document.kind == "textual_inversion" and architecture == "sd1":
        return header({"emb_params": (chance.randint(1, 16), 768)})
    source = chance.choice(SOURCES[architecture])
    if document.kind == "checkpoint":
        return header(load_layout(source[0]))
    shapes = _listing(architecture, chance.randrange(_DISTINCT))
    return header(shapes, _trained(document, chance))


@cache
def _listing(architecture: str, number: int) -> Mapping[str, tuple[int, ...]]:
    chance = random.Random(f"{architecture} {number}")
    return factors(chance.choice(SOURCES[architecture]), chance)


def _trained(document: Document, chance: random.Random) -> dict[str, str]:
    tags = {word: chance.randint(1, 200) for text in document.prompts for word in text.split(", ")}
    return {
        "ss_network_module": "networks.lora",
        "ss_output_name": document.name,
        "ss_steps": str(chance.randint(500, 5_000)),
        "ss_num_train_images": str(chance.randint(10, 500)),
        "ss_epoch": "10",
        "ss_resolution": "(1024, 1024)",
        "ss_tag_frequency": json.dumps({"10_data": tags}),
    }
