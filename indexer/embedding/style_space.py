"""Style vectors made comparable on the live index, without labels: ``fit_style_space``.

1. Standardise the statistics, shrink directions that vary within single pictures, half-whiten.
2. Content-centring: group pictures by what they show (CLIP vectors, or the weights-free layout), and subtract
   from each style vector the mean of its group. Several groupings vote, since the right number is unknown.
3. CSLS (Conneau et al. 2018) by group: a pair's cosine is held against what each of the two reaches with its
   nearest neighbours *among pictures that show what the other shows*. Hubs go, and so does the advantage that
   pictures of one subject have over each other.

Beside the statistics a network of one's own may take part (``StylePair``): its vectors are half-whitened and
weighed against them. Where prompts are known, what their words explain goes before 2 (``ToldContent``).

The score of a pair is ``2 cos - r - r'``. It is written as one inner product of a query row and an index row,
so an ordinary vector index ranks by it, and means over the previews of a model rank models.
"""

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.clusters import assign, partition_ensemble
from indexer.embedding.encoders import VectorIdentity, unit_rows
from indexer.embedding.style import StyleDescriptor
from indexer.embedding.told_content import Prompts, ToldContent, fit_told, nothing_told
from indexer.embedding.whitening import Matrix, Projection, fit_projection
from indexer.errors import PinakesError

__all__ = ["StyleSpace", "StyleSpaceError", "fit_style_space", "pool_rows"]

Vectors = NDArray[np.float32]

VERSION = 1
RANK, CONTENT_RANK, CONTENT_WHITENING = 256, 20, 0.6
NETWORK_WHITENING = 0.5
SIZES, REPEATS = (3, 4, 6, 8), 4
LEAST_MEMBERS = 12  # a grouping into k needs k times as many pictures
LEAST_REFERENCE = 20  # fewer pictures have no neighbourhoods to correct for
NEIGHBOURS = 6  # fewer suit libraries with few previews a model, more those with many
SAME = 0.9999  # cosine from which a neighbour is taken for the same picture
SAMPLE, REFERENCE = 20_000, 4_096
BLOCK = 512
RARITY = 4.0  # powers of ten of rarity that make a full score


class StyleSpaceError(PinakesError):
    """Codes: ``style_space_empty``, ``style_space_shape``, ``style_space_file``, ``style_space_identity``."""


