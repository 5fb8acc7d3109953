"""What tests of plans share: models, and candidates for them."""

from typing import Any

from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path
from search.plan import Candidate

__all__ = ["candidate", "model"]


def model(
    id_: int = 1, name: str = "Ink Harbour", architecture: str | None = "sdxl", **more: Any
) -> Document:
    """A LoRA in the library, unless told otherwise."""
    told: dict[str, Any] = {"kind": "lora", "flags": ("local",), "category": "style", **more}
    path = architecture_path(architecture) if architecture else ()
    return Document(id_, id_, name, architecture=architecture, architecture_path=path, **told)


def candidate(document: Document, nearness: float = 0.9, why: str = "") -> Candidate:
    """A candidate that is so near, and as good."""
    return Candidate(document, nearness, nearness, {"name": nearness, "style": nearness}, why)
