"""Which encoders this installation uses: the weights-free ones always, CLIP where weights are set."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.encoders import Encoder, SemanticEncoder
from indexer.embedding.weights import WeightsUnavailableError
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["Encoders", "active_encoders"]


@dataclass(frozen=True, slots=True)
class Encoders:
    """``style`` and ``content`` need no weights; ``semantic`` is None where CLIP weights cannot be had."""

    style: Encoder
    content: Encoder
    semantic: SemanticEncoder | None

    @property
    def seen(self) -> Encoder:
        """What tells what a picture shows: CLIP where it is in use, else the layout of its edges."""
        return self.semantic or self.content

    @property
    def all(self) -> Sequence[Encoder]:
        """Every encoder in use."""
        return [e for e in (self.style, self.content, self.semantic) if e is not None]


def active_encoders(settings: Settings, progress: Progress, *, download: bool = False) -> Encoders:
    """The encoders in use. Weights that cannot be had are said plainly; everything else goes on.

    ``download`` lets open_clip fetch a published tag that is not here yet: indexing may, answering must not.
    """
    return Encoders(DESCRIPTORS["style"], DESCRIPTORS["content"], _semantic(settings, progress, download))


def _semantic(settings: Settings, progress: Progress, download: bool) -> SemanticEncoder | None:
    if settings.clip_pretrained is None:
        return None
    from indexer.embedding.semantic import OpenClipEncoder

    encoder = OpenClipEncoder(settings.clip_model, settings.clip_pretrained, download=download)
    try:
        encoder.load()
    except WeightsUnavailableError as error:
        progress.note(f"CLIP is off, similar by content uses plain layout instead: {error}")
        return None
    return encoder
