"""GGUF heads: right files read as they are, and each way to be wrong refused by its own code."""

import gc
import json
import os
import resource
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.header import Header
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.gguf import CODES, WARNING_CODES, parse_header, read_header
from indexer.parsers.gguf_source import MAX_HEAD
from indexer.parsers.gguf_values import MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE
from indexer.parsers.opening import opened
from tests.clocks import in_time
from tests.parsers.gguf_files import (
    ARRAY,
    BOOL,
    INT32,
    STRING,
    TYPES,
    UINT8,
    UINT32,
    UINT64,
    gguf,
    head,
    pad,
    pair,
    pieces,
    raw,
    string,
    tensor,
)

FLUX = pair("general.architecture", "flux")


def read(data: bytes) -> Header:
    return parse_header(lambda offset, count: data[offset : offset + count], len(data))


def code_of(data: bytes) -> str:
    with pytest.raises(BadFileError) as caught:
        read(data)
    assert caught.value.code in CODES
    return caught.value.code


def warnings_of(data: bytes) -> list[str]:
    codes = [warning.code for warning in read(data).warnings]
    assert set(codes) <= WARNING_CODES.keys()
    return codes


def one(dims: list[int], number: int = 0, offset: int = 0, name: str = "t", data: int = 4096) -> bytes:
    return pieces([FLUX], [tensor(name, dims, number, offset)], bytes(data))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("alignment", [32, 8, 64])
def test_a_right_file(version: int, alignment: int) -> None:
    tensors = [
        ("double_blocks.0.img_attn.qkv.weight", [512, 256], "Q4_K"),
        ("double_blocks.0.img_attn.qkv.bias", [3], "F32"),
        ("img_in.weight", [8, 64], "BF16"),
    ]
    values = {"general.architecture": "flux", "general.file_type": 15}
    data = gguf(tensors, values, alignment=alignment, version=version)
    found = read(data)
    assert found.container == "gguf"
    assert found.warnings == ()
    assert {name: (entry["shape"], entry["dtype"]) for name, entry in found.tensors.items()} == {
        name: (shape, kind) for name, shape, kind in tensors
    }
    assert [entry["data_offsets"] for entry in found.tensors.values()] == [
        [0, 73_728],
        [73_728, 73_740],
        [at := 73_740 + -73_740 % alignment, at + 1024],
    ]
    assert found.metadata["general.architecture"] == "flux"
    assert found.metadata["general.file_type"] == "15"
    assert found.data_start % alignment == 0
    assert found.data_start + found.data_size == len(data)


def test_values_are_text() -> None:
    values = {
        "text": "Künstler <b>",
        "yes": True,
        "no": False,
        "rate": 1e-05,
        "half": 0.5,
        "huge": raw(UINT64, struct.pack("<Q", 2**64 - 1)),
        "below": raw(INT32, struct.pack("<i", -3)),
        "double": raw(12, struct.pack("<d", 0.1)),
        "nan": float("nan"),
        "names": ["a", "ä", '"'],
        "sizes": [1, -2],
        "rates": [0.1, float("inf")],
        "flags": [True, False],
        "nested": [[1, 2], [3]],
        "nothing": [],
    }
    assert read(gguf(values=values)).metadata == {
        "text": "Künstler <b>",
        "yes": "true",
        "no": "false",
        "rate": "1e-05",
        "half": "0.5",
        "huge": "18446744073709551615",
        "below": "-3",
        "double": "0.1",
        "nan": "nan",
        "names": '["a", "ä", "\\""]',
        "sizes": "[1, -2]",
        "rates": '[0.1, "inf"]',
        "flags": "[true, false]",
        "nested": "[[1, 2], [3]]",
        "nothing": "[]",
    }


def test_strangers_text_stays_text() -> None:
    values = {
        "general.name": "<svg onload=alert(1)>",
        "general.url": "javascript:alert(1)",
        "tokenizer.chat_template": "{{ ''.__class__ }}",
    }
    assert read(gguf(values=values)).metadata == values


