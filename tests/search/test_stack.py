"""Stacks judged from what was found of their parts: verdict, pairs, words, size, licence, advice. No catalog."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fit import FitVerdict
from indexer.domain.verdict import Need
from search.stack import judge_stack
from search.stack_pairs import shared_words, together_factor
from search.stack_records import Addon, Alignment, Member, Needed, Spare, Weight

BASE = Member(
    "Base",
    "checkpoint",
    architecture="sdxl",
    cells={"denoiser": 100, "other": 10},
    permissions=("commercial", "sell-images"),
)
FITS = FitVerdict("compatible", 10, score=1.0, reasons=("All 10 modules fit.",))
UNFIT = FitVerdict("incompatible", 0, 10, reasons=("It is for another model.",))


def lora(
    name: str, changed: str = "", verdict: FitVerdict = FITS, weight: Weight | None = None, **more: object
) -> Addon:
    values = {"cells": {"other": 5}, "permissions": ("commercial", "sell-images")} | more
    return Addon(Member(name, "lora", changed=frozenset(changed), **values), verdict, weight or Weight())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([], "compatible"),
        (["compatible", "compatible"], "compatible"),
        (["compatible", "partial"], "partial"),
        (["unknown", "partial"], "unknown"),
        (["unknown", "incompatible", "compatible"], "incompatible"),
    ],
)
def test_the_worst_addon_decides(verdicts: list[str], whole: str) -> None:
    addons = [lora(str(n), verdict=FitVerdict(verdict, 1)) for n, verdict in enumerate(verdicts)]
    stack = judge_stack(BASE, addons)
    assert stack.verdict == whole
    assert stack.loads == (whole in ("compatible", "partial"))


def test_the_contract() -> None:
    told = judge_stack(BASE, [lora("a", "xy"), lora("b", "yz")]).to_json()
    assert {"verdict", "base", "addons", "pairs", "advice"} <= set(told)
    assert {"addon", "verdict", "matched", "unmatched", "mismatched", "reasons"} <= set(told["addons"][0])
    assert told["pairs"] == [
        {
            "a": "a",
            "b": "b",
            "overlap": 0.5,
            "shared": 1,
            "words": [],
            "note": "Both change 1 weights, 50% of the smaller one's.",
        }
    ]


@given(st.frozensets(st.integers(0, 30), min_size=1), st.frozensets(st.integers(0, 30), min_size=1))
def test_overlap_is_the_share_of_the_smaller(one: frozenset[int], other: frozenset[int]) -> None:
    names = [frozenset(map(str, numbers)) for numbers in (one, other)]
    addons = [
        Addon(Member(name, "lora", changed=changed), FITS) for name, changed in zip("ab", names, strict=True)
    ]
    (pair,) = judge_stack(BASE, addons).pairs
    assert pair.overlap == len(one & other) / min(len(one), len(other))


def test_what_does_not_fit_meets_nobody() -> None:
    stack = judge_stack(BASE, [lora("a", "xy"), lora("b", "xy", UNFIT, id=7), lora("c", "xy")])
    assert [(p.first.member.name, p.second.member.name) for p in stack.pairs] == [("a", "c")]
    assert stack.advice[0].startswith("Leave out b") and "pinakes similar 7 --base sdxl" in stack.advice[0]
    assert [part.name for part in stack.size.parts] == ["Base", "a", "c"]


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("Ink Wash",), ("ink  wash",), ["ink wash"]),
        (("inkw, 1girl",), ("1girl", "masterpiece"), []),
        (("a, b",), ("b; c", "a"), ["a", "b"]),
        ((), ("x",), []),
    ],
)
def test_trigger_words_that_clash(one: tuple[str, ...], other: tuple[str, ...], shared: list[str]) -> None:
    assert (
        list(shared_words(Member("a", "lora", triggers=one), Member("b", "lora", triggers=other))) == shared
    )


def test_a_clash_is_told() -> None:
    stack = judge_stack(BASE, [lora("a", "x", triggers=("inkw",)), lora("b", "x", triggers=("INKW",))])
    assert any("“inkw”" in line for line in stack.advice)


# ---------------------------------------------------------------- pull


@pytest.mark.parametrize(
    ("cosine", "pull", "words"),
    [
        (0.6, "reinforcing", "lower them"),
        (-0.5, "conflicting", "against each other"),
        (0.02, "independent", ""),
    ],
)
def test_who_pulls_with_whom(cosine: float, pull: str, words: str) -> None:
    found = {frozenset("ab"): Alignment(cosine, 1.0, 1.0, 3)}
    stack = judge_stack(BASE, [lora("a", "xyz"), lora("b", "xyz")], alignments=found)
    assert stack.pairs[0].pull == pull
    assert any(words in line for line in stack.advice) if words else not stack.advice
    assert stack.pairs[0].to_json()["alignment"]["verdict"] == pull


@given(st.floats(0, 10), st.floats(0, 10), st.floats(-1, 1))
def test_weights_are_lowered_to_the_strength_of_independent_ones(
    first: float, second: float, cosine: float
) -> None:
    by = together_factor(Alignment(cosine, first, second, 1))
    joint = first**2 + second**2 + 2 * first * second * cosine
    if joint > 1e-6:
        assert by**2 * joint == pytest.approx(first**2 + second**2)


def test_two_copies_are_one_adapter() -> None:
    stack = judge_stack(BASE, [lora("a", "x"), lora("b", "x")], twins={frozenset("ab"): 0.5})
    assert stack.advice[0].startswith("Use one of a and b")


def test_a_weight_far_from_what_pictures_use() -> None:
    stack = judge_stack(
        BASE,
        [lora("a", weight=Weight(1.4, "given", 0.6, 0.8)), lora("b", weight=Weight(0.7, "given", 0.6, 0.8))],
    )
    assert [line for line in stack.advice if "pictures use it" in line] == [
        "a is set to 1.4; pictures use it at 0.6 to 0.8."
    ]


# ---------------------------------------------------------------- size


@pytest.mark.parametrize(("precision", "expected"), [("fp16", 230), ("bf16", 230), ("fp8", 130)])
def test_weights_at_a_precision(precision: str, expected: int) -> None:
    assert judge_stack(BASE, [lora("a")], precision=precision).size.bytes == expected


def test_packed_weights_stay_packed() -> None:
    packed = Member("Base", "diffusion_model", cells={"denoiser": 100}, size=60, quantised="Q4_K")
    size = judge_stack(packed, []).size
    assert (size.bytes, size.parts[0].note) == (60, "as stored (Q4_K)")


NEED = Need("vae", ("sdxl",), "its latent space")


@pytest.mark.parametrize(
    ("needed", "bytes_", "unknown", "words"),
    [
        (Needed(NEED, "Base", given="Own VAE"), 220, (), ""),
        (
            Needed(NEED, "Base", spares=(Spare(1, "Fine VAE", "sdxl", 9, 7),)),
            234,
            (),
            "from your library: Fine VAE (VAE)",
        ),
        (Needed(NEED, "Base", cells=8), 236, (), "Get the VAE that Base works with"),
        (Needed(NEED, "Base"), 220, ("sdxl",), "Get the VAE"),
    ],
)
def test_missing_parts(needed: Needed, bytes_: int, unknown: tuple[str, ...], words: str) -> None:
    stack = judge_stack(BASE, [], [needed])
    assert (stack.size.bytes, stack.size.unknown) == (bytes_, unknown)
    assert any(words in line for line in stack.advice) if words else not stack.advice


# ---------------------------------------------------------------- licence


def test_the_strictest_part_is_named() -> None:
    strict = lora("a", terms="Some licence", permissions=("non-commercial",))
    stack = judge_stack(BASE, [strict, lora("b", permissions=())])
    assert stack.terms.told == "Pictures may not be sold: a (Some licence)."
    assert stack.to_json()["licence"]["unknown"] == ["b"]
    assert stack.advice[-1].endswith("Leave that part out to sell pictures.")


def test_what_nobody_says_permits_nothing() -> None:
    assert judge_stack(BASE, []).terms.commercial is True
    assert judge_stack(BASE, [lora("b", permissions=())]).terms.commercial is None
