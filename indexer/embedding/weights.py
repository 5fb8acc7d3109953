"""Where CLIP weights come from: a local ``.safetensors`` file, or a published tag through the local cache.

Whatever the source, only safetensors files are loaded: the other formats are pickles.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import PinakesError

__all__ = ["Weights", "WeightsUnavailableError", "file_digest", "find_weights", "unavailable"]

ADVICE = "style search works without weights; for words to image give a known tag or a .safetensors file"
DEFAULT_FILE = "open_clip_model.safetensors"  # open_clip's name for it where a tag names only a repository
SETTINGS = {  # a tag's configuration -> the argument of create_model_and_transforms that carries it
    "mean": "image_mean",
    "std": "image_std",
    "interpolation": "image_interpolation",
    "resize_mode": "image_resize_mode",
    "quick_gelu": "force_quick_gelu",
}


class WeightsUnavailableError(PinakesError):
    """No usable CLIP weights: not downloaded, no network, an unknown tag, a wrong or damaged file.

    Codes: ``engine_missing``, ``weights_format``, ``weights_unavailable``.
    """


@dataclass(frozen=True, slots=True)
class Weights:
    """A safetensors file, its name in a ``VectorIdentity``, and what open_clip must be told beside it."""

    path: Path
    name: str
    settings: dict[str, Any] = field(default_factory=dict)


def find_weights(open_clip: Any, model: str, pretrained: str | Path, download: bool) -> Weights:
    """The weights that ``pretrained`` names: a path to a file, or a tag of ``model``.

    Raises ``WeightsUnavailableError``.
    """
    path = Path(pretrained)
    if path.is_file():
        if path.suffix != ".safetensors":
            raise unavailable("weights_format", path, "only .safetensors is loaded; convert it")
        return Weights(path, "sha256:" + file_digest(path)[:16])
    tag = str(pretrained)
    if tag not in open_clip.list_pretrained_tags_by_model(model):
        raise unavailable("weights_unavailable", tag, f"neither a file nor a tag of {model}")
    published = open_clip.get_pretrained_cfg(model, tag)
    settings = {argument: published[key] for key, argument in SETTINGS.items() if published.get(key)}
    return Weights(_tagged_file(tag, str(published.get("hf_hub") or ""), download), tag, settings)


def _tagged_file(tag: str, location: str, download: bool) -> Path:
    repository, _, name = location.rpartition("/")
    name = name or DEFAULT_FILE
    if not repository:
        raise unavailable("weights_unavailable", tag, "published in no form that is loaded safely")
    name = name if name.endswith(".safetensors") else name.rpartition(".")[0] + ".safetensors"
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(repository, name)
    if isinstance(cached, str):
        return Path(cached)
    if not download:
        raise unavailable("weights_unavailable", tag, f"{repository}/{name} is not in the local cache")
    return _downloaded(tag, repository, name)


def _downloaded(tag: str, repository: str, name: str) -> Path:
    import httpx
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, name))
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())[:300]
        raise unavailable(
            "weights_unavailable", tag, f"{repository}/{name} cannot be downloaded ({reason})"
        ) from None


def unavailable(code: str, what: str | Path, why: str) -> WeightsUnavailableError:
    """The one-line error: which weights, why not, what to do."""
    return WeightsUnavailableError(code, f"CLIP weights {what}: {why}; {ADVICE}")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