@pytest.mark.parametrize("magic", [b"FUGG", b"gguf", b"tjgg", b"lmgg", b"GGML"])
def test_magic(magic: bytes) -> None:
    assert code_of(pad(head(0, 0, magic=magic))) == "magic"


def test_what_was_saved_by_mistake() -> None:
    assert code_of(b"<!DOCTYPE html><html>" + bytes(200)) == "not_a_model:html"
    assert code_of(bytes(100)) == "not_a_model:zero"
    assert code_of(b'{"error": "unauthorized"}') == "not_a_model:json"


@pytest.mark.parametrize("version", [0, 1, 4, 0x0300_0000, 2**32 - 1])
def test_version(version: int) -> None:
    assert code_of(pad(head(0, 0, version))) == "version"


def test_big_endian_is_named() -> None:
    with pytest.raises(BadFileError, match="big-endian"):
        read(pad(head(0, 0, 0x0300_0000)))


@pytest.mark.parametrize("counts", [(2**64 - 1, 0), (0, 2**64 - 1), (0, 2**40), (1_000_001, 0), (0, 100_001)])
def test_counts(counts: tuple[int, int]) -> None:
    assert in_time(0.1, lambda: code_of(pad(head(*counts) + FLUX))) == "count"


def test_counts_below_the_limit_end_with_the_file() -> None:
    assert code_of(head(999_999, 99_999) + FLUX) == "truncated"


@pytest.mark.parametrize("length", [0, 65_536, 2**64 - 1])
def test_keys(length: int) -> None:
    assert code_of(pad(head(0, 1) + struct.pack("<Q", length) + bytes(64))) == "key"


@pytest.mark.parametrize("item", [raw(13), raw(ARRAY, struct.pack("<IQ", 13, 0)), raw(2**32 - 1)])
def test_value_types(item: bytes) -> None:
    assert code_of(pieces([pair("k", item)])) == "kv_type"


@pytest.mark.parametrize("length", [2**64 - 1, 2**32])
@pytest.mark.parametrize("kind", ["value", "element", "skipped element", "name"])
def test_lengths(length: int, kind: str) -> None:
    text = struct.pack("<Q", length) + b"v"
    many = string("") * MAX_ELEMENTS
    data = {
        "value": pieces([pair("k", raw(STRING, text))]),
        "element": pieces([pair("k", raw(ARRAY, struct.pack("<IQ", STRING, 1) + text))]),
        "skipped element": pieces(
            [pair("k", raw(ARRAY, struct.pack("<IQ", STRING, MAX_ELEMENTS + 1) + many + text))]
        ),
        "name": pad(head(1, 0) + text),
    }[kind]
    assert code_of(data) == ("name" if kind == "name" else "length")


@pytest.mark.parametrize("count", [2**62, 2**64 - 1, 10**9])
@pytest.mark.parametrize("kind", [UINT8, UINT64, STRING, ARRAY])
def test_array_counts(count: int, kind: int) -> None:
    assert code_of(pieces([pair("k", raw(ARRAY, struct.pack("<IQ", kind, count)))])) == "length"


def test_a_head_larger_than_any(tmp_path: Path) -> None:
    path = tmp_path / "large.gguf"
    path.write_bytes(pieces([pair("k", raw(ARRAY, struct.pack("<IQ", UINT8, MAX_HEAD)))]))
    os.truncate(path, 4 * MAX_HEAD)
    with pytest.raises(BadFileError) as caught:
        read_header(path)
    assert caught.value.code == "length"


def test_depth() -> None:
    def nested(depth: int) -> bytes:
        inner = struct.pack("<IQ", ARRAY, 1) * (depth - 1) + struct.pack("<IQB", UINT8, 1, 7)
        return pieces([pair("k", raw(ARRAY, inner))])

    assert code_of(nested(10_000)) == "depth"
    assert code_of(nested(MAX_DEPTH + 1)) == "depth"
    assert read(nested(MAX_DEPTH)).metadata["k"] == "[" * MAX_DEPTH + "7" + "]" * MAX_DEPTH


