"""Which index of a server is searched, and which is written: a new one is built aside and then swapped in.

The index that is searched is called NAME, one under construction NAME-next. When an index was made is its
generation: it moves with the index when two are swapped, and a lost or emptied server has another.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from indexer.indexes.text_meilisearch_server import Refused, Server
from indexer.indexes.text_meilisearch_settings import index_settings, is_same

__all__ = ["Place"]


class Place:
    """The index called ``name`` at a server, and the one that may be under construction beside it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.searched = name
        self._aside = f"{name}-next"
        self._written: str | None = None

    @property
    def written(self) -> str:
        """Name of the index to write: made when there is none, aside when the live one is set otherwise."""
        if self._written is None:
            self.server.check_version()
            self._written = self._choose()
        return self._written

    @property
    def generation(self) -> str:
        """When the index that is written was made."""
        return str(self._made(self.written))

    def found(self) -> tuple[str | None, bool]:
        """See ``MeilisearchIndex.found``."""
        self.server.check_version()
        made = self._made(self.searched)
        return made, made is not None and self._fits(self.searched)

    def start_anew(self) -> None:
        """Begin an empty index; the one that is searched stays until ``complete``."""
        self.server.check_version()
        self._drop(self._aside)
        self._written = self._aside if self._info(self.searched) else self.searched
        self._make(self._written)

    def complete(self) -> None:
        """All documents are in: what was built aside takes the place of what is searched."""
        if self.written != self._aside:
            return
        pair = [{"indexes": [self.searched, self._aside]}]
        swap = self.server.post("swap-indexes", pair, once=True)  # twice would undo it
        drop = self.server.delete(f"indexes/{self._aside}")  # queued behind the swap, so it drops the old one
        self.server.wait(swap)
        self.server.wait(drop)
        self._written = self.searched

    def drop(self) -> None:
        """Take both indexes off the server."""
        for uid in (self._aside, self.searched):
            self._drop(uid)
        self._written = None

    def _choose(self) -> str:
        live, aside = self._info(self.searched), self._info(self._aside)
        # An index under construction is younger than the live one; an older one was swapped out.
        if aside and (not live or _moment(aside) < _moment(live) or not self._fits(self._aside)):
            self._drop(self._aside)
            aside = None
        if aside:
            return self._aside
        if live and self._fits(self.searched):
            return self.searched
        chosen = self._aside if live else self.searched
        self._make(chosen)
        return chosen

    def _info(self, uid: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self.server.get(f"indexes/{uid}")
        except Refused as error:
            if error.code != "index_not_found":
                raise
            return None
        return found

    def _made(self, uid: str) -> str | None:
        found = self._info(uid)
        return None if found is None else str(found["createdAt"])

    def _fits(self, uid: str) -> bool:
        return is_same(index_settings(), self.server.get(f"indexes/{uid}/settings"))

    def _make(self, uid: str) -> None:
        try:
            self.server.wait(self.server.post("indexes", {"uid": uid, "primaryKey": "id"}))
        except Refused as error:
            if error.code != "index_already_exists":  # the request was sent twice, or somebody else was first
                raise
        self.server.wait(self.server.patch(f"indexes/{uid}/settings", index_settings()))

    def _drop(self, uid: str) -> None:
        if self._info(uid) is not None:
            self.server.wait(self.server.delete(f"indexes/{uid}"))


def _moment(info: Mapping[str, Any]) -> tuple[datetime, str]:
    """When an index was made. Python reads six digits of a second, Meilisearch writes nine."""
    made = str(info["createdAt"]).rstrip("Z")
    whole, _, part = made.partition(".")
    return datetime.fromisoformat(whole), part.ljust(9, "0")