@dataclass(frozen=True, slots=True, eq=False)
class StyleSpace:
    """A fitted space; make one with ``fit_style_space`` or ``from_arrays``.

    K groups over all groupings: ``centroids`` (K, c) in projected content, ``grouping`` (K) which of E
    groupings a group is of, ``offsets`` (K, m) mean style. ``reference`` (R, m) are pictures to compare with,
    ``members`` (R, K) the groups they are in. ``background`` is mean and deviation of random pairs' scores.
    ``network`` projects what a style network adds to the statistics, nothing where there is none; ``told`` is
    what prompts explain, ``told_offsets`` (K, m) its mean over the told pictures of each group.
    """

    identity: VectorIdentity
    style: Projection
    content: Projection
    centroids: Matrix
    grouping: NDArray[np.int64]
    offsets: Matrix
    reference: Vectors
    members: NDArray[np.bool_]
    background: Matrix
    network: Projection
    told: ToldContent
    told_offsets: Matrix

    def transform(self, style: Vectors, content: Vectors, prompts: Prompts | None = None) -> Vectors:
        """Unit vectors (n, m), content-centred, of raw ``style`` (n, D) and ``content`` (n, C) rows."""
        return self._centred(style, self._groups(content), prompts)

    def index_rows(self, style: Vectors, content: Vectors, prompts: Prompts | None = None) -> Vectors:
        """(n, identity.dimension): what a vector index should hold. Works for pictures never seen before,
        and for those whose prompt is not known."""
        vectors, groups, reach = self._parts(style, content, prompts)
        return np.concatenate([vectors, reach, groups], axis=1)

    def query_rows(self, style: Vectors, content: Vectors, prompts: Prompts | None = None) -> Vectors:
        """(n, identity.dimension): the inner product with an index row is the pair's score."""
        vectors, groups, reach = self._parts(style, content, prompts)
        return np.concatenate([2 * vectors, -groups, -reach], axis=1)

    def asking(self, rows: Vectors) -> Vectors:
        """(n, identity.dimension): the query rows of what stands in the index as ``rows``."""
        vectors, reach, groups = np.split(
            rows, [width := self.offsets.shape[1], width + len(self.centroids)], 1
        )
        return np.concatenate([2 * vectors, -groups, -reach], axis=1)

    def calibrate(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Scores as 0..1: how rare so high a score is among random pairs of pictures of the index.

        0.25 is one pair in ten, 0.5 one in a hundred, 1 one in ten thousand or rarer (normal tail).
        """
        mean, deviation = self.background
        tails = [
            0.5 * math.erfc((float(score) - mean) / deviation / math.sqrt(2)) for score in np.ravel(scores)
        ]
        rarity = -np.log10(np.maximum(tails, 10.0**-RARITY)) / RARITY
        return np.asarray(np.clip(rarity, 0.0, 1.0).reshape(np.shape(scores)))

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything but the identity, as plain arrays for ``np.savez``; no pickle is needed to read them."""
        return {
            "style_mean": self.style.mean,
            "style_scale": self.style.scale,
            "style_matrix": self.style.matrix,
            "content_mean": self.content.mean,
            "content_scale": self.content.scale,
            "content_matrix": self.content.matrix,
            "centroids": self.centroids,
            "grouping": self.grouping,
            "offsets": self.offsets,
            "reference": self.reference,
            "members": self.members,
            "background": self.background,
            "network_mean": self.network.mean,
            "network_scale": self.network.scale,
            "network_matrix": self.network.matrix,
            "told_words": self.told.words,
            "told_means": self.told.means,
            "told_effect": self.told.effect,
            "told_offsets": self.told_offsets,
        }

    def _parts(
        self, style: Vectors, content: Vectors, prompts: Prompts | None
    ) -> tuple[Vectors, Vectors, Vectors]:
        groups = self._groups(content)
        vectors = self._centred(style, groups, prompts)
        root = np.float32(max(self._groupings, 1) ** -0.5)
        blocks = [self._reach(vectors[start : start + BLOCK]) for start in range(0, len(vectors), BLOCK)]
        reach = np.concatenate([*blocks, np.zeros((0, len(self.centroids)), np.float32)])
        return vectors, groups.astype(np.float32) * root, reach * root

    @property
    def _groupings(self) -> int:
        return int(self.grouping.max()) + 1 if len(self.grouping) else 0

    def _groups(self, content: Vectors) -> NDArray[np.bool_]:
        """(n, K): one True for each grouping."""
        projected = self.content.apply(_shaped(content, len(self.content.mean), "content"))
        found = np.zeros((len(projected), len(self.centroids)), bool)
        for name in range(self._groupings):
            columns = np.flatnonzero(self.grouping == name)
            found[np.arange(len(projected)), columns[assign(projected, self.centroids[columns])]] = True
        return found

    def _projected(self, style: Vectors) -> Matrix:
        width = 3 * len(self.style.mean)
        rows = _shaped(style, width + len(self.network.mean), "style")
        statistics, _ = StyleDescriptor.split(rows[:, :width])
        return np.concatenate([self.style.apply(statistics), self.network.apply(rows[:, width:])], axis=1)

    def _centred(self, style: Vectors, groups: NDArray[np.bool_], prompts: Prompts | None) -> Vectors:
        plain = self._projected(style) - groups @ self.offsets / max(self._groupings, 1)
        if prompts is None or not len(self.told.words):
            return unit_rows(plain)
        # A group's mean is that of all its pictures; of told ones it must be what is left of them.
        left = groups @ self.told_offsets / max(self._groupings, 1) - self.told.explained(prompts, len(style))
        return unit_rows(plain + left * np.array([bool(prompt) for prompt in prompts])[:, None])

    def _reach(self, vectors: Vectors) -> Vectors:
        """(n, K): mean cosine to the nearest neighbours in each group, the same picture apart."""
        cosines = vectors @ self.reference.T
        cosines[cosines > SAME] = -np.inf
        reach = [_mean_highest(cosines[:, column]) for column in self.members.T]
        return np.stack(reach, 1) if reach else np.zeros((len(vectors), 0), np.float32)


def _mean_highest(cosines: Vectors) -> Vectors:
    """(n) from (n, members); a group without members has nothing to reach: 0."""
    count = min(NEIGHBOURS, cosines.shape[1])
    highest = np.partition(cosines, cosines.shape[1] - count, axis=1)[:, cosines.shape[1] - count :]
    usable = np.isfinite(highest)
    return np.asarray(np.where(usable, highest, 0).sum(1) / np.maximum(usable.sum(1), 1), np.float32)


def _shaped(rows: Vectors, width: int, name: str) -> Vectors:
    if rows.ndim != 2 or rows.shape[1] != width:
        detail = (
            f"{name} rows {rows.shape} where (n, {width}) belong: use the encoder the space was fitted on"
        )
        raise StyleSpaceError("style_space_shape", detail)
    return rows


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a space is fitted on."""

    style: Vectors
    content: Vectors
    prompts: Prompts | None
    owners: NDArray[np.int64] | None

    def at(self, places: NDArray[np.int64]) -> "_Rows":
        prompts = None if self.prompts is None else [self.prompts[place] for place in places]
        owners = None if self.owners is None else self.owners[places]
        return _Rows(self.style[places], self.content[places], prompts, owners)


def fit_style_space(
    style: Vectors,
    content: Vectors,
    style_identity: VectorIdentity,
    content_identity: VectorIdentity,
    *,
    prompts: Prompts | None = None,
    owners: NDArray[np.int64] | None = None,
    network_share: float = 0.5,
) -> StyleSpace:
    """Fit on all previews of the index: raw ``style`` (n, D) of a ``StyleDescriptor`` or ``StylePair``, and
    ``content`` (n, C) rows of the same pictures from a semantic encoder or a ``LayoutDescriptor``. No labels.

    ``prompts`` of the pictures with the versions they belong to, ``owners`` (n), take out of the style what
    prompts explain. ``network_share``, 0 to 1, is how much a style network counts beside the statistics.

    Beyond ``SAMPLE`` rows an even sample is used. With few rows, steps that need many are left out: reduction
    below 32, neighbourhoods below 20, groups below 36. Deterministic. Raises ``StyleSpaceError``.
    """
    if len(style) == 0 or len(style) != len(content):
        detail = f"{len(style)} style and {len(content)} content rows: index at least one preview, with both"
        raise StyleSpaceError("style_space_empty", detail)
    rows = _Rows(_shaped(style, style_identity.dimension, "style"), content, prompts, owners)
    rows = rows.at(_even_sample(len(style), SAMPLE))
    drawn, network = _projections(rows.style, network_share)
    width = drawn.matrix.shape[1] + network.matrix.shape[1]
    blank = StyleSpace(
        identity=style_identity,
        style=drawn,
        content=fit_projection(rows.content, CONTENT_RANK, whitening=CONTENT_WHITENING),
        centroids=np.zeros((0, 1)),
        grouping=np.zeros(0, np.int64),
        offsets=np.zeros((0, width)),
        reference=np.zeros((0, width), np.float32),
        members=np.zeros((0, 0), bool),
        background=np.array([0.0, 1.0]),
        network=network,
        told=nothing_told(width),
        told_offsets=np.zeros((0, width)),
    )
    space = _with_background(_with_reference(_with_groups(blank, rows), rows), rows)
    return _named(space, style_identity, content_identity)


def _projections(style: Vectors, share: float) -> tuple[Projection, Projection]:
    """Of the statistics, and of what a network adds to them: each as strong as its share."""
    width = StyleDescriptor().identity.dimension
    statistics, contrasts = StyleDescriptor.split(style[:, :width])
    drawn = fit_projection(statistics, RANK, StyleDescriptor.weights(), contrasts)
    network = style[:, width:]
    if not network.shape[1]:
        return drawn, Projection(np.zeros(0), np.zeros(0), np.zeros((0, 0)))
    seen = fit_projection(network, RANK, whitening=NETWORK_WHITENING)
    return _weighed(drawn, statistics, 1 - share), _weighed(seen, network, share)


def _weighed(projection: Projection, rows: NDArray[np.floating], share: float) -> Projection:
    if share <= 0:
        return replace(projection, matrix=projection.matrix[:, :0])
    strength = math.sqrt(max(float(np.square(projection.apply(rows)).sum(1).mean()), 1e-12))
    return replace(projection, matrix=projection.matrix * (math.sqrt(share) / strength))


def _even_sample(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _with_groups(space: StyleSpace, rows: _Rows) -> StyleSpace:
    sizes = tuple(size for size in SIZES if len(rows.style) >= size * LEAST_MEMBERS) or (1,)
    projected = space.content.apply(rows.content)
    sample = projected[_even_sample(len(projected), REFERENCE)]
    centroids, grouping = partition_ensemble(sample, sizes, REPEATS if sizes != (1,) else 1)
    space = replace(space, centroids=centroids, grouping=grouping)
    groups = space._groups(rows.content).astype(np.float64)
    plain = space._projected(rows.style)
    space = replace(space, offsets=_group_means(groups, plain))
    if rows.prompts is None or rows.owners is None:
        return replace(space, told_offsets=np.zeros_like(space.offsets))
    told = fit_told(plain, rows.prompts, rows.owners)
    known = np.array([bool(prompt) for prompt in rows.prompts])
    explained = _group_means(groups * known[:, None], told.explained(rows.prompts, len(plain)))
    return replace(space, told=told, told_offsets=explained)


def _group_means(groups: Matrix, rows: Matrix) -> Matrix:
    """(K, m) means of ``rows`` (n, m) over the members of each of ``groups`` (n, K)."""
    return np.asarray(groups.T @ rows / np.maximum(groups.sum(0), 1)[:, None])


def _with_reference(space: StyleSpace, rows: _Rows) -> StyleSpace:
    """Without enough pictures the reference stays empty and the score is twice the cosine."""
    if len(rows.style) < LEAST_REFERENCE:
        nobody = np.zeros((0, space.offsets.shape[1]), np.float32)
        return replace(space, reference=nobody, members=np.zeros((0, len(space.centroids)), bool))
    some = rows.at(_even_sample(len(rows.style), REFERENCE))
    groups = space._groups(some.content)
    return replace(space, reference=space._centred(some.style, groups, some.prompts), members=groups)


def _with_background(space: StyleSpace, rows: _Rows) -> StyleSpace:
    """Scores of pairs that are not the same picture."""
    some = rows.at(_even_sample(len(rows.style), REFERENCE // 4))
    parts = some.style, some.content, some.prompts
    vectors = space.transform(*parts)
    scores = space.query_rows(*parts) @ space.index_rows(*parts).T
    others = scores[vectors @ vectors.T < SAME]
    if len(others) < 2:
        return space
    return replace(space, background=np.array([others.mean(), max(float(others.std()), 1e-3)]))


def _named(space: StyleSpace, style: VectorIdentity, content: VectorIdentity) -> StyleSpace:
    digest = hashlib.sha256()
    for name, array in sorted(space.to_arrays().items()):
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    dimension = space.offsets.shape[1] + 2 * len(space.centroids)
    weights = f"sha256:{digest.hexdigest()[:16]}"
    identity = VectorIdentity("style", "space", weights, f"{style.key}+{content.key}", VERSION, dimension)
    return replace(space, identity=identity)


def pool_rows(rows: Vectors, owners: NDArray[np.int64]) -> tuple[NDArray[np.int64], Vectors]:
    """Means of index or query rows (n, d) by owner (n): ascending owners and (g, d).

    Scores of means are means of scores, so that models are compared by all pairs of their previews.
    """
    names, place = np.unique(np.asarray(owners, np.int64), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
    return names, (sums / np.bincount(place, minlength=len(names))[:, None]).astype(np.float32)
