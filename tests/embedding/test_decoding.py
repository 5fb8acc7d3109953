"""Decoding of previews: right pixels from good files, one code from bad ones, and a parent that lives."""

import io
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.embedding.decoder_protocol import ProtocolError, limits_from_json, limits_to_json, read_frame
from indexer.embedding.decoding import CODES, Decoded, DecodeLimits, PreviewDecoder
from indexer.errors import BadFileError, TemporaryError
from tests.clocks import slowness

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/style-previews/img"


@pytest.fixture(scope="module")
def decoder() -> Iterator[PreviewDecoder]:
    with PreviewDecoder() as shared:
        yield shared


def picture(
    mode: str = "RGB", size: tuple[int, int] = (60, 40), form: str = "PNG", **options: object
) -> bytes:
    """A left-red, right-blue picture."""
    image = Image.new("RGB", size, (220, 30, 20))
    image.paste((10, 20, 200), (size[0] // 2, 0, *size))
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def code_of(decoder: PreviewDecoder, source: Path | bytes) -> str:
    with pytest.raises((BadFileError, TemporaryError)) as caught:
        decoder.decode(source)
    assert caught.value.code in CODES
    return caught.value.code


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_each_allowed_format_gives_its_pixels(decoder: PreviewDecoder, form: str) -> None:
    got = decoder.decode(picture(form=form))
    assert (got.width, got.height, got.container) == (60, 40, form.lower())
    assert got.rgb.shape == (40, 60, 3)
    assert np.abs(got.rgb[20, 10].astype(int) - (220, 30, 20)).max() < 12
    assert np.abs(got.rgb[20, 50].astype(int) - (10, 20, 200)).max() < 12


def test_large_images_are_reduced_and_keep_their_proportions(decoder: PreviewDecoder, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(picture(size=(3000, 1500), form="JPEG"))
    got = decoder.decode(path)
    assert got.rgb.shape == (256, 512, 3)
    assert (got.width, got.height) == (3000, 1500)


def test_the_type_is_read_from_the_content_not_the_name(decoder: PreviewDecoder, tmp_path: Path) -> None:
    path = tmp_path / "it is a jpeg.png"
    path.write_bytes(picture(form="JPEG"))
    assert decoder.decode(path).container == "jpeg"


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA"])
def test_odd_modes_become_rgb(decoder: PreviewDecoder, mode: str) -> None:
    got = decoder.decode(picture(mode))
    assert got.rgb.shape == (40, 60, 3)
    assert got.rgb.max() > 0


def test_sixteen_bit_grey_keeps_its_brightness(decoder: PreviewDecoder) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), 32768, np.uint16)).save(buffer, "PNG")
    assert abs(int(decoder.decode(buffer.getvalue()).rgb[0, 0, 0]) - 128) <= 1


def test_cmyk_jpeg_is_decoded(decoder: PreviewDecoder) -> None:
    assert decoder.decode(picture("CMYK", form="JPEG")).rgb[20, 10, 0] > 150


def test_transparency_shows_white(decoder: PreviewDecoder) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(buffer, "PNG")
    assert decoder.decode(buffer.getvalue()).rgb.min() == 255


def test_exif_orientation_turns_the_pixels(decoder: PreviewDecoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned a quarter clockwise: the left half comes on top
    got = decoder.decode(picture(form="JPEG", exif=exif))
    assert got.rgb.shape == (60, 40, 3)
    assert got.rgb[10, 20, 0] > 200
    assert got.rgb[50, 20, 2] > 180


def test_only_the_first_frame_of_an_animation_counts(decoder: PreviewDecoder) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "lime")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert tuple(decoder.decode(buffer.getvalue()).rgb[5, 5]) == (255, 0, 0)


def test_the_dominant_colour_is_the_most_frequent(decoder: PreviewDecoder) -> None:
    image = Image.new("RGB", (100, 100), (200, 40, 40))
    image.paste((20, 20, 220), (0, 0, 100, 25))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    red, green, blue = bytes.fromhex(decoder.decode(buffer.getvalue()).colour[1:])
    assert red > 180 and green < 60 and blue < 60


def test_the_thumbnail_is_made_anew_without_metadata_or_tail(decoder: PreviewDecoder) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at SECRETPLACE"
    got = decoder.decode(
        picture(form="JPEG", exif=exif, comment=b"SECRETCOMMENT") + b"PK\x03\x04<html>SECRETTAIL"
    )
    assert b"SECRET" not in got.thumbnail
    with Image.open(io.BytesIO(got.thumbnail)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (60, 40), {})


