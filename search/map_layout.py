"""Things laid out in the plane, so that those which score high with each other lie side by side.

t-SNE (van der Maaten & Hinton 2008) on scores instead of distances: a row's softmax does not mind that a
score is no distance, so the neighbours here are those that ``similar`` names. The start is the two main axes
of the scores (classical scaling), which keeps the large picture where it was from one run to the next (Kobak
& Linderman 2021). Repulsion is exact, in blocks that stay in the cache; attraction goes along the nearest
neighbours. Everything is deterministic.

Many things are laid out by landmarks: ``lay_out`` for those, ``place`` for the rest, batch by batch.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXACT", "fitted", "lay_out", "place"]

Rows = NDArray[np.float32]
Edges = tuple[NDArray[np.intp], NDArray[np.float32]]

EXACT = 2_000
"""So many are laid out by themselves; of more, so many are landmarks."""

FEW = 5  # fewer have no neighbourhoods; their main axes say all
PERPLEXITY = 20.0
ROUNDS, EXAGGERATED, EXAGGERATION = 250, 80, 12.0
TIGHTER = 1.6  # what remains of the exaggeration to the end: gaps between neighbourhoods stay visible
STRIDE = np.float32(5.0)  # longest step along an axis; a finished layout is some dozens wide
NEAREST = 4  # landmarks that place one of the rest
BLOCK = 128
_GOLDEN = 2.399963229728653  # radians; successive multiples fill a disc evenly


def lay_out(scores: Rows) -> Rows:
    """(n, 2) positions from symmetric ``scores`` (n, n), higher for the more alike; n some thousand."""
    count = len(scores)
    start = _main_axes(scores)
    if count < FEW:
        return start
    edges = _attraction(scores)
    rate = max(count / EXAGGERATION, 50.0)
    places = start * np.float32(1e-2 / max(float(start[:, 0].std()), 1e-12))
    # What is alike in everything starts a hair apart, else it could never part.
    places += np.random.default_rng(1).standard_normal(places.shape).astype(np.float32) * np.float32(1e-5)
    moved, gains = np.zeros_like(places), np.ones_like(places)
    for turn in range(ROUNDS):
        early = turn < EXAGGERATED
        pull = _pull(places, edges) * np.float32(EXAGGERATION if early else TIGHTER)
        slope = 4 * (pull - _push(places))
        same = np.sign(slope) == np.sign(moved)
        gains = np.maximum(np.where(same, gains * 0.8, gains + 0.2), 0.01).astype(np.float32)
        moved = np.float32(0.5 if early else 0.8) * moved - np.float32(rate) * gains * slope
        moved = np.clip(moved, -STRIDE, STRIDE)  # a dozen entries may swing ever wider
        places = places + moved
        places -= places.mean(0)
    return places


def place(scores: Rows, landmarks: Rows, first: int = 0) -> Rows:
    """(b, 2) positions for rows of ``scores`` (b, L) with landmarks that lie at (L, 2).

    Each lies between its nearest landmarks. Equal rows are drawn apart a little, by their number (``first``
    is that of the first row), so that none covers another.
    """
    count = min(NEAREST, scores.shape[1])
    near = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(scores, near, 1)
    spread = np.maximum(found.max(1, keepdims=True) - found.min(1, keepdims=True), 1e-6)
    weights = np.exp(2 * (found - found.max(1, keepdims=True)) / spread)
    weights /= weights.sum(1, keepdims=True)
    number = np.arange(first, first + len(scores))
    reach = 0.004 * float(np.ptp(landmarks, axis=0).max()) * np.sqrt((number * 0.618034) % 1.0)
    apart = np.stack([np.cos(number * _GOLDEN), np.sin(number * _GOLDEN)], 1) * reach[:, None]
    return np.asarray((weights[:, :, None] * landmarks[near]).sum(1) + apart, np.float32)


def fitted(places: Rows) -> Rows:
    """The same picture within 0..1 both ways, its proportions kept, in the middle."""
    if not len(places):
        return places
    low, high = places.min(0), places.max(0)
    span = max(float((high - low).max()), 1e-12)
    return np.asarray(np.clip((places - (low + high) / 2) / span + 0.5, 0.0, 1.0), np.float32)


def _main_axes(scores: Rows) -> Rows:
    """(n, 2): classical scaling by subspace iteration from a fixed start; each axis points to its far end."""
    count = len(scores)
    if count < 2:
        return np.zeros((count, 2), np.float32)
    means = scores.mean(0)
    centred = scores - means - means[:, None] + means.mean()
    axes = np.random.default_rng(0).standard_normal((count, 2)).astype(np.float32)
    for _ in range(40):
        axes = np.linalg.qr(centred @ axes)[0]
    values = np.maximum((axes * (centred @ axes)).sum(0), 0.0)
    found = axes * np.sqrt(values)
    far = np.sign(found[np.abs(found).argmax(0), [0, 1]])
    return np.asarray(found * np.where(far == 0, 1, far), np.float32)


def _attraction(scores: Rows) -> Edges:
    """(n, k) neighbours of each and how strongly it attracts them; all pairs, both ways, sum to 1."""
    count = len(scores)
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    width = min(int(3 * perplexity) + 1, count - 1)
    others = scores.copy()
    np.fill_diagonal(others, -np.inf)
    near = np.argpartition(-others, width - 1, axis=1)[:, :width]
    shares = _softmax(np.take_along_axis(others, near, 1), perplexity)
    return near, (shares / (2 * count)).astype(np.float32)


def _softmax(scores: Rows, perplexity: float) -> NDArray[np.float64]:
    """Shares of each row whose entropy is that of ``perplexity`` equal ones: the sharpness by bisection."""
    best = (scores - scores.max(1, keepdims=True)).astype(np.float64)
    low, high = np.zeros(len(best)), np.full(len(best), 1e6)
    goal = np.log(perplexity)
    for _ in range(60):
        sharp = np.sqrt(np.maximum(low, 1e-6) * high)
        raw = np.exp(best * sharp[:, None])
        total = raw.sum(1)
        entropy = np.log(total) - (raw * best).sum(1) * sharp / total
        low, high = np.where(entropy > goal, sharp, low), np.where(entropy > goal, high, sharp)
    return np.asarray(raw / total[:, None])


def _pull(places: Rows, edges: Edges) -> Rows:
    """(n, 2): where the neighbours of each draw it from."""
    near, strength = edges
    gaps = [axis[:, None] - axis[near] for axis in places.T]
    strength = strength / (1 + gaps[0] ** 2 + gaps[1] ** 2)
    found = np.empty_like(places)
    for axis, gap in enumerate(gaps):
        gap *= strength
        found[:, axis] = gap.sum(1) - np.bincount(near.ravel(), gap.ravel(), len(places))
    return found


def _push(places: Rows) -> Rows:
    """(n, 2): where all others drive each to, exactly."""
    length = (places**2).sum(1)
    total, found = 0.0, np.empty_like(places)
    for start in range(0, len(places), BLOCK):
        some = places[start : start + BLOCK]
        near = some @ (-2 * places.T)
        near += length
        near += (length[start : start + BLOCK] + 1)[:, None]
        np.maximum(near, 1, out=near)
        np.reciprocal(near, out=near)
        total += float(near.sum()) - len(some)  # a thing does not push itself
        near *= near
        found[start : start + BLOCK] = some * near.sum(1)[:, None] - near @ places
    return found / np.float32(max(total, 1e-12))
