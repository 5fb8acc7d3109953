"""Reference layouts: the grammar, and that every file is sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.layouts import expand, layout_ids, load_layout, parse_layout
from indexer.domain.vocabulary import TableError, UnknownIdError

PUBLISHED_COUNTS = {
    "sd1": 686,
    "sd2": 686,
    "sdxl": 1680,
    "sdxl.diffusers": 1680,
    "ssd-1b": 944,
    "segmind-vega": 564,
    "flux1-dev": 780,
    "flux1-schnell": 776,
    "chroma": 643,
    "flux2-klein-4b": 149,
    "flux2-klein-9b": 201,
    "flux2-dev": 299,
    "qwen-image": 1933,
    "wan2.1-t2v-14b": 1095,
    "wan2.1-i2v-14b": 1303,
    "wan2.2-ti2v-5b": 825,
    "anima": 685,
    "vae-kl-f8": 248,
    "vae-flux1": 244,
}
"""Tensors in the files that the makers of the models published."""


def test_a_pattern_is_every_combination_of_its_choices() -> None:
    assert list(expand("a.{0..1}.{q,k}")) == ["a.0.q", "a.0.k", "a.1.q", "a.1.k"]
    assert list(expand("{0..2,7}")) == ["0", "1", "2", "7"]
    assert list(expand("plain.weight")) == ["plain.weight"]


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_range_holds_both_ends(low: int, more: int) -> None:
    assert [int(choice) for choice in expand(f"{{{low}..{low + more}}}")] == list(range(low, low + more + 1))


def test_a_line_without_dimensions_is_a_scalar() -> None:
    assert parse_layout("# why\n\nbn.num_batches_tracked\nbn.mean 4") == {
        "bn.num_batches_tracked": (),
        "bn.mean": (4,),
    }


def test_a_layout_builds_on_another() -> None:
    layout = parse_layout(
        "@base flux1-dev\n@drop guidance_in.{in,out}_layer.{bias,weight}\nimg_in.weight 3072 128"
    )
    assert len(layout) == 776
    assert layout["img_in.weight"] == (3072, 128)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a.{0..2 4", "a brace is not closed"),
        ("a.weight four", "invalid literal for int() with base 10: 'four'"),
        ("@base sd1\n@drop no.such.tensor", "'no.such.tensor'"),
    ],
)
def test_a_fault_names_the_layout_and_the_line(text: str, fault: str) -> None:
    with pytest.raises(TableError) as caught:
        parse_layout(text, "broken")
    line = text.splitlines()[-1]
    expected = (
        f"layout 'broken', line {text.count(chr(10)) + 1}: cannot read {line!r} ({fault}); see layouts.py"
    )
    assert str(caught.value) == expected


def test_an_unknown_layout_is_told() -> None:
    with pytest.raises(UnknownIdError, match="no layout 'sd9'"):
        load_layout("sd9")


@pytest.mark.parametrize("layout", layout_ids())
def test_every_layout_can_be_read(layout: str) -> None:
    tensors = load_layout(layout)
    assert len(tensors) > 50
    assert all(size > 0 for shape in tensors.values() for size in shape)


@pytest.mark.parametrize(("layout", "count"), PUBLISHED_COUNTS.items())
def test_layouts_have_as_many_tensors_as_the_published_files(layout: str, count: int) -> None:
    assert len(load_layout(layout)) == count


@pytest.mark.parametrize("layout", ["sd1", "sdxl", "ssd-1b", "segmind-vega", "koala"])
def test_both_namings_of_a_unet_hold_the_same_shapes(layout: str) -> None:
    assert sorted(load_layout(layout).values()) == sorted(load_layout(f"{layout}.diffusers").values())
