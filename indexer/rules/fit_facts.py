"""The few numbers by which VAEs, control models, image adapters and their kin fit a base, or do not."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from indexer.domain.header import Header
from indexer.domain.vocabulary import read_table

__all__ = ["facts_of"]

_MOST = 50_000
_FEW = 64
_KEY = re.compile(r"(?:to_k_ip|_stream_k_proj)\.weight$")
_LEVEL = re.compile(r"(?:^|\.)down_blocks\.([0-9])\.motion_modules\.[0-9]+\..*proj_in\.weight$")
_WIDTH = re.compile(r"^([0-9]{3,4})\.[01]\.")
_PREFIXES = ("", "first_stage_model.", "vae.")


def facts_of(header: Header, kind: str) -> dict[str, Any]:
    """Numbers by name: ``latent`` channels of a VAE; ``context`` width and ``heights`` (rows -> number) of an
    IP-Adapter's keys; ``widths`` of a textual inversion or hypernetwork; ``levels`` of a motion module; the
    ``context`` of FLUX Redux. What the header hides is left out."""
    reader = _READERS.get(kind)
    return reader(header) if reader else {}


def _shapes(header: Header) -> Iterable[tuple[str, list[int]]]:
    return ((name, entry["shape"]) for name, entry in islice(header.tensors.items(), _MOST))


def _vae(header: Header) -> dict[str, Any]:
    for prefix in _PREFIXES:
        for name in read_table("fit.toml")["decoders"]["names"]:
            entry = header.tensors.get(prefix + name)
            if entry and len(entry["shape"]) > 1:
                return {"latent": entry["shape"][1]}
    return {}


def _image_adapter(header: Header) -> dict[str, Any]:
    keys = [shape for name, shape in _shapes(header) if _KEY.search(name) and len(shape) == 2]
    if not keys:
        return {}
    heights = Counter(str(shape[0]) for shape in keys)
    return {"context": Counter(shape[1] for shape in keys).most_common(1)[0][0], "heights": dict(heights)}


def _inversion(header: Header) -> dict[str, Any]:
    shapes = [shape for _, shape in islice(_shapes(header), _FEW) if shape]
    return {"widths": sorted({shape[-1] for shape in shapes})}


def _hypernetwork(header: Header) -> dict[str, Any]:
    found = {int(match[1]) for name, _ in _shapes(header) if (match := _WIDTH.match(name))}
    return {"widths": sorted(found)} if found else {}


def _motion(header: Header) -> dict[str, Any]:
    levels = {
        match[1]: shape[1]
        for name, shape in _shapes(header)
        if (match := _LEVEL.search(name)) and len(shape) > 1
    }
    return {"levels": levels} if levels else {}


def _redux(header: Header) -> dict[str, Any]:
    entry = header.tensors.get("redux_down.weight")
    return {"context": entry["shape"][0]} if entry and entry["shape"] else {}


_READERS: Mapping[str, Any] = {
    "vae": _vae,
    "ip_adapter": _image_adapter,
    "textual_inversion": _inversion,
    "hypernetwork": _hypernetwork,
    "motion_module": _motion,
    "flux_redux": _redux,
}
