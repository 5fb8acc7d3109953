"""What training anew takes: a range, from what the old file tells."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.vocabulary import architectures
from search.plan_cost import Price, retraining
from search.plan_fit import Target
from search.plan_table import load_plan_table

KLEIN = Target("flux2-klein-9b")


def told(facts: dict[str, Any], target: Target = KLEIN, price: Price = Price(), kind: str = "lora") -> Any:
    found = retraining(kind, facts, target, price, ["ink", "sea"])
    assert found is not None
    return found


def test_what_the_file_tells_is_what_is_planned() -> None:
    found = told({"images": 40, "steps": 1000, "batch_size": 4, "dim": 8, "resolution": (512, 512)})
    assert (found.images, found.rank, found.captions) == (40, 8, ("ink", "sea"))
    assert found.steps == (2800, 5200)
    assert "512 pixels" in found.notes[0]


def test_epochs_of_pictures_tell_as_much_as_steps() -> None:
    assert told({"train_images": 400, "epochs": 10}).steps == told({"steps": 4000}).steps


def test_the_price_is_per_hour_and_in_its_currency() -> None:
    cheap, dear = (told({"steps": 2000}, price=Price(hour, "USD")) for hour in (1.0, 2.0))
    assert dear.cost == tuple(2 * end for end in cheap.cost)
    assert cheap.cost == cheap.gpu_hours
    assert dear.currency == "USD"


def test_hours_follow_the_formula_of_the_table() -> None:
    table, found = load_plan_table(), told({"steps": 2000})
    base, card, compute = table.bases["flux2-klein-9b"], table.cards[0], table.compute
    seconds = compute.overhead + compute.passes * base.tflop / (card.peak * compute.efficiency[1])
    assert found.gpu_hours[0] == pytest.approx(found.steps[0] * seconds / 3600, abs=0.01)


def test_a_larger_base_costs_more_and_may_need_a_larger_card() -> None:
    small, large = told({"steps": 2000}, Target("sdxl")), told({"steps": 2000}, Target("qwen-image"))
    assert small.gpu_hours[1] < told({"steps": 2000}).gpu_hours[1]
    assert small.card != large.card


def test_nobody_trains_a_motion_module_at_home() -> None:
    assert retraining("motion_module", {}, KLEIN, Price()) is None


def test_a_base_that_is_not_in_the_table_says_so() -> None:
    found = told({"steps": 2000}, Target("mochi-1"))
    assert found.gpu_hours is None
    assert found.to_json()["cost_range"] is None
    assert any("not in the table" in note for note in found.notes)


values = st.none() | st.integers(-5, 10**15) | st.floats(allow_nan=True) | st.text(max_size=3) | st.booleans()
names = ("images", "steps", "batch_size", "accumulation", "train_images", "epochs", "dim")


@given(st.fixed_dictionaries(dict.fromkeys(names, values)), st.sampled_from(sorted(architectures())))
def test_any_metadata_gives_a_bounded_range(facts: dict[str, Any], architecture: str) -> None:
    found, row = told(facts, Target(architecture)), load_plan_table().training["adapter"]
    assert row.least <= found.steps[0] <= found.steps[1] <= row.most
    assert found.rank <= row.rank_most
    if found.gpu_hours is not None:
        assert 0 < found.gpu_hours[0] <= found.gpu_hours[1]
