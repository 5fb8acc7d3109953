"""Identities and unit vectors."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.embedding.encoders import Encoder, VectorIdentity, unit_rows
from indexer.embedding.style import LayoutDescriptor, StyleDescriptor

IDENTITY = VectorIdentity("style", "statistics", "", "lab", 1, 10)


def test_the_key_is_short_and_names_the_space() -> None:
    assert IDENTITY.key.startswith("style-")
    assert len(IDENTITY.key) == 22
    assert IDENTITY.key == replace(IDENTITY).key


@pytest.mark.parametrize("change", [{"model": "x"}, {"weights": "x"}, {"version": 2}, {"dimension": 11}])
def test_any_difference_changes_the_key(change: dict[str, object]) -> None:
    assert replace(IDENTITY, **change).key != IDENTITY.key  # type: ignore[arg-type]


def test_fields_cannot_run_into_each_other() -> None:
    assert replace(IDENTITY, model="ab", weights="c").key != replace(IDENTITY, model="a", weights="bc").key


def test_unit_rows() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e-20, 0.0]]))
    np.testing.assert_allclose(rows, np.array([[0.6, 0.8], [0, 0], [1, 0]]), rtol=1e-6)
    assert rows.dtype == np.float32


def test_descriptors_are_encoders() -> None:
    encoders: list[Encoder] = [StyleDescriptor(), LayoutDescriptor()]
    assert len({encoder.identity.space for encoder in encoders}) == 2