def test_arrays_of_many_arrays_cost_little() -> None:
    inner = struct.pack("<IQ", UINT8, 0) * 100_000
    data = pieces([pair("k", raw(ARRAY, struct.pack("<IQ", ARRAY, 100_000) + inner))])
    found = read(data)
    assert found.metadata["k"] == str([[]] * MAX_ELEMENTS)
    assert [warning.code for warning in found.warnings] == ["array_truncated"]


def test_more_items_than_any_tokenizer() -> None:
    walked = raw(ARRAY, struct.pack("<IQ", STRING, 6_000_000))
    assert code_of(head(0, 1) + pair("k", walked) + bytes(48_000_000)) == "length"


def test_equal_keys() -> None:
    assert code_of(pieces([pair("k", "a"), pair("k", "b")])) == "duplicate_key"
    assert code_of(pieces([pair(b"k\xff", "a"), pair(b"k\xfe", "b")])) == "duplicate_key"


@pytest.mark.parametrize(
    "item",
    [0, 13, raw(UINT32, struct.pack("<I", 2**31)), raw(INT32, struct.pack("<i", 32)), "32", [32]],
    ids=str,
)
def test_alignment(item: object) -> None:
    assert code_of(pieces([pair("general.alignment", item)])) == "alignment"


def test_a_truth_value_of_two() -> None:
    data = pieces([pair("k", raw(BOOL, b"\2"))])
    assert warnings_of(data) == ["bool"]
    assert read(data).metadata == {"k": "true"}


def test_what_is_not_utf8() -> None:
    data = pieces([pair(b"k\xff", "a"), pair("v", b"b\xff")], [tensor(b"t\xff", [8])], bytes(32))
    assert warnings_of(data) == ["encoding"]
    assert read(data).metadata == {"k\ufffd": "a", "v": "b\ufffd"}
    assert list(read(data).tensors) == ["t\ufffd"]


def test_nul_is_told() -> None:
    assert warnings_of(pieces([pair("a\0b", "c")])) == ["nul"]


def test_names() -> None:
    assert warnings_of(one([8], name="x" * 100, data=32)) == ["long_name"]
    assert warnings_of(one([8], name="x" * 4096, data=32)) == ["long_name"]
    assert code_of(one([8], name="x" * 4097, data=32)) == "name"
    assert code_of(pieces([FLUX], [tensor("t", [8]), tensor("t", [8], 0, 32)], bytes(64))) == "duplicate_name"


def test_dimensions() -> None:
    assert code_of(one([1] * 5)) == "dims"
    assert code_of(one([1] * 6, name="patch_embedding.weight")) == "dims"
    assert code_of(pieces([FLUX], [string("t") + struct.pack("<I", 2**32 - 1)])) == "dims"
    assert read(one([], data=32)).tensors["t"]["shape"] == []


def test_kernels_of_3d_convolutions_have_five_dimensions() -> None:
    """Converters of video models write them; what reads them are ComfyUI-GGUF and stable-diffusion.cpp."""
    data = gguf([("patch_embedding.weight", [512, 16, 1, 2, 2], "F16")])
    assert read(data).tensors["patch_embedding.weight"]["shape"] == [512, 16, 1, 2, 2]
    assert read(data).warnings == ()
    assert code_of(one([32, 2, 1, 1, 1], TYPES["Q8_0"][0], name="patch_embedding.weight")) == "dims"


def test_sizes() -> None:
    assert code_of(one([2**64 - 1])) == "shape"
    assert code_of(one([4, 2**63])) == "shape"
    assert warnings_of(one([4, 0], data=0)) == ["zero_dim"]


@pytest.mark.parametrize("dims", [[2**32, 2**31], [2**62 - 1], [2**61], [0, 2**62, 2**62]], ids=str)
def test_overflow(dims: list[int]) -> None:
    assert code_of(one(dims)) == "overflow"


