"""What a handed-in picture says of how it was made, held against the demo library."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from indexer.settings import Settings
from search.picture import made_with
from search.service import Pinakes


def picture(path: Path, text: str) -> bytes:
    info = PngInfo()
    info.add_text("parameters", text)
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)
    return path.read_bytes()


def test_models_are_found_by_name_and_counted(demo_home: Settings, tmp_path: Path) -> None:
    text = "a boat <lora:wetpaper_watercolour_xl:0.7> <lora:never_seen:1>\nSteps: 9, Model: atlasXL_v1"
    with Pinakes(demo_home) as pinakes:
        made = made_with(pinakes, picture(tmp_path / "a.png", text))
        assert made is not None and made.have == 2
        told = {one["name"]: one for one in made.models}
        assert told["wetpaper_watercolour_xl"]["title"] == "Wet Paper Watercolour"
        assert (told["wetpaper_watercolour_xl"]["weight"], told["atlasXL_v1"]["here"]) == (0.7, True)
        assert (told["never_seen"]["id"], told["never_seen"]["here"]) == (None, False)
        answer = made.to_json()
        assert (answer["have"], answer["of"], answer["steps"]) == (2, 3, 9)
        assert json.loads(json.dumps(answer)) == answer


def test_a_hash_is_surer_than_a_name(demo_home: Settings, tmp_path: Path) -> None:
    with Pinakes(demo_home) as pinakes:
        (hit, *_) = pinakes.search("has:sha256 type:lora").hits
        sha256 = next(file.sha256 for file in hit.document.files if file.sha256)
        text = f"x\nSteps: 1, Model hash: {sha256[:10]}, Model: another name"
        made = made_with(pinakes, picture(tmp_path / "a.png", text))
        assert made is not None
        assert [(one["id"], one["sure"]) for one in made.models] == [(hit.document.id, True)]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\xff" * 500])
def test_what_says_nothing_is_none(demo_home: Settings, content: bytes) -> None:
    with Pinakes(demo_home) as pinakes:
        assert made_with(pinakes, content) is None
