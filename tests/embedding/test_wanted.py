"""What workers make of pictures beside pixels: the same as the encoders in this process."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.embedding.decoder_protocol import wanted_from_json, wanted_to_json
from indexer.embedding.decoding import Decoded, DecodeLimits, PreviewDecoder, Request, View, Wanted
from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.semantic import OpenClipEncoder
from indexer.errors import BadFileError
from tests.embedding.drawing import draw
from tests.embedding.test_decoding import fake_worker
from tests.embedding.tiny_clip import TINY, register, write_weights

SIZES = {name: encoder.identity.dimension for name, encoder in DESCRIPTORS.items()}


@pytest.fixture(scope="module")
def decoder() -> Iterator[PreviewDecoder]:
    with PreviewDecoder() as opened:
        yield opened


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_descriptors_are_those_of_this_process(decoder: PreviewDecoder) -> None:
    picture = draw("disc", "oil")
    got = decoder.decode(png(picture), Wanted(pixels=False, thumbnail=False, descriptors=SIZES))
    assert (got.rgb.size, got.thumbnail, got.view) == (0, b"", None)
    for name, encoder in DESCRIPTORS.items():
        np.testing.assert_allclose(got.vectors[name], encoder.encode([picture])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (97, 51), (512, 333)])
def test_any_shape_has_descriptors_and_a_view(decoder: PreviewDecoder, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    got = decoder.decode(png(picture), Wanted(view=View(32), descriptors=SIZES))
    assert got.view is not None and got.view.shape == (32, 32, 3)
    assert {name: len(row) for name, row in got.vectors.items()} == SIZES


@pytest.mark.parametrize("shape", [(64, 64), (90, 61), (61, 90), (20, 33), (500, 37)])
def test_a_view_is_what_open_clip_would_see(
    decoder: PreviewDecoder, tmp_path: Path, shape: tuple[int, int]
) -> None:
    weights = write_weights(register(tmp_path), tmp_path / "weights.safetensors")
    encoder = OpenClipEncoder(TINY, weights, device="cpu")
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    got = decoder.decode(png(picture), Wanted(view=encoder.view))
    assert got.view is not None
    parts = encoder.load()
    transformed = parts.tower.see(parts.preprocess(Image.fromarray(picture))[None])
    expected = parts.tower.joined([transformed])
    np.testing.assert_allclose(encoder.encode_views([got.view]), expected, atol=1e-3)
    np.testing.assert_allclose(encoder.encode([picture]), expected, atol=1e-3)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(832, 1216), (512, 768), (300, 240), (20, 33)])
def test_a_view_alone_is_the_view_beside_everything_else(
    decoder: PreviewDecoder, container: str, size: tuple[int, int]
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw("disc", "oil", side=400)).resize(size).save(buffer, container, quality=90)
    alone = decoder.decode(buffer.getvalue(), Wanted(False, False, View(224), colour=False))
    beside = decoder.decode(buffer.getvalue(), Wanted(view=View(224)))
    assert alone.view is not None and beside.view is not None
    assert (alone.width, alone.height, alone.colour) == (*size, "")
    assert np.abs(alone.view.astype(int) - beside.view).mean() < 2.5


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_view_alone_of_other_colours_and_turned_pictures(decoder: PreviewDecoder, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(draw("horizon", "flat")).convert(mode).save(buffer, "JPEG", exif=exif)
    alone = decoder.decode(buffer.getvalue(), Wanted(False, False, View(32), colour=False))
    beside = decoder.decode(buffer.getvalue(), Wanted(view=View(32)))
    assert alone.view is not None and beside.view is not None
    np.testing.assert_array_equal(alone.view, beside.view)


def test_wishes_differ_from_picture_to_picture(decoder: PreviewDecoder) -> None:
    content = png(draw("bars", "ink"))
    wishes = [
        Wanted(),
        Wanted(pixels=False),
        Wanted(view=View(16, "squash", "bilinear")),
        Wanted(descriptors=SIZES),
    ]
    asked = [Request(content, wanted) for wanted in wishes]
    got = [outcome for _, outcome in decoder.decode_many(asked) if isinstance(outcome, Decoded)]
    assert [bool(o.rgb.size) for o in got] == [True, False, True, True]
    assert [o.view is not None for o in got] == [False, False, True, False]
    assert [len(o.vectors) for o in got] == [0, 0, 0, 2]


def test_wishes_travel_as_json() -> None:
    wanted = Wanted(False, True, View(224, "squash"), {"style": 7})
    assert wanted_from_json(wanted_to_json(wanted)) == wanted


@pytest.mark.parametrize("vector", ["struct.pack('<f', float('nan'))", "b'abc'", "bytes(8)"])
def test_a_worker_that_lies_about_vectors_is_not_believed(tmp_path: Path, vector: str) -> None:
    body = (
        'f = b\'{"rows": 1, "columns": 1, "width": 1, "height": 1}\'\n'
        f"v = {vector}\nw = lambda b: os.write(1, struct.pack('<I', len(b)) + b)\n"
        "w(f); w(bytes(3)); w(b''); w(b''); w(v); time.sleep(60)"
    )
    limits = DecodeLimits(seconds=2.0)
    with (
        PreviewDecoder(limits=limits, command=fake_worker(tmp_path, body)) as lying,
        pytest.raises(BadFileError) as caught,
    ):
        lying.decode(b"x", Wanted(descriptors={"style": 1}))
    assert caught.value.code == "decoder_crash"
