"""What pickles would import decides the verdict; the rows are cases PK-01 to PK-16 of our test plan."""

import os
import struct
from pathlib import Path

import pytest

from indexer.domain.header import Header, Program
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.byte_sources import MemorySource
from indexer.parsers.torch_files import CODES, WARNING_CODES, read_pickled, read_source
from tests.clocks import in_time
from tests.parsers.pickle_files import (
    EVIL,
    MAGIC,
    dictionary,
    legacy,
    named,
    npy,
    number,
    ordered,
    parameter,
    proto,
    short,
    stacked,
    tensor,
    text,
)

TENSORS, UNKNOWN, DANGEROUS = "tensors-only", "unknown-imports", "dangerous-imports"


def judged(data: bytes) -> tuple[Header, Program]:
    header = read_source(MemorySource(data))
    assert header.program is not None
    assert {warning.code for warning in header.warnings} <= set(WARNING_CODES)
    return header, header.program


def verdict(data: bytes) -> str:
    """One of the three words, or the code of the error."""
    try:
        return judged(data)[1].verdict
    except BadFileError as error:
        assert error.code in CODES or error.code.startswith("unreadable:type:")
        return error.code


def framed(body: bytes, size: int | None = None) -> bytes:
    return b"\x95" + struct.pack("<Q", len(body) if size is None else size) + body