def test_overflow_of_all_together() -> None:
    entries = [tensor(f"t{number}", [2**60], 0, number * 2**62) for number in range(2)]
    assert code_of(pieces([FLUX], entries, bytes(64))) == "overflow"


@pytest.mark.parametrize("number", [4, 5, 38, 43, 9999, 2**32 - 1])
def test_unknown_types_are_refused(number: int) -> None:
    assert code_of(one([256], number)) == "type"


def test_rows_hold_whole_blocks() -> None:
    assert code_of(one([255, 256], TYPES["Q4_K"][0])) == "block"
    assert code_of(one([], TYPES["Q4_K"][0])) == "block"


@pytest.mark.parametrize("offset", [1, 16, 2**63, 2**64 - 32, 1 << 20])
def test_offsets(offset: int) -> None:
    assert code_of(one([8], offset=offset)) == "offset"


def test_tensors_share_no_bytes() -> None:
    entries = [tensor("a", [16], 0, 0), tensor("b", [8], 0, 32)]
    assert code_of(pieces([FLUX], entries, bytes(128))) == "overlap"


def test_tensors_may_stand_in_any_order() -> None:
    entries = [tensor("a", [8], 0, 32), tensor("b", [8], 0, 0)]
    assert read(pieces([FLUX], entries, bytes(64))).warnings == ()


def test_bytes_that_belong_to_none_are_told() -> None:
    assert warnings_of(one([8], offset=64, data=96)) == ["hole"]
    assert warnings_of(one([8], data=64)) == ["uncovered_bytes"]


def test_a_data_section_cut_short() -> None:
    assert code_of(one([1024], data=32)) == "data_truncated"
    whole = gguf([(f"t{number}", [256], "F32") for number in range(8)])
    for cut in (1, 1024, 1025, 5000, 8192):
        assert code_of(whole[:-cut]) == "data_truncated"


def test_a_head_cut_short() -> None:
    values = {"general.architecture": "flux", "list": ["a", "bc"], "rate": 0.5, "sizes": [1, 2, 3]}
    whole = gguf([("img_in.weight", [2, 4], "F32"), ("b", [4], "F16")], values)
    end = read(whole).data_start
    for cut in range(end - 31):
        assert code_of(whole[:cut]) == "truncated"


