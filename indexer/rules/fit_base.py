"""A base as adapters see it: every weight under all its names, with sizes, ready for look-ups.

Adapters follow the original's naming or that of diffusers, whichever way the base is saved; ``namings.py``
leads from one to the other, stacks and splits included. What the base hides (packed weights, shards that are
not there) is filled in from the reference layout of its architecture, and said.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from indexer.domain.fit import DENOISER, Change, FitProfile, Subject, Weight
from indexer.domain.vocabulary import (
    UnknownIdError,
    architecture,
    architecture_path,
    architectures,
    read_table,
)
from indexer.rules.fit_names import Names, under_all_names
from indexer.rules.fit_reference import encoder_weights, reference_layouts, reference_weights
from indexer.rules.fitting import layout_architecture
from indexer.rules.namings import Naming, naming_of
from indexer.rules.needs import encoders_of

__all__ = ["BaseTable", "Encoder", "architecture_subject", "base_tables"]

_RENAMED = frozenset({"svdquant"})
"""Forms whose files call and stack weights in ways of their own."""
_MAY_PACK = frozenset({"int8-scaled", "nvfp4", "torchao", "quanto", "bnb-int8", "sdnq"})
"""Forms whose whole numbers may hold several weights each; how many stands in the data, not in the header."""
_FOLDS = frozenset({2, 4, 8})
_UNKNOWN = Weight(None, None, None)
_FRAGMENT = 0.5
"""A base with less than this share of its reference's weights is a piece of one, such as a single shard."""


class Encoder(NamedTuple):
    """A text encoder of a base: its id, its weights under all names (none where no table knows them), and
    whether it is inside the file."""

    id: str
    weights: Names
    inside: bool


class BaseTable:
    """One base, or one reference layout: look-ups for adapters.

    ``notes`` say what could not be compared. ``given`` tells a file from a mere architecture.
    """

    def __init__(
        self,
        weights: Names,
        encoders: Sequence[Encoder],
        naming: Naming,
        title: str,
        *,
        notes: Sequence[str] = (),
        given: bool = True,
    ) -> None:
        self.weights = weights
        self.encoders = tuple(encoders)
        self.naming = naming
        self.title = title
        self.notes = tuple(notes)
        self.given = given

    @cached_property
    def parts(self) -> Mapping[str, Names]:
        """The weights by every label that adapters use for a part."""
        found: dict[str, Names] = {DENOISER: self.weights}
        for place, encoder in enumerate(self.encoders, 1):
            found[f"te{place}"] = encoder.weights
            found.setdefault(f"te:{encoder.id}", encoder.weights)
        if self.encoders:
            found["te"] = self.encoders[0].weights
        return found

    @cached_property
    def absent(self) -> frozenset[str]:
        """Labels of the encoders that are not inside the file."""
        found = {
            label
            for place, e in enumerate(self.encoders, 1)
            if not e.inside
            for label in (f"te{place}", f"te:{e.id}")
        }
        return frozenset(found | ({"te"} if self.encoders and not self.encoders[0].inside else set()))

    @cached_property
    def exact(self) -> frozenset[Change]:
        """All that fits at once: name and size, the kernel told or not."""
        return frozenset(
            Change(part, name, weight.rows, weight.columns, kernel)
            for part, names in self.parts.items()
            for name, weight in names.items()
            for kernel in _kernels(weight)
            if weight.rows is not None
        )


def _kernels(weight: Weight) -> set[tuple[int, ...] | None]:
    """How factors may spell the kernel: not at all, or whole; one of ones like a plain matrix."""
    plain = () if all(size == 1 for size in weight.kernel or ()) else weight.kernel
    return {None, weight.kernel, plain}


# ---------------------------------------------------------------- tables


def base_tables(profile: FitProfile | None, subject: Subject) -> list[BaseTable]:
    """The tables of a base. A file has one; a mere architecture one for each size it was released in.

    Empty where neither weights nor a layout are known.
    """
    root = subject.path[0] if subject.path else None
    if profile is None:
        encoders = _reference_encoders(subject.architecture)
        return [
            BaseTable(
                reference_weights(group, root), encoders, naming_of(root), _title(subject, group), given=False
            )
            for group in (reference_layouts(subject.architecture) if subject.architecture else ())
        ]
    weights, notes = _filled(profile.weights.get(DENOISER, {}), subject, root, profile.form)
    if not weights:
        return []
    encoders = _file_encoders(profile, subject)
    return [BaseTable(weights, encoders, naming_of(root), _title(subject), notes=notes)]


def _title(subject: Subject, group: Sequence[str] = ()) -> str:
    named = layout_architecture(group[0]) if group else subject.architecture
    return architecture(named).title if named and named in architectures() else "this base"


