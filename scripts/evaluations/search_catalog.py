"""Catalogs made from a dump by the real import, kept under a folder so that the next run takes seconds."""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.catalog import entries
from indexer.catalog.database import open_catalog
from indexer.importing import import_dumps
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.publish import publish_text
from scripts.evaluations.search_models import versions_of
from scripts.evaluations.search_prompts import Place

__all__ = ["Dump", "code_digest", "filtered", "indexed", "model_ids"]

ROOT = Path(__file__).resolve().parents[2]
_PAGE = re.compile(r"/models/([0-9]+)")
_CATALOG_CODE = ("domain", "data", "parsers", "rules", "catalog", "stages", "importing.py")
_INDEX_CODE = ("indexes", "domain", "data")


@dataclass(frozen=True, slots=True)
class Dump:
    """Items on disk as JSON lines, and the name of what is in them."""

    path: Path
    digest: str


def filtered(
    items: Iterable[dict[str, Any]], left_out: set[Place], folder: Path, *, tags: bool = True
) -> Dump:
    """Write the items less the pictures ``left_out``, and less all tags where ``tags`` is false."""
    digest = hashlib.sha256()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{uuid.uuid4().hex}.fresh"
    with fresh.open("wb") as out:
        for item in items:
            line = json.dumps(_item(item, left_out, tags=tags)).encode("ascii") + b"\n"
            digest.update(line)
            out.write(line)
    name = digest.hexdigest()[:16]
    return Dump(fresh.replace(folder / f"{name}.jsonl"), name)


def _item(item: Mapping[str, Any], left_out: set[Place], *, tags: bool) -> dict[str, Any]:
    versions = [
        {**version, "images": list(_images(item["id"], number, version, left_out))}
        for number, version in enumerate(versions_of(item))
    ]
    hidden: dict[str, Any] = {} if tags else {"tags": []}
    return {**item, **hidden, "modelVersions": versions}


def _images(id_: int, number: int, version: Mapping[str, Any], left_out: set[Place]) -> Iterator[Any]:
    for place, image in enumerate(version.get("images") or ()):
        if (id_, number, place) not in left_out:
            yield image


def code_digest(parts: Sequence[str]) -> str:
    """Digest of our own files below ``indexer`` that decide what a catalog or an index holds."""
    digest = hashlib.sha256()
    for part in parts:
        place = ROOT / "indexer" / part
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in files:
            if path.suffix in (".py", ".toml", ".layout"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def indexed(
    dump: Dump, folder: Path, progress: Progress, more: Mapping[str, Any], *, keep: bool = False
) -> Settings:
    """Settings of a home in ``folder`` whose catalog and text index hold the dump; ``more`` names the engine.

    Made anew when the dump or our code changed; with ``keep`` only when the dump did.
    """
    settings = Settings(home=folder / "home", show_adult=True, show_people=True, **more)
    stamp = folder / "made-of.json"
    wanted = {"dump": dump.digest, "catalog": code_digest(_CATALOG_CODE), "index": code_digest(_INDEX_CODE)}
    made = json.loads(stamp.read_bytes()) if stamp.is_file() else {}
    if made == wanted or (keep and made.get("dump") == dump.digest):
        return settings
    if any(made.get(part) != wanted[part] for part in ("dump", "catalog")):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        import_dumps([dump.path], settings, progress)
    else:
        with closing(open_catalog(settings)) as catalog:
            publish_text(catalog, settings, progress, afresh=True)
    stamp.write_text(json.dumps(wanted), "utf-8")
    return settings


def model_ids(settings: Settings) -> dict[int, int]:
    """Entry id to the id that the dump gives the model."""
    found, after = {}, 0
    with closing(open_catalog(settings)) as catalog, catalog.read() as session:
        while page := entries.changed_entries(session, after):
            after = page[-1][0]
            for _, entry, document in page:
                for source in document.sources if document else ():
                    if source.url and (match := _PAGE.search(source.url)):
                        found[entry] = int(match[1])
    return found
