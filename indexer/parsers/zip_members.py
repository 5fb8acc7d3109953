"""The unpacked bytes of archive entries, within budgets of bytes and of ratio."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from indexer.parsers.byte_sources import MemorySource, Piece, Source
from indexer.parsers.pickle_findings import Findings, unreadable
from indexer.parsers.zip_archive import Member

__all__ = ["MAX_INFLATED", "MAX_RATIO", "STORED", "Unpacker"]

MAX_INFLATED: Final = 256 << 20  # bytes of one file
MAX_RATIO: Final = 200
_SMALL: Final = 1 << 20  # below it no ratio is judged
_STEP: Final = 1 << 20
_CHUNK: Final = 1 << 16
STORED: Final = 0


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Deflated:
    """zlib's raw deflate with the interface of the other two."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _lzma(properties: bytes) -> _Inflater:
    """LZMA1 as zip stores it: the first 9 bytes tell version, length and properties of the coder."""
    if len(properties) < 9 or struct.unpack_from("<H", properties, 2)[0] != 5:
        raise unreadable("zip_data")
    code, size = properties[4], struct.unpack_from("<L", properties, 5)[0]
    literal, rest = code % 9, code // 9
    if code >= 225 or size > 64 << 20:
        raise unreadable("zip_data")
    options = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(size, 4096),
        "lc": literal,
        "lp": rest % 5,
        "pb": rest // 5,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])


_METHODS: Final[dict[int, Callable[[bytes], tuple[_Inflater, int]]]] = {
    8: lambda head: (_Deflated(), 0),
    12: lambda head: (bz2.BZ2Decompressor(), 0),
    14: lambda head: (_lzma(head), 9),
}


class Unpacker:
    """Unpacks entries of one file; the budget of inflated bytes is shared by all of them."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._left = MAX_INFLATED

    def open(self, source: Source, member: Member, limit: int) -> Source:
        """The unpacked bytes of ``member``, at most ``limit`` of them when they are packed.

        Raises BadFileError ``unreadable:zip_size``, ``:zip_method``, ``:zip_data``, ``:budget``.
        """
        packed = Piece(source, member.data, member.packed)
        if member.method == STORED:
            if member.packed != member.unpacked:
                raise unreadable("zip_size", member.name)
            return packed
        if member.method not in _METHODS:
            raise unreadable("zip_method", f"{member.name}, method {member.method}")
        if limit >= member.unpacked > self._left:
            raise unreadable("budget", f"{member.name} unpacks to {member.unpacked:,} bytes")
        data = self._inflate(packed, member, limit)
        if len(data) < limit and len(data) != member.unpacked:
            raise unreadable("zip_size", member.name)
        if len(data) == member.unpacked:
            self.check_bytes(data, member)
        return MemorySource(data)

    def check_bytes(self, data: bytes, member: Member) -> None:
        """Tell when ``data``, the whole entry, does not match its checksum."""
        if zlib.crc32(data) != member.crc:
            self._findings.warn("zip_crc", member.name)

    def _inflate(self, packed: Source, member: Member, limit: int) -> bytes:
        inflater, position = _METHODS[member.method](packed.read(0, 9))
        parts: list[bytes] = []
        have = 0
        try:
            while have < limit and not inflater.eof:
                chunk = packed.read(position, max(512, min(_CHUNK, limit)))
                position += len(chunk)
                part = inflater.decompress(chunk, min(_STEP, limit - have))
                if not part and not chunk:
                    break
                have += len(part)
                self._left -= len(part)
                parts.append(part)
                if self._left < 0 or (have > _SMALL and have > MAX_RATIO * position):
                    raise unreadable("budget", f"{member.name} unpacks to more than any model")
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise unreadable("zip_data", member.name) from error
        return b"".join(parts)
