"""Profiles as bytes for the catalog, made once for all files with the same names, types and shapes."""

from collections import OrderedDict
from threading import Lock

from indexer.domain.fit import pack
from indexer.domain.header import Header
from indexer.rules.fit_profile import fit_profile

__all__ = ["packed_profile"]

_MOST = 2_048
_LARGEST = 32 << 10
"""Bytes of a profile that is remembered: of bases a few, of adapters all, so that memory stays bounded."""

_Key = tuple[str, str, bytes]


class _Memory:
    """The latest profiles by key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: _Key) -> bytes | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: _Key, data: bytes) -> None:
        with self._lock:
            self._kept[key] = data
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)


_remembered = _Memory()


def packed_profile(header: Header, kind: str) -> bytes:
    """``pack(fit_profile(header, kind))``, remembered by ``Header.listing`` where there is one."""
    if not header.listing:
        return pack(fit_profile(header, kind))
    key = (header.container, kind, header.listing)
    data = _remembered.get(key)
    if data is None:
        data = pack(fit_profile(header, kind))
        if len(data) <= _LARGEST:
            _remembered.put(key, data)
    return data
