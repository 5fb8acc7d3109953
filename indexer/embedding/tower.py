"""The image half of a network: pixels to unit vectors, in batches side by side. Torch is an argument."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.embedding.encoders import VectorIdentity, unit_rows
from indexer.embedding.lanes import Lanes
from indexer.embedding.precision import FULL, Tower, fastest
from indexer.embedding.views import cut_view, view_of
from indexer.embedding.weights import unavailable

__all__ = ["ImageTower", "pieces"]

T = TypeVar("T")
Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]
BATCH = {"cpu": 16}  # a lane's; measured: 8 and 32 cost a tenth more in int8, the same in float32
BATCH_ELSEWHERE = 128


class ImageTower:
    """``model`` has a ``visual``, which ``see`` runs on pixels (n, 3, side, side).

    ``settings`` are open_clip's of its transform: size, mean, std, interpolation, resize_mode. ``preprocess``
    is that transform, needed only where it is no ``View``. ``source`` is named when vectors are not numbers.
    """

    def __init__(
        self,
        torch: Any,
        model: Any,
        see: Tower,
        identity: VectorIdentity,
        settings: Mapping[str, Any],
        device: str,
        source: str | Path,
        preprocess: Any = None,
    ) -> None:
        self.torch, self.identity, self.arithmetic = torch, identity, FULL
        self.view = view_of(settings)
        on_cpu = device == "cpu"
        self.batch = BATCH.get(device, BATCH_ELSEWHERE)
        self.lanes = Lanes(torch, torch.get_num_threads() if on_cpu else 1, on_cpu=on_cpu)
        self._model, self._see, self._device, self._source = model, see, device, source
        self._preprocess = preprocess
        self._tuned: Tower | None = None
        mean, deviation = (
            torch.tensor(settings[name], device=device).view(1, 3, 1, 1) for name in ("mean", "std")
        )
        self._factor, self._shift = 1 / (255 * deviation), -mean / deviation

    @property
    def group(self) -> int:
        """So many pictures at a time keep the device busy."""
        return self.lanes.count * self.batch

    def tune(self, views: Sequence[Pixels], memory: Path) -> str:
        """See ``ImageEncoder.tune``."""
        if self._tuned is None:
            threads = self.torch.get_num_threads()
            machine = f"{self._device}, torch {self.torch.__version__}, {threads} threads"
            name = f"{self.identity.key} on {machine}"
            pixels = self.pixels(views[: self.batch])
            # Timed in a lane, since the work is done in lanes.
            (timed,) = self.lanes.begin(
                lambda _: fastest(self.torch, self._see, self._model, pixels, memory, name), [None]
            )
            self.arithmetic, self._tuned = timed.result()
        return self.arithmetic

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Unit vectors (n, dimension) of images (rows, columns, 3)."""
        view = self.view
        if view is None:
            return self.joined(self.lanes.each(self._transformed, self.batches(images)))
        cut = (np.frombuffer(cut_view(Image.fromarray(image), view), np.uint8) for image in images)
        return self.encode_views([square.reshape(view.side, view.side, 3) for square in cut])

    def _transformed(self, images: Sequence[Pixels]) -> Vectors:
        pixels = self.torch.stack([self._preprocess(Image.fromarray(image)) for image in images])
        return self.see(pixels.to(self._device))

    def encode_views(self, views: Sequence[Pixels]) -> Vectors:
        """Unit vectors (n, dimension) of what a ``View`` left of n images, (side, side, 3)."""
        return self.joined(self.lanes.each(self._viewed, self.batches(views)))

    def begin_views(self, views: Sequence[Pixels]) -> Callable[[], Vectors]:
        """Start ``encode_views`` beside the caller's own work; what is answered waits for the vectors."""
        begun = self.lanes.begin(self._viewed, self.batches(views))
        return lambda: self.joined([batch.result() for batch in begun])

    def _viewed(self, views: Sequence[Pixels]) -> Vectors:
        return self.see(self.pixels(views))

    def batches(self, items: Sequence[T]) -> list[Sequence[T]]:
        """Batches of one size, so that lanes end together."""
        even = -(-len(items) // self.lanes.count)
        return list(pieces(items, max(1, min(even, self.batch))))

    def pixels(self, views: Sequence[Pixels]) -> Any:
        """As open_clip's transform: 0..1, channels first, centred and scaled."""
        torch = self.torch
        if self._device != "cpu":
            rows = torch.from_numpy(np.stack(views)).to(self._device)
            turned = rows.permute(0, 3, 1, 2).contiguous().to(torch.float32)
            return turned.mul_(self._factor).add_(self._shift)
        turned = torch.empty((len(views), 3, *views[0].shape[:2]), dtype=torch.float32)
        # One by one they stay in the core's cache: half the time of turning them together.
        for one, view in zip(turned, views, strict=True):
            seen = torch.from_numpy(view.copy())  # torch wants bytes that may be written
            one.copy_(seen.permute(2, 0, 1)).mul_(self._factor[0]).add_(self._shift[0])
        return turned

    def see(self, pixels: Any) -> Vectors:
        """(n, dimension), not scaled yet, of ``pixels`` (n, 3, side, side)."""
        with self.torch.inference_mode():
            vectors: Vectors = (self._tuned or self._see)(pixels).float().cpu().numpy()
        return vectors

    def joined(self, vectors: Sequence[Vectors]) -> Vectors:
        """All of ``vectors`` at unit length; raises ``WeightsUnavailableError`` where one is not a number."""
        if not vectors:
            return np.zeros((0, self.identity.dimension), np.float32)
        joined = np.concatenate(vectors)
        if not np.isfinite(joined).all():
            raise unavailable("weights_unavailable", self._source, "it yields values that are not numbers")
        return unit_rows(joined)


def pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` cut into runs of ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
