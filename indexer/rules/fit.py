"""Does an adapter fit a base? Module by module: is the weight there, of the size that the factors make?

Nearly all modules of an adapter are found in one set at once; only the others are looked at singly. What
fits by its tensors and was made for another model all the same is called ``partial``: it loads, and does
something else.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from math import prod
from operator import itemgetter, not_

from indexer.domain.compatibility import fit_score, prediction_caveat
from indexer.domain.fit import DENOISER, Change, FitProfile, FitVerdict, Subject, Weight
from indexer.domain.vocabulary import architecture, architecture_path, read_table
from indexer.rules.fit_base import BaseTable
from indexer.rules.fit_words import Tally, reasons_of

__all__ = ["fit_adapter"]

_FEW = 0.1
"""Up to this share of modules may have other sizes between models below one root: lenient programs skip
them."""
_RIVAL = 0.1
"""Another model that an adapter may be for is told of where it is at least so likely beside the likeliest."""
_SWAYED = 1.5
"""Metadata, names and claims speak for an architecture where they make it so much likelier than its prior."""


def fit_adapter(
    adapter: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject
) -> FitVerdict:
    """The verdict on an adapter (kinds ``lora`` and ``control_lora``) and a base.

    ``tables`` are those of ``base_tables``: of several, sizes in which a model was released, the best counts.
    """
    if not adapter.changes:
        return FitVerdict("unknown", reasons=("No module of an adapter is in this file.",))
    if not tables:
        return FitVerdict(
            "unknown",
            unmatched=count_modules(adapter.changes),
            reasons=(
                "The base is of no architecture that we have a layout of, and holds no weights to compare.",
            ),
        )
    verdicts = [_fit_one(adapter, subject, table, base) for table in tables]
    return min(verdicts, key=lambda verdict: (_ORDER[verdict.verdict], -verdict.matched))


_ORDER = {"compatible": 0, "partial": 1, "unknown": 2, "incompatible": 3}


def count_modules(changes: Sequence[Change]) -> int:
    """Modules, of which a bias is no other."""
    return len({change[:2] for change in changes})


def _fit_one(adapter: FitProfile, subject: Subject, table: BaseTable, base: Subject) -> FitVerdict:
    tally = _compare_all(adapter, table)
    kin = kinship(subject, base)
    score, why = _score(subject, base, kin)
    verdict = _judge(tally, kin, table, related=score > 0)
    if verdict in ("incompatible", "unknown"):
        score, why = 0.0, ""
    why = why if score > 0 else ""
    idle = tuple(tally.idle)
    reasons = reasons_of(verdict, tally, subject, base, table, why, kin.rival)
    return FitVerdict(verdict, tally.matched, tally.unmatched, len(tally.mismatched), idle, reasons, score)


# ---------------------------------------------------------------- comparing


def _compare_all(adapter: FitProfile, table: BaseTable) -> Tally:
    changes = adapter.changes
    found = list(map(table.exact.__contains__, changes))
    rest = list(compress(changes, map(not_, found)))
    unread = adapter.facts.get("unread", 0)
    tally = Tally(total=count_modules(changes), faults=dict(adapter.faults), unread=unread)
    if rest:
        _compare_rest(rest, changes, table, tally)
    _find_idle(changes, table, tally)
    _find_twice(adapter, table, tally)
    return tally


def _compare_rest(rest: Sequence[Change], changes: Sequence[Change], table: BaseTable, tally: Tally) -> None:
    encoders = _find_encoders({change.part for change in rest}, changes, table)
    for change in rest:
        key = change[:2]
        if change.name in tally.faults:
            tally.mismatched[key] = (change, None)
            continue
        names = encoders.get(change.part)
        weight = names.get(change.name) if names is not None else None
        if names is not None and not names:
            tally.unknown.add(key)
        elif weight is None:
            tally.absent.setdefault(key, change)
        elif not fits(change, weight):
            if change.sort == "bias" and weight.bias == 0:
                tally.absent.setdefault(key, change)
            else:
                tally.mismatched[key] = (change, weight)
        else:
            _count_odd(change, weight, tally)
    for key in tally.mismatched:
        tally.absent.pop(key, None)


def _count_odd(change: Change, weight: Weight, tally: Tally) -> None:
    hidden = weight.rows is None or (change.rows is None and change.columns is None)
    if hidden and change.sort != "bias":
        tally.unsized += 1
    elif change.sort == "grows" and weight.columns is not None and (change.columns or 0) > weight.columns:
        tally.grown += 1


def _find_encoders(
    parts: set[str], changes: Sequence[Change], table: BaseTable
) -> Mapping[str, Mapping[str, Weight]]:
    """The weights for each part; encoders are numbered in several ways, so the one counts that the modules
    fit."""
    found = {}
    for part in parts:
        names = table.parts.get(part)
        if part != DENOISER:
            mine = [change for change in changes if change.part == part and change.sort == "weight"][:20]
            choices = [names, *(encoder.weights for encoder in table.encoders)]
            ranked = [
                (_agree(mine, choice), -place, choice) for place, choice in enumerate(choices) if choice
            ]
            names = max(ranked, key=itemgetter(0, 1))[2] if ranked else names
        if names is not None:
            found[part] = names
    return found


def _agree(changes: Sequence[Change], names: Mapping[str, Weight]) -> tuple[int, int]:
    here = [(change, names[change.name]) for change in changes if change.name in names]
    return sum(fits(change, weight) for change, weight in here), len(here)


def fits(change: Change, weight: Weight) -> bool:
    """Whether a change has the size of a weight; sizes that either side hides fit."""
    if change.sort == "bias":
        return weight.bias is None or change.rows == weight.bias
    if weight.rows is None or weight.columns is None:
        asked = None if change.rows is None or change.columns is None else change.rows * change.columns
        return asked is None or weight.cells is None or abs(asked - weight.cells) <= 1
    if change.sort in ("either", "reads"):
        wide = weight.columns // max(1, prod(weight.kernel or ()))
        if change.sort == "reads":
            return change.rows == wide and _same_kernel(change, weight)
        return change.rows in (weight.rows, wide)
    if change.sort == "turns":
        return bool(change.columns) and weight.columns % (change.columns or 1) == 0
    if change.rows not in (None, weight.rows):
        return False
    if change.sort == "grows":
        return change.columns is None or change.columns >= weight.columns
    return change.columns in (None, weight.columns) and _same_kernel(change, weight)


def _same_kernel(change: Change, weight: Weight) -> bool:
    mine, theirs = change.kernel, weight.kernel
    if mine is None or theirs is None or mine == theirs:
        return True
    if mine and not any(mine):
        return len(mine) == len(theirs)
    return change.sort not in ("whole", "reads") and mine == () and all(size == 1 for size in theirs)


def _find_idle(changes: Sequence[Change], table: BaseTable, tally: Tally) -> None:
    """Text encoders that the adapter trains and the base's file does not hold."""
    counts = Counter(part for part, _ in {change[:2] for change in changes if change.part != DENOISER})
    for part, number in sorted(counts.items()):
        if part in table.absent or (part not in table.parts and not table.encoders):
            tally.idle[part] = number


