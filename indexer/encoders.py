"""Which encoders this installation uses: the weights-free ones always, networks where weights are set."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.encoders import Encoder, ImageEncoder, SemanticEncoder
from indexer.embedding.style_pair import StylePair
from indexer.embedding.weights import WeightsUnavailableError
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["Encoders", "active_encoders"]


@dataclass(frozen=True, slots=True)
class Encoders:
    """``content`` needs no weights, nor does ``style`` unless it is a ``StylePair``; ``semantic`` is None
    where CLIP weights cannot be had."""

    style: Encoder
    content: Encoder
    semantic: SemanticEncoder | None

    @property
    def seen(self) -> Encoder:
        """What tells what a picture shows: CLIP where it is in use, else the layout of its edges."""
        return self.semantic or self.content

    @property
    def towers(self) -> Sequence[ImageEncoder]:
        """The networks in use."""
        network = self.style.network if isinstance(self.style, StylePair) else None
        return [tower for tower in (self.semantic, network) if tower is not None]

    @property
    def all(self) -> Sequence[Encoder]:
        """Every encoder in use."""
        return [e for e in (self.style, self.content, self.semantic) if e is not None]


def active_encoders(settings: Settings, progress: Progress, *, download: bool = False) -> Encoders:
    """The encoders in use. Weights that cannot be had are said plainly; everything else goes on.

    ``download`` lets open_clip fetch a published tag that is not here yet: indexing may, answering must not.
    """
    return Encoders(
        _style(settings, progress), DESCRIPTORS["content"], _semantic(settings, progress, download)
    )


def _style(settings: Settings, progress: Progress) -> Encoder:
    if settings.style_encoder is None:
        return DESCRIPTORS["style"]
    from indexer.embedding.style_file import StyleFileEncoder

    network = StyleFileEncoder(settings.style_encoder)
    try:
        network.load()
    except WeightsUnavailableError as error:
        progress.note(f"The style encoder is off, the descriptor that needs no weights is used: {error}")
        return DESCRIPTORS["style"]
    return StylePair(DESCRIPTORS["style"], network)


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
