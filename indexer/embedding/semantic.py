"""What is in a preview: CLIP vectors of images and words in one space, through open_clip.

torch and open_clip load on first use, never on import of this module.
"""

import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.decoder_protocol import View
from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.precision import FULL
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.embedding.tower import ImageTower, pieces
from indexer.embedding.weights import Weights, WeightsUnavailableError, find_weights, unavailable

__all__ = ["OpenClipEncoder", "WeightsUnavailableError", "preprocessing_name"]

VERSION = 1
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
    tower: ImageTower


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

    @property
    def arithmetic(self) -> str:
        """How the image tower computes: float32, or what ``tune`` chose."""
        return self._loaded.tower.arithmetic if self._loaded else FULL

    @property
    def view(self) -> View | None:
        """What the image tower sees of a picture; None where only open_clip's own transform knows."""
        return self.load().tower.view

    @property
    def group(self) -> int:
        """So many pictures at a time keep the device busy."""
        return self.load().tower.group

    @property
    def identity(self) -> VectorIdentity:
        """Needs the weights, since the dimension and a local file's digest are part of it."""
        return self.load().tower.identity

    def load(self) -> _Loaded:
        """Load once; later calls return at once."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def tune(self, views: Sequence[NDArray[np.uint8]], memory: Path) -> str:
        """Choose the fastest arithmetic for the image tower by a short timing on ``views``; answers its name.
        Once chosen it stays.

        The choice is remembered in the file ``memory``. Vectors keep a cosine of 0.99 or more to full
        precision, or full precision stays: so the space is the same.
        """
        return self.load().tower.tune(views, memory)

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of images (rows, columns, 3) uint8."""
        return self.load().tower.encode(images)

    def encode_views(self, views: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of what a ``View`` left of n images, (side, side, 3) uint8."""
        return self.load().tower.encode_views(views)

    def begin_views(self, views: Sequence[NDArray[np.uint8]]) -> Callable[[], NDArray[np.float32]]:
        """Start ``encode_views`` beside the caller's own work; what is answered waits for the vectors."""
        return self.load().tower.begin_views(views)

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of ``texts``; words past the model's context length are cut off."""
        parts = self.load()
        batches = list(pieces(texts, parts.tower.batch))
        return parts.tower.joined(parts.tower.lanes.each(self._said, batches))

    def _said(self, texts: Sequence[str]) -> NDArray[np.float32]:
        parts = self.load()
        tokens = parts.tokenizer(list(texts))
        with parts.torch.inference_mode():
            vectors: NDArray[np.float32] = (
                parts.model.encode_text(tokens.to(self._device)).float().cpu().numpy()
            )
        return vectors

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
            tokenizer = self._tokenizer(open_clip)
        model.eval()
        identity = self._identity(open_clip, model, weights.name)
        tower = ImageTower(
            torch,
            model,
            model.encode_image,
            identity,
            open_clip.get_model_preprocess_cfg(model),
            str(self._device),
            self._pretrained,
            preprocess,
        )
        return _Loaded(torch, model, preprocess, tokenizer, tower)

    def _tokenizer(self, open_clip: Any) -> Any:
        """SigLIP and others cut text with a tokenizer of the ``transformers`` package, from the Hub."""
        try:
            return open_clip.get_tokenizer(self._model)
        except (ImportError, *REFUSALS) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            why = (
                f"the tokenizer of {self._model} cannot be had ({reason}); docs/clip.md names models without"
            )
            raise unavailable("engine_missing", self._pretrained, why) from None

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
        preprocessing = preprocessing_name(open_clip.get_model_preprocess_cfg(model))
        dimension = int(open_clip.get_model_config(self._model)["embed_dim"])
        return VectorIdentity("semantic", self._model, weights, preprocessing, VERSION, dimension)


def preprocessing_name(settings: Mapping[str, Any]) -> str:
    """Short and stable: 12 hex digits over open_clip's settings of a transform."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
