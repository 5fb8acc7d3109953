"""Claims: what a hub, a sidecar, a folder or a header's metadata *says*. Never the truth, never lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.header import HeaderWarning

__all__ = ["CLAIM_NAMES", "Claim", "ClaimSet"]

CLAIM_NAMES: Mapping[str, str] = {
    "name": "title of the model (str)",
    "version": "title of this release (str)",
    "kind": "kind in our vocabulary (str)",
    "base_label": "base model as the source spells it, Civitai's baseModel strings where possible (str)",
    "architecture": "architecture id in our vocabulary, when the source names one (str)",
    "category": "category in our vocabulary, e.g. from the source's category tag (str)",
    "creator": "who made it (str)",
    "tags": "list of str",
    "trigger_words": "list of str",
    "description": "text or HTML as the source wrote it; cleaned only when shown (str)",
    "notes": "the library owner's own notes in another tool (str)",
    "licence": "licence as the source spells it (str)",
    "rating": "mean stars 0..5 (float)",
    "rating_count": "number of ratings (int)",
    "thumbs_up": "int",
    "thumbs_down": "int",
    "downloads": "int",
    "nsfw_level": "Civitai bit mask: 1 PG, 2 PG13, 4 R, 8 X, 16 XXX, 32 blocked, 0 unrated (int)",
    "real_person": "shows a real person (bool)",
    "minor": "flagged as showing a minor (bool)",
    "preferred_weight": "adapter weight recommended by the source (float)",
    "negative_prompt": "negative prompt recommended by the source (str)",
    "civitai_model_id": "int",
    "civitai_version_id": "int",
    "url": "page of the model (str, http or https)",
    "sha256": "lower-case hex, as claimed (str)",
    "favourites": "how many users marked or liked it (int)",
    "comments": "how many comments users wrote (int)",
    "tips": "what users tipped, in the hub's own coin (int)",
    "published_at": "ISO 8601 (str)",
    "updated_at": "last change at the hub, ISO 8601 (str)",
    "training_tags": "tags of the pictures it was trained on, most frequent first (list of str)",
    "trained_on": "base checkpoint's name or hash as the trainer wrote it (str)",
    "trained_on_hash": "hash of that checkpoint in hex, whole or its beginning (str)",
    "merged_from": "models it was merged from, by name, hash or 'name [hash]' (list of str)",
    "prediction_type": "what the model predicts: epsilon, v or sample (str)",
    "permissions": "what the creator allows: {credit, derivatives, share_alike: bool, commercial: [str]}",
    "early_access_until": "end of paid early access, ISO 8601 (str)",
    "access": "who may download it, where not everyone may: gated, private or disabled (str)",
    "favourite": "marked as favourite in another tool (bool)",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement: ``name`` is a key of ``CLAIM_NAMES``, ``value`` plain JSON of the type told there."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """All that one source said about one file, understood and not understood kept apart.

    ``source`` is for instance ``sidecar:civitai.info``, ``header:kohya`` or ``folder:comfyui``.
    ``raw`` is the whole statement as read, so that nothing is lost; ``unparsed`` the keys nobody read.
    """

    source: str
    claims: tuple[Claim, ...]
    raw: Mapping[str, Any]
    unparsed: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[HeaderWarning, ...] = ()
