"""Headers by range requests: exact, few bytes, one version, named verdicts (HR-35 to HR-43)."""

import itertools
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.found import Judged, Problem
from indexer.errors import BadFileError
from indexer.reading_remote import judge_url
from indexer.settings import Settings
from indexer.sources.remote import FIRST, RemoteFile, file_address
from tests.hub_server import HubServer, Reply, Request, file_reply
from tests.hubs.remote_files import lora_bytes, padded, serve, sparse_checkpoint
from tests.parsers.gguf_files import gguf
from tests.parsers.pickle_files import checkpoint, dictionary, proto, tensor
from tests.sources.http_support import client, error_of

LORA = lora_bytes()


def judged(
    hub: HubServer, handler: Callable[[Request], Reply] | Reply | Sequence[Reply], name: str = "m.safetensors"
) -> Judged | Problem:
    hub.route("/" + name, handler)
    with client(hub) as hubs:
        return judge_url(hubs, f"{hub.url}/{name}", name, f"{hub.url}/{name}")


def code(outcome: Judged | Problem) -> str:
    assert isinstance(outcome, Problem), outcome.verdict
    return outcome.code


def test_a_lora_is_identified_by_one_request() -> None:
    with HubServer() as hub:
        outcome = judged(hub, lambda request: file_reply(request, LORA, '"1"'))
        assert isinstance(outcome, Judged)
        assert (outcome.verdict.kind, outcome.verdict.architecture) == ("lora", "sdxl")
        assert (outcome.found.size, len(hub.requests)) == (len(LORA), 1)


def test_seven_gigabytes_cost_less_than_a_megabyte(tmp_path: Path) -> None:
    blocks = [(f"model.diffusion_model.b.{n}.weight", "F16", [1280, 1280]) for n in range(2200)]
    path = sparse_checkpoint(tmp_path / "big.safetensors", blocks)
    assert path.stat().st_size > 7_000_000_000
    with HubServer() as hub:
        assert isinstance(judged(hub, lambda request: serve(path, request)), Judged)
        assert (len(hub.requests), hub.sent < 1_000_000) == (2, True)


def test_gguf_goes_the_same_way(tmp_path: Path) -> None:
    data = gguf([("a", [64, 64], "F16")], {"general.architecture": "flux", "words": ["w" * 50] * 20_000})
    with HubServer() as hub:
        outcome = judged(hub, lambda request: file_reply(request, data, '"1"'), "m.gguf")
        assert isinstance(outcome, Judged) and outcome.container == "gguf"
        assert len(hub.requests) < 5


@pytest.mark.parametrize("length", [*range(99_993, 100_002), FIRST - 9, FIRST - 8, FIRST - 7, FIRST + 1])
def test_headers_around_the_first_request_are_exact(length: int) -> None:
    front, size = padded(length)
    with HubServer() as hub:
        outcome = judged(hub, lambda request: file_reply(request, front + bytes(size - len(front)), '"1"'))
        assert isinstance(outcome, Judged), outcome
        assert len(hub.requests) == (1 if length <= FIRST - 8 else 2)
        if length > FIRST - 8:
            assert hub.requests[1].headers["range"] == f"bytes={FIRST}-{length + 7}"


@pytest.mark.parametrize("length", [25_000_001, 2**64 - 1, 2**63])
def test_an_impossible_header_is_not_asked_for(length: int) -> None:
    data = struct.pack("<Q", length) + b'{"a":'

    def answer(request: Request) -> Reply:
        told = {"Content-Range": f"bytes 0-{FIRST - 1}/9000000000", "ETag": '"1"'}
        return Reply(206, data.ljust(FIRST), told)

    with HubServer() as hub:
        assert code(judged(hub, answer)) == "header_length"
        assert len(hub.requests) == 1


def test_a_host_that_ignores_ranges_is_cut(tmp_path: Path) -> None:
    path = sparse_checkpoint(tmp_path / "big", [("model.diffusion_model.w", "F16", [65_536, 45_000])])

    def whole(request: Request) -> Reply:
        return serve(path, Request(**{**vars(request), "headers": {}}))

    with HubServer() as hub:
        assert isinstance(judged(hub, whole), Judged)
        assert hub.sent < 1 << 20


