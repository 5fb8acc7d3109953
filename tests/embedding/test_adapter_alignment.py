"""Do two adapters pull the same way? Against changes that are formed in full."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.domain.factors import ModuleFactors
from indexer.embedding.adapter_alignment import Piece, Sums, add_meeting, meet, pieces_of
from tests.adapters import Kept, Values

RNG = np.random.default_rng(7)


def factor(*shape: int) -> Values:
    return RNG.standard_normal(shape).astype(np.float32)


def low_rank(up: Values, down: Values, **more: Values) -> tuple[ModuleFactors, Kept]:
    named = {"up": up, "down": down} | more
    return ModuleFactors("denoiser", "w", "lora", {slot: slot for slot in named}), Kept(named)


def pieces(made: tuple[ModuleFactors, Kept], *keys: str) -> Mapping[str, Piece]:
    return pieces_of(*made, keys or ("w",), [None] * max(1, len(keys)))


def cosine(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


def test_low_rank_changes_are_compared_exactly() -> None:
    first, second = (factor(64, 4), factor(4, 96)), (factor(64, 8), factor(8, 96))
    mixed = second[0] @ second[1] + 2 * first[0] @ first[1]
    left, values, right = np.linalg.svd(mixed, full_matrices=False)
    other = (left[:, :12] * values[:12]).astype(np.float32), right[:12].astype(np.float32)
    meeting = meet(pieces(low_rank(*first))["w"], pieces(low_rank(*other))["w"])
    assert meeting is not None and meeting.exact
    found = meeting.inner / meeting.first / meeting.second
    assert found == pytest.approx(cosine(first[0] @ first[1], mixed), abs=1e-4)


@pytest.mark.parametrize(("scale", "expected"), [(2.0, 1.0), (-1.0, -1.0)])
def test_the_same_at_another_weight(scale: float, expected: float) -> None:
    up, down = factor(32, 4), factor(4, 48)
    meeting = meet(pieces(low_rank(up, down))["w"], pieces(low_rank(up * np.float32(scale), down))["w"])
    assert meeting is not None
    assert meeting.inner / meeting.first / meeting.second == pytest.approx(expected)
    assert meeting.second / meeting.first == pytest.approx(abs(scale), rel=1e-5)


def test_trainings_of_their_own_are_independent() -> None:
    sums = Sums()
    for _ in range(20):
        one, other = (pieces(low_rank(factor(320, 16), factor(16, 768)))["w"] for _ in "ab")
        meeting = meet(one, other)
        assert meeting is not None
        add_meeting(sums, "block", meeting)
    assert abs(sums.cosine) < 0.05
    assert (sums.compared, sums.estimated, sums.blocks["block"].compared) == (20, 0, 20)


def test_alpha_counts() -> None:
    up, down = factor(32, 4), factor(4, 48)
    halved = pieces(low_rank(up, down, alpha=np.array(2.0, np.float32)))["w"]
    assert halved.norm == pytest.approx(pieces(low_rank(up, down))["w"].norm / 2)


def test_a_fused_module_is_cut_into_its_weights() -> None:
    up, down = factor(96, 4), factor(4, 48)
    cut = pieces(low_rank(up, down), "q", "k", "v")
    for place, key in enumerate("qkv"):
        alone = pieces(low_rank(up[32 * place : 32 * place + 32], down))["w"]
        meeting = meet(cut[key], alone)
        assert meeting is not None and meeting.inner == pytest.approx(alone.norm**2, rel=1e-4)


def test_other_algorithms_are_estimated() -> None:
    whole = factor(128, 8) @ factor(8, 192)
    module = ModuleFactors("denoiser", "w", "full", {"diff": "diff"})
    other = pieces((module, Kept({"diff": whole})))["w"]
    left, values, right = np.linalg.svd(whole, full_matrices=False)
    same = low_rank((left[:, :8] * values[:8]).astype(np.float32), right[:8].astype(np.float32))
    meeting = meet(pieces(same)["w"], other)
    assert meeting is not None and not meeting.exact
    assert meeting.inner / meeting.first / meeting.second == pytest.approx(1.0, abs=0.02)


def test_what_cannot_be_compared() -> None:
    plain = pieces(low_rank(factor(32, 4), factor(4, 48)))["w"]
    assert meet(plain, pieces(low_rank(factor(32, 4), factor(4, 64)))["w"]) is None
    turns = ModuleFactors("denoiser", "w", "oft", {"blocks": "blocks"})
    turned = pieces((turns, Kept({"blocks": factor(4, 8, 8)})))["w"]
    assert meet(plain, turned) is None
    broken = factor(32, 4)
    broken[0, 0] = np.nan
    assert not pieces(low_rank(broken, factor(4, 48)))
    assert not pieces(low_rank(factor(32, 4), factor(5, 48)))
    assert not pieces(low_rank(factor(31, 4), factor(4, 48)), "q", "k")
