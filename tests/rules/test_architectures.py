"""Every model, component and control that we claim to know has a listing of its own and is told by it.

The listings are in ``listings/*.toml``, the checklist of what must be among them in
``listings/checklist.toml``: a name there without a listing fails, as does a listing that the checklist lacks."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.layouts import expand, load_layout, parse_layout
from indexer.domain.vocabulary import architecture_path, architectures, kinds, lookalikes
from indexer.rules import identify
from scripts.evaluations.generated import FORMS, quantised
from tests.rules.builders import Shape, header, nf4, prefixed

FOLDER = Path(__file__).parent / "listings"
CHECKLIST = "checklist.toml"
COLUMNS = {"covers", "is", "layouts", "tensors", "drop", "prefix", "or", "prediction", "adapter", "key"}
PREFIXES = ("model.diffusion_model.", "net.", "diffusion_model.")


@dataclass(frozen=True)
class Listing:
    """One file to identify. ``row`` are the columns of the table."""

    name: str
    shapes: Mapping[str, Shape]
    row: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name


@cache
def listings() -> tuple[Listing, ...]:
    tables = sorted(path for path in FOLDER.glob("*.toml") if path.name != CHECKLIST)
    rows = [row for path in tables for row in tomllib.loads(path.read_text("utf-8"))["listing"]]
    return tuple(listing for row in rows for listing in _read(row))


def _read(row: dict[str, Any]) -> Iterator[Listing]:
    assert set(row) <= COLUMNS, row
    added = parse_layout(row.get("tensors", ""))
    for layout in row.get("layouts", [""]):
        base = dict(load_layout(layout)) if layout else {}
        gone = tuple(start for word in row.get("drop", "").split() for start in expand(word))
        kept = {name: shape for name, shape in base.items() if not (gone and name.startswith(gone))}
        front = row.get("prefix", "")
        inside = {name: shape for name, shape in added.items() if name in base} if front else {}
        shapes = prefixed(front, kept | inside) | {n: s for n, s in added.items() if n not in inside}
        yield Listing(f"{row['covers']} {layout}".strip(), shapes, row)


def denoisers() -> list[Listing]:
    return [one for one in listings() if one.row["is"][0] == "diffusion_model" and "prefix" not in one.row]


@pytest.mark.parametrize("listing", listings(), ids=str)
def test_each_listing_is_told(listing: Listing) -> None:
    """Kind, path and exactly the documented candidates."""
    kind, name = listing.row["is"]
    verdict = identify(header(listing.shapes))
    assert (verdict.kind, verdict.architecture) == (kind, name or None)
    assert verdict.architecture_path == (architecture_path(name) if name else ())
    told = {candidate.architecture for candidate in verdict.candidates}
    if kind != "lora" or listing.row["or"]:
        assert told == set(listing.row.get("or", lookalikes(name) if kind in TWINNED else [name]))
    assert verdict.prediction_type == listing.row.get("prediction")
    assert verdict.adapter == listing.row.get("adapter")
    assert verdict.key_format == listing.row.get("key", verdict.key_format)


TWINNED = {"diffusion_model", "checkpoint", "lora", "controlnet", "control_lora", "flux_redux", "ip_adapter"}
"""Kinds for which models with identical tensors stand beside the one named."""


@pytest.mark.parametrize("listing", denoisers(), ids=str)
def test_prefixes_and_packing_leave_the_truth_possible(listing: Listing) -> None:
    kind, name = listing.row["is"]
    plain = identify(header(listing.shapes))
    for prefix in PREFIXES:
        wrapped = identify(header(prefixed(prefix, listing.shapes)))
        assert (wrapped.kind, wrapped.architecture) == (kind, plain.architecture), prefix
    packed, types = nf4(listing.shapes)
    hidden = identify(header(packed, dtypes=types))
    near = {step for candidate in hidden.candidates for step in architecture_path(candidate.architecture)}
    assert hidden.kind == kind and name in near | set(hidden.architecture_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "layout",
    ["sdxl", "sdxl.diffusers", "flux1-dev", "flux1-dev.diffusers", "qwen-image", "wan2.1-t2v-14b", "z-image"],
)
def test_quantised_forms(layout: str, form: str) -> None:
    """Section 9: the form is named; packing may hide the model, never turn it into another."""
    verdict = identify(quantised(load_layout(layout), form))
    plain = identify(header(load_layout(layout)))
    told = {step for candidate in verdict.candidates for step in architecture_path(candidate.architecture)}
    assert verdict.kind == "diffusion_model"
    assert plain.candidates[0].architecture in told
    assert verdict.architecture == plain.architecture or verdict.confidence < 0.9
    assert verdict.quantisation == {"comfy-quant": "fp8-scaled", "gguf": "Q4_K"}.get(form, form)


def test_the_checklist_is_covered() -> None:
    sections = tomllib.loads((FOLDER / CHECKLIST).read_text("utf-8"))
    wanted = {f"{section} {name}" for section, names in sections.items() for name in names}
    covered = {listing.row["covers"] for listing in listings()}
    assert wanted - covered == set()
    assert covered - wanted == set()


def test_every_leaf_has_a_listing() -> None:
    """Whatever stands in the tree is answered by some listing, or is a twin of one, or a candidate."""
    named = {name for one in listings() for name in (one.row["is"][1], *one.row.get("or", ()))} - {""}
    told = named | {twin for name in named for twin in lookalikes(name)}
    assert {key for key, row in architectures().items() if not row.abstract} - told == set()


def test_listings_name_kinds_that_exist() -> None:
    assert {listing.row["is"][0] for listing in listings()} <= set(kinds())
