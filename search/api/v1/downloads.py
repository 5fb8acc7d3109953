"""Files of the library for download: only where a setting allows it, only the bytes that were indexed.

As at the hub, the address of a version's file leads on to another that holds the bytes: some clients read the
file's name out of that address, and take any other answer for a fault.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from indexer.catalog.published_find import Place, places_of
from indexer.catalog.published_records import HeldFile, OfferedFile, PublishedVersion
from search.api.signing import FILES, signed
from search.api.v1.envelope import base_of
from search.api.v1.errors import HubError, missing
from search.api.v1.file_shapes import file_number
from search.api.v1.parameters import LARGEST, Parameters
from search.service import Pinakes

__all__ = ["byte_range", "disposition", "download", "file_bytes"]

_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_NOTHING = ("none", "null", "undefined")
"""What clients make of a property that a file does not have, in an address."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._ ()\[\]+-]|[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class _Open:
    """An open file, its size and its name."""

    handle: int
    size: int
    name: str
    etag: str


def download(pinakes: Pinakes, version: PublishedVersion, query: Parameters, request: Request) -> Response:
    """Where the bytes of the file are that is asked for: here, else where its hub offers it. Raises
    ``HubError``: 403 unless ``PINAKES_SERVE_FILES`` is set, 404."""
    file = _chosen(version, query)
    if file is None:
        raise missing("such file of this version")
    file_id = file.id if isinstance(file, HeldFile) else file.file_id
    if file_id is None:
        return _elsewhere(file)
    opened = _allowed(pinakes, file_id)
    os.close(opened.handle)
    path = f"{FILES}{file_id}"
    # The name as Civitai's store is told it: percent-encoded between the quotes.
    name = f'attachment; filename="{quote(opened.name.encode("utf-8", "replace"), safe="")}"'
    told = urlencode({"response-content-disposition": name})
    opening = signed(path, request.app.rules.token)
    return RedirectResponse(f"{base_of(request)}{path}?{'&'.join(filter(None, (opening, told)))}", 307)


def file_bytes(pinakes: Pinakes, number: str, request: Request) -> Response:
    """The bytes of a file of ours by its number, or a part of them. Raises ``HubError`` as ``download``, and
    416."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise missing(f"file {number[:50]}")
    return _answer(_allowed(pinakes, int(number)), request)


def _allowed(pinakes: Pinakes, file_id: int) -> _Open:
    if not pinakes.settings.serve_files:
        raise HubError(
            403, "This server does not give out model files. Set PINAKES_SERVE_FILES=true where it runs."
        )
    with pinakes.catalog.read() as session:
        place = places_of(session, [file_id]).get(file_id)
    if place is None:
        raise HubError(404, "The file is known, but it is not where it was. Run pinakes index again.")
    return _opened(place)


def _chosen(version: PublishedVersion, query: Parameters) -> OfferedFile | HeldFile | None:
    """By the hub's number of the file, else by type, format, size and precision; primary ones first."""
    known = {file.file_id for file in version.offered}
    loose = [file for file in version.held if file.id not in known]
    files: Sequence[OfferedFile | HeldFile] = [*version.offered, *loose]
    number = query.whole("fileId", 0, LARGEST)
    if number is not None:
        return next((file for file in files if file_number(file) == number), None)
    asked = {name: value for name in ("type", "format", "size", "fp") if (value := query.text(name))}
    asked = {name: value for name, value in asked.items() if value.lower() not in _NOTHING}
    fitting = [file for file in files if _fits(file, asked)]
    first = [file for file in fitting if isinstance(file, OfferedFile) and file.primary]
    here = [file for file in fitting if isinstance(file, HeldFile) or file.file_id is not None]
    # A version that a sidecar alone told of has files here and none on offer.
    return next(iter([*first, *here, *fitting]), None)


def _fits(file: OfferedFile | HeldFile, asked: dict[str, str]) -> bool:
    if isinstance(file, HeldFile):
        return asked.get("type", "Model").lower() == "model"
    told = file.detail.get("metadata")
    known = {"type": file.type, "format": file.format, "fp": file.precision}
    known["size"] = told.get("size") if isinstance(told, dict) else None
    return all(str(known[name] or "").lower() == value.lower() for name, value in asked.items())


def _elsewhere(file: OfferedFile | HeldFile) -> Response:
    url = file.url if isinstance(file, OfferedFile) else None
    if url is None or urlsplit(url).scheme != "https":
        raise HubError(404, "The file is not in this library, and no address of it is known.")
    return RedirectResponse(url, 302)


def _opened(place: Place) -> _Open:
    """The file, opened below an indexed folder, if it is still the one that was indexed.

    Links on the way are resolved first and must end below an indexed folder; the end itself may be none.
    """
    real = os.path.realpath(place.path)
    if not any(_below(real, os.path.realpath(root)) for root in place.roots):
        raise HubError(403, "The file is a link that leads out of the indexed folders.")
    try:
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise HubError(404, f"The file cannot be read ({error.strerror}).") from error
    found = os.fstat(handle)
    inode = place.inode.rpartition(":")[2]
    same = (found.st_size, found.st_mtime_ns, str(found.st_ino)) == (place.size, place.mtime_ns, inode)
    if not (stat.S_ISREG(found.st_mode) and same):
        os.close(handle)
        raise HubError(404, "The file has changed since it was indexed. Run pinakes index again.")
    return _Open(handle, found.st_size, place.name, place.etag)


def _below(path: bytes, root: bytes) -> bool:
    return path.startswith(root.rstrip(b"/") + b"/")


def _answer(file: _Open, request: Request) -> Response:
    mark = f'"{file.etag}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": mark,
        "Content-Disposition": disposition(file.name),
    }
    asked = request.headers.get("range", "") if request.headers.get("if-range", mark) == mark else ""
    first, last, status = 0, file.size - 1, 200
    try:
        part = byte_range(asked, file.size)
    except ValueError:
        os.close(file.handle)
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    if part is not None:
        (first, last), status = part, 206
        headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.scope.get("pinakes.bare"):
        os.close(file.handle)
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    content = _content(os.fdopen(file.handle, "rb", buffering=0), first, last - first + 1)
    return StreamingResponse(content, status, headers, media_type="application/octet-stream")


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a ``Range`` header; None where all is meant: no range, several, or another unit.

    RFC 9110, 14. Raises ``ValueError`` for one that lies outside (416).
    """
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    low, high = match.groups()
    first = int(low) if low else max(0, size - int(high))
    last = min(size - 1, int(high) if low and high else size - 1)
    if low and high and int(high) < int(low):
        return None
    if first > last or (not low and int(high) == 0):
        raise ValueError("outside of the file")
    return first, last


def _content(opened: FileIO, first: int, count: int) -> Iterator[bytes]:
    with opened as file:
        file.seek(first)
        while count > 0 and (part := file.read(min(_CHUNK, count))):
            count -= len(part)
            yield part


def disposition(name: str) -> str:
    """As an attachment (RFC 6266), by the real name before an ASCII one where they differ: clients split the
    header at ``filename=`` and take all that follows."""
    plain = _UNSAFE.sub("_", name)[:200]
    if plain == name:
        return f'attachment; filename="{plain}"'
    real = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename*=UTF-8''{real}; filename=\"{plain}\""