def test_ranges_ignored_and_a_long_header_is_named() -> None:
    front, size = padded(2_000_000)
    with HubServer() as hub:
        reply = Reply(200, itertools.chain([front], itertools.repeat(bytes(65_536))), length=size)
        assert code(judged(hub, reply)) == "range"


def _replaced(versions: Sequence[str], front: bytes, size: int) -> Callable[[Request], Reply]:
    """Each request finds the file of the next version."""
    left = iter(versions)

    def answer(request: Request) -> Reply:
        return file_reply(request, front + bytes(size - len(front)), f'"{next(left)}"')

    return answer


@pytest.mark.parametrize(("versions", "fine"), [("1222", True), ("1223", False), ("1212", False)])
def test_a_file_replaced_meanwhile_is_begun_anew_once(versions: str, fine: bool) -> None:
    with HubServer() as hub:
        outcome = judged(hub, _replaced(versions, *padded(200_000)))
        assert len(hub.requests) == 4
        if fine:
            assert isinstance(outcome, Judged)
        else:
            assert isinstance(outcome, Problem) and (outcome.code, outcome.retry) == ("changed", True)


def test_a_file_without_a_tag_is_held_to_its_size() -> None:
    front, size = padded(200_000)
    sizes = iter((size, size + 1, size, size + 1))

    def answer(request: Request) -> Reply:
        return file_reply(request, front + bytes(next(sizes) - len(front)))

    with HubServer() as hub:
        assert code(judged(hub, answer)) == "changed"


ODD_REPLIES: list[tuple[str, Reply, str]] = [
    ("HR-36", Reply(206, LORA[:100], {"Content-Range": "bytes 5-104/5000"}), "range"),
    ("HR-36", Reply(206, b"--x", {"Content-Type": "multipart/byteranges; boundary=x"}), "range"),
    ("HR-37", Reply(416, headers={"Content-Range": "bytes */0"}), "too_short"),
    ("HR-41", Reply(206, LORA[:100], {"Content-Range": "bytes 0-99/100", "Content-Encoding": "gzip"}), "range"),
    ("HR-42", Reply(200, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "not_a_model:lfs"),
    ("HR-42", Reply(200, b"# xet version 0\nfilesize = 12\nhash = '0'\n"), "not_a_model:xet"),
    ("HR-42", Reply(200, b"<!DOCTYPE html><title>Log in</title>", {"Content-Type": "text/html"}), "not_a_model:html"),
    ("HR-42", Reply(200, b'{"error": "gated"}'), "not_a_model:json"),
    ("size", Reply(206, bytes(FIRST), {"Content-Range": f"bytes 0-{FIRST - 1}/*"}), "range"),
    ("short", Reply(200, b"\x00\x01"), "too_short"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reply", "expected"), ODD_REPLIES)
def test_odd_answers_have_names(row: str, reply: Reply, expected: str) -> None:
    with HubServer() as hub:
        assert code(judged(hub, reply)) == expected
    with HubServer() as hub:
        assert code(judged(hub, reply, "m.ckpt")).split(":")[-1] in (
            expected.split(":")[-1],
            "truncated",
            "opcode",
        )


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_file_is_not_reached(status: int) -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route(
            "/m", Reply(status, b"<html>Access to this model is restricted", {"Content-Type": "text/html"})
        )
        error = error_of(judge_url, hubs, f"{hub.url}/m", "m", "m")
        assert (error.code, len(hub.requests)) == ("auth", 1)


def test_small_pickles_are_read_whole_and_large_ones_named(tmp_path: Path) -> None:
    data = checkpoint(proto(dictionary({"emb_params": tensor()}) + b"."), {"0": bytes(24)})
    with HubServer() as hub:
        outcome = judged(hub, lambda request: file_reply(request, data, '"1"'), "embedding.pt")
        assert isinstance(outcome, Judged) and outcome.container == "zip"
    large = tmp_path / "large.ckpt"
    large.write_bytes(data)
    with large.open("r+b") as file:
        file.truncate(2_000_000_000)
    with HubServer() as hub:
        assert code(judged(hub, lambda request: serve(large, request), "large.ckpt")) == "remote_pickle"
        assert len(hub.requests) == 1


def _index(weights: dict[str, str]) -> Reply:
    return Reply(200, json.dumps({"metadata": {}, "weight_map": weights}).encode())


def _sharded(hub: HubServer, weights: dict[str, str]) -> Judged | Problem:
    for number, held in enumerate(("a.weight", "b.weight"), 1):
        name = f"m-0000{number}-of-00002.safetensors"
        header = json.dumps({held: {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}).encode()
        data = struct.pack("<Q", len(header)) + header + bytes(4)
        if name in weights.values():
            hub.route("/" + name, Reply(200, data))
    return judged(hub, _index(weights), "m.safetensors.index.json")


def test_shards_are_read_by_their_index() -> None:
    first, second = "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"
    with HubServer() as hub:
        outcome = _sharded(hub, {"a.weight": first, "b.weight": second})
        assert isinstance(outcome, Judged)
        assert (outcome.verdict.tensors, outcome.warnings) == (2, {})
    with HubServer() as hub:
        outcome = _sharded(hub, {"a.weight": first, "c.weight": "gone.safetensors"})
        assert isinstance(outcome, Judged)
        assert list(outcome.warnings) == ["shard_missing"]
    with HubServer() as hub:
        assert code(_sharded(hub, {"c.weight": "gone.safetensors"})) == "shard_missing"


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"a": "../x.safetensors"}, "shard_path"),
        ({"a": "https://h/x"}, "shard_path"),
        ({"a": "x\x00y"}, "shard_path"),
        ({str(n): f"{n}.safetensors" for n in range(10_000)}, "shard_count"),
        ({}, "index_json"),
    ],
)
def test_a_hostile_index_asks_for_nothing(weights: dict[str, str], expected: str) -> None:
    with HubServer() as hub:
        assert code(_sharded(hub, weights)) == expected
        assert len(hub.requests) == 1


