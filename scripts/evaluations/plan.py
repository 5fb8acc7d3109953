"""Are moves planned rightly? The demo library moved to each of its bases, against what its generator knows.

    scripts/evaluate plan FOLDER

FOLDER takes the demo library and a catalog of it (kept and used again). The truth is told by the rows of the
generator alone: what loads by the tree of architectures, which models are one (the same title), which are
equivalents (the row says so, or their previews are of one style). Printed per base: models, right actions,
known equivalents that are among the first three candidates; then every wrong action.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.demo import DemoModel, DemoReport, write_demo
from indexer.domain.vocabulary import architecture_path
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import read_settings
from search.plan_answer import Item
from search.plan_make import PlanRequest, make_plan
from search.service import Pinakes

__all__ = ["Case", "cases", "main"]

_BASES = ("checkpoint", "diffusion_model")
_UNREAD = ("truncated", "not_a_model", "duplicate")
_FIRST = 3
_PARTS = {
    "sdxl": ("sdxl",),
    "flux1": ("flux1", "z-image"),
    "clip-l": ("sd1", "sdxl", "sd3", "flux1"),
    "t5-xxl": ("sd3", "flux1"),
}
"""Which roots use the VAEs and encoders of the demo, by the models' own cards."""


@dataclass(frozen=True, slots=True)
class Case:
    """One model moved to one base: the actions that are right, and the paths of known equivalents there."""

    model: DemoModel
    target: str
    actions: frozenset[str]
    equivalents: frozenset[str]
    item: Item

    @property
    def right(self) -> bool:
        """Whether the plan says what is right."""
        return self.item.action in self.actions

    @property
    def found(self) -> bool | None:
        """Whether a known equivalent is among the first three; None where there is none to find."""
        if not self.equivalents or self.actions == {"keep"}:
            return None
        shown = (file.path for one in self.item.candidates[:_FIRST] for file in one.document.files)
        return any(path.endswith(known) for path in shown for known in self.equivalents)


def cases(report: DemoReport, pinakes: Pinakes) -> Iterator[Case]:
    """All models moved to all bases of the demo."""
    models = [model for model in report.models if model.bad not in _UNREAD]
    for target in sorted({m.architecture for m in models if m.kind in _BASES and m.architecture}):
        plan = make_plan(pinakes, PlanRequest(target))
        items = {Path(f.path).name: item for item in plan.items if item.document for f in item.document.files}
        for model in models:
            item = items.get(Path(model.path).name)
            if item is not None:
                actions, known = expected(model, models, target)
                yield Case(model, target, actions, known, item)


def expected(
    model: DemoModel, models: Sequence[DemoModel], target: str
) -> tuple[frozenset[str], frozenset[str]]:
    """The right actions, and the paths of what may take its place on the target."""
    there = [other for other in models if other is not model and _works(other, target)]
    same = frozenset(o.path for o in there if o.name == model.name and _alike_kind(model, o))
    like = frozenset(o.path for o in there if _equivalent(model, o))
    if model.kind == "upscaler" or _works(model, target):
        return frozenset(("keep",)), same | like
    if model.kind in _BASES:
        return frozenset(("update", "replace")), same | like
    if model.kind in ("vae", "text_encoder"):
        return frozenset(("replace",)), frozenset()
    if same:
        return frozenset(("update",)), same | like
    return frozenset(("replace",) if like else ("retrain",)), like


def _works(model: DemoModel, target: str) -> bool:
    path = architecture_path(target)
    own = model.architecture or ""
    if model.kind in ("vae", "text_encoder"):
        return path[0] in _PARTS.get(own, (own,))
    if model.kind in _BASES:
        return own == target
    return own in path or target in architecture_path(own)


def _alike_kind(one: DemoModel, other: DemoModel) -> bool:
    return one.kind == other.kind or {one.kind, other.kind} <= set(_BASES)


def _equivalent(one: DemoModel, other: DemoModel) -> bool:
    """Stated by the generator, or an adapter that draws in the very same style."""
    pair = {one.equivalent_of or one.path, other.equivalent_of or other.path}
    if len(pair) == 1:
        return True
    taught = {one.kind, other.kind} <= {"lora", "textual_inversion"} and other.kind == "lora"
    return (
        taught
        and one.style is not None
        and one.style == other.style
        and one.category == other.category == "style"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``plan.py FOLDER``."""
    parser = argparse.ArgumentParser(description="Plans against the demo's truth.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    report = write_demo(folder / "library")
    settings = read_settings(folder / "home").model_copy(update={"show_adult": True, "show_people": True})
    index_folders([folder / "library"], settings, Silent())
    with Pinakes(settings) as pinakes:
        told = list(cases(report, pinakes))
    for target in dict.fromkeys(case.target for case in told):
        _line(target, [case for case in told if case.target == target])
    _line("all", told)
    for case in told:
        if not case.right or case.found is False:
            wanted = " or ".join(sorted(case.actions))
            first = next((one.document.name for one in case.item.candidates), "-")
            print(
                f"{case.target}: {case.model.path}: {case.item.action}, not {wanted}; "
                f"first {first}; known {sorted(case.equivalents)}"
            )
    return 0


def _line(title: str, told: Sequence[Case]) -> None:
    right = sum(case.right for case in told)
    known = [case.found for case in told if case.found is not None]
    share = f"{100 * sum(known) / len(known):.1f}" if known else "-"
    print(
        f"{title:22} {len(told):4} models, {100 * right / len(told):5.1f} % right, "
        f"{share:>5} % of {len(known)} equivalents found"
    )


if __name__ == "__main__":
    raise SystemExit(main())
