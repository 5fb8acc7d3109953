"""What takes an index long to tell, and hardly changes, is gathered ahead, in the background."""

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Ahead"]

_LARGE = 50_000
"""An index of fewer entries is asked each time."""

_GROWN = 1.1
"""What was gathered serves until the index has grown by this, or has shrunk."""


class Ahead:
    """Calls ``gather`` with a searcher, in a thread of its own. Many threads may share it."""

    def __init__(self, gather: Callable[[Any], None]) -> None:
        self._gather = gather
        self._lock = threading.Lock()
        self._documents = 0

    def is_large(self, searcher: Any) -> bool:
        """Whether an index is large enough for anything to be gathered."""
        return int(searcher.num_docs) >= _LARGE

    def begin(self, searcher: Any) -> bool:
        """Begin to gather of a large index, unless that was done; answers whether it was begun now."""
        documents = int(searcher.num_docs)
        with self._lock:
            stale = not self._documents <= documents <= self._documents * _GROWN
            if stale:
                self._documents = documents
        if stale:
            threading.Thread(target=self._gather, args=(searcher,), daemon=True).start()
        return stale
