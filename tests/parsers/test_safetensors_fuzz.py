"""Thousands of broken headers against the reference reader, and the quick reader against the exact one.

Where the two programs differ, the difference must be one of the policies written down here.
"""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from indexer.domain.header import Header
from indexer.errors import BadFileError
from indexer.parsers.safetensors import CODES, parse_header
from indexer.parsers.safetensors_fast import parse_fast
from indexer.parsers.safetensors_strict import DTYPE_BITS, MAX_RANK, parse_strict
from tests.parsers.headers import compact, entry, file_bytes, lay_out

MUTATIONS = 200_000
ROUNDS = 20

# Refused here, accepted there: what two readers could take for two models, and what no model needs. The last
# three are entries written as JSON arrays or objects in the place of a dtype, which only serde understands.
STRICTER = frozenset(
    {"duplicate_key", "rank", "number_range", "json_depth", "tensor_entry", "dtype", "tensor_count"}
)

_SNIPPETS = (
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"-",
        b"0",
        b"1",
        b"9",
        b".5",
        b"e3",
        b"\0",
    ),
    *(b"null", b"true", b"false", b"NaN", b"-0", b"1.0", b"18446744073709551615", b"18446744073709551616"),
    *(
        b"\\ud800",
        b"\\u0000",
        b"\\u0077",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc3\xa4",
        b"[[[[",
        b'"a":1,',
        b'"x":{},',
    ),
    *(
        b'"dtype":"U8",',
        b'"shape":[1],',
        b'"__metadata__":{},',
        b'"__metadata__":null,',
        b'"__metadata__":{"a":"b"},',
    ),
    *(
        b'"data_offsets":[0,1],',
        b'"F4"',
        b'"BF16"',
        b'"I64"',
        b'"f32"',
        b"[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
    ),
)


def _bases() -> list[bytes]:
    small, _ = lay_out([("w", "F32", [2, 2]), ("b", "U8", [3]), ("m", "F16", [0])], {"a": "b:c", "x": 'y"z'})
    bits, _ = lay_out([("p", "F4", [2, 4]), ("q", "BF16", []), ("r:0", "I64", [1, 1, 2])])
    twin = {"w": entry("U8", [4], 0, 4), "v": entry("F32", [1], 4, 8)}
    many, _ = lay_out([(f"blocks.{number}.w", "F16", [number % 3, 2]) for number in range(12)], {"k": "ä"})
    spaced = json.dumps(small).encode()
    return [
        compact(small),
        compact(bits),
        compact(twin),
        compact(many),
        spaced,
        b"{}",
        b'{"__metadata__":{}}',
    ]


_NAMES = ('"a"', '"b"', '"w"', '"w:0"', '"\\u0077"', '"\\ud800"', '"n\\u0000"', '"__metadata__"', '""')
_FIELDS = ('"dtype"', '"shape"', '"data_offsets"', '"data\\u005foffsets"', '"x"')
_VALUES = (
    *(
        '"U8"',
        '"F4"',
        '"F16"',
        '"F6_E2M3"',
        '"f16"',
        '"\\u00558"',
        "null",
        "true",
        "3",
        "1.5",
        "{}",
        "[]",
        "[0]",
        "[1]",
    ),
    *(
        "[0,0]",
        "[0,1]",
        "[1,2]",
        "[2,1]",
        "[0,4]",
        "[4,8]",
        "[0,16]",
        "[-1,1]",
        "[0,1.0]",
        "[0,true]",
        "[0,1,2]",
    ),
    *(
        "[2,2]",
        "[4]",
        "[8,0]",
        "[4294967296,4294967296,4]",
        "[9223372036854775808,2,0]",
        "[0,9223372036854775808,4]",
    ),
    *(
        "[1e2]",
        "[-0]",
        "[99999999999999999999]",
        "[" + ",".join("1" * 17) + "]",
        "[" * 70 + "]" * 70,
        '{"U8":null}',
    ),
)


def _assemble(source: random.Random) -> bytes:
    """A header put together from right and wrong parts, keys repeated at will."""
    at, members = 0, []
    for _ in range(source.randrange(1, 5)):
        dtype, count = source.choice((("U8", 1), ("F16", 2), ("I32", 4))), source.randrange(4)
        size = dtype[1] * count
        fields = {
            '"dtype"': f'"{dtype[0]}"',
            '"shape"': f"[{count}]",
            '"data_offsets"': f"[{at},{at + size}]",
        }
        at += size
        pairs = list(fields.items())
        if source.random() < 0.3:
            pairs[source.randrange(3)] = source.choice(_FIELDS), source.choice(_VALUES)
        if source.random() < 0.1:
            pairs.insert(source.randrange(4), (source.choice(_FIELDS), source.choice(_VALUES)))
        members.append((source.choice(_NAMES), "{" + ",".join(f"{key}:{text}" for key, text in pairs) + "}"))
    if source.random() < 0.3:
        members.insert(
            0, ('"__metadata__"', source.choice(('{"a":"b"}', "{}", "null", '{"a":1}', '{"a":"1","a":"2"}')))
        )
    source.shuffle(members)
    return ("{" + ",".join(f"{key}:{text}" for key, text in members) + "}").encode()