def test_long_values_are_cut_and_told() -> None:
    found = read(gguf(values={"k": "ä" * MAX_VALUE, "after": "b"}))
    assert [warning.code for warning in found.warnings] == ["value_truncated"]
    assert found.metadata == {"k": "ä" * (MAX_VALUE // 2), "after": "b"}
    odd = read(gguf(values={"k": "a" + "ä" * MAX_VALUE}))
    assert [warning.code for warning in odd.warnings] == ["value_truncated"]


def test_all_values_together_are_bounded() -> None:
    values = {f"k{number}": "x" * MAX_VALUE for number in range(40)}
    found = read(gguf(values=values))
    assert sum(map(len, found.metadata.values())) == 32 * MAX_VALUE
    assert [warning.code for warning in found.warnings] == ["value_truncated"]


def tokenizer(tokens: int) -> dict[str, object]:
    words = [f"token{number}" for number in range(tokens)]
    return {"tokenizer.ggml.tokens": words, "tokenizer.ggml.scores": [0.5] * tokens, "last": "here"}


def test_of_a_tokenizer_the_first_thousand_are_kept() -> None:
    found = read(gguf([("t", [8], "F32")], tokenizer(150_000)))
    assert json.loads(found.metadata["tokenizer.ggml.tokens"]) == [f"token{n}" for n in range(MAX_ELEMENTS)]
    assert json.loads(found.metadata["tokenizer.ggml.scores"]) == [0.5] * MAX_ELEMENTS
    assert found.metadata["last"] == "here"
    assert [warning.code for warning in found.warnings] == ["array_truncated"]
    assert found.tensors["t"]["shape"] == [8]


@pytest.mark.parametrize(
    ("stated", "shape"),
    [
        ([320, 4, 3, 3], [320, 4, 3, 3]),
        ([11520], [11520]),
        ([320, 4, 3, 4], [45, 256]),
        ([-320, -4, 3, 3], [45, 256]),
        ([0], [45, 256]),
        ([], [45, 256]),
        ([[11520]], [45, 256]),
        ("[[" * 50_000, [45, 256]),
        ("[" + "9" * 5000 + "]", [45, 256]),
        ([1] * 16 + [11520], [45, 256]),
    ],
    ids=lambda item: str(item)[:20],
)
def test_reshaped_tensors_have_their_true_shape(stated: object, shape: list[int]) -> None:
    data = gguf([("conv.weight", [45, 256], "Q4_K")], {"comfy.gguf.orig_shape.conv.weight": stated})
    found = read(data)
    assert found.tensors["conv.weight"]["shape"] == shape
    told = {warning.code for warning in found.warnings}
    assert ("orig_shape" in told) is (shape == [45, 256])


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
plain = st.sampled_from([kind.name for _, kind in TYPES.values() if kind.block == 1])
widths = st.lists(st.integers(1, 6), max_size=4)


@given(
    st.lists(st.tuples(names, widths, plain), max_size=8, unique_by=lambda item: item[0]),
    st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"])) | st.booleans()),
    st.sampled_from([8, 32, 64]),
)
def test_what_is_written_is_read(
    tensors: list[tuple[str, list[int], str]], values: dict[str, str | bool], alignment: int
) -> None:
    found = read(gguf(tensors, values, alignment=alignment))
    assert {(name, tuple(e["shape"]), e["dtype"]) for name, e in found.tensors.items()} == {
        (name, tuple(shape), kind) for name, shape, kind in tensors
    }
    written = {
        key: item if isinstance(item, str) else ("true" if item else "false") for key, item in values.items()
    }
    assert {key: found.metadata[key] for key in values} == written
    assert not {warning.code for warning in found.warnings} - {"nul"}


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf([("t", [8], "F32")]))
    assert read_header(path) == read_header(os.fsencode(path)) == read_header(str(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path, tmp_path / "pipe.gguf"):
        with pytest.raises(BadFileError, match="not a file"):
            read_header(path)
    with pytest.raises(TemporaryError, match="cannot open"):
        read_header(tmp_path / "missing.gguf")


def test_a_sparse_file_is_read_by_its_head_alone(tmp_path: Path) -> None:
    path = tmp_path / "large.gguf"
    entry = tensor("t", [1 << 33], TYPES["F16"][0])
    path.write_bytes(pieces([FLUX], [entry]))
    os.truncate(path, path.stat().st_size + (2 << 33))
    assert read_header(path).tensors["t"]["data_offsets"] == [0, 2 << 33]


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf(values={"k": "x" * 1_000_000}))
    with pytest.raises(TemporaryError, match="became shorter"), opened(path) as (read_at, size):
        os.truncate(path, 1000)
        parse_header(read_at, size)
    with pytest.raises(TemporaryError, match="changed while it was read"), opened(path) as (read_at, size):
        path.write_bytes(gguf())


def test_cost() -> None:
    """Generous bounds, so that a busy machine passes and a quadratic reader does not."""
    many = gguf([(f"double_blocks.{n}.img_attn.qkv.weight", [64, 256], "Q4_K") for n in range(1000)])
    words = gguf([("t", [8], "F32")], tokenizer(150_000))
    in_time(0.05, lambda: read(many))
    in_time(0.5, lambda: read(words))
    assert gc.isenabled()


def test_lies_cost_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in (UINT8, UINT64, STRING, ARRAY):
        for count in (2**31, 2**40, 2**63):
            with pytest.raises(BadFileError):
                read(pieces([pair("k", raw(ARRAY, struct.pack("<IQ", kind, count)))], (), bytes(4096)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