PLAIN = {
    "None": proto(b"N", 4),
    "a list of texts, protocol 0": b"(lp0\nVa\np1\naVb\np2\na.",
    "a dictionary, protocol 0": b"(dp0\nS'a'\np1\nI1\nsS'b'\np2\nI01\ns.",
    "protocol 4 in a frame": proto(framed(b"]\x94(\x8c\x01a\x94e."), 4)[:-1],
    "numbers of all sorts": proto(
        b"(K\x01M\x01\x02J\xff\xff\xff\xff\x8a\x01\x05G" + bytes(8) + b"L5L\nF1.5\nt"
    ),
    "bytes and sets": proto(b"(C\x01aB\x01\0\0\0b\x8f(N\x90(\x91t", 4),
    "nothing but itself": proto(b"]\x94h\x00a", 4),
    "two pickles": proto(b"N") + proto(b"]"),
    "an ordered dictionary with metadata": proto(
        ordered({"a": b"N"}) + dictionary({"_metadata": b"}"}) + b"b"
    ),
    "a numpy scalar": proto(
        named("numpy.core.multiarray", "scalar")
        + named("numpy", "dtype")
        + text("f8")
        + b"\x89\x88\x87R(K\x03"
        + text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + named("_codecs", "encode")
        + text("abcdefgh")
        + text("latin1")
        + b"\x86R\x86R"
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_values(name: str) -> None:
    assert verdict(PLAIN[name]) == TENSORS


ARGUMENT = b"X\x04\0\0\0true"
HARMFUL = {
    "GLOBAL, protocol 0": b"cos\nsystem\n(S'true'\ntR.",
    "GLOBAL": proto(EVIL),
    "posix": proto(named("posix", "system") + ARGUMENT + b"\x85R"),
    "nt": proto(named("nt", "system") + ARGUMENT + b"\x85R"),
    "STACK_GLOBAL": proto(stacked("os", "system") + ARGUMENT + b"\x85R", 4),
    "STACK_GLOBAL through the memo": proto(short("system") + b"\x940" + short("os") + b"h\0\x93)R", 4),
    "STACK_GLOBAL of an escaped STRING": b"S'\\x6f\\163'\nVsystem\n\x93)R.",
    "STACK_GLOBAL of an escaped UNICODE": b"V\\u006fs\nVsystem\n\x93)R.",
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ, then forgotten": proto(b"(" + stacked("os", "system") + ARGUMENT + b"o0N", 4),
    "NEWOBJ_EX": proto(stacked("subprocess", "Popen") + ARGUMENT + b"\x85}\x92", 4),
    "REDUCE, then BUILD": proto(EVIL + b"}b"),
    "an attribute of an attribute": proto(stacked("pathlib", "os.system") + b")R", 4),
    "resolve_name": proto(named("pkgutil", "resolve_name") + text("os:system") + b"\x85R"),
    "a submodule": proto(named("requests.api", "get") + b")R"),
    "a helper of torch": proto(named("torch.utils.collect_env", "run") + b")R"),
    "a helper of numpy": proto(named("numpy.testing._private.utils", "runstring") + b")R"),
    "nested pickle": proto(named("torch.storage", "_load_from_bytes") + b"C\x01.\x85R"),
    "getattr": proto(stacked("builtins", "getattr") + short("") + short("join") + b"\x86R", 4),
    "never called": proto(named("os", "system")),
    "in the second pickle": proto(b"N") + proto(EVIL),
    "then garbage": proto(EVIL) + b"\xff\xfe\xfd",
    "then cut off": proto(EVIL)[:-1] + b"X\xff\0\0\0",
    "an import changed": proto(named("torch", "_utils") + b"}" + text("x") + named("torch", "eval") + b"sb"),
    "computed magic number": legacy(b"}", magic=named("builtins", "eval") + text(hex(MAGIC)) + b"\x85R"),
    "across a frame": proto(b"(" + framed(b"B\x10", 2) + b"\0\0\0\0\0" + EVIL + b"0" * 8, 5),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_dangerous(name: str) -> None:
    assert verdict(HARMFUL[name]) == DANGEROUS


STRANGE = {
    "unknown module": proto(named("totally_unknown_pkg.mod", "thing") + b")R"),
    "Cyrillic o": proto(named("оs", "system") + b")R"),
    "name put together": proto(b"(" + text("o") + text("s") + b"t" + text("system") + b"\x93", 4),
    "call of a result": proto(ordered({}) + b")R"),
    "missing memo": proto(b"h\x07"),
    "EXT1": proto(b"\x82\x01"),
    "EXT4": proto(b"\x84\xff\xff\xff\x7f"),
    "BINPERSID": proto(text("anything") + b"Q"),
    "PERSID": b"Panything\n.",
    "a storage outside an archive": proto(dictionary({"a": tensor()})),
    "state on a plain list": proto(b"]}b"),
    "state on a tensor": proto(named("torch", "Size") + b"))\x86R}b"),
    "out-of-band buffer": proto(b"\x97", 5),
    "an attribute of an allowed name": proto(stacked("torch._utils", "_rebuild_tensor_v2.__globals__"), 4),
    "an allowed module, another name": proto(named("torch._utils", "_cuda")),
    "numpy objects": proto(named("numpy", "dtype") + text("O8") + b"\x85R"),
    "zeros behind": proto(b"N") + bytes(9),
    "a payload as text": proto(b"C" + bytes([len(EVIL)]) + EVIL, 4),
}


@pytest.mark.parametrize("name", STRANGE)
def test_unknown(name: str) -> None:
    assert verdict(STRANGE[name]) == UNKNOWN


BROKEN = {
    "empty": (b"", "empty"),
    "no STOP": (b"\x80\x02N", "truncated"),
    "cut text": (b"\x80\x02X\x05\0\0", "truncated"),
    "protocol 255": (b"\x80\xffN.", "protocol"),
    "undecodable name": (b"c\xff\xfe\nx\n.", "name"),
    "undecodable text": (proto(b"X\x01\0\0\0\xff"), "text"),
    "bad quotes": (b"Sabc\n.", "text"),
    "unknown opcode": (proto(b"\xee"), "opcode"),
    "frame longer than the file": (proto(framed(b"N", 2**62), 5), "frame"),
    "opcode past its frame": (proto(framed(short("A" * 20), 3), 5), "frame"),
    "STOP inside its frame": (proto(framed(b"N.N"), 5), "frame"),
    "frame in a frame": (proto(framed(framed(b"N")), 5), "frame"),
    "text of 2 GiB": (proto(b"X\xff\xff\xff\x7fab"), "length"),
    "text of 2^62 bytes": (proto(b"\x8d" + struct.pack("<Q", 2**62), 4), "length"),
    "number of 2 GiB": (proto(b"\x8b\xff\xff\xff\x7f\x01"), "length"),
    "memo index 2^31-1": (proto(b"Nr\xff\xff\xff\x7f"), "length"),
    "negative memo index": (b"Np-1\n.", "length"),
    "10,000 digits": (b"I" + b"9" * 10_000 + b"\n.", "number"),
    "no MARK": (proto(b"t"), "stack"),
    "empty stack": (proto(b""), "stack"),
    "value without key": (proto(b"}(Nu"), "stack"),
    "10,000,000 opcodes": (proto(b"N0" * 5_000_000), "budget"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_unreadable(name: str) -> None:
    data, code = BROKEN[name]
    assert verdict(data) == f"unreadable:{code}"


def laughs() -> bytes:
    body = b"]\x94"
    for level in range(30):
        body += b"](" + (b"h" + bytes([level])) * 10 + b"e\x94"
    return proto(body, 4)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "data",
    [
        laughs(),
        proto(b"N" + b"2" * 100_000),
        proto(b"]" * 100_000 + b"a" * 99_999),
        proto(b"(" * 100_000 + b"t" * 99_999 + b"t"),
        proto(b")" + b"\x85" * 100_000 + b"}" + b"2"),
        proto(b"}" + b")" + b"\x85" * 100_000 + b"Ns"),
        proto(named("x", "y") + b"q\x00" + b"h\x00" + b"\x85R" * 100_000),
        proto(
            b"]("
            + b"N" * 300_000
            + b"eq\x000"
            + (named("collections", "Counter") + b"h\x00\x85R0") * 5_000
            + b"N"
        ),
        b"V" * 2_000_000,
        (b"a\nb\n" * 500_000),
        b"N0" + b"aos\nb\n" * 300_000,
        proto(b"N" + b"0N" * 4 + b"\xee" + b"\x8c\x02os\x93" * 200_000),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_bombs_end_soon(data: bytes) -> None:
    in_time(10, lambda: verdict(data))


def test_imports_are_listed_escaped_and_sorted() -> None:
    data = proto(named("оs", "system") + named("a", "x\x1b[2J") + named("collections", "OrderedDict"))
    program = judged(data)[1]
    assert program.imports == ("\\u043es.system", "a.x\\x1b[2J", "collections.OrderedDict")
    assert "\\u043es.system" in program.detail and program.detail.isprintable()


def test_textual_inversion() -> None:
    weights = {"*": parameter(tensor((2, 768), old=True))}
    module = named("torch.nn.modules.container", "ParameterDict") + b")\x81"
    module += dictionary({"training": b"\x88", "_parameters": ordered(weights)}) + b"b"
    value = dictionary(
        {"string_to_token": dictionary({"*": number(265)}), "string_to_param": module, "step": number(5)}
    )
    header, program = judged(legacy(value, {"0": (1536, bytes(6144))}))
    assert program.verdict == TENSORS and header.container == "pickle"
    assert header.tensors == {
        "string_to_param.*": {"dtype": "F32", "shape": [2, 768], "data_offsets": [0, 0]}
    }


@pytest.mark.parametrize("wrapper", ["state_dict", "params_ema", "module", "params"])
def test_wrappers_are_opened(wrapper: str) -> None:
    inner = ordered({"conv.weight": tensor((4, 4), "HalfStorage", old=True)})
    value = dictionary(
        {"optimizer": dictionary({"m": tensor(key="1", old=True)}), wrapper: inner, "epoch": number(3)}
    )
    header, program = judged(legacy(value, {"0": (16, bytes(32)), "1": (6, bytes(24))}))
    assert list(header.tensors) == ["conv.weight"] and header.tensors["conv.weight"]["dtype"] == "F16"
    assert program.verdict == TENSORS and "1 more tensors" in program.detail


def test_lightning_callbacks_are_unknown_and_tensors_still_listed() -> None:
    callback = named("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    value = b"}(" + text("callbacks") + b"}(" + callback + b"}u" + text("state_dict")
    value += dictionary({"w": tensor(old=True)}) + b"u"
    header, program = judged(legacy(value, {"0": (6, bytes(24))}))
    assert program.verdict == UNKNOWN and list(header.tensors) == ["w"]
    assert "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint" in program.imports


def test_old_layout_is_measured_to_its_end() -> None:
    value, stored = dictionary({"a": tensor(old=True)}), {"0": (6, bytes(24))}
    assert verdict(legacy(value, stored)) == TENSORS
    assert verdict(legacy(value, stored) + b"junk") == UNKNOWN
    assert verdict(legacy(value, stored) + proto(EVIL)) == DANGEROUS
    assert verdict(legacy(value, {"0": (5, bytes(20))})) == UNKNOWN
    assert verdict(legacy(value, stored)[:-1]) == "unreadable:truncated"


def test_impossible_shapes_are_skipped() -> None:
    header, _ = judged(legacy(dictionary({"a": tensor((2**40, 2**40), old=True), "b": tensor(old=True)})))
    assert list(header.tensors) == ["b"] and [w.code for w in header.warnings] == ["tensor_skipped"]


def test_numpy_arrays() -> None:
    header, program = judged(npy())
    assert program.verdict == TENSORS and header.tensors["arr_0"]["shape"] == [2, 3]
    assert verdict(npy("'|O'", "(1,)", proto(b"N"))) == UNKNOWN
    assert verdict(npy("'|O'", "(1,)", proto(EVIL))) == DANGEROUS
    assert verdict(npy("[('a', '|O')]", "(1,)", proto(b"N"))) == UNKNOWN
    assert verdict(npy() + proto(EVIL)[:-1]) != TENSORS
    assert verdict(npy(sizes="(__import__('os'),)")) == "unreadable:npy"
    assert verdict(npy()[:-1]) == "unreadable:truncated"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(66), "unreadable:type:7z"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "unreadable:type:hdf5"),
        (b"name\0".ljust(257, b"\0") + b"ustar\x0000" + bytes(300), "unreadable:type:tar"),
        (b"\0\0\x01" + bytes(90) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "unreadable:type:tensorflow"),
        (b"<!DOCTYPE html><html>", "not_a_model:html"),
        (b'{"version": "1.0", "model": {}}', "not_a_model:json"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "not_a_model:lfs"),
        (bytes(4096), "not_a_model:zero"),
        (b"#version: 0.2\ni n\nt h\na n\n", "not_a_model:text"),
        (b"The quick brown fox\njumps over the lazy dog.\n", "not_a_model:text"),
        (b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02", "not_a_model:tokenizer"),
    ],
)
def test_other_files_are_named(data: bytes, code: str) -> None:
    assert verdict(data) == code


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(proto(b"N"))
    assert read_pickled(path).program == read_pickled(os.fsencode(path)).program
    os.mkfifo(tmp_path / "pipe.pt")
    for name in ("pipe.pt", "."):
        with pytest.raises(BadFileError) as caught:
            read_pickled(tmp_path / name)
        assert caught.value.code == "not_regular_file"
    with pytest.raises(TemporaryError):
        read_pickled(tmp_path / "gone.pt")


def test_a_large_file_is_read_in_windows(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    value = dictionary({"hyper": text("x" * 3_000_000), "state_dict": dictionary({"w": tensor(old=True)})})
    path.write_bytes(legacy(value, {"0": (6, bytes(24))}))
    assert list(read_pickled(path).tensors) == ["w"]
    with path.open("r+b") as file:
        file.truncate(1 << 33)
    assert read_pickled(path).program.verdict == UNKNOWN  # type: ignore[union-attr]  # never None here
