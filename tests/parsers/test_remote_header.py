"""Headers through a source of pieces say what the same file on disk says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.header import Header
from indexer.errors import PinakesError
from indexer.parsers.byte_sources import MemorySource
from indexer.parsers.model_file import container_of, read_model
from indexer.parsers.remote_header import MAX_PICKLE, read_remote
from tests.hubs.remote_files import lora_bytes
from tests.parsers.gguf_files import gguf
from tests.parsers.headers import one
from tests.parsers.pickle_files import checkpoint, dictionary, proto, tensor
from tests.parsers.test_hostile_cases import ARCHIVE, _cases

GOOD = {
    "a.safetensors": lora_bytes(metadata={"ss_network_dim": "4"}),
    "b.safetensors": one(),
    "c.gguf": gguf([("a", [64, 64], "F16")], {"general.architecture": "flux", "words": ["w" * 9] * 5000}),
    "d.pt": checkpoint(proto(dictionary({"emb_params": tensor()}) + b"."), {"0": bytes(24)}),
}


def from_disk(path: Path) -> Header | str:
    try:
        return read_model(bytes(path), container_of(bytes(path)))
    except PinakesError as error:
        return error.code


def from_afar(data: bytes, name: str) -> Header | str:
    try:
        return read_remote(MemorySource(data), name)
    except PinakesError as error:
        return error.code


@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_damaged_files_say_the_same_from_afar(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    whole = GOOD[name]
    cut = data.draw(st.integers(0, len(whole)))
    at = data.draw(st.integers(0, min(len(whole) - 1, 4000)))
    spoilt = bytearray(whole[: data.draw(st.sampled_from((len(whole), cut)))])
    if at < len(spoilt):
        spoilt[at] = data.draw(st.sampled_from((spoilt[at], 0, 255, 60)))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(spoilt)
    assert from_afar(bytes(spoilt), name) == from_disk(path)


@pytest.mark.shared
@pytest.mark.skipif(not ARCHIVE.exists(), reason="development cases are not here")
@pytest.mark.parametrize(
    "group", ["crafted-safetensors", "crafted-gguf", "crafted-pickle", "crafted-torch-zip"]
)
def test_hostile_files_say_the_same_from_afar(tmp_path: Path, group: str) -> None:
    for name, (_, data) in _cases(group).items():
        path = tmp_path / Path(name).name
        path.write_bytes(data)
        if len(data) <= MAX_PICKLE:
            assert from_afar(data, name) == from_disk(path), name
