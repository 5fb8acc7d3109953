"""Reads a zip archive's directory and, beside it, what each entry says of itself.

Format: PKWARE's APPNOTE.TXT 6.3. The two halves of a zip can contradict each other, and programs differ in
which they believe; here both are read and every difference is told.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.parsers.byte_sources import Source
from indexer.parsers.pickle_findings import Findings, unreadable

__all__ = [
    "DIRECTORY_END",
    "TAIL",
    "Directory",
    "Member",
    "check_layout",
    "find_directories",
    "has_directory",
    "read_members",
]

DIRECTORY_END: Final = b"PK\x05\x06"
TAIL: Final = 22 + 20 + 56 + 65535
MAX_ENTRIES: Final = 10_000
_MAX_DIRECTORY: Final = 16 << 20
_HEAD: Final = 4096
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FLAG_ENCRYPTED, _FLAG_LATER, _FLAG_PATCHED, _FLAG_STRONG = 0x1, 0x8, 0x20, 0x40
_ODD_FLAGS = _FLAG_ENCRYPTED | _FLAG_PATCHED | _FLAG_STRONG
_DESCRIPTORS: Final = frozenset((12, 16, 20, 24))  # bytes of a data descriptor, marked or not, narrow or wide
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\\|[\0-\x1f]")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a directory stands: ``start``, ``size`` and ``end`` in bytes of the file, ``entries`` announced.

    ``shift`` is how many bytes stand before the archive; ``stop`` where its last record ends.
    """

    start: int
    size: int
    entries: int
    shift: int
    stop: int

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: what the directory says of it, where its data begin, and their first bytes.

    ``begin`` and ``end`` span local header and data; ``odd`` tells that flags or names differ.
    """

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    unpacked: int
    begin: int
    data: int
    end: int
    head: bytes
    symlink: bool
    odd: bool


def has_directory(tail: bytes, size: int) -> bool:
    """Whether the last bytes of a file of ``size`` bytes hold a zip's directory record that makes sense."""
    return any(found[2] and found[3] for found in _records(tail, size - len(tail)))


def _records(tail: bytes, base: int) -> Iterator[tuple[int, int, int, int, int]]:
    """(place in ``tail``, directory's offset, size, entries, end of comment) of each end record that fits."""
    place = tail.rfind(DIRECTORY_END)
    while place >= 0:
        if place + _END.size <= len(tail):
            _, _, _, _, entries, size, offset, comment = _END.unpack_from(tail, place)
            if size <= base + place or 0xFFFFFFFF in (size, offset):
                yield place, offset, size, entries, base + place + _END.size + comment
        place = tail.rfind(DIRECTORY_END, 0, place)


def find_directories(source: Source) -> list[Directory]:
    """All directories near the end of the file, the one that readers take first.

    Raises BadFileError ``unreadable:zip_truncated``, ``unreadable:zip_directory``, ``unreadable:budget``.
    """
    base = max(0, source.size - TAIL)
    tail = source.read(base, TAIL)
    found: list[Directory] = []
    for place, offset, size, entries, stop in _records(tail, base):
        end = base + place
        wide = _wide(source, tail, base, place)
        if wide is not None:
            entries, size, offset, end = wide
        start = end - size
        fits = 0 <= offset <= start and (size == 0 or source.read(start, 4) == b"PK\x01\x02")
        if stop > source.size or (found and not (fits and size)):
            continue  # a record inside another, or four bytes of data that look like one
        if not fits:
            raise unreadable("zip_directory")
        found.append(Directory(start, size, entries, start - offset, stop))
        if len(found) > 8:
            raise unreadable("zip_directory", "many directories")
    if not found:
        raise unreadable("zip_truncated")
    return found


def _wide(source: Source, tail: bytes, base: int, place: int) -> tuple[int, int, int, int] | None:
    """(entries, size, offset, place) of the 64-bit record before the end record at ``place``, if any."""
    if place < _LOCATOR.size or tail[place - _LOCATOR.size :][:4] != b"PK\x06\x07":
        return None
    where = _LOCATOR.unpack_from(tail, place - _LOCATOR.size)[2]
    nearest = base + place - _LOCATOR.size - _END64.size
    for at in (where, nearest):
        record = source.read(at, _END64.size) if 0 <= at <= source.size else b""
        if len(record) == _END64.size and record[:4] == b"PK\x06\x06":
            *_, entries, size, offset = _END64.unpack(record)
            return entries, size, offset, at
    raise unreadable("zip_directory")


def read_members(source: Source, directory: Directory, findings: Findings) -> list[Member]:
    """The entries of a directory, in its order; what contradicts itself goes to ``findings``.

    Raises BadFileError ``unreadable:budget`` and ``unreadable:zip_…`` when nothing can be made of it.
    """
    if directory.entries > MAX_ENTRIES or directory.size > _MAX_DIRECTORY:
        raise unreadable("budget", f"{directory.entries:,} archive entries")
    raw = source.read(directory.start, directory.size)
    members: list[Member] = []
    position = 0
    while position < len(raw):
        if len(members) == MAX_ENTRIES:
            raise unreadable("budget", "more archive entries than announced")
        if raw[position : position + 4] != b"PK\x01\x02" or position + _CENTRAL.size > len(raw):
            raise unreadable("zip_directory")
        member, position = _member(source, directory, raw, position, findings)
        if member is not None:
            members.append(member)
    if len(members) + sum(error.code == "unreadable:zip_offset" for error in findings.faults) != (
        directory.entries
    ):
        findings.doubt("the archive's directory does not hold as many entries as it says")
    return members


