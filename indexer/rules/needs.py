"""What does a file need that is not inside it? VAE, text encoders, vision tower, by ``needs.toml``."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from indexer.domain.verdict import Need
from indexer.domain.vocabulary import architecture_path, read_table
from indexer.rules.profile import Profile

__all__ = ["encoders_of", "needs_of", "tensor_needs"]

_WHOLE = ("checkpoint", "diffusion_model")
_FEW = 64
"""No textual inversion has more tensors."""


@cache
def _row(architecture: str | None) -> Mapping[str, Any]:
    """The row of an architecture or of its nearest ancestor that has one."""
    rows: Mapping[str, Any] = read_table("needs.toml")["architectures"]
    path = architecture_path(architecture) if architecture else ()
    return next((rows[node] for node in reversed(path) if node in rows), {})


def _options(encoder: str | Sequence[str]) -> tuple[str, ...]:
    return (encoder,) if isinstance(encoder, str) else tuple(encoder)


def encoders_of(architecture: str | None) -> tuple[str, ...]:
    """The text encoders of an architecture in the order in which trainers number them; empty where
    unknown."""
    return tuple(_options(encoder)[0] for encoder in _row(architecture).get("encoders", ()))


def needs_of(
    kind: str, architecture: str | None, components: Collection[str], told: tuple[Need, ...] = ()
) -> tuple[Need, ...]:
    """What a file of ``kind`` works with and does not hold; ``components`` are the parts inside, ``told``
    what ``tensor_needs`` found.

    Adapters, ControlNets and motion modules need a base model, which their architecture names.
    """
    return _missing(_row(architecture), components) if kind in _WHOLE else told


def tensor_needs(kind: str, profile: Profile) -> tuple[Need, ...]:
    """What the tensors of IP-Adapters, FLUX Redux and textual inversions tell of their encoder."""
    return _vectors(profile) if kind == "textual_inversion" else _vision(kind, profile)


def _missing(row: Mapping[str, Any], components: Collection[str]) -> tuple[Need, ...]:
    why = row.get("why", "")
    wanted = [("text_encoder", _options(encoder)) for encoder in row.get("encoders", ())]
    wanted += [("vae", tuple(row["vae"]))] if row.get("vae") else []
    wanted += [("clip_vision", tuple(row["vision"]))] if row.get("vision") else []
    return tuple(
        Need(part, options, why)
        for part, options in wanted
        if (part != "vae" or "vae" not in components) and not set(options) & set(components)
    )


def _vision(kind: str, profile: Profile) -> tuple[Need, ...]:
    for row in read_table("needs.toml")["vision"]:
        if row["kind"] == kind and (shape := _shape(profile, row["tensor"])) and len(shape) > row["axis"]:
            tower = row["sizes"].get(str(shape[row["axis"]]))
            return (Need("clip_vision", (tower,), row["why"]),) if tower else ()
    return ()


def _shape(profile: Profile, tensor: str) -> list[int] | None:
    return profile.shape(tensor) if tensor in profile.tensors else None


def _vectors(profile: Profile) -> tuple[Need, ...]:
    table = read_table("needs.toml")["vectors"]
    widths = (entry["shape"][-1] for entry in profile.tensors.values() if entry["shape"])
    found = {str(width): None for width, _ in zip(widths, range(_FEW), strict=False)}
    return tuple(Need("text_encoder", tuple(table[w]), table["why"]) for w in found if w in table)
