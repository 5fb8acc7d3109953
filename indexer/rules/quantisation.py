"""Types, quantised form and true number of weights: what can be counted in a header."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from math import prod
from operator import itemgetter
from typing import Any

from indexer.domain.vocabulary import read_table
from indexer.rules.profile import Profile

__all__ = ["count_parameters", "count_types", "quantised_form"]

_shape = itemgetter("shape")
_dtype = itemgetter("dtype")


def _table() -> Mapping[str, Any]:
    return read_table("quantisation.toml")


@cache
def _auxiliary() -> tuple[str, ...]:
    return tuple(_table()["auxiliary"]["suffix"])


def count_types(profile: Profile) -> dict[str, int]:
    """Type -> number of tensors, most frequent first."""
    types = list(map(_dtype, profile.tensors.values()))
    if types and types.count(types[0]) == len(types):
        return {types[0]: len(types)}
    counts = Counter(types)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@cache
def _form_suffixes() -> tuple[str, ...]:
    return tuple({suffix for row in _table()["form"] for suffix in row.get("suffix", ())})


def quantised_form(profile: Profile, types: Mapping[str, int], container: str) -> str | None:
    """Id of the form in ``quantisation.toml``; for GGUF its most frequent block type; ``None`` when whole."""
    if container == "gguf":
        return next((dtype for dtype in types if dtype not in ("F32", "F16", "BF16", "F64")), None)
    marked = [template for template in profile.counts if template.endswith(_form_suffixes())]
    for row in _table()["form"]:
        if "dtype" in row and types.keys().isdisjoint(row["dtype"]):
            continue
        if all(any(template.endswith(suffix) for template in marked) for suffix in row.get("suffix", ())):
            form: str = row["id"]
            return form
    return None


def count_parameters(profile: Profile, form: str | None) -> int:
    """Number of weights: packed elements unpacked, scales and other auxiliaries left out."""
    packing = _table()["packing"].get(form, {})
    if form is None or not packing:
        skipped = {t for t in profile.counts if t.endswith(_auxiliary())} if form else set()
        if not skipped:
            return sum(map(prod, map(_shape, profile.tensors.values())))
    total = 0
    for name, template in zip(profile.names, profile.templates, strict=True):
        if not template.endswith(_auxiliary()):
            entry = profile.tensors[name]
            total += prod(entry["shape"]) * packing.get(entry["dtype"], 1)
    return total