def _find_twice(adapter: FitProfile, table: BaseTable, tally: Tally) -> None:
    """Modules that the file changes twice, in two dialects."""
    dialects = adapter.facts.get("dialects", ())
    if len([d for d in dialects if d not in _ENCODER_DIALECTS]) < 2 and not adapter.facts.get("doubled"):
        return
    pieces = Counter(
        piece
        for change in adapter.changes
        if change.part == DENOISER and change.sort != "bias"
        for piece in table.naming.canonical(change.name)
    )
    tally.twice = sum(number > 1 for number in pieces.values())


_ENCODER_DIALECTS = frozenset({"lora_te_", "lora_te#_", "text_encoders.", "text_encoder.", "text_encoder_#."})


# ---------------------------------------------------------------- judging


def _judge(tally: Tally, kin: "Kinship", table: BaseTable, *, related: bool) -> str:
    idle = sum(tally.idle.values())
    inner = [key for key in tally.mismatched if not _reads_latents(key, table)]
    if inner:
        few = len(inner) <= _FEW * tally.total and kin.root and tally.matched > 0
        return "partial" if few else "incompatible"
    if tally.matched == 0:
        if idle and kin.root:
            return "partial"
        unclear = tally.unknown and not tally.absent and kin.possible
        return "unknown" if unclear else "incompatible"
    whole = tally.matched == tally.total
    if whole:
        return "compatible" if kin.root and not tally.twice else "partial"
    return "partial" if kin.root or kin.possible or related else "incompatible"


