"""Texts are found in every container, and no file makes their reading long, large or a crash."""

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import BadFileError
from indexer.parsers.image_chunks import Collected
from indexer.parsers.image_text import read_texts
from tests.clocks import in_time
from tests.parsers import image_files as make

PROMPT = "a harbour, 水彩画, naïve"
PNG = make.png()


def read(tmp_path: Path, data: bytes, name: str = "image.bin") -> tuple[str, dict[str, str], Collected]:
    path = tmp_path / name
    path.write_bytes(data)
    found = Collected()
    container = read_texts(path, found)
    return container, {chunk.keyword: chunk.text for chunk in reversed(found.chunks)}, found


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt+"])
def test_png_texts_of_every_kind(tmp_path: Path, kind: str) -> None:
    container, texts, found = read(
        tmp_path, make.png(make.text_chunk("parameters", PROMPT, kind), size=(7, 9))
    )
    assert (container, texts, found.warnings) == ("png", {"parameters": PROMPT}, {})
    assert (found.width, found.height) == (7, 9)


def test_png_text_behind_the_pixels_is_read_and_behind_the_end_is_told(tmp_path: Path) -> None:
    late, after = make.text_chunk("a", "late"), make.text_chunk("b", "after")
    _, texts, found = read(tmp_path, make.png(late=late, after=after))
    assert texts == {"a": "late"}
    assert set(found.warnings) == {"trailing_data"}


def test_the_first_of_equal_keywords_comes_first(tmp_path: Path) -> None:
    _, texts, _ = read(tmp_path, make.png(make.text_chunk("a", "one"), make.text_chunk("a", "two")))
    assert texts == {"a": "one"}


def test_latin_1_is_read_where_it_is_no_utf_8(tmp_path: Path) -> None:
    _, texts, _ = read(tmp_path, make.png(make.chunk(b"tEXt", b"a\0caf\xe9")))
    assert texts == {"a": "café"}


def test_a_wrong_checksum_is_told_and_the_text_read(tmp_path: Path) -> None:
    _, texts, found = read(tmp_path, make.png(make.chunk(b"tEXt", b"a\0b", crc=1)))
    assert texts == {"a": "b"}
    assert set(found.warnings) == {"crc"}


def test_image_magick_keeps_exif_as_hexadecimal(tmp_path: Path) -> None:
    block = b"Exif\0\0" + make.exif({}, b"ASCII\0\0\0" + PROMPT.encode())
    profile = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    _, texts, _ = read(tmp_path, make.png(make.text_chunk("Raw profile type exif", profile, "zTXt")))
    assert texts == {"UserComment": PROMPT}


@pytest.mark.parametrize(
    "data",
    [
        make.jpeg_exif(make.exif({}, b"ASCII\0\0\0" + PROMPT.encode())),
        make.webp(make.riff(b"EXIF", make.exif({}, b"ASCII\0\0\0" + PROMPT.encode()))),
        make.avif(make.exif({}, b"ASCII\0\0\0" + PROMPT.encode())),
        make.png(make.chunk(b"eXIf", make.exif({}, b"ASCII\0\0\0" + PROMPT.encode(), order=">"))),
    ],
    ids=["jpeg", "webp", "avif", "png"],
)
def test_exif_of_every_container(tmp_path: Path, data: bytes) -> None:
    _, texts, found = read(tmp_path, data)
    assert (texts, found.warnings) == ({"UserComment": PROMPT}, {})
    assert (found.width, found.height) == (1, 1)


def test_exif_texts_that_begin_with_a_keyword_are_known_by_it(tmp_path: Path) -> None:
    tags = {0x0110: b'prompt:{"1": 2}\0', 0x010F: b'Workflow: {"nodes": []}\0', 0x0131: b"Draw Things\0"}
    _, texts, _ = read(tmp_path, make.webp(make.riff(b"EXIF", make.exif(tags))))
    assert texts == {"prompt": '{"1": 2}', "workflow": '{"nodes": []}', "Software": "Draw Things"}


XMP = make.xmp(
    f"<dc:description><rdf:Alt><rdf:li xml:lang='x'>{PROMPT}</rdf:li></rdf:Alt></dc:description>"
    "<exif:UserComment><rdf:Alt><rdf:li>{&quot;c&quot;: 1}</rdf:li></rdf:Alt></exif:UserComment>"
    "<xmp:CreatorTool>Draw Things</xmp:CreatorTool>"
)


