"""Thousands of broken GGUF files: each is read or refused by a code, quickly, whatever stands in it.

``PINAKES_FUZZ=full`` runs 100,000 mutations instead of 3,000.
"""

import os
import random
import resource
import struct
import time

import pytest

from indexer.domain.header import Header
from indexer.errors import BadFileError
from indexer.parsers.gguf import CODES, WARNING_CODES, parse_header
from indexer.rules import identify
from tests.parsers.gguf_files import ARRAY, UINT32, gguf, pair, pieces, raw, tensor

MUTATIONS = 100_000 if os.environ.get("PINAKES_FUZZ") == "full" else 3_000
ROUNDS = 10
SLOWEST = 2.0  # seconds a file of a few kilobytes, on a busy machine
LARGEST = 128 << 10  # kilobytes that a round may add to the process

_WORDS = (0, 1, 2, 5, 7, 8, 9, 12, 13, 31, 32, 255, 256, 4096, 65_536, 2**31 - 1, 2**31, 2**32 - 1)
_LONGS = (*_WORDS, 2**32, 2**40, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1)
_SNIPPETS = (
    b"GGUF",
    b"general.alignment",
    b"general.architecture",
    b"comfy.gguf.orig_shape.a",
    pair("general.alignment", 64),
    pair("x", raw(UINT32, b"\0\0\0\1")),
    pair("x", raw(ARRAY, struct.pack("<IQ", ARRAY, 3))),
    tensor("a", [32], 0, 0),
    tensor("b", [256, 2], 12, 32),
    b"\xff\xfe\x00",
    bytes(64),
)


def _bases() -> list[bytes]:
    values = {
        "general.architecture": "flux",
        "general.alignment": 32,
        "rate": 0.25,
        "yes": True,
        "tokens": ["a", "bc", "d" * 40] * 5,
        "sizes": [1, 2, 3],
        "nested": [[1], [2, 3]],
        "comfy.gguf.orig_shape.conv.weight": [16, 16, 1, 1],
    }
    tensors = [
        ("conv.weight", [1, 256], "Q4_K"),
        ("double_blocks.0.img_attn.qkv.weight", [4, 32], "Q8_0"),
        ("norm.bias", [3], "F32"),
        ("patch.weight", [2, 2, 1, 2, 2], "F16"),
    ]
    blocks = [(f"blk.{number}.attn_q.weight", [2, 32], "Q4_0") for number in range(12)]
    return [
        gguf(tensors, values),
        gguf(blocks, {"general.architecture": "llama"}, alignment=8, version=2),
        gguf(values=values),
        gguf([("t", [4], "F32")]),
        pieces([pair("deep", raw(ARRAY, struct.pack("<IQ", ARRAY, 1) * 60 + struct.pack("<IQ", 0, 0)))]),
    ]


def _mutate(data: bytes, source: random.Random) -> bytes:
    """One to four changes: bits, numbers, pieces put in, taken out or written twice, an early end."""
    for _ in range(source.choice((1, 1, 1, 2, 3, 4))):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(8)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + struct.pack("<Q", source.choice(_LONGS)) + data[at + 8 :]
        elif kind == 2:
            data = data[:at] + struct.pack("<I", source.choice(_WORDS)) + data[at + 4 :]
        elif kind == 3:
            data = data[:at] + source.choice(_SNIPPETS) + data[at:]
        elif kind == 4:
            data = data[:at] + data[at + source.randrange(1, 40) :]
        elif kind == 5:
            end = at + source.randrange(1, 80)
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 6:
            data = data[:at]
        else:
            data = _renumber(data, source)
    return data


def _renumber(data: bytes, source: random.Random) -> bytes:
    """Another value in the place of a small number: lengths, counts, types and sizes are small."""
    places = [at for at in range(8, min(len(data), 2000) - 8) if not any(data[at + 1 : at + 8])]
    if not places:
        return data
    at = source.choice(places)
    return data[:at] + struct.pack("<Q", source.choice(_LONGS)) + data[at + 8 :]


def _read(data: bytes) -> Header | str:
    try:
        return parse_header(lambda offset, count: data[offset : offset + count], len(data))
    except BadFileError as error:
        assert str(error)
        return error.code


def _check(found: Header) -> None:
    assert {warning.code for warning in found.warnings} <= WARNING_CODES.keys()
    for entry in found.tensors.values():
        begin, end = entry["data_offsets"]
        assert 0 <= begin <= end
        assert end <= found.data_size or begin == end
        assert all(type(size) is int and 0 <= size < 2**63 for size in entry["shape"])
    for key, text in found.metadata.items():
        (key + text).encode()
    identify(found, file_name="x.gguf")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_but_headers_and_codes_comes_out(seed: int) -> None:
    source, bases = random.Random(seed), _bases()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen, slowest = set(), 0.0
    for _ in range(MUTATIONS // ROUNDS):
        data = _mutate(source.choice(bases), source)
        start = time.thread_time()
        found = _read(data)
        slowest = max(slowest, time.thread_time() - start)
        if isinstance(found, str):
            assert found in CODES, data
            seen.add(found)
        else:
            _check(found)
    assert len(seen) > 8
    assert slowest < SLOWEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST


def test_every_base_is_right() -> None:
    for data in _bases():
        assert isinstance(_read(data), Header)