def _reads_latents(key: tuple[str, str], table: BaseTable) -> bool:
    """Whether a module is the first of the model, in which variants differ."""
    inputs = read_table("fit.toml")["inputs"]["names"]
    return key[0] == DENOISER and all(piece in inputs for piece in table.naming.canonical(key[1]))


@dataclass(frozen=True, slots=True)
class Kinship:
    """How an adapter's architecture stands to the base's: below one ``root`` as far as is told, or merely
    ``possible``. ``rival`` is another model, below another root, that it may have been made for as well:
    tensors do not tell, and nothing else is said."""

    root: bool
    possible: bool
    made_for: str | None = field(default=None)
    rival: str | None = field(default=None)


def kinship(subject: Subject, base: Subject) -> Kinship:
    """By the architectures that the adapter's tensors allow, weighed by what is said of it."""
    roots = {architecture_path(key)[0] for key, _ in base.options} | set(base.path[:1])
    if not subject.options or not roots:
        return Kinship(True, True)
    mine = [(key, weight) for key, weight in subject.options if architecture_path(key)[0] in roots]
    best, most = max(subject.options, key=itemgetter(1))
    only = read_table("fit.toml")["dialects"].get(subject.dialect)
    if only is not None and only not in roots:
        return Kinship(False, False, only)
    if not mine:
        return Kinship(False, False, best)
    if architecture_path(best)[0] in roots:
        return Kinship(True, True, best, _rival(subject, best, most))
    near, weight = max(mine, key=itemgetter(1))
    return Kinship(False, True, best, None if _swayed(best, most, near, weight) else best)


def _swayed(best: str, most: float, other: str, weight: float) -> bool:
    """Whether something is said for the likeliest model, beyond its being the commoner one."""
    expected = architecture(best).prior / architecture(other).prior
    return weight <= 0 or most / weight > _SWAYED * expected


def _rival(subject: Subject, best: str, most: float) -> str | None:
    root = architecture_path(best)[0]
    others = [option for option in subject.options if architecture_path(option[0])[0] != root]
    other, weight = max(others, key=itemgetter(1), default=("", 0.0))
    return other if weight >= _RIVAL * most and not _swayed(best, most, other, weight) else None


def _score(subject: Subject, base: Subject, kin: Kinship) -> tuple[float, str]:
    """How well families go together, a difference in what they predict counted in."""
    made = kin.made_for or subject.architecture
    score, why = fit_score(subject.kind, made, subject.family, base.architecture, base.family)
    if kin.rival is not None:
        score = _expected(subject, base)
    caveat = prediction_caveat(subject.prediction, base.prediction)
    if caveat is None:
        return score, why
    return round(score * caveat.factor, 3), " ".join(filter(None, (why, caveat.why)))


def _expected(subject: Subject, base: Subject) -> float:
    """The score where nothing tells which of several models an adapter was made for: that of each, as much as
    it is likely; of variants below one root that of the likeliest."""
    firsts: dict[str, str] = {}
    shares: dict[str, float] = {}
    for key, weight in sorted(subject.options, key=itemgetter(1), reverse=True):
        root = architecture_path(key)[0]
        firsts.setdefault(root, key)
        shares[root] = shares.get(root, 0.0) + weight
    scores = (
        share * fit_score(subject.kind, firsts[root], None, base.architecture, base.family)[0]
        for root, share in shares.items()
    )
    return round(sum(scores) / (sum(shares.values()) or 1.0), 3)
