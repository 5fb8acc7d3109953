"""Holding Python's cycle collector back while one file is worked on."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection within the block; may be nested.

    A header is thousands of fresh dictionaries and lists. They would set off the collector again and again,
    and none of them is garbage until the file is done with; then they go without its help.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