def _filled(
    own: Names, subject: Subject, root: str | None, form: str | None
) -> tuple[dict[str, Weight], list[str]]:
    """The weights under all names; hidden sizes and missing pieces from the nearest reference layout, and
    sentences that say so."""
    weights = under_all_names(own, naming_of(root))
    reference = _nearest(weights, _candidate_layouts(subject), root)
    if form in _MAY_PACK and (folded := _folded(own, reference)):
        own = {**own, **folded}
        weights = under_all_names(own, naming_of(root))
    hidden = [name for name, weight in weights.items() if weight.rows is None]
    if form in _RENAMED and reference:
        return dict(reference), [
            f"the base's weights are packed ({form}) under names of their own and without sizes, so the "
            "reference layout was compared and not the file; programs convert an adapter when they load it"
        ]
    fragment = len(weights.keys() & reference.keys()) < _FRAGMENT * len(reference)
    if not hidden and not fragment:
        return weights, []
    notes = []
    filled = dict(weights)
    for name in hidden:
        known = reference.get(name)
        if known is not None and _may_be(weights[name], known):
            filled[name] = known
    if hidden:
        how = f" ({form})" if form else ""
        what = "the reference layout" if reference else "names alone"
        notes.append(
            f"{len(hidden)} names of packed weights{how} have no size in the header; compared with {what}"
        )
    if fragment and reference:
        filled = dict(reference) | filled
        notes.append(
            f"the base's file holds {len(own)} weights, a part of the model; "
            "the rest is taken from the reference layout"
        )
    return filled, notes


def _folded(own: Names, reference: Names) -> dict[str, Weight]:
    """Weights of which several numbers are packed in one along one side, by the sizes of the reference; their
    own sizes tell nothing then."""
    found = {}
    for name, weight in own.items():
        rows, wide, _, bias, _ = weight
        known = reference.get(name, _UNKNOWN)
        if not rows or not wide or not known.rows or not known.columns:
            continue
        kept = (rows == known.rows) != (wide == known.columns)
        times, rest = divmod(known.rows * known.columns, rows * wide)
        if kept and not rest and times in _FOLDS:
            found[name] = Weight(None, None, None, bias, known.rows * known.columns)
    return found


def _may_be(hidden: Weight, known: Weight) -> bool:
    """Whether a packed weight can have that size, by its number of elements."""
    if hidden.cells is None or known.rows is None or known.columns is None:
        return True
    return abs(hidden.cells - known.rows * known.columns) <= 1


def _candidate_layouts(subject: Subject) -> list[tuple[str, ...]]:
    ids = [key for key, _ in subject.options] or ([subject.architecture] if subject.architecture else [])
    return list(dict.fromkeys(group for key in ids for group in reference_layouts(key)))


def _nearest(weights: Names, groups: Iterable[tuple[str, ...]], root: str | None) -> Mapping[str, Weight]:
    """The reference that shares the most names and sizes with the base."""
    best: Mapping[str, Weight] = {}
    most = -1
    for group in groups:
        reference = reference_weights(group, root)
        shared = weights.keys() & reference.keys()
        alike = sum(weights[name][:2] == reference[name][:2] for name in shared) * 2 + len(shared)
        if alike > most:
            best, most = reference, alike
    return best


def _reference_encoders(architecture_id: str | None) -> list[Encoder]:
    return [Encoder(name, encoder_weights(name), True) for name in encoders_of(architecture_id)]


def _file_encoders(profile: FitProfile, subject: Subject) -> list[Encoder]:
    """The encoders that the architecture works with: from the file where they are, else by reference."""
    wanted = encoders_of(subject.architecture)
    inside: dict[str, Names] = {}
    names = read_table("trained.toml")["encoders"]
    for label, weights in profile.weights.items():
        if label.startswith("te:"):
            inside[names.get(label[3:], label[3:])] = weights
        elif label.startswith("te") and label[2:].isdigit() and int(label[2:]) <= len(wanted):
            inside[wanted[int(label[2:]) - 1]] = weights
    found = []
    for encoder in dict.fromkeys((*wanted, *inside)):
        own = inside.get(encoder)
        known = encoder_weights(encoder)
        if own is None:
            found.append(Encoder(encoder, known, False))
            continue
        named = under_all_names(own, naming_of(encoder))
        found.append(Encoder(encoder, {n: _sized(w, known.get(n)) for n, w in named.items()}, True))
    return found


def _sized(weight: Weight, known: Weight | None) -> Weight:
    return known if weight.rows is None and known is not None else weight


def architecture_subject(architecture_id: str, family: str | None = None) -> Subject:
    """A base that is only named. Raises ``UnknownIdError``."""
    if architecture_id not in architectures():
        raise UnknownIdError(f"no architecture {architecture_id!r}: see indexer/data/architectures.toml")
    path = architecture_path(architecture_id)
    return Subject("diffusion_model", architecture_id, path, ((architecture_id, 1.0),), family)
