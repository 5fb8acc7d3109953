"""What was found of a pair, counted, and said in sentences that a person understands."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.domain.fit import Change, Subject, Weight
from indexer.domain.vocabulary import architecture, architectures
from indexer.rules.fit_base import BaseTable
from indexer.rules.profile import recall_templates

__all__ = ["Tally", "reasons_of", "title_of"]

_Key = tuple[str, str]
_CROSS = re.compile(r"attn2_to_[kv]$|cross_attn_(?:k|v|kv)(?:_|$)|cross_attn_kv_linear$")
_WORDS = (
    (_CROSS, "cross-attention"),
    (re.compile(r"attn|attention|qkv"), "attention"),
    (re.compile(r"_mlp|_ff_|ffn|feed_forward|_fc[0-9]|linear[12]"), "a feed-forward layer"),
    (re.compile(r"_mod_|modulation|norm"), "a modulation layer"),
)
_NAME = 80


@dataclass(slots=True)
class Tally:
    """The modules of a pair. ``absent`` have no counterpart in the base, ``mismatched`` one of another size
    (no weight: the adapter's own fault), ``unknown`` belong to parts that nothing is known of; ``idle`` are
    encoders that the base's file does not hold, with their modules; ``unsized`` were compared by name alone;
    ``twice`` are weights that two modules change, ``grown`` layers that the adapter makes wider, ``unread``
    tensors of its file that are no factors."""

    total: int
    faults: Mapping[str, str] = field(default_factory=dict)
    absent: dict[_Key, Change] = field(default_factory=dict)
    mismatched: dict[_Key, tuple[Change, Weight | None]] = field(default_factory=dict)
    unknown: set[_Key] = field(default_factory=set)
    idle: dict[str, int] = field(default_factory=dict)
    unsized: int = 0
    twice: int = 0
    grown: int = 0
    unread: int = 0

    @property
    def unmatched(self) -> int:
        """Modules that change nothing on this base."""
        if not self.idle:
            return len(self.absent.keys() | self.unknown) if self.unknown else len(self.absent)
        lost = {key for key in (*self.absent, *self.unknown) if key[0] not in self.idle}
        broken = Counter(key[0] for key in self.mismatched)
        return len(lost) + sum(number - broken[part] for part, number in self.idle.items())

    @property
    def matched(self) -> int:
        """Modules that fit."""
        return self.total - self.unmatched - len(self.mismatched)


def title_of(architecture_id: str | None) -> str:
    """The name of an architecture for people."""
    if architecture_id is None or architecture_id not in architectures():
        return "an unknown model"
    return architecture(architecture_id).title


def reasons_of(
    verdict: str,
    tally: Tally,
    subject: Subject,
    base: Subject,
    table: BaseTable,
    why: str,
    rival: str | None = None,
) -> tuple[str, ...]:
    """The sentences of a verdict, the telling one first. ``rival`` is a model of another root that the
    adapter may be for as well, where nothing but its tensors tells."""
    lines = [
        *_sizes(tally, subject, base, table),
        *_missing(tally, subject, base, table),
        *_encoders(verdict, tally, table),
        *_made_for(verdict, tally, subject, rival, table),
    ]
    if not lines:
        lines.append(f"All {tally.total} modules fit {table.title}.")
    if rival is not None and verdict == "compatible":
        likelier = title_of(base.path[0] if base.path else base.architecture)
        lines.append(
            f"It fits {title_of(rival)} just as well: it was made for one of the two, and nothing in the "
            f"file says for which. {likelier} is the likelier."
        )
    return (*lines, *_remarks(tally, table), *([why] if why else []))


def _count(number: int, total: int) -> str:
    return f"all {total} modules" if number == total else f"{number} of {total} modules"


def _sizes(tally: Tally, subject: Subject, base: Subject, table: BaseTable) -> Iterator[str]:
    broken = [change for change, weight in tally.mismatched.values() if weight is None]
    if broken:
        name = broken[0].name
        number = _count(len(broken), tally.total)
        yield f"{number.capitalize()} cannot work on any base: {name[:_NAME]}: {tally.faults[name]}."
    others = [(change, weight) for change, weight in tally.mismatched.values() if weight is not None]
    if not others:
        return
    change, weight = _telling(others)
    number = _count(len(others), tally.total)
    pair = _pair(subject, base)
    yield f"{_difference(change, weight).capitalize()}{pair}. {number.capitalize()} have another size."


def _telling(pairs: Sequence[tuple[Change, Weight]]) -> tuple[Change, Weight]:
    """The pair that explains the most: cross-attention, then the commonest difference."""
    cross = [pair for pair in pairs if _CROSS.search(pair[0].name)]
    sorts = Counter((change[2:5], weight[:2]) for change, weight in cross or pairs)
    best = sorts.most_common(1)[0][0]
    return next(pair for pair in cross or pairs if (pair[0][2:5], pair[1][:2]) == best)


def _difference(change: Change, weight: Weight) -> str:
    what = next((word for pattern, word in _WORDS if pattern.search(change.name)), "a layer")
    name = "" if what == "cross-attention" else f" ({change.name[:_NAME]})"
    if change.sort == "bias":
        return f"{what}{name} adds {weight.bias} numbers here, this adapter was made for {change.rows}"
    if change.sort == "reads":
        return f"{what}{name} takes {weight.columns} features here, this adapter was made for {change.rows}"
    if change.columns not in (None, weight.columns):
        if change.rows in (None, weight.rows):
            return (
                f"{what}{name} takes {weight.columns} features here, "
                f"this adapter was made for {change.columns}"
            )
        here = f"{weight.rows} x {weight.columns}"
        return f"{what}{name} is {here} here, this adapter was made for {change.rows} x {change.columns}"
    if change.rows not in (None, weight.rows):
        return f"{what}{name} gives {weight.rows} features here, this adapter was made for {change.rows}"
    return f"{what}{name} has another kernel here than this adapter was made for"


def _pair(subject: Subject, base: Subject) -> str:
    mine = subject.options[0][0] if subject.options else subject.architecture
    if mine is None or base.architecture is None or mine in base.path or base.architecture == mine:
        return ""
    return f": an adapter for {title_of(mine)} on {title_of(base.architecture)}"


def _missing(tally: Tally, subject: Subject, base: Subject, table: BaseTable) -> Iterator[str]:
    lost = [change for key, change in tally.absent.items() if key[0] not in tally.idle]
    if not lost:
        return
    number = _count(len(lost), tally.total)
    where = ", ".join(_groups(lost))
    pair = _pair(subject, base) if len(lost) == tally.total else ""
    yield f"{number.capitalize()} have no counterpart in {table.title} ({where}){pair}; they do nothing."


def _groups(changes: Sequence[Change]) -> list[str]:
    """The commonest sorts of modules, as templates with the numbers of their blocks."""
    found = Counter(recall_templates([change.name for change in changes]))
    shown = [f"{name[:_NAME]} x {number}" for name, number in found.most_common(2)]
    return [*shown, f"and {len(found) - 2} sorts more"] if len(found) > 2 else shown


def _encoders(verdict: str, tally: Tally, table: BaseTable) -> Iterator[str]:
    if tally.idle:
        idle = sum(tally.idle.values())
        names = " and ".join(_encoder_titles(tally.idle, table))
        which = "this file holds no text encoder that it fits"
        if names and verdict != "incompatible":
            verb = "are" if " and " in names else "is"
            which = f"this file holds no text encoder; it works where {names} {verb} loaded with it"
        yield f"The text encoder part ({_count(idle, tally.total)}) does nothing here by itself: {which}."
    unknown = {key for key in tally.unknown if key[0] not in tally.idle}
    if unknown:
        number = _count(len(unknown), tally.total).capitalize()
        yield f"{number} are for a text encoder that we have no layout of; not compared."


def _encoder_titles(idle: Mapping[str, int], table: BaseTable) -> list[str]:
    places = {int(part[2:]) for part in idle if part[2:].isdigit()}
    wanted = [e for place, e in enumerate(table.encoders, 1) if place in places or f"te:{e.id}" in idle]
    return [title_of(encoder.id) for encoder in wanted or table.encoders[:1]]


def _made_for(
    verdict: str, tally: Tally, subject: Subject, rival: str | None, table: BaseTable
) -> Iterator[str]:
    if verdict != "partial" or tally.matched != tally.total or tally.twice or not subject.options:
        return
    fits = f"All {tally.total} modules fit {table.title} by size, but"
    if rival is not None:
        yield (
            f"{fits} it was rather made for {title_of(rival)}: nothing in it says for which of the two. "
            f"If it was made for {table.title} after all, it works."
        )
        return
    made = title_of(subject.options[0][0])
    yield f"{fits} it was made for {made}: it loads, and does not do what it was trained to do."


def _remarks(tally: Tally, table: BaseTable) -> Iterator[str]:
    if tally.twice:
        yield f"{tally.twice} weights are changed twice, in two dialects; programs apply one or both."
    if tally.grown:
        yield "The base's first layer is made wider for the control image, as programs do for control LoRAs."
    if tally.unread:
        tensors = (
            "1 tensor of its file is" if tally.unread == 1 else f"{tally.unread} tensors of its file are"
        )
        yield f"{tensors} no part of an adapter that we know, and not compared."
    if tally.unsized:
        yield f"{tally.unsized} modules were compared by name alone: their size is hidden."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in table.notes)
    if not table.given:
        yield "Compared with the reference layout, not with a file."
