"""Names without their numbers, parts behind prefixes, shapes on demand."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.collector import collector_paused
from indexer.rules.profile import Pattern, Profile, View, templates_of
from tests.clocks import in_time
from tests.rules.builders import header


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=30))
def test_templates_are_names_with_their_numbers_taken_out(names: list[str]) -> None:
    slow = [re.sub("[0-9#]*[0-9][0-9#]*|##+", "#", name) for name in names]
    assert templates_of(names) == slow


def test_a_line_break_in_a_name_does_not_shift_the_others() -> None:
    assert templates_of(["a.1\nb", "c.22"]) == ["a.#\nb", "c.#"]


def test_patterns_know_what_they_leave_open() -> None:
    exact, any_number = Pattern.parse("blocks.0.attn1.weight"), Pattern.parse("/blocks.#.weight")
    assert (exact.template, exact.open, exact.numbered, exact.rooted) == (
        "blocks.#.attn#.weight",
        False,
        True,
        False,
    )
    assert (any_number.text, any_number.open, any_number.rooted) == ("blocks.#.weight", True, True)


def test_find_looks_for_numbers_only_where_they_are_left_open() -> None:
    profile = Profile(header(["b.3.mlp.0.weight", "b.7.mlp.2.weight", "c.weight"]))
    root = profile.root
    assert profile.find(root, Pattern.parse("b.#.mlp.2.weight")) == "b.7.mlp.2.weight"
    assert profile.find(root, Pattern.parse("b.#.mlp.#.weight")) == "b.3.mlp.0.weight"
    assert profile.find(root, Pattern.parse("b.3.mlp.2.weight")) is None
    assert profile.find(root, Pattern.parse("c.weight")) == "c.weight"
    assert profile.find(root, Pattern.parse("d.weight")) is None


def test_parts_of_a_checkpoint_are_set_apart() -> None:
    names = [
        "model.diffusion_model.out.0.bias",
        "first_stage_model.decoder.conv_in.weight",
        "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias",
        "conditioner.embedders.1.model.ln_final.bias",
        "text_encoders.qwen25_7b.transformer.model.norm.weight",
        "v_pred",
    ]
    views = {view.prefix: view.templates for view in Profile(header(names)).views}
    assert views["model.diffusion_model."] == {"out.#.bias"}
    assert views["conditioner.embedders.1.model."] == {"ln_final.bias"}
    assert views["text_encoders.qwen25_7b."] == {"transformer.model.norm.weight"}
    assert views["text_encoders.qwen25_7b.transformer."] == {"model.norm.weight"}
    assert "v_pred" in views[""]


def test_a_wrapper_is_taken_off_only_where_the_network_has_it() -> None:
    wrapped = Profile(header(["net.x_embedder.weight", "net.blocks.0.weight"]))
    assert View("net.", frozenset({"x_embedder.weight", "blocks.#.weight"})) in wrapped.views
    scattered = Profile(header([f"block{chr(97 + i)}.weight" for i in range(20)] + ["net.x.weight"]))
    assert [view.prefix for view in scattered.views] == [""]


def test_packed_types_hide_the_shape() -> None:
    profile = Profile(header({"a": (8, 1), "b": (4, 4)}, dtypes={"a": "U8"}))
    assert profile.shape("a") is None
    assert profile.shape("b") == [4, 4]


@pytest.mark.no_cover
def test_a_million_tensors_take_linear_time() -> None:
    names = [f"double_blocks.{number}.img_attn.qkv.weight" for number in range(200_000)]
    many = header(names)
    with collector_paused():  # as whoever reads a file does
        counts = in_time(2.0, lambda: Profile(many).counts, once=True)
    assert counts == {"double_blocks.#.img_attn.qkv.weight": 200_000}
