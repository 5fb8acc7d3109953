"""``pinakes demo``: a small synthetic library to try everything on, and the truth about each of its files.

Layouts, shapes and sizes are real, contents are not: weights are holes, previews are drawn by program in
about twenty styles over eight subjects, names and creators are invented.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.demo.report import DemoModel, DemoReport

if TYPE_CHECKING:
    from indexer.demo.library import Watcher

__all__ = ["DemoModel", "DemoReport", "write_demo"]


def write_demo(folder: Path, *, progress: "Watcher | None" = None, seed: int = 7) -> DemoReport:
    """See ``indexer.demo.library.write_demo``; numpy and Pillow load only now."""
    from indexer.demo import library

    return library.write_demo(folder, progress=progress, seed=seed)
