"""Real images and crafted ones of the development cases."""

import io
import json
import tarfile
from functools import cache
from pathlib import Path

import pytest

from indexer.parsers.image_file import parse_image

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
IMAGES, ARCHIVE = SHARED / "image-parameters", SHARED / "hostile.tar.xz"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not IMAGES.exists(), reason="development cases are not here"),
]

# Videos are no images to us, whatever their case asks of a reader of videos.
OTHERS = (".mp4", ".webm", ".svg")
LEAST_READ = 350


@cache
def crafted() -> dict[str, tuple[str, bytes]]:
    """Name -> (expected verdict, content)."""
    found: dict[str, bytes] = {}
    expected: dict[str, dict[str, str]] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if name == "index.json" or name.startswith("crafted-images/"):
                handle = archive.extractfile(member)
                data = handle.read() if handle else b""
                if name == "index.json":
                    expected = json.load(io.BytesIO(data))["crafted-images"]
                else:
                    found[name.removeprefix("crafted-images/")] = data
    return {name: (row["expect"], found[name]) for name, row in expected.items() if not name.endswith(OTHERS)}


def test_every_image_is_read_and_nearly_all_of_them_whole() -> None:
    from scripts.evaluations.parameters import evaluate

    outcomes = [outcome for outcome in evaluate(IMAGES) if outcome.said.any]
    whole = [outcome for outcome in outcomes if not outcome.missed]
    assert len(whole) >= LEAST_READ, [outcome.name for outcome in outcomes if outcome.missed]


def test_crafted_images(tmp_path: Path) -> None:
    wrong = {}
    for name, (expected, data) in crafted().items():
        path = tmp_path / name
        path.write_bytes(data)
        read = parse_image(path)
        told = (*read.warnings, *(read.generation.warnings if read.generation else ()))
        verdict = "quarantine" if read.reason else "accept+warn" if told else "accept"
        if verdict != expected:
            wrong[name] = verdict, expected
    assert wrong == {}
