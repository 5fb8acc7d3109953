"""``pinakes inspect`` of a picture: what does it say of how it was made?"""

import os
from pathlib import Path
from typing import Any

from indexer.parsers.image_file import parse_image
from indexer.parsers.image_text import IMAGE_SUFFIXES, container_of

__all__ = ["describe_image", "is_image"]

_HEAD = 64


def is_image(path: Path) -> bool:
    """True for a file that is named or begins like a picture."""
    if not path.is_file():
        return False
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    with path.open("rb") as stream:
        return container_of(stream.read(_HEAD)) is not None


def describe_image(path: Path) -> dict[str, Any]:
    """A picture as the public contract's ``inspect`` object, with its size in bytes and in pixels beside."""
    read = parse_image(path)
    record = read.generation
    details = {w.code: w.detail for w in (*read.warnings, *(record.warnings if record else ()))}
    reason = {"code": read.reason.code, "detail": read.reason.detail} if read.reason else None
    return {
        "path": os.fsencode(path.resolve()).decode("utf-8", "replace"),
        "size": path.stat().st_size,
        "container": read.container,
        "width": read.width,
        "height": read.height,
        "status": "quarantined" if reason else "ok",
        "reason": reason,
        "warnings": sorted(details),
        "warning_details": details,
        "generation": record.told() if record else None,
    }
