"""One BLAS thread while many small matrices are multiplied by several threads of ours.

OpenBLAS, which numpy brings along, spreads every product over all cores and lets them wait for each other in
a loop: for factors of adapters that costs up to half of the time (``scripts/bench adapters``). numpy has no
switch for it, and the environment variable is read before any of our code runs, so OpenBLAS's own function
is called.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["one_blas_thread"]

_ENDS = ("64_", "")
_STARTS = ("scipy_openblas", "openblas")


@cache
def _switches() -> tuple[Any, Any] | None:
    """Functions that tell and set the number of threads; None for another BLAS, which is left alone."""
    folder = Path(np.__file__).resolve().parent
    for place in (folder.parent / "numpy.libs", folder / ".dylibs"):
        for path in sorted(place.glob("*openblas*")):
            library = ctypes.CDLL(str(path))  # loaded already: this only takes a handle
            for start, end in ((start, end) for start in _STARTS for end in _ENDS):
                if hasattr(library, f"{start}_set_num_threads{end}"):
                    tell = getattr(library, f"{start}_get_num_threads{end}")
                    return tell, getattr(library, f"{start}_set_num_threads{end}")
    return None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """While it lasts, products of numpy run on the thread that asks for them, in the whole process."""
    switches = _switches()
    if switches is None:
        yield
        return
    tell, change = switches
    before = int(tell())
    change(1)
    try:
        yield
    finally:
        change(before)
