"""Safetensors headers: what is read, and the one code for each way a header can lie."""

import gc
import os
import struct
import tracemalloc
from pathlib import Path

import pytest

from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.safetensors import (
    CODES,
    MAX_HEADER,
    SNIFF_BYTES,
    WARNING_CODES,
    header_length,
    parse_header,
    read_header,
)
from indexer.parsers.safetensors_strict import MAX_VALUE
from tests.clocks import in_time
from tests.parsers.headers import compact, entry, file_bytes, one

_DEEP = b"[" * 200_000 + b"]" * 200_000
_PAIR = (
    '{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
    '"%s":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
)

BAD: dict[str, list[bytes]] = {
    "too_short": [b"", b"\1", bytes(7), struct.pack("<Q", 2)],
    "header_length": [
        struct.pack("<Q", length) + b'{"w":1}' for length in (0, 1, 2**63, 2**64 - 1, MAX_HEADER + 1)
    ]
    + [struct.pack(">Q", 60) + one()[8:]],
    "header_truncated": [
        one()[:40],
        struct.pack("<Q", MAX_HEADER) + one()[8:],
        struct.pack("<Q", 896) + b"{",
    ],
    "header_encoding": [
        file_bytes(b'{"\xff":1}'),
        file_bytes('{"a":1}'.encode("utf-16")),
        file_bytes('{"a":1}'.encode("utf-16-le")),
        file_bytes(b"\xef\xbb\xbf{}"),
    ],
    "header_json": [
        file_bytes(raw)
        for raw in (
            b"[]",
            b"null",
            b'"w"',
            b"{}{}",
            b"{/**/}",
            b'{"__metadata__":{"a":NaN}}',
            b"{,}",
            b"\0\0\0",
        )
    ]
    + [file_bytes({"w": entry("F32", [1], 0, 4)}, 4)[:-5] + b";" + bytes(4)],
    "json_depth": [file_bytes(b'{"w":' + _DEEP + b"}"), file_bytes(b'{"w":' * 65 + b"1" + b"}" * 65)],
    "number_range": [one(shape=[int("9" * 4000)]), one(end=2**64), file_bytes(b'{"w":1e999}')],
    "duplicate_key": [
        file_bytes((_PAIR % "w").encode(), 4),
        file_bytes((_PAIR % "\\u0077").encode(), 4),
        file_bytes(b'{"__metadata__":{"a":"1","a":"2"}}'),
        file_bytes(b'{"__metadata__":{"a":"1"},"__metadata__":{"a":"1"}}'),
        file_bytes(b'{"__metadata__":{"a\\ud800":"1","a\\udfff":"2"}}'),
        file_bytes(b'{"w":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    "metadata_type": [
        file_bytes(b'{"__metadata__":%s}' % value)
        for value in (b'{"a":1}', b'{"a":{"b":"c"}}', b'{"a":["b"]}', b'{"a":null}', b"[]", b'"a"', b"3")
    ],
    "tensor_entry": [file_bytes({"w": value}) for value in ("F32", None, ["F32", [2], [0, 8]], 1)],
    "missing_field": [
        file_bytes({"w": {"dtype": "F32", "shape": [1]}}),
        file_bytes({"w": {}}),
        file_bytes({"w": {"shape": [1], "data_offsets": [0, 4]}}, 4),
    ],
    "tensor_count": [file_bytes(b'{"w":[' + b"[]," * 3_000_000 + b"[]]}")],
    "dtype": [one(dtype=dtype) for dtype in ("F33", "f32", None, 3, ["F32"], {"F32": None})],
    "shape": [
        one(shape=shape) for shape in ([2.0, 2.0], [True, 4], [-2, -2], ["2", "2"], "22", 4, None, [[2, 2]])
    ],
    "rank": [one(shape=[1] * 100_000, end=4, data=4), one(shape=[1] * 17, end=4, data=4)],
    "overflow": [
        one("I32", [2, 2**64 - 2]),
        one("I32", [2, 2**63 - 1]),
        one("I8", [2**32, 2**32, 4]),
        one("U8", [2**63, 2**63, 0], end=0, data=0),
    ],
    "misaligned": [one("F4", [1, 3], end=2, data=2), one("F6_E2M3", [3], end=3, data=3)],
    "size_mismatch": [one("I32", end=4, data=0), one(end=4, data=4), one(shape=[4, 4])],
    "offset": [
        one(begin=-1),
        one(begin=16, end=0),
        one(begin=16, end=32),
        one(end=1000),
        one(begin=0.0),
        one(begin=True, end=17, data=17),
        file_bytes({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16, 32]}}, 32),
        file_bytes({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0]}}, 16),
        file_bytes(b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}', 1),
    ],
    "hole": [
        file_bytes({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, 3),
        one(begin=4, end=20, data=20),
    ],
    "overlap": [
        file_bytes({f"w{number}": entry("F32", [4], 0, 16) for number in range(10)}, 40),
        file_bytes({"a": entry("U8", [3], 0, 3), "b": entry("U8", [2], 1, 3)}, 3),
    ],
    "data_truncated": [one()[:-2], one(data=0)],
    "uncovered_bytes": [one() + b"PK\3\4", file_bytes(b"{}", 1)],
    "type_mismatch": [
        b"PK\5\6" + bytes(18),
        b"PK\3\4" + bytes(100),
        b"\x80\2}q\0." + bytes(9),
        b"cposix\nsystem\n(S'true'\ntR.",
        b"GGUF\3\0\0\0" + bytes(16),
    ],
    "not_a_model:html": [
        b"<!DOCTYPE html><html><title>Sign in</title>",
        b"\n <HTML>" + bytes(9),
        b"<?xml version='1.0'?>",
    ],
    "not_a_model:json": [b'{"error":"Unauthorized"}', b'\xef\xbb\xbf[{"code": 404}]'],
    "not_a_model:lfs": [b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n"],
    "not_a_model:zero": [bytes(4096), bytes(9)],
}

GOOD = {
    "empty": file_bytes(b"{}"),
    "metadata_only": file_bytes({"__metadata__": {"format": "pt"}}),
    "metadata_empty": file_bytes({"__metadata__": {}}),
    "plain": one(),
    "scalar": one(shape=[], end=4, data=4),
    "zero_dimension": one(shape=[0, 2**40], end=0, data=0),
    "unsorted": file_bytes({"b": entry("U8", [1], 1, 2), "a": entry("U8", [1], 0, 1)}, 2),
    "below_a_byte": file_bytes({"a": entry("F4", [2], 0, 1), "b": entry("F6_E3M2", [4], 1, 4)}, 4),
    "every_field_order": file_bytes({"w": dict(reversed(entry("F32", [2, 2], 0, 16).items()))}, 16),
    "spaces_after": file_bytes(b"{}   \n\t\r"),
    "spaces_inside": file_bytes(b'{ "w" : {"dtype": "U8" , "shape": [ 1 ],\n "data_offsets": [0, 1]} }', 1),
    "colons_and_spaces": file_bytes(
        b'{"__metadata__": {"a:b": "c: \\"d\\":"},'
        b' "x:0": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}',
        1,
    ),
    "metadata_last": file_bytes({"w": entry("U8", [1], 0, 1), "__metadata__": {"a": "ä\n\u2028\x7f"}}, 1),
    "escaped_name": file_bytes(b'{"\\u0077":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    "name_is_path": file_bytes({"../../etc/passwd": entry("U8", [1], 0, 1)}, 1),
    "name_of_a_megabyte": file_bytes({"x" * 2**20: entry("U8", [1], 0, 1)}, 1),
    "empty_between": file_bytes(
        {"a": entry("U8", [4], 0, 4), "m": entry("U8", [0], 4, 4), "b": entry("U8", [1], 4, 5)}, 5
    ),
    "rank_16": one(shape=[1] * 15 + [4]),
    "length_looks_like_a_pickle": file_bytes(b"{}".ljust(896)),
}

ODD = {
    "header_leading_ws": [file_bytes(b" {}"), file_bytes(b"\n" + one()[8:-16], 16)],
    "unknown_field": [file_bytes({"w": {**entry("U8", [1], 0, 1), "x": {"y": [None, 1.5]}}}, 1)],
    "metadata_null": [file_bytes(b'{"__metadata__":null}')],
    "nul": [file_bytes({"a\0b": entry("U8", [1], 0, 1)}, 1), file_bytes({"__metadata__": {"a": "b\0c"}})],
    "surrogate": [
        file_bytes(b'{"__metadata__":{"a":"\\ud800"}}'),
        file_bytes(b'{"w\\udfff":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    "value_truncated": [file_bytes({"__metadata__": {"a": "x" * (MAX_VALUE + 1)}})],
}


def code_of(data: bytes) -> str:
    """The code that ``data`` is refused with, or its warnings in brackets."""
    try:
        header = parse_header(data, len(data))
    except BadFileError as error:
        assert error.code in CODES
        assert str(error)
        assert len(str(error)) < 400
        return error.code
    return f"[{','.join(warning.code for warning in header.warnings)}]"


@pytest.mark.parametrize(("code", "data"), [(code, data) for code, cases in BAD.items() for data in cases])
def test_each_lie_has_its_code(code: str, data: bytes, tmp_path: Path) -> None:
    assert code_of(data) == code
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(BadFileError) as caught:
        read_header(path)
    assert caught.value.code == code


def test_every_code_has_a_case() -> None:
    assert set(BAD) | {"not_regular_file"} == set(CODES)
    assert set(ODD) == set(WARNING_CODES)


@pytest.mark.parametrize("name", GOOD)
def test_right_files_are_read(name: str, tmp_path: Path) -> None:
    data = GOOD[name]
    assert code_of(data) == "[]"
    path = tmp_path / "good.safetensors"
    path.write_bytes(data)
    assert read_header(path) == read_header(str(path)) == read_header(os.fsencode(path))
    assert read_header(path) == parse_header(data, len(data))


@pytest.mark.parametrize(("code", "data"), [(code, data) for code, cases in ODD.items() for data in cases])
def test_oddities_are_told_and_read(code: str, data: bytes) -> None:
    assert code_of(data) == f"[{code}]"


def test_header_tells_everything() -> None:
    metadata = {"modelspec.title": "safe\u202etxt.exe", "ss_steps": ""}
    header = parse_header(
        data := file_bytes({"__metadata__": metadata, "w": entry("BF16", [3], 0, 6)}, 6), len(data)
    )
    assert header.container == "safetensors"
    assert dict(header.metadata) == metadata
    assert dict(header.tensors) == {"w": entry("BF16", [3], 0, 6)}
    assert (header.data_start, header.data_size) == (len(data) - 6, 6)


def test_odd_texts_come_back_storable() -> None:
    data = file_bytes(
        b'{"__metadata__":{"a":"x\\ud800"},"w\\udfff":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1
    )
    header = parse_header(data, len(data))
    assert header.metadata == {"a": "x\ufffd"}
    assert list(header.tensors) == ["w\ufffd"]
    long = file_bytes({"__metadata__": {"a": "x" * (3 * MAX_VALUE)}})
    assert len(parse_header(long, len(long)).metadata["a"]) == MAX_VALUE


def test_unknown_fields_are_left_out() -> None:
    data = file_bytes({"w": {**entry("U8", [1], 0, 1), "x": 1}}, 1)
    assert parse_header(data, len(data)).tensors == {"w": entry("U8", [1], 0, 1)}


@pytest.mark.parametrize("name", ["plain", "colons_and_spaces", "below_a_byte", "metadata_last"])
def test_no_cut_file_is_accepted(name: str, tmp_path: Path) -> None:
    data, path = GOOD[name], tmp_path / "cut.safetensors"
    for length in range(len(data)):
        assert code_of(data[:length]) in ("too_short", "header_truncated", "data_truncated")
        path.write_bytes(data[:length])
        with pytest.raises(BadFileError):
            read_header(path)


def test_range_request_needs_only_the_head() -> None:
    data = one()
    length = header_length(data[:8], len(data))
    assert parse_header(data[: 8 + length], len(data)).data_size == 16
    with pytest.raises(TemporaryError, match="fetch it again"):
        parse_header(data[: 8 + length - 1], len(data))


def test_eight_bytes_tell_less_than_more() -> None:
    page = b"<!DOCTYPE html>" + bytes(100)
    for first in (page[:8], page[:SNIFF_BYTES]):
        with pytest.raises(BadFileError) as caught:
            header_length(first, len(page))
        assert caught.value.code == "not_a_model:html"
    with pytest.raises(BadFileError) as caught:
        header_length(bytes(8), 4096)
    assert caught.value.code == "header_length"


@pytest.mark.parametrize("length", [MAX_HEADER, 2**62])
def test_claimed_length_allocates_nothing(length: int, tmp_path: Path) -> None:
    path = tmp_path / "liar.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b'{"w":1}')
    tracemalloc.start()
    with pytest.raises(BadFileError):
        read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.no_cover
def test_100_000_overlaps_are_refused_in_seconds() -> None:
    data = file_bytes(
        {f"w{number}": entry("F32", [200, 200], 0, 160_000) for number in range(100_000)}, 160_000
    )
    assert in_time(5, lambda: code_of(data)) == "overlap"


@pytest.mark.no_cover
def test_10_000_tensors_are_read_at_once() -> None:
    header = {
        f"blocks.{number}.weight": entry("F16", [2, 3], 12 * number, 12 * number + 12)
        for number in range(10_000)
    }
    data = file_bytes(header, 120_000)
    assert len(in_time(1, lambda: parse_header(data, len(data))).tensors) == 10_000


def test_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    parse_header(one(), len(one()))
    assert gc.isenabled()
    gc.disable()
    try:
        assert code_of(BAD["hole"][0]) == "hole"
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_folders_pipes_and_links(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(BadFileError) as caught:
            read_header(path)
        assert caught.value.code == "not_regular_file"
    (tmp_path / "real").write_bytes(one())
    (tmp_path / "link").symlink_to("real")
    assert read_header(tmp_path / "link") == read_header(tmp_path / "real")


def test_missing_file_is_the_worlds_fault(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="cannot open") as caught:
        read_header(tmp_path / "gone\n.safetensors")
    assert caught.value.code == "io"


@pytest.mark.parametrize("how", ["replaced", "rewritten", "cut", "removed"])
def test_change_while_reading_is_noticed(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "m.safetensors", tmp_path / "other"
    path.write_bytes(one() if how != "cut" else one() + bytes(100))
    other.write_bytes(one("I32"))
    read = os.pread
    done: list[str] = []

    def meddle(handle: int, count: int, offset: int) -> bytes:
        """The second read of the file finds it changed by someone else."""
        if count > 8 and not done:
            done.append(how)
            if how == "replaced":
                other.replace(path)
            elif how == "removed":
                path.unlink()
            else:
                path.write_bytes(one("I32") if how == "rewritten" else one()[:30])
                os.utime(path, ns=(1, 1))
        return read(handle, count, offset)

    monkeypatch.setattr(os, "pread", meddle)
    with pytest.raises(TemporaryError) as caught:
        read_header(path)
    assert caught.value.code in ("changed", "io")
    assert done


def test_data_may_hold_anything() -> None:
    data = file_bytes({"w": entry("U8", [8], 0, 8)}, b"\x80\2}PK\3\4.")
    assert code_of(data) == "[]"
    assert code_of(file_bytes(compact({"w": entry("U8", [8], 0, 8)}) + b"  ", 8)) == "[]"
