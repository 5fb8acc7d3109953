"""A style encoder from a local file: a vision transformer that was trained to see style (CSD and its kin).

The file is safetensors, told by its metadata, or by a JSON object in a file of the same name ending in
``.json`` beside it:

``architecture``     an open_clip model name whose image tower is a plain vision transformer; required
``mean``, ``std``    three numbers each, of the pixels; OpenAI's CLIP where absent
``interpolation``    ``bicubic`` (default) or ``bilinear``
``resize_mode``      ``shortest`` (default) or ``squash``

(in metadata, where values are strings, lists are written as JSON). Tensors are those of open_clip's image
tower, bare or behind ``visual.``, ``backbone.``, ``module.`` or several of them. The projection to style,
(width, dimension), is ``style.proj``, ``last_layer_style`` (CSD's own name) or the tower's ``proj``. What
else is in the file, a text tower or a projection to content, is left alone. Nothing is unpickled.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.decoder_protocol import View
from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.semantic import REFUSALS, preprocessing_name
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.embedding.tower import ImageTower
from indexer.embedding.weights import WeightsUnavailableError, file_digest

__all__ = ["SPACE", "StyleFileEncoder"]

SPACE = "style-encoder"
VERSION = 1
PREFIXES = ("module.", "backbone.", "visual.")
PROJECTIONS = ("style.proj", "last_layer_style", "proj")
LONGEST = 8_192  # numbers in a style vector, at most
MOST_SETTINGS = 100_000  # characters of the JSON file beside it
CLIP = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
CHOICES = {"interpolation": ("bicubic", "bilinear"), "resize_mode": ("shortest", "squash")}


@dataclass(frozen=True, slots=True)
class _Visual:
    visual: Any


class StyleFileEncoder:
    """An ``ImageEncoder`` of space "style-encoder". Loading happens on first use, or by ``load()``; both
    raise ``WeightsUnavailableError``."""

    def __init__(self, path: Path, device: str | None = None) -> None:
        self._path, self._device = path, device
        self._lock = threading.Lock()
        self._tower: ImageTower | None = None

    @property
    def identity(self) -> VectorIdentity:
        """Architecture, digest of the file and preprocessing: another file is another space."""
        return self.load().identity

    @property
    def view(self) -> View | None:
        """What the image tower sees of a picture."""
        return self.load().view

    @property
    def group(self) -> int:
        """So many pictures at a time keep the device busy."""
        return self.load().group

    def tune(self, views: Sequence[NDArray[np.uint8]], memory: Path) -> str:
        """See ``ImageEncoder.tune``."""
        return self.load().tune(views, memory)

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of images (rows, columns, 3) uint8."""
        return self.load().encode(images)

    def encode_views(self, views: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of what a ``View`` left of n images, (side, side, 3) uint8."""
        return self.load().encode_views(views)

    def begin_views(self, views: Sequence[NDArray[np.uint8]]) -> Callable[[], NDArray[np.float32]]:
        """Start ``encode_views`` beside the caller's own work; what is answered waits for the vectors."""
        return self.load().begin_views(views)

    def load(self) -> ImageTower:
        """Load once; later calls return at once."""
        with self._lock:
            if self._tower is None:
                self._tower = self._load()
            return self._tower

    def _load(self) -> ImageTower:
        try:
            open_clip = import_open_clip()
            import torch
        except ImportError as error:
            raise self._refused("engine_missing", f"open_clip cannot be imported ({error})") from None
        told, tensors = self._read()
        settings = self._settings(told)
        architecture = str(told.get("architecture") or "")
        config = open_clip.get_model_config(architecture) if architecture else None
        if config is None:
            what = (
                f"the architecture {architecture!r} is unknown to open_clip"
                if architecture
                else "no architecture"
            )
            raise self._refused(
                "weights_format", f"{what}; name one in the file's metadata or in {self._beside}"
            )
        size = config["vision_cfg"].get("image_size", 224)
        settings |= {"size": (size, size) if isinstance(size, int) else tuple(size), "mode": "RGB"}
        projection, rest = self._parted(tensors)
        device = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        visual = self._built(open_clip, config, projection, rest).to(device).eval()
        name = preprocessing_name(settings)
        weights = "sha256:" + file_digest(self._path)[:16]
        identity = VectorIdentity(SPACE, architecture, weights, name, VERSION, int(projection.shape[1]))
        return ImageTower(torch, _Visual(visual), visual, identity, settings, device, self._path)

    @property
    def _beside(self) -> Path:
        return self._path.with_suffix(".json")

    def _read(self) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """What the file says of itself, and its tensors, by the safetensors package."""
        from safetensors import SafetensorError, safe_open

        if self._path.suffix != ".safetensors" or not self._path.is_file():
            raise self._refused("weights_format", "no .safetensors file; other formats are not loaded")
        try:
            with safe_open(self._path, "pt") as archive:
                told = dict(archive.metadata() or {})
                tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise self._refused("weights_format", f"unreadable ({error})") from None
        return told | self._said_beside(), tensors

    def _said_beside(self) -> dict[str, Any]:
        if not self._beside.is_file():
            return {}
        try:
            with self._beside.open(encoding="utf-8") as stream:
                said = json.loads(stream.read(MOST_SETTINGS))
        except (OSError, ValueError, RecursionError) as error:
            raise self._refused("weights_format", f"{self._beside} is unreadable ({error})") from None
        return said if isinstance(said, dict) else {}

    def _settings(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """open_clip's settings of a transform."""
        found: dict[str, Any] = {}
        for name, usual in CLIP.items():
            values = told.get(name, usual)
            try:
                numbers = [
                    float(value) for value in (json.loads(values) if isinstance(values, str) else values)
                ]
            except (ValueError, TypeError):
                numbers = []
            if len(numbers) != 3 or not np.isfinite(numbers).all() or (name == "std" and min(numbers) <= 0):
                raise self._refused("weights_format", f"{name} must be three numbers")
            found[name] = tuple(numbers)
        for name, choices in CHOICES.items():
            found[name] = told.get(name, choices[0])
            if found[name] not in choices:
                raise self._refused("weights_format", f"{name} must be one of {', '.join(choices)}")
        return found

    def _parted(self, tensors: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The projection to style, and the tower without any."""
        bare = {_bare(name): tensor for name, tensor in tensors.items()}
        for name in PROJECTIONS:
            found = bare.get(name)
            if found is not None and found.ndim == 2 and 0 < found.shape[1] <= LONGEST:
                return found.float(), {k: v.float() for k, v in bare.items() if k not in PROJECTIONS}
        raise self._refused(
            "weights_format", f"no projection of (width, dimension) named {' or '.join(PROJECTIONS)}"
        )

    def _built(self, open_clip: Any, config: Mapping[str, Any], projection: Any, rest: dict[str, Any]) -> Any:
        shape = config["vision_cfg"]
        if not isinstance(shape.get("layers", 12), int) or shape.get("timm_model_name"):
            raise self._refused(
                "weights_format", "the architecture's image tower is no plain vision transformer"
            )
        quick = bool(config.get("quick_gelu"))
        try:
            visual = open_clip.model._build_vision_tower(int(projection.shape[1]), dict(shape), quick)
            wanted = visual.state_dict().keys()
            own = {name: tensor for name, tensor in rest.items() if name in wanted}
            visual.load_state_dict(own | {"proj": projection}, strict=True)
        except (*REFUSALS, TypeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise self._refused("weights_unavailable", f"its tensors do not fit: {reason}") from None
        return visual

    def _refused(self, code: str, why: str) -> WeightsUnavailableError:
        advice = "docs/clip.md tells what such a file holds"
        return WeightsUnavailableError(code, f"style encoder {self._path}: {why}; {advice}")


def _bare(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.partition(".")[2]
    return name
