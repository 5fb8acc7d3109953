"""Broken, empty and odd adapters: told, never fatal; and what ``inspect --weights`` says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from indexer.adapter_weights import read_adapter_weights
from indexer.errors import TemporaryError
from indexer.parsers.safetensors import read_header
from indexer.parsers.tensor_values import TensorReader
from indexer.rules.factors import factors_of
from search.cli import app
from tests.adapters import Values, kohya, save, trained, unet_sizes
from tests.models import write_safetensors

UNET = kohya(trained(1, unet_sizes()), alpha=4.0)
FIRST = next(name for name in UNET if name.endswith("lora_up.weight"))


def changed(**values: float) -> dict[str, Values]:
    """The adapter with all factors that end so multiplied."""
    return {
        name: np.asarray(array * values.get(name.rpartition(".lora_")[2].partition(".")[0], 1.0), np.float32)
        for name, array in UNET.items()
    }


def poisoned(value: float) -> dict[str, Values]:
    bad = UNET[FIRST].copy()
    bad[0, 0] = value
    return UNET | {FIRST: bad}


def fault(path: Path) -> str | None:
    found = read_adapter_weights(path)
    return found.fault[0] if found.fault else None


@pytest.mark.parametrize(
    ("tensors", "dtype", "told"),
    [
        (UNET, "F16", None),
        (changed(up=0.0), "F16", "zero"),
        (changed(up=0.0, down=0.0), "BF16", "zero"),
        (poisoned(np.nan), "F16", "nan"),
        (poisoned(np.nan), "BF16", "nan"),
        (poisoned(np.inf), "F32", "infinite"),
        (poisoned(1e9), "F16", "infinite"),
        (changed(up=1e-12), "F32", "faint"),
        (changed(up=1e9), "F32", "absurd"),
        (changed(up=1e30, down=1e30), "F32", "absurd"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_cannot_work_is_told(
    tmp_path: Path, tensors: dict[str, Values], dtype: str, told: str | None
) -> None:
    assert fault(save(tmp_path / "a.safetensors", tensors, dtype)) == told


def test_an_alpha_that_is_no_number_is_told(tmp_path: Path) -> None:
    alpha = next(name for name in UNET if name.endswith(".alpha"))
    path = save(tmp_path / "a.safetensors", UNET | {alpha: np.array(np.nan, np.float32)})
    assert fault(path) == "nan"


def test_some_modules_without_a_change_are_no_fault(tmp_path: Path) -> None:
    half = {name: array * (number % 2) for number, (name, array) in enumerate(changed(up=1.0).items())}
    tensors = {name: half[name] if "lora_up" in name else array for name, array in UNET.items()}
    assert fault(save(tmp_path / "a.safetensors", tensors)) is None


def test_packed_values_are_counted_as_unread_and_are_no_fault(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    text = path.read_bytes().replace(b'"F16"', b'"I16"')
    path.write_bytes(text)
    found = read_adapter_weights(path)
    assert (found.unread, found.fault, found.vector) == (found.modules, None, None)


def test_a_file_cut_short_after_its_header_was_read_is_no_crash(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", UNET)
    header = read_header(path)
    path.write_bytes(path.read_bytes()[:-1_000])
    with TensorReader(path, header) as reader, pytest.raises(TemporaryError, match="shorter"):
        for module in factors_of(header):
            for name in module.tensors.values():
                reader.read(name)


def test_offsets_that_lie_are_not_followed(tmp_path: Path) -> None:
    """A header that did not pass the checks of its reader, for instance of another container."""
    path = save(tmp_path / "a.safetensors", UNET)
    header = read_header(path)
    for offsets in ([-8, 0], [0, 1 << 60], [1 << 60, (1 << 60) + 8], [8, 0]):
        entry: Any = {"dtype": "F32", "shape": [2], "data_offsets": offsets}
        lying = type(header)("safetensors", {"x": entry}, {}, header.data_start, header.data_size)
        with TensorReader(path, lying) as reader:
            assert reader.read("x") is None
            assert list(reader.rows("x")) == []


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
def test_every_type_is_read_as_it_was_written(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0.0, -0.0, 1.5, -2.25], [6e-8, 1e-5, 65504.0, 0.5]], np.float32)
    path = save(tmp_path / "a.safetensors", {"x": values}, dtype)
    with TensorReader(path, read_header(path)) as reader:
        found = reader.read("x")
        rows = np.concatenate(list(reader.rows("x")))
    assert found is not None
    assert np.allclose(found, values, rtol=1e-2, atol=6e-8)
    assert np.array_equal(found, rows)


def test_inspect_reads_weights_when_asked(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", changed(up=0.0), "F16")
    plain = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--json"]).stdout)
    told = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--json", "--weights"]).stdout)
    assert "weights" not in plain and "nonfunctional" not in plain["warnings"]
    assert told["weights"]["fault"] == "zero"
    assert "nonfunctional" in told["warnings"]
    assert "never trained" in told["warning_details"]["nonfunctional"]
    shown = CliRunner().invoke(app, ["inspect", str(path), "--weights"]).stdout
    assert "nonfunctional" in shown
