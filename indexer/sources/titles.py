"""What to call a model whose own file name says nothing: its folder's name, or its repository's."""

import os
from functools import cached_property

from indexer.domain.claims import Claim, ClaimSet
from indexer.sources.bundles import COMPONENT, Bundle, is_component_weight
from indexer.sources.folders import folder_claims
from indexer.sources.listing import Listing

__all__ = ["Titles", "is_hub_store"]

_HUB = b"models--"
_ALWAYS_NAMELESS = (b"diffusion_pytorch_model", b"pytorch_lora_weights", b"adapter_model")
"""Starts of names that diffusers and PEFT give to every model they save."""
_CONFIGS = (b"config.json", b"adapter_config.json")
_NO_TITLE = frozenset((b"", b"models", b"snapshots", b"diffusers", b"huggingface", b"hub"))


def is_hub_store(folder: bytes) -> bool:
    """Whether a folder's name is that of a repository in a Hugging Face cache: ``models--org--name``."""
    return folder.startswith(_HUB)


class Titles:
    """Names for what lies in one folder of a walk, as claims; computed only where one is asked for."""

    def __init__(self, root: bytes, directory: bytes, listing: Listing) -> None:
        self._folders = [os.path.basename(root.rstrip(b"/")), *directory.split(b"/")]
        self._path = listing.directory
        self._configured = any(name in listing.others for name in _CONFIGS)

    def of_file(self, name: bytes) -> tuple[ClaimSet, ...]:
        """A claim where the file's name says nothing, or where it lies in a hub's cache."""
        nameless = name.startswith(_ALWAYS_NAMELESS) or (self._configured and is_component_weight(name))
        if self._repository:
            return self._hub_claims(nameless)
        return self._named("folder:diffusers", self._title) if nameless else ()

    def of_bundle(self, bundle: Bundle) -> tuple[ClaimSet, ...]:
        """A claim for any bundle: the file that stands for it is never called like the model."""
        stem = bundle.stems[0] if bundle.stems else b""
        nameless = bundle.folder or is_component_weight(stem + b".safetensors")
        if self._repository:
            return self._hub_claims(nameless)
        if nameless and self._title:
            return self._named("folder:diffusers", self._title)
        return self._named("folder:shards", stem)

    def _hub_claims(self, nameless: bool) -> tuple[ClaimSet, ...]:
        owner, slash, name = self._repository.rpartition("/")
        claims = [Claim("url", f"https://huggingface.co/{self._repository}")]
        claims += [Claim("creator", owner)] if slash else []
        claims += [Claim("name", name)] if nameless else []
        return (ClaimSet("folder:huggingface", tuple(claims), {"repository": self._repository}),)

    def _named(self, source: str, name: bytes) -> tuple[ClaimSet, ...]:
        text = name.decode("utf-8", "replace")
        return (ClaimSet(source, (Claim("name", text),), {"folder": text}),) if text else ()

    @cached_property
    def _repository(self) -> str:
        """``org/name`` of the repository whose cache this is, or an empty text."""
        if _HUB not in self._path:
            return ""
        store = next((part for part in reversed(self._path.split(b"/")) if is_hub_store(part)), b"")
        return store[len(_HUB) :].decode("utf-8", "replace").replace("--", "/", 1)

    @cached_property
    def _title(self) -> bytes:
        """The nearest folder that is called after a model, and the component where it is one of several."""
        own = self._folders[-1] if COMPONENT.fullmatch(self._folders[-1]) else b""
        for folder in reversed(self._folders):
            if not _is_common(folder):
                return b"%s %s" % (folder, own) if own else folder
        return b""


def _is_common(folder: bytes) -> bool:
    """Whether a folder is called after what all tools keep in it, not after a model."""
    promises = COMPONENT.fullmatch(folder) or folder_claims(folder, b"")
    return bool(promises) or folder.lower() in _NO_TITLE