@pytest.mark.parametrize(
    "data",
    [
        make.png(make.text_chunk("XML:com.adobe.xmp", XMP.decode(), "iTXt")),
        make.jpeg(make.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
        make.webp(make.riff(b"XMP ", XMP)),
        make.avif(packet=XMP),
    ],
    ids=["png", "jpeg", "webp", "avif"],
)
def test_xmp_of_every_container(tmp_path: Path, data: bytes) -> None:
    _, texts, _ = read(tmp_path, data)
    assert texts == {
        "xmp:description": PROMPT,
        "xmp:UserComment": '{"c": 1}',
        "xmp:CreatorTool": "Draw Things",
    }


def test_xmp_that_defines_entities_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    _, texts, found = read(tmp_path, make.webp(make.riff(b"XMP ", bomb.encode())))
    assert texts == {}
    assert set(found.warnings) == {"xmp"}


def test_comments_of_jpeg_and_gif_and_iptc_captions(tmp_path: Path) -> None:
    long = PROMPT * 40
    assert read(tmp_path, make.jpeg(make.segment(0xFE, PROMPT.encode())))[1] == {"comment": PROMPT}
    assert read(tmp_path, make.gif(make.gif_comment(long.encode())))[1] == {"comment": long}
    caption = b"\x1c\x02\x78" + struct.pack(">H", len(PROMPT.encode())) + PROMPT.encode()
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(caption)) + caption
    assert read(tmp_path, make.jpeg(make.segment(0xED, b"Photoshop 3.0\0" + block)))[1] == {
        "iptc:caption": PROMPT
    }


def test_the_content_decides_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    container, _, found = read(tmp_path, make.jpeg(), "image.png")
    assert container == "jpeg"
    assert set(found.warnings) == {"suffix"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "type"),
        (PNG[:8], "truncated"),
        (PNG[:20], "truncated"),
        (PNG[:33] + b"\x80\0\0\0tEXt", "truncated"),
        (b"\xff\xd8", "truncated"),
        (b"\xff\xd8\xff\xe1\0\0", "header"),
        (b"\xff\xd8\xff\xe1\xff\xff", "truncated"),
        (make.webp()[:40], "truncated"),
        (make.webp(pixels=False), "no_pixels"),
        (make.gif(frame=False), "no_pixels"),
        (make.avif()[:40], "no_pixels"),
    ],
)
def test_what_holds_no_picture_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(BadFileError) as caught:
        read(tmp_path, data)
    assert caught.value.code == code


def test_texts_before_a_cut_in_the_pixels_are_kept(tmp_path: Path) -> None:
    _, texts, found = read(tmp_path, make.png(make.text_chunk("a", "b"))[:-6])
    assert texts == {"a": "b"}
    assert set(found.warnings) == {"truncated"}


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_bombs_stay_within_the_budget(tmp_path: Path, kind: bytes) -> None:
    packed = zlib.compress(bytes(64 << 20))
    body = b"a\0\1\0\0\0" if kind == b"iTXt" else b"a\0\0"
    bomb = make.png(make.chunk(kind, body + packed), make.text_chunk("b", "c"))
    tracemalloc.start()
    _, texts, found = read(tmp_path, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert texts == {"b": "c"}
    assert set(found.warnings) == {"text_budget"}
    assert peak < 64 << 20


@pytest.mark.no_cover
def test_twenty_thousand_chunks_take_less_than_a_second(tmp_path: Path) -> None:
    data = make.png(*(make.text_chunk(f"key{number}", "x" * 50) for number in range(20_000)))
    _, texts, found = in_time(1, lambda: read(tmp_path, data))
    assert len(texts) == 1_000
    assert set(found.warnings) == {"text_budget"}


def test_exif_loops_and_lies_are_told(tmp_path: Path) -> None:
    loop = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + bytes(4)
    _, texts, found = read(tmp_path, make.jpeg_exif(b"II*\0" + struct.pack("<I", 8) + loop))
    assert (texts, set(found.warnings)) == ({}, {"exif"})
    lie = struct.pack("<HHHII", 1, 0x010E, 2, 0xFFFFFFFF, 8) + bytes(4)
    _, texts, found = read(tmp_path, make.jpeg_exif(b"II*\0" + struct.pack("<I", 8) + lie))
    assert (texts, set(found.warnings)) == ({}, {"exif"})


SAMPLES = (
    make.png(make.text_chunk("parameters", PROMPT), make.chunk(b"eXIf", make.exif({0x010E: b"description"}))),
    make.jpeg_exif(make.exif({0x010E: b"description"}, b"UNICODE\0" + PROMPT.encode("utf-16-be"))),
    make.webp(make.riff(b"EXIF", make.exif({0x0110: b"prompt:{}"})), make.riff(b"XMP ", XMP)),
    make.gif(make.gif_comment(b"comment"), b"\x21\xff\x0bXMP DataXMP" + XMP + bytes(258)),
    make.avif(make.exif({0x010E: b"description"}), XMP),
)


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    st.data(),
)
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sample: bytes, flips: list[tuple[int, int]], data: st.DataObject
) -> None:
    damaged = bytearray(sample)
    for place, value in flips:
        damaged[place % len(damaged)] = value
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    path.write_bytes(damaged[: cut or None])
    found = Collected()
    try:
        read_texts(path, found)
    except BadFileError as error:
        assert error.code in {"empty", "type", "truncated", "header", "no_pixels"}
    for text in found.chunks:
        text.text.encode()
