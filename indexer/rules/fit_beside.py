"""Does a control model, image adapter or motion module go beside a base's denoiser?"""

from collections import Counter
from collections.abc import Mapping, Sequence

from indexer.domain.fit import FitProfile, FitVerdict, Subject, Weight
from indexer.domain.vocabulary import read_table
from indexer.rules.fit_answers import by_architecture, fits, fits_not, titles_of
from indexer.rules.fit_base import BaseTable
from indexer.rules.fit_words import title_of

__all__ = ["fit_control", "fit_image_adapter", "fit_motion", "fit_redux"]

_CONTROL = "control"


def _context(table: BaseTable) -> int | None:
    """The width of the text that the base reads."""
    for name in read_table("fit.toml")["context"]["names"]:
        weight = table.weights.get(name)
        if weight is not None and weight.columns is not None:
            return weight.columns
    return next((w.columns for n, w in table.weights.items() if n.endswith("attn2_to_k")), None)


def fit_image_adapter(
    addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject
) -> FitVerdict:
    width = addon.facts.get("context")
    read = next((found for table in tables if (found := _context(table))), None)
    if width is not None and read is not None and width != read:
        return fits_not(
            f"It puts its pictures beside text of {width} features; "
            f"{title_of(base.architecture)} reads {read}."
        )
    told = by_architecture(subject, base)
    if told.verdict != "compatible":
        return told
    heights = addon.facts.get("heights", {})
    if tables and heights:
        has = Counter(str(w.rows) for n, w in _canonical(tables[0]) if n.endswith("attn2_to_k"))
        if has and sum(heights.values()) == sum(has.values()) and dict(has) != heights:
            return fits_not("Its keys have other sizes than the base's cross-attention, layer by layer.")
    vision = [option for part, options in subject.needs if part == "clip_vision" for option in options]
    needs = f" It also needs {titles_of(vision)}." if vision else ""
    return fits(f"{told.reasons[0]}{needs}")


def _canonical(table: BaseTable) -> list[tuple[str, Weight]]:
    return [(n, w) for n, w in table.weights.items() if table.naming.canonical(n) == (n,)]


def fit_redux(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    width = addon.facts.get("context")
    read = next((found for table in tables if (found := _context(table))), None)
    if width is not None and read is not None and width != read:
        return fits_not(
            f"It writes pictures as text of {width} features; {title_of(base.architecture)} reads {read}."
        )
    return by_architecture(subject, base)


def fit_motion(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    for level, width in addon.facts.get("levels", {}).items():
        for table in tables:
            weight = table.weights.get(f"down_blocks_{level}_resnets_0_conv1")
            if weight is None:
                return fits_not(
                    f"It moves level {level} of a UNet, which {title_of(base.architecture)} does not have."
                )
            if weight.rows not in (None, width):
                return fits_not(
                    f"Level {level} has {weight.rows} channels here, this motion module was made for {width}."
                )
    return by_architecture(subject, base)


def fit_control(
    addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject
) -> FitVerdict:
    """A control model repeats layers of its base: those that both have must be of one size."""
    told = by_architecture(subject, base)
    own = addon.weights.get(_CONTROL, {})
    if not own or not tables:
        return told
    counts = _shared(own, tables[0])
    if counts["other"]:
        name = next(name for name in own if _differs(name, own, tables[0]))
        mine, base_weight = own[name], tables[0].weights[name]
        reason = (
            f"{name[:80]} is {base_weight.rows} x {base_weight.columns} in the base and "
            f"{mine.rows} x {mine.columns} in this control model: it was made for another one."
        )
        return FitVerdict("incompatible", counts["same"], 0, counts["other"], (), (reason,))
    return FitVerdict(told.verdict, counts["same"], 0, 0, (), told.reasons)


def _shared(own: Mapping[str, Weight], table: BaseTable) -> Counter[str]:
    return Counter("other" if _differs(name, own, table) else "same" for name in own if name in table.weights)


def _differs(name: str, own: Mapping[str, Weight], table: BaseTable) -> bool:
    inputs = read_table("fit.toml")["inputs"]["names"]
    other = table.weights.get(name)
    if other is None or all(piece in inputs for piece in table.naming.canonical(name)):
        return False
    mine = own[name]
    return None not in (mine.rows, other.rows) and mine[:2] != other[:2]
