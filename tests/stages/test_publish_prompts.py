"""Publishing a library whose previews carry prompts: what they explain is learned, kept and taken out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from indexer.embedding.style_space import StyleSpace
from indexer.embedding.style_store import load_style_space
from indexer.indexes.vector_manifest import read_manifest
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.embedding.drawing import STYLES, SUBJECTS, draw
from tests.models import write_safetensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of each style, twice, with a picture of each subject that says its subject."""
    folder = tmp_path_factory.mktemp("prompted")
    for seed, style in enumerate([*STYLES, *STYLES]):
        model = write_safetensors(
            folder / f"{style}{seed}.safetensors", metadata={"ss_output_name": f"{style} {seed}"}
        )
        for number, subject in enumerate(SUBJECTS):
            said = PngInfo()
            said.add_text("parameters", f"a {subject}, masterpiece\nSteps: 20, Seed: {seed}")
            name = f"{model.stem}.{number}.png" if number else f"{model.stem}.png"
            Image.fromarray(draw(subject, style, seed)).save(folder / name, pnginfo=said)
    return folder


def fitted(settings: Settings) -> StyleSpace:
    key = read_manifest(settings.vector_folder / "style").identity
    return load_style_space(settings.style_space_file(key))


def test_words_of_what_pictures_show_are_learned(folder: Path, settings: Settings) -> None:
    report = index_folders([folder], settings, Silent())
    assert report.pictures.embedded == len(STYLES) * 2 * len(SUBJECTS)
    assert set(fitted(settings).told.words.tolist()) <= {word for s in SUBJECTS for word in s.split()}
    assert len(fitted(settings).told.words)


def test_without_prompts_nothing_is_learned_and_the_setting_fits_anew(
    folder: Path, settings: Settings
) -> None:
    index_folders([folder], settings, Silent())
    other = settings.model_copy(update={"style_prompts": False})
    index_folders([folder], other, Silent())
    assert not len(fitted(other).told.words)
    assert np.isfinite(fitted(other).reference).all()