def test_png_text_and_profile_bombs_do_not_cost_the_picture(decoder: PreviewDecoder) -> None:
    plain = picture()
    bomb = zlib.compress(bytes(80_000_000), 9)
    extra = chunk(b"iCCP", b"p\0\0" + bomb) + chunk(b"zTXt", b"k\0\0" + bomb)
    extra += b"".join(chunk(b"tEXt", b"k\0v") for _ in range(20_000))
    assert decoder.decode(plain[:33] + extra + plain[33:]).rgb.shape == (40, 60, 3)


def test_a_wrong_checksum_in_a_text_chunk_does_not_cost_the_picture(decoder: PreviewDecoder) -> None:
    plain = picture()
    wrong = chunk(b"tEXt", b"k\0v")[:-4] + b"\0\0\0\0"
    assert decoder.decode(plain[:33] + wrong + plain[33:]).width == 60


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


BAD = {
    "empty": (b"", "too_short"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type"),
    "html": (b"<!doctype html><script>1</script>", "type"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "type"),
    "mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "type"),
    "bitmap": (picture(form="BMP"), "type"),
    "tiff": (picture(form="TIFF"), "type"),
    "2.5 Gpixel": (png_claiming(50_000, 50_000), "pixels"),
    "2^31 a side": (png_claiming(2**31 - 1, 2**31 - 1), "pixels"),
    "GIF of 65535^2": (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x00\x3b", "pixels"),
    "cut PNG": (picture()[:90], "image_broken"),
    "cut JPEG": (picture(size=(300, 300), form="JPEG")[:1200], "image_broken"),
    "PNG signature": (b"\x89PNG\r\n\x1a\n", "image_broken"),
    "JPEG start": (b"\xff\xd8", "image_broken"),
    "chunk of 2^31": (picture()[:33] + b"\x80\0\0\0tEXt", "image_broken"),
    "zero width": (png_claiming(0, 5), "image_broken"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_content_gets_its_code_and_the_next_file_is_fine(decoder: PreviewDecoder, name: str) -> None:
    content, code = BAD[name]
    assert code_of(decoder, content) == code
    assert decoder.decode(picture()).width == 60


def test_dimensions_of_a_bomb_are_named(decoder: PreviewDecoder) -> None:
    with pytest.raises(BadFileError, match="50000 x 50000"):
        decoder.decode(png_claiming(50_000, 50_000))


def test_odd_files_are_refused_without_blocking(decoder: PreviewDecoder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket.png"))
    for path in (tmp_path, tmp_path / "pipe.png", Path(os.devnull)):
        assert code_of(decoder, path) == "not_regular_file"
    assert code_of(decoder, tmp_path / "socket.png") == "unreadable"
    assert code_of(decoder, tmp_path / "nowhere.png") == "missing"
    listener.close()


def test_a_file_over_the_size_limit_is_not_read(decoder: PreviewDecoder, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as stream:
        stream.truncate(300_000_000)
    assert code_of(decoder, path) == "image_size"


def test_names_that_are_not_utf8_are_read(decoder: PreviewDecoder, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n'-.png"))
    path.write_bytes(picture())
    assert decoder.decode(path).width == 60


def test_memory_is_the_workers_own() -> None:
    with PreviewDecoder(limits=DecodeLimits(memory_bytes=300_000_000)) as small:
        image = io.BytesIO()
        Image.new("L", (7900, 7900)).convert("P").save(image, "PNG")
        assert code_of(small, image.getvalue()) == "memory"
        assert small.decode(picture()).width == 60


def fake_worker(tmp_path: Path, body: str) -> tuple[str, ...]:
    script = tmp_path / "worker.py"
    script.write_text("import os, sys, time, struct\nsys.stdin.buffer.read(5)\n" + body, encoding="utf-8")
    return (sys.executable, str(script))


MISBEHAVIOUR = {
    "dies of a signal": ("os.kill(os.getpid(), 11)", "decoder_crash"),
    "exits": ("sys.exit(3)", "decoder_crash"),
    "claims a frame of 4 GB": ("os.write(1, b'\\xff' * 4); time.sleep(60)", "decoder_crash"),
    "writes what is not JSON": ("os.write(1, struct.pack('<I', 2) + b'no'); time.sleep(60)", "decoder_crash"),
    "writes JSON of another shape": (
        "os.write(1, struct.pack('<I', 2) + b'[]'); time.sleep(60)",
        "decoder_crash",
    ),
    "lies about the size": (
        'f = b\'{"rows": 9, "columns": 9, "width": 9, "height": 9}\'\n'
        "os.write(1, struct.pack('<I', len(f)) + f + struct.pack('<I', 3) + b'abc' + bytes(12)); time.sleep(60)",
        "decoder_crash",
    ),
    "hangs": ("time.sleep(60)", "timeout"),
    "stops in mid-frame": ("os.write(1, struct.pack('<I', 9) + b'{'); time.sleep(60)", "timeout"),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_misbehaving_worker_costs_one_file_and_little_time(tmp_path: Path, name: str) -> None:
    body, code = MISBEHAVIOUR[name]
    # A worker that will not answer is not waited for; one that does may be slow to start on a busy machine.
    limits = DecodeLimits(seconds=1.0 if code == "timeout" else 30.0)
    started = time.monotonic()
    with PreviewDecoder(limits=limits, command=fake_worker(tmp_path, body)) as decoder:
        assert code_of(decoder, b"anything") == code
    assert time.monotonic() - started < 5 * slowness()


def test_a_worker_killed_from_outside_is_replaced_and_the_file_tried_again(decoder: PreviewDecoder) -> None:
    decoder.decode(picture())
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    workers = [int(line.split()[0]) for line in found.stdout.splitlines() if "decoder_worker" in line]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    assert decoder.decode(picture()).width == 60


def test_batches_keep_their_order_with_bad_ones_in_between(tmp_path: Path) -> None:
    sources: list[Path | bytes] = []
    for number in range(40):
        sources.append(BAD["cut PNG"][0] if number % 7 == 3 else picture(size=(20 + number, 30)))
    with PreviewDecoder(workers=2) as pair:
        for position, outcome in pair.decode_many(iter(sources)):
            if position % 7 == 3:
                assert isinstance(outcome, BadFileError) and outcome.code == "image_broken"
            else:
                assert isinstance(outcome, Decoded) and outcome.width == 20 + position
    assert position == 39


def test_many_threads_share_one_decoder() -> None:
    widths: list[int] = []
    with PreviewDecoder(workers=2) as pair:
        jobs = [
            threading.Thread(target=lambda: widths.append(pair.decode(picture()).width)) for _ in range(12)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert widths == [60] * 12


def test_workers_end_with_the_decoder_and_hold_no_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    body = "open(sys.argv[0] + '.env', 'w').write(repr(dict(os.environ)))"
    with PreviewDecoder(command=fake_worker(tmp_path, body)) as decoder:
        assert code_of(decoder, b"x") == "decoder_crash"
    written = (tmp_path / "worker.py.env").read_text(encoding="utf-8")
    assert "hf_planted" not in written


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_mutated_images_never_hurt_the_parent(decoder: PreviewDecoder, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "AVIF"]))
    content = bytearray(picture(form=form))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decoder.decode(bytes(content)).rgb.dtype == np.uint8
    except BadFileError as error:
        assert error.code in {"type", "image_broken", "pixels", "memory"}


def test_limits_travel_as_json() -> None:
    limits = DecodeLimits(pixels=5, seconds=0.5)
    assert limits_from_json(limits_to_json(limits)) == limits


def test_frames_are_bounded() -> None:
    with pytest.raises(ProtocolError, match="allowed"):
        read_frame(io.BytesIO(b"\x05\0\0\0hello"), 4)
    assert read_frame(io.BytesIO(b"\x05\0\0\0hello"), 5) == b"hello"


def test_decoding_loads_no_torch() -> None:
    code = (
        "import sys, indexer.embedding.decoding as _; assert not {'torch', 'PIL', 'faiss'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.shared
def test_real_previews_decode(decoder: PreviewDecoder) -> None:
    if not SHARED.is_dir():
        pytest.skip("no development cases beside the checkout")
    paths = sorted(SHARED.iterdir())[:40]
    for _, outcome in decoder.decode_many(paths):
        assert isinstance(outcome, Decoded)
        assert outcome.thumbnail[8:12] == b"WEBP"
