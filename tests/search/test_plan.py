"""One action for each model, from facts and candidates alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fit import FitVerdict
from indexer.domain.vocabulary import architectures, kinds
from search.plan import ACTIONS, Found, decide, wants_candidates
from search.plan_fit import Stored, Target, fit_of, needs_of
from tests.search.planning import candidate, model

KLEIN = Target("flux2-klein-9b")
SDXL = Target("sdxl")
NEAR = candidate(model(2, "Ink Bay", "flux2-klein-9b"))


def test_what_loads_is_kept() -> None:
    decision = decide(model(architecture="flux2-klein-9b"), KLEIN, Found())
    assert (decision.action, decision.candidates) == ("keep", ())
    assert not wants_candidates(model(architecture="flux2-klein-9b"), KLEIN)


def test_an_upscaler_needs_no_base() -> None:
    assert decide(model(kind="upscaler", architecture=None), KLEIN, Found()).action == "keep"


def test_a_family_is_kept_with_a_caveat() -> None:
    pony = model(family="pony")
    plain = decide(pony, SDXL, Found())
    assert plain.action == "keep"
    assert any("Pony" in reason for reason in plain.reasons)
    other = decide(pony, Target("sdxl", "illustrious"), Found())
    assert other.action == "keep"
    assert any("characters blur" in reason for reason in other.reasons)


def test_the_same_model_for_the_target_goes_before_one_that_is_merely_near() -> None:
    same = candidate(model(3, "Ink Harbour", "flux2-klein-9b"), 0.5, "a version of the same page")
    decision = decide(model(), KLEIN, Found((same,), (NEAR,)))
    assert decision.action == "update"
    assert [one.document.id for one in decision.candidates] == [3, 2]
    assert "the same page" in decision.reasons[0]


def test_a_better_version_for_the_family_is_an_update() -> None:
    same = candidate(model(3, family="illustrious"), 0.5, "the same creator and title")
    assert decide(model(family="pony"), Target("sdxl", "illustrious"), Found((same,))).action == "update"


def test_the_nearest_takes_the_place_of_what_does_not_fit() -> None:
    decision = decide(model(), KLEIN, Found((), (NEAR,)))
    assert decision.action == "replace"
    assert "it looks alike" in " ".join(decision.reasons)


def test_nothing_near_enough_is_trained_anew_and_what_comes_near_is_shown() -> None:
    far, farther = candidate(NEAR.document, 0.3), candidate(model(3), 0.05)
    decision = decide(model(), KLEIN, Found((), (far, farther)))
    assert decision.action == "retrain"
    assert decision.candidates == (far,)
    assert decide(model(), KLEIN, Found()).action == "retrain"


@pytest.mark.parametrize("kind", ["checkpoint", "diffusion_model"])
def test_a_base_always_has_a_successor(kind: str) -> None:
    old = model(kind=kind, category="anime")
    near = candidate(model(2, architecture="flux2-klein-9b", kind="diffusion_model"), 0.01)
    assert decide(old, KLEIN, Found((), (near,))).action == "replace"
    without = decide(old, KLEIN, Found())
    assert without.action == "replace"
    assert "get the base itself" in without.reasons[1]


def test_a_base_of_another_family_is_not_the_target() -> None:
    pony = model(kind="checkpoint", family="pony")
    assert decide(pony, SDXL, Found()).action == "keep"
    assert decide(pony, Target("sdxl", "illustrious"), Found()).action == "replace"


@pytest.mark.parametrize(("kind", "architecture"), [("vae", "sdxl"), ("text_encoder", "clip-l")])
def test_a_part_goes_with_its_base(kind: str, architecture: str) -> None:
    part = model(kind=kind, architecture=architecture)
    assert decide(part, SDXL, Found()).action == "keep"
    gone = decide(part, KLEIN, Found())
    assert gone.action == "replace"
    assert needs_of(KLEIN, kind)[0] in gone.reasons[1]


def test_a_part_that_the_target_has_no_use_for_is_told_so() -> None:
    vision = decide(model(kind="clip_vision", architecture="clip-vit-h"), KLEIN, Found())
    assert "no use for" in vision.reasons[0]


@pytest.mark.parametrize(
    ("odd", "missing"),
    [
        (model(kind="unknown", architecture=None), "--kind"),
        (model(architecture=None, base_label="SD 1.5"), "SD 1.5"),
        (model(flags=("local", "nonfunctional")), "cannot work"),
    ],
)
def test_what_nobody_can_tell_is_unknown_and_says_what_is_missing(odd: object, missing: str) -> None:
    decision = decide(odd, KLEIN, Found((), (NEAR,)))  # type: ignore[arg-type]  # parametrized over documents
    assert decision.action == "unknown"
    assert missing in " ".join(decision.reasons)


@pytest.mark.parametrize(
    ("stored", "to"),
    [(Stored("pickle"), "safetensors"), (Stored("safetensors", "xlabs"), "kohya names"), (Stored(), None)],
)
def test_what_is_kept_in_another_format_is_converted(stored: Stored, to: str | None) -> None:
    decision = decide(model(architecture="flux2-klein-9b"), KLEIN, Found(), stored)
    assert (decision.action, decision.conversion) == ("convert" if to else "keep", to)


def test_tensors_overrule_ids() -> None:
    no = FitVerdict("incompatible", reasons=("cross-attention takes 2048 features",))
    decision = decide(model(), SDXL, Found(), verdict=no)
    assert decision.action == "retrain"
    assert decision.reasons[0] == no.reasons[0]
    partly = FitVerdict("partial", 10, 3, reasons=("The text encoder part does nothing.",), score=0.9)
    kept = decide(model(), SDXL, Found(), verdict=partly)
    assert kept.action == "keep"
    assert partly.reasons[0] in kept.reasons


def test_a_false_label_is_told() -> None:
    odd = model(flags=("local", "mislabelled"), base_label="SD 1.5")
    assert "SD 1.5" in decide(odd, SDXL, Found()).reasons[-1]


nodes = st.sampled_from(sorted(architectures()))
families = st.sampled_from([None, "pony", "illustrious"])


@given(st.sampled_from(sorted(kinds())), st.none() | nodes, nodes, families, st.booleans(), st.floats(0, 1))
def test_every_model_gets_one_action_with_a_reason(
    kind: str, architecture: str | None, to: str, family: str | None, found: bool, nearness: float
) -> None:
    old = model(kind=kind, architecture=architecture, family=family)
    target = Target(to)
    near = (candidate(model(2, architecture=to, kind=kind), nearness),) if found else ()
    decision = decide(old, target, Found((), near))
    assert decision.action in ACTIONS
    assert decision.reasons and all(decision.reasons)
    if decision.action in ("keep", "convert"):
        assert fit_of(old, target).loads
    if not wants_candidates(old, target):
        assert decision.action in ("keep", "convert", "unknown")
