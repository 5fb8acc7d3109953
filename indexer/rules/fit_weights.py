"""The weights of a base: flat names and sizes by part, from a header or from a reference layout.

What quantisation packs has no size in the header. Its true number of elements is kept where the form tells.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from math import prod

from indexer.domain.fit import DENOISER, Weight
from indexer.domain.header import Header
from indexer.domain.layouts import layout_ids, load_layout
from indexer.domain.vocabulary import architectures, read_table
from indexer.rules.fitting import layout_architecture
from indexer.rules.profile import Profile, View, templates_of
from indexer.rules.quantisation import count_types, quantised_form

__all__ = ["base_weights", "control_weights", "layout_weights", "named_weights"]

_MOST_WEIGHTS = 20_000
_LONGEST_NAME = 250
_PACKED = frozenset({"U8", "U16", "I16", "I32", "U32", "I64"})
_TWO_A_BYTE = frozenset({"nf4", "fp4"})
_ALWAYS_PACKED = frozenset({"svdquant", "gptq", "awq", "packed", "sdnq"})
_HIDDEN = Weight(None, None, None)
_ENDS = (".weight", ".scale", ".qweight")


def base_weights(header: Header) -> tuple[dict[str, dict[str, Weight]], str | None]:
    """The weights of a base by part (``denoiser``, ``te1`` …), and how it is quantised.

    Bounded: of files beyond any model only the first weights are looked at.
    """
    profile = Profile(header)
    form = quantised_form(profile, count_types(profile), header.container)
    parts = {label: named_weights(_named(profile, prefix, form)) for label, prefix in _parts(profile)}
    return {label: weights for label, weights in parts.items() if weights}, form


def control_weights(header: Header) -> dict[str, Weight]:
    """The weights of a control model, without the prefix of one inside a checkpoint."""
    profile = Profile(header)
    inside = any(name.startswith("control_model.") for name in profile.names[:10])
    return named_weights(_named(profile, "control_model." if inside else "", None))


def layout_weights(layout: str) -> dict[str, Weight]:
    """The weights of a reference layout."""
    return named_weights((name, shape, None) for name, shape in load_layout(layout).items())


_Row = tuple[str, Sequence[int] | None, int | None]


def named_weights(rows: Iterable[_Row]) -> dict[str, Weight]:
    """Weights by flat name, of (tensor name, shape or ``None``, number of elements or ``None``)."""
    found: dict[str, Weight] = {}
    biases: dict[str, int] = {}
    for name, shape, cells in islice(rows, 2 * _MOST_WEIGHTS):
        if name.endswith((".bias", "in_proj_bias")):
            biases[_flat(name[:-5])] = prod(shape) if shape else 0
            continue
        stem = _stem(name)
        if stem not in found or name.endswith(".weight"):
            found[stem] = _weight(shape, cells, named=name.endswith(_ENDS))
    for stem, length in biases.items():
        if weight := found.get(stem):
            found[stem] = weight._replace(bias=None if weight.rows is None else length)
    return found


def _flat(name: str) -> str:
    return name.rstrip("._").replace(".", "_")


def _stem(name: str) -> str:
    for end in _ENDS:
        if name.endswith(end):
            return _flat(name[: -len(end)])
    return _flat(name.removesuffix("_weight") if name.endswith("in_proj_weight") else name)


def _weight(shape: Sequence[int] | None, cells: int | None, *, named: bool) -> Weight:
    """``named`` weights of one element stand for those of a listing without shapes; bare scalars are real."""
    if shape is not None and not named and len(shape) < 2:
        return Weight(shape[0] if shape else 1, 1, ())
    if not shape or list(shape) == [1]:
        return _HIDDEN._replace(cells=cells)
    return Weight(shape[0], prod(shape[1:]), tuple(shape[2:]))


def _named(profile: Profile, prefix: str, form: str | None) -> Iterator[_Row]:
    dead = {
        t for t in profile.counts if t.endswith(tuple(read_table("quantisation.toml")["auxiliary"]["suffix"]))
    }
    cut = len(prefix)
    for name, template in zip(profile.names, profile.templates, strict=True):
        if not name.startswith(prefix) or len(name) > _LONGEST_NAME:
            continue
        if form is not None and template in dead:
            continue
        yield (name[cut:], *_shape(profile, name, form))


def _shape(profile: Profile, name: str, form: str | None) -> tuple[Sequence[int] | None, int | None]:
    entry = profile.tensors[name]
    shape, dtype = entry["shape"], entry["dtype"]
    if form in _ALWAYS_PACKED and dtype in (*_PACKED, "I8"):
        return None, None
    if dtype not in _PACKED:
        return shape, None
    if form in _TWO_A_BYTE:
        return None, 2 * prod(shape)
    if form == "nvfp4" and len(shape) == 2:
        return [shape[0], 2 * shape[1]], None
    return None, None


# ---------------------------------------------------------------- parts


def _parts(profile: Profile) -> Iterator[tuple[str, str]]:
    """Label and prefix of every part of a base."""
    labels = read_table("fit.toml")["encoders"]
    denoiser = _denoiser(profile)
    if denoiser is not None:
        yield DENOISER, denoiser
    for view in profile.views:
        if view.prefix in labels:
            yield labels[view.prefix], view.prefix
        elif view.prefix.startswith("text_encoders.") and view.prefix.count(".") == 2:
            yield f"te:{view.prefix.split('.')[1]}", _inner(profile, view)


def _inner(profile: Profile, view: View) -> str:
    """The prefix of an encoder without ComfyUI's wrappers."""
    inner = [other.prefix for other in profile.views if other.prefix.startswith(view.prefix)]
    return max(inner, key=len)


@cache
def _known_templates() -> frozenset[str]:
    denoisers = {key for key, row in architectures().items() if row.role == "denoiser"}
    layouts = (layout for layout in layout_ids() if layout_architecture(layout) in denoisers)
    return frozenset(name for layout in layouts for name in templates_of(list(load_layout(layout))))


def _denoiser(profile: Profile) -> str | None:
    """The prefix behind which most names are those of a denoiser; all the file where no name is known."""
    table = read_table("fit.toml")
    others = (*table["others"]["prefixes"], *(key for key in table["encoders"] if key != "why"))
    views = [view for view in profile.views if not view.prefix.startswith(others)]
    known = {view.prefix: len(view.templates & _known_templates()) for view in views}
    best = max(views, key=lambda view: (known[view.prefix], -len(view.prefix)), default=None)
    if best is None:
        return None
    packed = any(template.endswith(".qweight") for template in best.templates)
    return best.prefix if known[best.prefix] or packed or len(views) == 1 else ""
