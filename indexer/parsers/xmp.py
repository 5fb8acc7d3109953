"""XMP packets (ISO 16684-1): every property's text by its local name, without building a tree.

Documents that define entities are refused: nothing that writes XMP needs them, and they are how XML bombs.
"""

from xml.parsers import expat

from indexer.parsers.image_chunks import Collected

__all__ = ["read_xmp"]

_NAMES = frozenset(
    (
        "UserComment",
        "description",
        "Description",
        "title",
        "CreatorTool",
        "parameters",
        "prompt",
        "workflow",
        "Comment",
    )
)
"""Local names of properties that tools put generations or their own name into."""

_MAX_DEPTH = 64
_MAX_ELEMENTS = 100_000


class _Refused(Exception):
    pass


class _Reader:
    """Handlers of one packet: the innermost wanted property collects the text below it."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._parts: dict[int, list[str]] = {}
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise _Refused("too many elements")
        local = _local(name)
        self._open.append(local)
        if local in _NAMES and not attributes:
            self._parts[len(self._open)] = []
        self.texts += [(_local(key), value) for key, value in attributes.items() if _local(key) in _NAMES]

    def end(self, _name: str) -> None:
        parts = self._parts.pop(len(self._open), None)
        local = self._open.pop()
        if parts and (text := "".join(parts).strip()):
            self.texts.append((local, text))

    def data(self, text: str) -> None:
        if self._parts:
            self._parts[max(self._parts)].append(text)

    @staticmethod
    def refuse(*_arguments: object) -> None:
        raise _Refused("it defines entities")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def read_xmp(packet: bytes, found: Collected) -> None:
    """Add the texts of a packet; one that cannot be read is told (``xmp``) and left out."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.EntityDeclHandler = reader.refuse
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _Refused, ValueError) as error:
        found.warn("xmp", f"the XMP packet cannot be read: {error}")
    for name, text in reader.texts:
        if found.take(len(text), f"XMP {name}"):
            found.add(f"xmp:{name}", text)
