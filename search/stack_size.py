"""What a stack takes on the GPU: weights at a precision. Pictures in the making come on top."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from search.stack_records import Addon, Member, Needed, load_stack_table

__all__ = ["PRECISIONS", "Size", "size_of_stack"]

PRECISIONS = ("fp16", "bf16", "fp8")


@dataclass(frozen=True, slots=True)
class Share:
    """What one part takes, in bytes; None where its number of weights is not known."""

    name: str
    bytes: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """The whole, in bytes; what is not known is not counted."""

    precision: str
    parts: tuple[Share, ...]

    @property
    def bytes(self) -> int:
        """What is known of it."""
        return sum(part.bytes or 0 for part in self.parts)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Parts that are not counted."""
        return tuple(part.name for part in self.parts if part.bytes is None)

    def to_json(self) -> dict[str, Any]:
        """``{precision, bytes, parts [{name, bytes, note}], unknown [name]}``."""
        parts = [{"name": part.name, "bytes": part.bytes, "note": part.note} for part in self.parts]
        told = {"precision": self.precision, "bytes": self.bytes}
        return {**told, "parts": parts, "unknown": list(self.unknown)}


def size_of_stack(base: Member, addons: Sequence[Addon], needed: Sequence[Needed], precision: str) -> Size:
    """All parts that are loaded together; addons that fit the base not at all are left out."""
    loaded = [addon.member for addon in addons if addon.verdict.verdict != "incompatible"]
    shares = [_share(member, precision) for member in (base, *loaded)]
    return Size(precision, (*shares, *_others(needed, precision)))


def _share(member: Member, precision: str) -> Share:
    if member.quantised is not None and member.size is not None:
        return Share(member.name, member.size, f"as stored ({member.quantised})")
    if not member.cells:
        return Share(member.name, member.size, "as stored" if member.size is not None else "")
    row = load_stack_table()["precision"][precision]
    wide = {part: row["denoiser" if part == "denoiser" else "other"] for part in member.cells}
    return Share(member.name, sum(count * wide[part] for part, count in member.cells.items()))


def _others(needed: Sequence[Needed], precision: str) -> Iterator[Share]:
    """What the base needs and the stack was not given: the library's, or the usual one."""
    other = load_stack_table()["precision"][precision]["other"]
    for one in needed:
        if one.given is not None:
            continue
        if one.spares:
            spare = one.spares[0]
            stored = spare.quantised is not None or spare.cells is None
            note = f"as stored ({spare.quantised})" if spare.quantised else ""
            yield Share(spare.name, spare.size if stored else (spare.cells or 0) * other, note)
        else:
            yield Share(
                one.need.options[0], None if one.cells is None else one.cells * other, "not in the library"
            )
