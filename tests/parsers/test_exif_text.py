"""UserComment as standards, libraries and tools write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.exif_text import decode_user_comment

TEXT = "a harbour, 港, naïve\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Seed: 1"


@pytest.mark.parametrize(
    "value",
    [
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"UNICODE\0" + b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"UNICODE\0" + b"\xfe\xff" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-be") + b"\0",
        b"UNICODE\0" + TEXT.encode(),
        b"ASCII\0\0\0" + TEXT.encode(),
        b"ASCII\0\0\0" + TEXT.encode() + b"\0\0",
        b"ASCII\0\0\0" + TEXT.encode("utf-16-le"),
        bytes(8) + TEXT.encode(),
        TEXT.encode(),
    ],
)
def test_every_way_of_writing_it(value: bytes) -> None:
    assert decode_user_comment(value).rstrip("\0") == TEXT


def test_japanese() -> None:
    text = "水彩画の港"
    assert decode_user_comment(b"JIS\0\0\0\0\0" + text.encode("iso2022_jp")) == text
    assert decode_user_comment(b"JIS\0\0\0\0\0" + text.encode("shift_jis")) == text


@pytest.mark.parametrize(
    "value", [b"", b"UNICODE\0", b"UNICODE\0a", b"ASCII\0\0\0", b"JIS\0\0\0\0\0\x1b$B", bytes(8)]
)
def test_little_or_broken_text(value: bytes) -> None:
    decode_user_comment(value)


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)])
)
def test_no_bytes_raise(body: bytes, code: bytes) -> None:
    decode_user_comment(code + body)
