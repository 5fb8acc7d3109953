"""The square of a picture that an image tower sees, cut as open_clip's transform cuts it."""

from collections.abc import Mapping
from typing import Any

from PIL import Image

from indexer.embedding.decoder_protocol import View

__all__ = ["cut_view", "view_of"]

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
PLAIN = ("shortest", "squash")  # open_clip's ways of fitting that are known here


def cut_view(rgb: Image.Image, view: View) -> bytes:
    """``view`` of ``rgb`` as (side, side, 3) uint8: what open_clip's transform makes of a picture before it
    turns it into numbers, to 1 of 255.

    It fits the whole and cuts the middle out; here only the middle is fitted.
    """
    resample, side = RESAMPLING[view.resample], view.side
    if view.fit == "squash":
        return rgb.resize((side, side), resample).tobytes()
    short = min(rgb.size)
    across, down = (_middle(length, int(side * length / short), side) for length in rgb.size)
    return rgb.resize((side, side), resample, (across[0], down[0], across[1], down[1])).tobytes()


def _middle(length: int, fitted: int, side: int) -> tuple[float, float]:
    """Where in ``length`` pixels the middle ``side`` of ``fitted`` lie."""
    start = round((fitted - side) / 2)
    return start * length / fitted, (start + side) * length / fitted


def view_of(settings: Mapping[str, Any]) -> View | None:
    """The view that open_clip's ``settings`` of a transform describe; None where they describe another."""
    size, fit = settings.get("size"), str(settings.get("resize_mode") or "shortest")
    sides = {size} if isinstance(size, int) else set(size or ())
    if len(sides) != 1 or fit not in PLAIN:
        return None
    resample = "bilinear" if settings.get("interpolation") == "bilinear" else "bicubic"
    return View(int(sides.pop()), fit, resample)
