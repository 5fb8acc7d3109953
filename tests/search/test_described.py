"""Words that pictures answer: the tests' tiny CLIP has random weights, so order is held against its cosines."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.decoding import PreviewDecoder
from indexer.embedding.semantic import OpenClipEncoder
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.ranking import load_weights
from search.service import Pinakes
from tests.embedding.tiny_clip import TINY, register, write_weights
from tests.models import write_library

COUNT = 40
WORDS = "harbour"  # in no name of the library
Library = tuple[Path, Settings]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Forty models, each with a picture of its own colour, indexed with the tiny CLIP."""
    place = tmp_path_factory.mktemp("described")
    weights = write_weights(register(place), place / "weights.safetensors")
    folder = write_library(place / "models", COUNT)
    settings = Settings(home=place / "home", decode_workers=1, clip_model=TINY, clip_pretrained=str(weights))
    index_folders([folder], settings, Silent())
    return folder, settings


@pytest.fixture(scope="module")
def pinakes(library: Library) -> Iterator[Pinakes]:
    with Pinakes(library[1]) as opened:
        yield opened


def cosines(library: Library, words: str) -> dict[str, float]:
    """Name of a model to the cosine of its picture with ``words``, by the encoder alone."""
    folder, settings = library
    encoder = OpenClipEncoder(TINY, settings.clip_pretrained or "", device="cpu")
    paths = sorted(folder.rglob("*.png"))
    with PreviewDecoder() as decoder:
        seen = encoder.encode([decoder.decode(path).rgb for path in paths])
    scores = seen @ encoder.encode_text([words])[0]
    return {f"model {int(path.stem[-3:])}": float(s) for path, s in zip(paths, scores, strict=True)}


def test_a_word_that_nothing_is_called_finds_pictures(library: Library, pinakes: Pinakes) -> None:
    answer = pinakes.search(WORDS, limit=200)
    expected = cosines(library, WORDS)
    found = [hit.document.name for hit in answer.hits]
    values = [hit.score.signals["semantic"] for hit in answer.hits]
    assert all(hit.score.signals["text"][0] == 0.0 for hit in answer.hits)
    assert all(value >= load_weights().numbers["seen_alone"] for value, _ in values)
    assert {weight for _, weight in values} <= {load_weights().numbers["described"]}
    assert answer.total == len(answer.hits) < COUNT
    best = sorted(expected, key=lambda name: -expected[name])
    assert {round(expected[n], 2) for n in found} == {round(expected[n], 2) for n in best[: len(found)]}


def test_words_that_match_are_ranked_by_what_pictures_show(library: Library, pinakes: Pinakes) -> None:
    answer = pinakes.search("model", limit=200)
    assert answer.total == COUNT
    expected = cosines(library, "model")
    pairs = [(expected[hit.document.name], hit.score.signals["semantic"][0]) for hit in answer.hits]
    by_cosine = [value for _, value in sorted(pairs)]
    assert np.all(np.diff(by_cosine) >= -0.02), "vectors are kept in 16 bits"
    assert max(by_cosine) > min(by_cosine)


def test_totals_facets_and_pages_count_what_only_pictures_brought(pinakes: Pinakes) -> None:
    whole = pinakes.search(WORDS, limit=200)
    assert sum(whole.facets["type"].values()) == whole.total
    one = [pinakes.search(WORDS, limit=1, offset=place) for place in range(whole.total)]
    assert [page.hits[0].document.id for page in one] == [hit.document.id for hit in whole.hits]


def test_filters_hold_for_pictures_too(pinakes: Pinakes) -> None:
    assert pinakes.search(f"{WORDS} type:vae").total == 0
    assert pinakes.search(f"{WORDS} type:lora").total == pinakes.search(WORDS).total


def test_a_picture_and_words_count_both(library: Library, pinakes: Pinakes) -> None:
    picture = next(library[0].rglob("model007.png"))
    alone = pinakes.search("", image=picture, limit=200)
    assert alone.hits[0].document.name == "model 7"
    both = pinakes.search(WORDS, image=picture, limit=200)
    words = {hit.document.name: hit.score.signals["semantic"][0] for hit in both.hits}
    assert both.total == COUNT, "words exclude nobody"
    assert words["model 7"] >= 0.5


def test_an_order_of_ones_own_leaves_pictures_out(pinakes: Pinakes) -> None:
    assert pinakes.search(WORDS, sort="newest").total == 0


def test_without_weights_words_mean_words(library: Library) -> None:
    plain = library[1].model_copy(update={"clip_pretrained": None})
    with Pinakes(plain) as opened:
        assert opened.search(WORDS).total == 0
        assert "semantic" not in opened.search("model").hits[0].score.signals
