"""What is in a preview: CLIP vectors of images and words in one space, through open_clip.

torch and open_clip load on first use, never on import of this module.
"""

import hashlib
import json
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.embedding.decoder_protocol import View
from indexer.embedding.encoders import VectorIdentity, unit_rows
from indexer.embedding.precision import FULL, Tower, fastest
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.embedding.weights import Weights, WeightsUnavailableError, find_weights, unavailable

__all__ = ["OpenClipEncoder", "WeightsUnavailableError"]

T = TypeVar("T")
VERSION = 1
BATCH = {"cpu": 16}  # measured on 2 cores: larger batches gain nothing there
BATCH_ELSEWHERE = 128
PLAIN = ("shortest", "squash")  # ways of fitting that the decoder's workers know too
REFUSALS = (
    RuntimeError,
    OSError,
    ValueError,
    KeyError,
    AssertionError,
)  # of open_clip, on weights it cannot fit


@dataclass(frozen=True, slots=True)
class _Loaded:
    torch: Any
    model: Any
    preprocess: Any
    tokenizer: Any
    identity: VectorIdentity
    view: View | None
    mean: Any
    deviation: Any


class OpenClipEncoder:
    """An open_clip model as an ``Encoder`` of images and of text.

    ``model`` is an open_clip model name, ``pretrained`` one of its tags or a path to a ``.safetensors`` file,
    ``device`` a torch device (default: CUDA if there is one, else CPU). A tag is looked for in the local
    cache; only ``download=True`` goes to the network. Loading happens on first use, or by ``load()``; both
    raise ``WeightsUnavailableError``.
    """

    def __init__(
        self, model: str, pretrained: str | Path, device: str | None = None, download: bool = False
    ) -> None:
        self._model, self._pretrained, self._device, self._download = model, pretrained, device, download
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._tower: Tower | None = None
        self.arithmetic = FULL

    @property
    def view(self) -> View | None:
        """What the image tower sees of a picture; None where only open_clip's own transform knows."""
        return self.load().view

    @property
    def group(self) -> int:
        """So many pictures at a time keep the device busy."""
        self.load()
        return self._batch_size()

    @property
    def identity(self) -> VectorIdentity:
        """Needs the weights, since the dimension and a local file's digest are part of it."""
        return self.load().identity

    def load(self) -> _Loaded:
        """Load once; later calls return at once."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def tune(self, views: Sequence[NDArray[np.uint8]], memory: Path) -> str:
        """Choose the fastest arithmetic for the image tower by a short timing on ``views``; answers its name.

        The choice is remembered in the file ``memory``. Vectors keep a cosine of 0.99 or more to full
        precision, or full precision stays: so the space is the same.
        """
        parts = self.load()
        machine = f"{self._device}, torch {parts.torch.__version__}, {parts.torch.get_num_threads()} threads"
        name = f"{parts.identity.key} on {machine}"
        pixels = self._pixels(views[: self._batch_size()])
        chosen, tower = fastest(parts.torch, parts.model.encode_image, parts.model, pixels, memory, name)
        self._tower, self.arithmetic = tower, chosen
        return chosen

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of images (rows, columns, 3) uint8."""
        parts = self.load()
        vectors = []
        for batch in _batches(images, self._batch_size()):
            pixels = parts.torch.stack([parts.preprocess(Image.fromarray(image)) for image in batch])
            vectors.append(self._seen(pixels.to(self._device)))
        return self._joined(vectors)

    def encode_views(self, views: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of what a ``View`` left of n images, (side, side, 3) uint8."""
        batches = _batches(views, self._batch_size())
        return self._joined([self._seen(self._pixels(batch)) for batch in batches])

    def _pixels(self, views: Sequence[NDArray[np.uint8]]) -> Any:
        """As open_clip's transform: 0..1, channels first, centred and scaled."""
        parts = self.load()
        rows = parts.torch.from_numpy(np.stack(views)).to(self._device)
        scaled = rows.permute(0, 3, 1, 2).to(parts.torch.float32).div_(255)
        return scaled.sub_(parts.mean).div_(parts.deviation)

    def _seen(self, pixels: Any) -> NDArray[np.float32]:
        parts = self.load()
        with parts.torch.inference_mode():
            tower = self._tower or parts.model.encode_image
            vectors: NDArray[np.float32] = tower(pixels).float().cpu().numpy()
        return vectors

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of ``texts``; words past the model's context length are cut off."""
        parts = self.load()
        vectors = []
        for batch in _batches(texts, self._batch_size()):
            tokens = parts.tokenizer(list(batch))
            with parts.torch.inference_mode():
                vectors.append(parts.model.encode_text(tokens.to(self._device)).float().cpu().numpy())
        return self._joined(vectors)

    def _batch_size(self) -> int:
        return BATCH.get(str(self._device), BATCH_ELSEWHERE)

    def _joined(self, vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        if not vectors:
            return np.zeros((0, self.identity.dimension), np.float32)
        joined = np.concatenate(vectors)
        if not np.isfinite(joined).all():
            raise unavailable(
                "weights_unavailable", self._pretrained, "it yields values that are not numbers"
            )
        return unit_rows(joined)

    def _load(self) -> _Loaded:
        try:
            open_clip = import_open_clip()
            import torch
        except ImportError as error:
            raise unavailable(
                "engine_missing", self._pretrained, f"open_clip cannot be imported ({error})"
            ) from None
        weights = find_weights(open_clip, self._model, self._pretrained, self._download)
        self._device = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # QuickGELU and hub notices of open_clip, about its own tables
            model, preprocess = self._create(open_clip, weights)
            tokenizer = open_clip.get_tokenizer(self._model)
        model.eval()
        identity = self._identity(open_clip, model, weights.name)
        seen = open_clip.get_model_preprocess_cfg(model)
        mean, deviation = (
            torch.tensor(seen[name], device=self._device).view(1, 3, 1, 1) for name in ("mean", "std")
        )
        return _Loaded(torch, model, preprocess, tokenizer, identity, _view(seen), mean, deviation)

    def _create(self, open_clip: Any, weights: Weights) -> tuple[Any, Any]:
        from safetensors import SafetensorError

        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                self._model,
                pretrained=str(weights.path),
                device=self._device,
                weights_only=True,
                require_pretrained=True,
                pretrained_image=False,
                pretrained_text=False,
                **weights.settings,
            )
        except (*REFUSALS, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise unavailable("weights_unavailable", self._pretrained, f"{self._model}: {reason}") from None
        return model, preprocess

    def _identity(self, open_clip: Any, model: Any, weights: str) -> VectorIdentity:
        settings = json.dumps(open_clip.get_model_preprocess_cfg(model), sort_keys=True, default=str)
        preprocessing = hashlib.sha256(settings.encode()).hexdigest()[:12]
        dimension = int(open_clip.get_model_config(self._model)["embed_dim"])
        return VectorIdentity("semantic", self._model, weights, preprocessing, VERSION, dimension)


def _view(seen: Mapping[str, Any]) -> View | None:
    """open_clip's transform as a ``View``, where it is one."""
    size, fit = seen.get("size"), str(seen.get("resize_mode") or "shortest")
    sides = {size} if isinstance(size, int) else set(size or ())
    if len(sides) != 1 or fit not in PLAIN:
        return None
    return View(int(sides.pop()), fit, "bilinear" if seen.get("interpolation") == "bilinear" else "bicubic")


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
