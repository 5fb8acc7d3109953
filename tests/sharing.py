"""What is dear to make and only read is made once for all test processes of a run."""

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from indexer.demo import DemoModel, DemoReport, write_demo
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings

__all__ = ["demo_index", "demo_report", "made_once", "run_folder"]


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(root: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` below ``root``, filled by ``make`` in the process that needs it first."""
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def demo_report(root: Path) -> DemoReport:
    """The demo library of this run, and what its generator knows of it."""

    def make(folder: Path) -> None:
        report = write_demo(folder / "library")
        (folder / "report.json").write_bytes(orjson.dumps(asdict(report), default=str))

    written = orjson.loads((made_once(root, "shared-demo", make) / "report.json").read_bytes())
    models = tuple(DemoModel(**_frozen(model)) for model in written.pop("models"))
    return DemoReport(**_frozen(written) | {"folder": Path(written["folder"]), "models": models})


def demo_index(root: Path, library: Path) -> Path:
    """A home that holds the indexed demo library. Copy it: who reads may leave marks."""

    def make(folder: Path) -> None:
        index_folders([library], Settings(home=folder / "home", decode_workers=2), Silent())

    return made_once(root, "shared-demo-index", make) / "home"


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in fields.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
