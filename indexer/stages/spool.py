"""Pages that were read ahead of their storing, kept on disk: a killed crawl asks for none of them again.

Nothing but a saving: a page that is missing, broken or old is asked for anew.
"""

import hashlib
import os
import shutil
import time
from pathlib import Path

import orjson

from indexer.sources.pages import Page

__all__ = ["Spool"]

_FRESH = 3_600.0  # seconds; an older page may have been overtaken by what was stored since


class Spool:
    """The pages read ahead of one crawl, in a folder of their own below ``home``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, cursor: str | None) -> Page | None:
        """The page at ``cursor``, when it was read within the last hour."""
        path = self._path(cursor)
        try:
            if time.time() - path.stat().st_mtime > _FRESH:
                return None
            kept = orjson.loads(path.read_bytes())
            return Page(kept["items"], kept["next"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, cursor: str | None, page: Page) -> None:
        """Keep a page; where the disk refuses, storing it will say so."""
        path = self._path(cursor)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(orjson.dumps({"items": page.items, "next": page.next_cursor}))
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)

    def drop(self, cursor: str | None) -> None:
        """This page is stored now."""
        self._path(cursor).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all pages."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, cursor: str | None) -> Path:
        return self._folder / f"{hashlib.sha256((cursor or '').encode()).hexdigest()[:32]}.json"
