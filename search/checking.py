"""``pinakes check``: does a stack fit together? The library, files on disk and the rules wired.

with Pinakes() as pinakes:
    print(check_stack(pinakes, "sdxl", ["ink.safetensors:0.8"]).advice)
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from indexer.catalog.database import Catalog
from indexer.catalog.entries import documents
from indexer.catalog.fits import fit_rows
from indexer.catalog.stacks import held_parts, preferred_weights, twins_among, used_weights
from indexer.checking import Base, check_sides
from indexer.domain.fit import FitVerdict
from indexer.domain.verdict import Need
from indexer.domain.vocabulary import is_under
from indexer.errors import UsageError
from indexer.rules.fit_keys import WeightKeys
from search.checking_found import Found, found_addon, found_base, ready_base
from search.checking_members import member_of, reference_cells, spare_of, weight_of
from search.checking_names import name_addon, name_base
from search.service import Pinakes
from search.stack import Stack, judge_stack
from search.stack_pairs import Twins
from search.stack_records import Addon, Member, Needed, Spare
from search.stack_size import PRECISIONS

__all__ = ["MOST_ADDONS", "check_stack"]

MOST_ADDONS = 50
_MOST_SPARES = 3
_SHOWN_NEEDS = frozenset({"clip_vision"})
"""What of the needs of addons is no part of the base."""


def check_stack(
    pinakes: Pinakes,
    base: str,
    addons: Sequence[str],
    *,
    precision: str = "fp16",
    deep: bool = False,
    on_disk: bool = True,
) -> Stack:
    """Whether ``addons`` work on ``base`` and beside each other.

    Each is an entry (id, name, path, hash) or a file on disk; ``NAME:0.8`` gives an addon's weight. The base
    may be an architecture too. ``deep`` reads the weights of adapters and compares what they change.
    ``on_disk`` off: only what the library knows is looked at, as is right for askers from elsewhere. Raises
    ``UsageError`` for what nobody knows, cannot be read, or is no base.
    """
    _check_usage(addons, precision)
    named = name_base(pinakes.catalog, pinakes.text, base, on_disk=on_disk)
    own = named.document.architecture if named.document else named.architecture
    others = [name_addon(pinakes.catalog, pinakes.text, what, own, on_disk=on_disk) for what in addons]
    with pinakes.catalog.read() as session:
        rows = fit_rows(session, {one.document.id for one in (named, *others) if one.document is not None})
    on = found_base(named, rows)
    ready = ready_base(on)
    found = [found_addon(one, rows) for one in others]
    verdicts = [_verdict(one, ready) for one in found]
    keys = WeightKeys(ready.tables, ready.subject.path[0] if ready.subject.path else None)
    members = _told_apart([member_of(on), *(member_of(one, keys) for one in found)])
    parts = _addons(pinakes.catalog, found, members[1:], verdicts)
    needed = _needed(pinakes.catalog, members[0], parts)
    twins = _twins(pinakes.catalog, found, members[1:])
    alignments = {}
    if deep:
        from search.checking_deep import align_adapters  # numpy comes with it

        alignments = align_adapters(list(zip(found, parts, strict=True)), keys)
    return judge_stack(members[0], parts, needed, precision=precision, twins=twins, alignments=alignments)


def _check_usage(addons: Sequence[str], precision: str) -> None:
    if precision not in PRECISIONS:
        raise UsageError("precision", f"The precision {precision!r} is unknown. Choose fp16, bf16 or fp8.")
    if len(addons) > MOST_ADDONS:
        raise UsageError(
            "addons", f"{len(addons)} addons are too many for one stack; {MOST_ADDONS} are compared at once."
        )


def _verdict(addon: Found, base: Base) -> FitVerdict:
    if addon.side is None:
        said = addon.named.document.architecture if addon.named.document else None
        about = f" It is said to be for {said}." if said else ""
        return FitVerdict(
            "unknown", reasons=(f"No file of it was read here, so that nothing could be compared.{about}",)
        )
    return check_sides(addon.side, base)


def _told_apart(members: Sequence[Member]) -> list[Member]:
    """The members with names that differ: by version, by id, by number."""
    counts = Counter(member.name for member in members)
    met: Counter[str] = Counter()
    told = []
    for member in members:
        name = member.name
        if counts[name] > 1 and member.id is not None:
            name = f"{name} (id {member.id})"
        met[name] += 1
        told.append(replace(member, name=name if met[name] == 1 else f"{name} ({met[name]})"))
    return told


# ---------------------------------------------------------------- beside the tensors


def _addons(
    catalog: Catalog, found: Sequence[Found], members: Sequence[Member], verdicts: Sequence[FitVerdict]
) -> list[Addon]:
    ids = [member.id for member in members if member.id is not None]
    with catalog.read() as session:
        used, preferred = used_weights(session, ids), preferred_weights(session, ids)
    return [
        Addon(
            member,
            verdict,
            weight_of(one.named.weight, used.get(member.id or 0, ()), preferred.get(member.id or 0)),
        )
        for one, member, verdict in zip(found, members, verdicts, strict=True)
    ]


def _twins(catalog: Catalog, found: Sequence[Found], members: Sequence[Member]) -> Twins:
    names = {
        one.file_id: member.name
        for one, member in zip(found, members, strict=True)
        if one.file_id is not None
    }
    with catalog.read() as session:
        pairs = twins_among(session, set(names))
    return {frozenset((names[one], names[other])): factor for (one, other), factor in pairs.items()}


def _needed(catalog: Catalog, base: Member, addons: Sequence[Addon]) -> list[Needed]:
    """What base and addons work with and do not hold, each part once."""
    wanted: dict[tuple[str, tuple[str, ...]], tuple[Need, str]] = {}
    for member in (base, *(addon.member for addon in addons if _works(addon))):
        for need in member.needs:
            if member is base or need.part in _SHOWN_NEEDS:
                wanted.setdefault((need.part, need.options), (need, member.name))
    open_ = [need for need, _ in wanted.values() if _given(need, addons) is None]
    held = _spares(catalog, open_)
    return [
        Needed(
            need,
            by,
            _given(need, addons),
            tuple(_fitting(need, held)[:_MOST_SPARES]),
            reference_cells(need.options),
        )
        for need, by in wanted.values()
    ]


def _works(addon: Addon) -> bool:
    """Whether an addon changes something; those that look at a picture match no weights by name."""
    return bool(addon.verdict.matched) or addon.verdict.verdict == "compatible"


def _given(need: Need, addons: Sequence[Addon]) -> str | None:
    for addon in addons:
        if addon.member.kind == need.part and addon.member.options & set(need.options):
            return addon.member.name
    return None


def _spares(catalog: Catalog, needs: Sequence[Need]) -> list[tuple[str, Spare]]:
    """All parts of these kinds that the library has, by kind."""
    options = {option for need in needs for option in need.options}
    with catalog.read() as session:
        held = held_parts(session, {need.part for need in needs}, options)
        shown = documents(session, {part.version_id for part in held})
    return [
        (str(part.verdict.get("kind")), spare_of(part, shown[part.version_id].name))
        for part in held
        if part.version_id in shown
    ]


def _fitting(need: Need, held: Sequence[tuple[str, Spare]]) -> list[Spare]:
    """Those that will do, the best option first."""
    places: Mapping[str, int] = {option: place for place, option in enumerate(need.options)}
    fits = [spare for kind, spare in held if kind == need.part and _place(spare, places) is not None]
    return sorted(fits, key=lambda spare: _place(spare, places) or 0)


def _place(spare: Spare, places: Mapping[str, int]) -> int | None:
    return next((place for option, place in places.items() if is_under(spare.architecture, option)), None)
