"""The map of styles as the page draws it, and as a file of its own: HTML to walk about in, or SVG."""

import base64
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup
from PIL import Image

from indexer.domain.records import Document
from indexer.errors import UsageError
from search.map import Point, StyleMap
from search.service import Pinakes
from search.web.clean import plain
from search.web.templating import render
from search.web.views import cover

__all__ = ["FORMATS", "map_data", "map_file", "write_map"]

FORMATS = (".html", ".svg")
PICTURES = 12 << 20
"""Bytes of previews that a file carries at most; what no longer fits stays a dot."""

SMALL = 200  # pixels of their longer side

_WEB = Path(__file__).parent
_SIDE = 1_000  # of the square that an SVG draws into


def map_data(drawn: StyleMap, model: str | None = "/model/") -> dict[str, Any]:
    """What ``static/map.js`` reads. ``model`` is the address of an entry less its id; None: nothing opens."""
    return {
        "points": [_shown(point) for point in drawn.points],
        "clusters": [
            {"id": c.id, "x": c.x, "y": c.y, "size": c.size, "title": plain(c.title)} for c in drawn.clusters
        ],
        "model": model,
    }


def _shown(point: Point) -> dict[str, Any]:
    here = {name: getattr(point, name) for name in ("id", "x", "y", "cluster", "preview")}
    return here | {"name": plain(point.name), "cover": _cover(point)}


def _cover(point: Point) -> str:
    hidden = ("hidden",) if point.hidden else ()
    return cover(Document(point.id, 0, point.name, nsfw_level=point.nsfw_level, hidden=hidden))


def write_map(pinakes: Pinakes, drawn: StyleMap, path: Path) -> None:
    """Write the map as a file that needs no other. Raises ``UsageError`` (``out``)."""
    text = map_file(pinakes, drawn, path.suffix.lower())
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            "out", f"{str(path)!r} cannot be written: {error.strerror}. Choose another place."
        ) from None


def map_file(pinakes: Pinakes, drawn: StyleMap, suffix: str) -> str:
    """The map as ``.html`` or ``.svg``. Raises ``UsageError`` (``out``) for another suffix."""
    if suffix == ".svg":
        return render("map.svg", drawn=drawn, side=_SIDE, hue=_hue)
    if suffix != ".html":
        raise UsageError("out", f"A map cannot be written as {suffix!r}. End the name in .html or .svg.")
    data = map_data(drawn, model=None)
    pictures = _pictures(pinakes, drawn)
    for point in data["points"]:
        point["preview"] = pictures.get(point["id"])
    return render("map_file.html", drawn=drawn, source=None, **_inline(data))


def _inline(data: Mapping[str, Any]) -> dict[str, Markup]:
    """Our own style and script as they are; the data with every ``<`` spelt so that it can end no element."""
    styles = [(_WEB / "static" / name).read_text("utf-8") for name in ("tokens.css", "map.css")]
    return {
        "css": Markup("\n".join(styles)),
        "script": Markup((_WEB / "static" / "map.js").read_text("utf-8")),
        "data": Markup(orjson.dumps(data).decode().replace("<", "\\u003c")),
    }


def _pictures(pinakes: Pinakes, drawn: StyleMap) -> dict[int, str]:
    """Previews as addresses that hold them, of the clusters' examples first; none that would be blurred."""
    examples = {cluster.example.id for cluster in drawn.clusters}
    found, left = {}, PICTURES
    for point in sorted(drawn.points, key=lambda point: point.id not in examples):
        if point.preview_id is None or _cover(point) != "clear":
            continue
        path = pinakes.thumbnail(point.preview_id)
        if path is None or not path.is_file():
            continue
        content = _small(path)
        left -= len(content)
        if left < 0:
            break
        found[point.id] = f"data:image/webp;base64,{base64.b64encode(content).decode()}"
    return found


def _small(path: Path) -> bytes:
    """A preview of ours as a smaller WebP."""
    small = BytesIO()
    with Image.open(path, formats=("WEBP",)) as picture:
        picture.thumbnail((SMALL, SMALL))
        picture.save(small, "WEBP", quality=75)
    return small.getvalue()


def _hue(cluster: int) -> int:
    """Degrees; neighbours in number lie far apart in colour. ``map.js`` counts the same way."""
    return round(cluster * 137.5 + 18) % 360