def test_bytes_at_hand_are_not_asked_for_again() -> None:
    data = bytes(range(256)) * 4096
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/f", lambda request: file_reply(request, data, '"1"'))
        file = RemoteFile(hubs, hub.url + "/f", first=1000)
        for offset, count in [
            (0, 10),
            (990, 20),
            (995, 5),
            (1000, 10),
            (500_000, 3),
            (0, 1000),
            (1 << 20, 5),
        ]:
            assert file.read(offset, count) == data[offset : offset + count]
        assert (file.requests, file.fetched) == (3, 1000 + 10 + 3)


def test_a_head_that_never_ends_is_left() -> None:
    with HubServer() as hub, client(hub) as hubs:
        hub.route("/f", lambda request: file_reply(request, bytes(100_000), '"1"'))
        file = RemoteFile(hubs, hub.url + "/f", first=1000, budget=5000)
        with pytest.raises(BadFileError) as caught:
            file.read(0, 5001)
        assert (caught.value.code, file.requests) == ("remote_budget", 1)


SETTINGS = Settings(civitai_url="https://civitai.com", huggingface_url="https://huggingface.co")
ADDRESSES: list[tuple[str, dict[str, Any]]] = [
    (
        "https://huggingface.co/org/name/blob/main/sub/m.safetensors",
        {"url": "https://huggingface.co/org/name/resolve/main/sub/m.safetensors", "name": "m.safetensors"},
    ),
    ("https://hf.co/org/name/blob/main/m.gguf", {"url": "https://huggingface.co/org/name/resolve/main/m.gguf"}),
    (
        "https://civitai.com/api/download/models/7?type=Model&token=s3cret&format=SafeTensor",
        {
            "url": "https://civitai.com/api/download/models/7?type=Model&format=SafeTensor",
            "shown": "https://civitai.com/api/download/models/7?type=Model&format=SafeTensor",
            "token": "s3cret",
        },
    ),
    (
        "https://civitai.com/models/3/ink?modelVersionId=7",
        {"url": "https://civitai.com/api/download/models/7", "name": "7"},
    ),
    (
        "https://h.example/a%20b.safetensors?X-Amz-Signature=s3cret#part",
        {"shown": "https://h.example/a%20b.safetensors", "name": "a b.safetensors", "token": None},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ADDRESSES)
def test_addresses_mean_files(text: str, expected: dict[str, Any]) -> None:
    address = file_address(text, SETTINGS)
    assert {name: getattr(address, name) for name in expected} == expected
    assert "s3cret" not in address.shown
