"""What configurations state of a module's scale, as PEFT and diffusers write them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.factors import StatedScale
from indexer.rules.scaling import stated_scales
from tests.clocks import in_time

MODULE = "base_model.model.down_blocks.0.attn.to_q"


def scale(module: str, **configuration: Any) -> StatedScale | None:
    return stated_scales({}, configuration).of(module)


def test_alpha_is_divided_by_the_rank_or_by_its_root() -> None:
    plain, stabilised = (scale(MODULE, lora_alpha=16, use_rslora=root) for root in (False, True))
    assert plain is not None and stabilised is not None
    assert (plain.at(4), stabilised.at(4)) == (4.0, 8.0)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("to_q", True),
        ("attn.to_q", True),
        ("down_blocks.0.attn.to_q", True),
        ("^down_blocks.0.attn.to_q$", True),
        (r"down_blocks\.0\.attn\.to_q", True),
        ("down_blocks.*to_q", True),
        (".*attn.*", True),
        ("blocks.*to_q", False),
        ("^attn.to_q", False),
        ("_q", False),
        ("attn", False),
        ("to_q.*to_q", False),
        ("(to_q|to_k)", False),
        ("[", False),
    ],
)
def test_patterns_fit_whole_parts_from_the_end(pattern: str, fits: bool) -> None:
    """As ``re.match(rf"(.*\\.)?({pattern})$", module)`` of PEFT, but for what only a regular expression says."""
    told = scale(MODULE, lora_alpha=8, alpha_pattern={pattern: 2})
    assert told == StatedScale(2.0 if fits else 8.0)


def test_the_first_pattern_that_fits_counts() -> None:
    for patterns, alpha in (
        ({"to_q": 2, "attn.to_q": 4}, 2.0),
        ({".*to_q": 3, "to_q": 2}, 3.0),
        ({"to_k": 1, "attn.to_q": 4}, 4.0),
    ):
        assert scale(MODULE, lora_alpha=8, alpha_pattern=patterns) == StatedScale(alpha)


def test_a_header_names_the_component_of_each_statement() -> None:
    told = {
        "unet.lora_alpha": 4,
        "unet.alpha_pattern": {"to_q": 2},
        "text_encoder.lora_alpha": 9,
        "text_encoder.use_rslora": True,
    }
    scales = stated_scales({"lora_adapter_metadata": json.dumps(told)}, {"lora_alpha": 100})
    assert scales.of("unet.mid.to_k") == StatedScale(4.0)
    assert scales.of("unet.mid.to_q") == StatedScale(2.0)
    assert scales.of("text_encoder.layers.0.q_proj") == StatedScale(9.0, True)
    assert scales.of("transformer.blocks.0.to_q") is None


def test_one_component_alone_speaks_for_whatever_its_tensors_are_called() -> None:
    scales = stated_scales({"lora_adapter_metadata": '{"transformer.lora_alpha": 4}'}, None)
    assert scales.of("diffusion_model.blocks.0.to_q") == scales.of("blocks.0.to_q") == StatedScale(4.0)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"lora_alpha": "x"}', '{"lora_alpha": true}', '{"lora_alpha": NaN}',
             '{"lora_alpha": 1e400}', '{"a.b.c": {}}', "[" * 100_000, '{"lora_alpha": 1' + "0" * 400 + "}"],
)  # fmt: skip
def test_nonsense_states_nothing(text: str) -> None:
    assert not stated_scales({"lora_adapter_metadata": text}, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
KEYS = st.sampled_from(["lora_alpha", "alpha_pattern", "use_rslora", "unet.lora_alpha", "unet.alpha_pattern"])


@given(st.dictionaries(KEYS | st.text(max_size=9), JSON, max_size=6), st.text(max_size=30))
def test_no_configuration_raises(configuration: dict[str, Any], stem: str) -> None:
    told = stated_scales({}, configuration).of(stem)
    assert told is None or told.at(4) == told.at(4)


@pytest.mark.no_cover
def test_a_configuration_made_to_be_slow_is_not() -> None:
    patterns = {f"{'.*a' * 100}{number}": 1 for number in range(5_000)}
    patterns |= {f"name{number}": 1 for number in range(50_000)}
    scales = stated_scales({}, {"lora_alpha": 1, "alpha_pattern": patterns})
    in_time(5, lambda: [scales.of(f"{'a.' * 150}{number}") for number in range(500)], once=True)
