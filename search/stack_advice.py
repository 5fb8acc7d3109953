"""What to do about a stack, in sentences for the person who draws with it; the gravest first."""

from collections.abc import Iterable, Iterator, Sequence

from indexer.domain.vocabulary import architectures, kinds
from search.stack_licence import Terms
from search.stack_pairs import Pair, together_factor
from search.stack_records import Addon, Member, Needed, Weight, number

__all__ = ["advise", "part_title"]

_WEIGHED = frozenset({"lora"})


def part_title(part: str) -> str:
    """A kind of part in a sentence: ``VAE``, ``text encoder``."""
    row = kinds().get(part)
    title = row.title if row else part
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def advise(
    base: Member, addons: Sequence[Addon], pairs: Sequence[Pair], needed: Sequence[Needed], terms: Terms
) -> Iterator[str]:
    """The advice."""
    yield from _misfits(base, addons)
    yield from _missing(needed)
    yield from _doubled(pairs)
    yield from _words(pairs)
    yield from _pulls(pairs)
    yield from _crowded(pairs)
    yield from _strengths(addons)
    yield from _looks(addons)
    if terms.commercial is False:
        other = "Take another base" if terms.strictest == base.name else "Leave that part out"
        yield f"{terms.told} {other} to sell pictures."


def _misfits(base: Member, addons: Iterable[Addon]) -> Iterator[str]:
    for addon in addons:
        name, why = addon.member.name, next(iter(addon.verdict.reasons), "")
        if addon.verdict.verdict == "incompatible":
            yield f"Leave out {name}: it does not work on {base.name}.{_elsewhere(addon.member, base)}"
        elif addon.verdict.verdict == "unknown":
            yield f"Try {name} by itself first: {why}"


def _elsewhere(member: Member, base: Member) -> str:
    if base.architecture is None or member.id is None:
        return ""
    return f" Look for one like it: pinakes similar {member.id} --base {base.architecture}"


def _missing(needed: Sequence[Needed]) -> Iterator[str]:
    lacking = [one for one in needed if one.given is None]
    for one in lacking:
        if not one.spares:
            part, wanted = part_title(one.need.part), _titles(one.need.options)
            yield f"Get the {part} that {one.by} works with ({wanted}): your library has none."
    held: dict[str, list[str]] = {}
    for one in lacking:
        if one.spares:
            held.setdefault(one.by, []).append(f"{one.spares[0].name} ({part_title(one.need.part)})")
    for by, names in held.items():
        yield f"Load beside {by}, from your library: {', '.join(names)}."


def _titles(options: Sequence[str]) -> str:
    rows = architectures()
    return " or ".join(rows[id_].title if id_ in rows else id_ for id_ in options[:3])


def _doubled(pairs: Iterable[Pair]) -> Iterator[str]:
    for pair in pairs:
        if pair.note.startswith("They hold nearly the same"):
            yield f"Use one of {_both(pair)}: they are the same adapter."


def _both(pair: Pair) -> str:
    return f"{pair.first.member.name} and {pair.second.member.name}"


def _words(pairs: Iterable[Pair]) -> Iterator[str]:
    for pair in pairs:
        if pair.words:
            words = ", ".join(f"“{word}”" for word in pair.words[:3])
            yield (
                f"{_both(pair)} are both called by {words}: the word brings both. Set the weight of one to 0 "
                "to hear the other."
            )


def _pulls(pairs: Iterable[Pair]) -> Iterator[str]:
    for pair in pairs:
        if pair.alignment is None or pair.pull == "independent" or pair.note.startswith("They hold"):
            continue
        first, second = pair.first.weight.value, pair.second.weight.value
        if pair.pull == "reinforcing":
            by = together_factor(pair.alignment)
            yield (
                f"{_both(pair)} teach much the same: lower them to about {_rounded(first * by)} and "
                f"{_rounded(second * by)}, so that together they are as strong as two that are independent."
            )
        else:
            loss = -pair.alignment.cosine
            yield (
                f"{_both(pair)} work against each other ({loss:.0%} opposed): use one at a time, or give one "
                "the first steps and the other the last."
            )


def _rounded(weight: float) -> str:
    return f"{round(weight * 20) / 20:g}"


def _crowded(pairs: Sequence[Pair]) -> Iterator[str]:
    crowded = [p for p in pairs if p.alignment is None and p.overlap >= number("overlap", "high")]
    if crowded and not any(pair.alignment for pair in pairs):
        many = "These adapters change" if len(crowded) > 1 else f"{_both(crowded[0])} change"
        yield f"{many} the same weights. Whether they help or hurt each other shows with --deep."


def _strengths(addons: Sequence[Addon]) -> Iterator[str]:
    weighed = [addon for addon in addons if addon.member.kind in _WEIGHED and addon.verdict.matched]
    slack = number("weights", "slack")
    for addon in weighed:
        weight = addon.weight
        if weight.source != "given" or weight.low is None or weight.high is None:
            continue
        if not weight.low - slack <= weight.value <= weight.high + slack:
            yield f"{addon.member.name} is set to {weight.value:g}; pictures use it at {_range(weight)}."
    total = sum(abs(addon.weight.value) for addon in weighed)
    if len(weighed) > 1 and total > number("weights", "sum"):
        yield f"The weights add up to {total:g}. Lower them all if colours burn or faces melt."


def _range(weight: Weight) -> str:
    return f"{weight.low:g}" if weight.low == weight.high else f"{weight.low:g} to {weight.high:g}"


def _looks(addons: Iterable[Addon]) -> Iterator[str]:
    for addon in addons:
        found = addon.verdict
        if found.verdict in ("compatible", "partial") and 0 < found.score < number("score", "poor"):
            why = found.reasons[-1] if found.reasons else ""
            yield f"{addon.member.name} loads, but expect another look than its previews show. {why}".rstrip()