def _member(
    source: Source, directory: Directory, raw: bytes, position: int, findings: Findings
) -> tuple[Member | None, int]:
    """The entry described at ``position``; None when its place is impossible (recorded as a fault)."""
    fields = _CENTRAL.unpack_from(raw, position)
    flags, method, crc, packed, unpacked = fields[3], fields[4], fields[7], fields[8], fields[9]
    name_size, extra_size, comment_size, attributes, offset = *fields[10:13], fields[15], fields[16]
    name_at = position + _CENTRAL.size
    extra_at = name_at + name_size
    after = extra_at + extra_size + comment_size
    if after > len(raw):
        raise unreadable("zip_directory")
    raw_name = raw[name_at:extra_at]
    unpacked, packed, offset = _wide_fields(raw[extra_at : extra_at + extra_size], unpacked, packed, offset)
    begin = offset + directory.shift
    local = source.read(begin, _HEAD) if begin < source.size else b""
    if begin >= directory.start or len(local) < _LOCAL.size or local[:4] != b"PK\x03\x04":
        findings.faults.append(unreadable("zip_offset", _shown(raw_name)))
        return None, after
    told = _LOCAL.unpack_from(local)
    data = begin + _LOCAL.size + told[9] + told[10]
    if data + packed > directory.start:
        findings.faults.append(unreadable("zip_offset", _shown(raw_name)))
        return None, after
    odd = _compare(raw_name, (flags, method, crc, packed, unpacked), local, told, findings)
    head = local[data - begin :] if data - begin < _HEAD else source.read(data, _HEAD)
    member = Member(
        name=_shown(raw_name),
        method=method,
        flags=flags | told[2],
        crc=crc,
        packed=packed,
        unpacked=unpacked,
        begin=begin,
        data=data,
        end=data + packed,
        head=head[:packed],
        symlink=attributes >> 16 & 0o170000 == 0o120000,
        odd=odd,
    )
    return member, after


def _wide_fields(extra: bytes, *values: int) -> tuple[int, ...]:
    """The values (unpacked, packed, offset) with 64-bit ones from the extra field 0x0001 where needed."""
    if 0xFFFFFFFF not in values:
        return values
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if kind == 1:
            body = extra[position + 4 : position + 4 + size]
            wide = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
            return tuple(next(wide, value) if value == 0xFFFFFFFF else value for value in values)
        position += 4 + size
    return values


def _compare(
    name: bytes, central: tuple[int, ...], local: bytes, told: tuple[int, ...], findings: Findings
) -> bool:
    """Whether the entry's own header contradicts the directory or is marked oddly; told in ``findings``."""
    flags, method, crc, packed, unpacked = central
    own_name = local[_LOCAL.size : _LOCAL.size + told[9]]
    odd = False
    if own_name != name:
        findings.warn("zip_names_differ", f"{_shown(name)}, {_shown(own_name)}")
        findings.doubt("the archive's directory and its entries name different files")
        odd = True
    if (flags | told[2]) & _ODD_FLAGS:
        findings.warn("zip_flags", _shown(name))
        findings.doubt("an archive entry is marked as encrypted or patched")
        odd = True
    later = told[2] & _FLAG_LATER and told[6:9] == (0, 0, 0)
    sizes = told[7:9]
    agree = (
        later or 0xFFFFFFFF in sizes or (told[2] & _FLAG_LATER and 0 in sizes) or sizes == (packed, unpacked)
    )
    if told[3] != method or not agree or (told[6] != crc and not told[2] & _FLAG_LATER):
        findings.doubt("an archive entry contradicts the directory")
        odd = True
    if _OUTSIDE.search(_shown(name)):
        findings.warn("zip_entry_path", _shown(name))
    return odd


def check_layout(members: list[Member], directory: Directory, findings: Findings) -> list[tuple[int, int]]:
    """Spans of the file before and between entries that belong to none.

    Records a fault when entries overlap.
    """
    gaps: list[tuple[int, int]] = []
    reached, later = directory.shift, False
    for member in sorted(members, key=lambda member: member.begin):
        if member.begin < reached:
            findings.faults.append(unreadable("zip_overlap", member.name))
            return gaps
        if member.begin > reached and not (later and member.begin - reached in _DESCRIPTORS):
            gaps.append((reached, member.begin))
        reached, later = member.end, bool(member.flags & _FLAG_LATER)
    stop = directory.start
    if reached < stop and not (later and stop - reached in _DESCRIPTORS):
        gaps.append((reached, stop))
    return gaps


def _shown(name: bytes) -> str:
    """A name for comparisons and messages: as UTF-8 where it is, short."""
    return name[:512].decode("utf-8", "backslashreplace")