def _mutate(raw: bytes, source: random.Random) -> bytes:
    """One to three small changes: bytes, pieces, numbers, keys."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        at = source.randrange(len(raw) + 1)
        kind = source.randrange(7)
        if kind == 0:
            raw = raw[:at] + source.choice(_SNIPPETS) + raw[at:]
        elif kind == 1:
            raw = raw[:at] + raw[at + source.randrange(1, 5) :]
        elif kind == 2 and at < len(raw):
            raw = raw[:at] + bytes([raw[at] ^ 1 << source.randrange(8)]) + raw[at + 1 :]
        elif kind == 3:
            end = at + source.randrange(1, 60)
            raw = raw[:end] + raw[at:end] + raw[end:]
        elif kind == 4:
            raw = _renumber(raw, source)
        elif kind == 5:
            raw = _restring(raw, source)
        else:
            raw = raw[:at] + source.choice(_SNIPPETS) + raw[at + source.randrange(1, 9) :]
    return raw


def _renumber(raw: bytes, source: random.Random) -> bytes:
    places = [place for place, byte in enumerate(raw) if 48 <= byte <= 57] or [0]
    at = source.choice(places)
    number = source.choice(
        (b"0", b"1", b"2", b"8", b"16", b"1000000", b"-1", b"4.0", b"true", b"9223372036854775808")
    )
    return raw[:at] + number + raw[at + 1 :]


def _restring(raw: bytes, source: random.Random) -> bytes:
    """Put the text between two quotes in place of that between two others: keys meet, dtypes change."""
    parts = raw.split(b'"')
    if len(parts) > 3:
        parts[source.randrange(len(parts))] = source.choice(parts)
    return b'"'.join(parts)


def _ours(data: bytes) -> Header | str:
    try:
        return parse_header(data, len(data))
    except BadFileError as error:
        return error.code


def _reference(data: bytes) -> str | None:
    try:
        deserialize(data)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        return str(error)
    return None


def _data_size(raw: bytes) -> int:
    """What the header seems to promise, so that mutations get past the size check."""
    try:
        entries = orjson.loads(raw)
        ends = [item["data_offsets"][1] for item in entries.values() if "data_offsets" in item]
    except (orjson.JSONDecodeError, AttributeError, TypeError, KeyError, IndexError):
        return 16
    return max([end for end in ends if type(end) is int and 0 <= end < 10_000], default=0)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_same_verdict_as_the_reference(seed: int) -> None:
    source, bases = random.Random(seed), _bases()
    for _ in range(MUTATIONS // ROUNDS):
        raw = _assemble(source) if source.random() < 0.4 else _mutate(source.choice(bases), source)
        data = file_bytes(raw, _data_size(raw) + source.choice((0, 0, 0, 0, 0, 1)))
        ours, theirs = _ours(data), _reference(data)
        if isinstance(ours, str):
            assert ours in CODES, raw
            assert theirs is not None or ours in STRICTER, (ours, raw)
        else:
            told = {warning.code for warning in ours.warnings}
            assert theirs is None or "surrogate" in told, (theirs, raw)
        _quick_agrees(raw, len(data) - 8 - len(raw))


def _quick_agrees(raw: bytes, data_size: int) -> None:
    """The quick reader accepts nothing that the exact one refuses, and reads the same."""
    quick = parse_fast(raw, data_size)
    if quick is not None:
        assert quick._replace(listing=b"") == parse_strict(raw, data_size), raw


NUMPY = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I8": "i1", "U8": "u1", "BOOL": "?"}

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda name: name != "__metadata__"
)
widths = st.lists(st.integers(0, 5), max_size=4)
tensors = st.lists(
    st.tuples(names, st.sampled_from(sorted(DTYPE_BITS)), widths), max_size=8, unique_by=lambda t: t[0]
)
metadatas = st.none() | st.dictionaries(
    st.text(max_size=4), st.text(st.characters(exclude_categories=["Cs"]))
)


@given(tensors, st.dictionaries(st.text(max_size=4), st.text(st.characters(exclude_categories=["Cs"]))))
def test_files_of_the_reference_are_read_without_a_word(
    wanted: list[tuple[str, str, list[int]]], metadata: dict[str, str]
) -> None:
    blocks = {name: numpy.zeros(shape, NUMPY[dtype]) for name, dtype, shape in wanted if dtype in NUMPY}
    data = save(blocks, metadata or None)
    header = parse_header(data, len(data))
    assert {name: item["shape"] for name, item in header.tensors.items()} == {
        name: list(block.shape) for name, block in blocks.items()
    }
    assert header.metadata == metadata
    assert not {warning.code for warning in header.warnings} - {"nul"}


def _product(shape: list[int]) -> int:
    total = 1
    for width in shape:
        total *= width
    return total


@given(
    tensors,
    metadatas,
    st.randoms(use_true_random=False),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]),
)
def test_any_spelling_of_a_right_header_is_read(
    wanted: list[tuple[str, str, list[int]]],
    metadata: dict[str, str] | None,
    source: random.Random,
    separators: tuple[str, str],
) -> None:
    whole = [
        (name, dtype, shape) for name, dtype, shape in wanted if DTYPE_BITS[dtype] * _product(shape) % 8 == 0
    ]
    header, size = lay_out(whole, metadata)
    items = list(header.items())
    source.shuffle(items)
    raw = json.dumps(dict(items), separators=separators, ensure_ascii=source.random() < 0.5).encode()
    data = file_bytes(raw + b" " * source.randrange(9), size)
    found = parse_header(data, len(data))
    assert found.tensors == {name: item for name, item in header.items() if name != "__metadata__"}
    assert found.metadata == (metadata or {})
    assert _reference(data) is None
    _quick_agrees(raw, size)


SPELLINGS: Mapping[str, Callable[[dict[str, Any]], bytes]] = {
    "as the reference writes": compact,
    "as Python writes by default": lambda header: json.dumps(header).encode(),
    "padded": lambda header: compact(header) + b"      ",
    "escaped metadata": lambda header: json.dumps(header, separators=(",", ":")).encode(),
    "metadata last": lambda header: compact({**{key: header[key] for key in list(header)[1:]}, **header}),
    "unsorted": lambda header: compact(dict(sorted(header.items(), key=lambda item: item[0][::-1]))),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_usual_spellings_take_the_quick_way(spelling: str) -> None:
    layout = [(f"down.{number}:x.weight", ("F16", "F32")[number % 2], [4, number]) for number in range(50)]
    header, size = lay_out(layout, {"ss_tag_frequency": '{"10_ünï": {"a\\b": 3}}', "title": "é: “x”"})
    raw = SPELLINGS[spelling](header)
    quick = parse_fast(raw, size)
    assert quick is not None
    assert quick._replace(listing=b"") == parse_strict(raw, size)


@pytest.mark.parametrize(
    "character", [*map(chr, range(0x20)), '"', "\\", "/", "\x7f", "\u2028", "\ufeff", "\U0001f600"]
)
def test_orjson_writes_the_shortest_text(character: str) -> None:
    """The proof against equal keys compares lengths, so no shorter spelling of a text may exist."""
    short = {"\b": 2, "\t": 2, "\n": 2, "\f": 2, "\r": 2, '"': 2, "\\": 2}
    control = character < " "
    shortest = short.get(character, 6 if control else len(character.encode()))
    assert len(orjson.dumps(character)) == 2 + shortest


def test_rank_limit_is_the_same_for_both_readers() -> None:
    for rank in (MAX_RANK, MAX_RANK + 1):
        raw = compact({"w": entry("U8", [1] * rank, 0, 1)})
        assert (parse_fast(raw, 1) is None) == (rank > MAX_RANK)


@pytest.mark.parametrize(
    "shape",
    ["[true]", "[1.0]", "[1e0]", '["1"]', "[[1]]", "{}", '""', "null", "1", "[-1]", "[null]", '"],["'],
)
def test_quick_reader_tells_sizes_from_look_alikes(shape: str) -> None:
    assert parse_fast(b'{"w":{"dtype":"U8","shape":%s,"data_offsets":[0,1]}}' % shape.encode(), 1) is None


@pytest.mark.parametrize(
    "offsets",
    ["[0,true]", "[0,1.0]", "[false,1]", "[0,1,1]", "[1]", "[[0,1]]", "null", "{}", '"01"', "[-0,1]"],
)
def test_quick_reader_tells_offsets_from_look_alikes(offsets: str) -> None:
    assert parse_fast(b'{"w":{"dtype":"U8","shape":[1],"data_offsets":%s}}' % offsets.encode(), 1) is None
