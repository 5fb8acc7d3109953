"""The encodings of EXIF UserComment (CIPA DC-008 section 4.6.6), and how tools really write them.

An eight-byte code stands first: ``ASCII``, ``UNICODE``, ``JIS`` or zeros. The standard leaves the byte order
of UNICODE open; piexif writes big-endian into little-endian files, .NET the other way round, and some write
UTF-8 behind UNICODE or no code at all. So the order is taken from the text itself.
"""

__all__ = ["decode_user_comment", "decode_wide"]

_CODE_LENGTH = 8
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decode_user_comment(value: bytes) -> str:
    """The text of a UserComment; wrong bytes become U+FFFD."""
    code, body = value[:_CODE_LENGTH].rstrip(b"\0 "), value[_CODE_LENGTH:]
    if code == b"UNICODE":
        return decode_wide(body, None)
    if code == b"JIS":
        return _decode_first(body, ("iso2022_jp", "shift_jis", "euc_jp", "utf-8"))
    if code == b"ASCII" or not value[:_CODE_LENGTH].strip(b"\0"):
        return _decode_narrow(body)
    return _decode_narrow(value)


def decode_wide(body: bytes, usual: str | None) -> str:
    """UTF-16 in the order that a mark or the text tells, else ``usual``, else big-endian."""
    if body[:2] in _MARKS:
        return body[2:].decode(_MARKS[body[:2]], "replace")
    even = len(body) & ~1
    high, low = body[0:even:2], body[1:even:2]
    big, little = high.count(0), low.count(0)
    if not big and not little and len(body) > 1 and _is_utf8(body):
        return body.decode("utf-8")
    if big != little:
        usual = "utf-16-be" if big > little else "utf-16-le"
    return body[:even].decode(usual or "utf-16-be", "replace").rstrip("\0")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode_narrow(body: bytes) -> str:
    stripped = body.rstrip(b"\0")
    if stripped.count(0) * 3 > len(stripped):
        return decode_wide(body, None)
    return _decode_first(stripped, ("utf-8", "shift_jis", "latin-1"))


def _decode_first(body: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("utf-8", "replace")
