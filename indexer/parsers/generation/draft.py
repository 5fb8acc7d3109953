"""A record in the making, and how strangers' values become numbers."""

import math
import re
from dataclasses import dataclass, field, fields
from typing import Any

from indexer.domain.generation import GenerationRecord, UsedModel, merge_models
from indexer.domain.header import HeaderWarning

__all__ = ["UNKNOWN", "Draft", "as_float", "as_int", "as_seed", "as_text"]

UNKNOWN = "unknown"

_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0{1,9})?")
_FLOAT = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?")
_SEED = re.compile(r"[+-]?\d+(?:\.0)?")
_MAX_MODELS = 1_000
_MAX_BITS = 4096  # Python refuses to write out integers much longer


def as_text(value: Any) -> str | None:
    """A text, or the text of a number; None for anything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return None
    return str(value).strip() or None


def as_int(value: Any) -> int | None:
    """A whole number of at most 18 digits, also from text; None for anything else."""
    text = as_text(value)
    return int(text.split(".")[0]) if text and _INTEGER.fullmatch(text) else None


def as_float(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    text = as_text(value)
    if not text or not _FLOAT.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def as_seed(value: Any) -> str | None:
    """A seed as text, however many digits it has; None where it is no whole number."""
    if isinstance(value, list) and value:
        value = value[0]
    text = as_text(value)
    return text.removesuffix(".0") if text and _SEED.fullmatch(text) else None


@dataclass(slots=True)
class Draft:
    """Fields as in ``GenerationRecord``; every part may still be missing."""

    generator: str = UNKNOWN
    version: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: str | None = None
    steps: int | None = None
    sampler: str | None = None
    scheduler: str | None = None
    cfg: float | None = None
    width: int | None = None
    height: int | None = None
    models: list[UsedModel] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)

    def warn(self, code: str, detail: str) -> None:
        """Tell of an oddity; the first of a kind is kept."""
        self.warnings.setdefault(code, detail)

    def use(self, model: UsedModel | None) -> None:
        """Name a model; past 1,000 of them they are left out with a warning."""
        if model is None:
            return
        if len(self.models) >= _MAX_MODELS:
            self.warn("many_models", f"more than {_MAX_MODELS} models are named; the rest was left out")
        else:
            self.models.append(model)

    def fill(self, other: "Draft") -> None:
        """Take from ``other`` whatever is missing here; models and what is unread are joined."""
        for name in _SINGLE:
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))
        if self.generator == UNKNOWN:
            self.generator = other.generator
        for model in other.models:
            self.use(model)
        self.raw = {**other.raw, **self.raw}
        self.warnings = {**other.warnings, **self.warnings}

    def tells(self) -> bool:
        """True where anything at all is known of how the image was made."""
        return bool(self.models) or any(getattr(self, name) is not None for name in _SINGLE[1:])

    def record(self) -> GenerationRecord:
        """The finished record."""
        single = {name: getattr(self, name) for name in _SINGLE}
        warnings = tuple(HeaderWarning(code, detail) for code, detail in self.warnings.items())
        models = merge_models(self.models)
        return GenerationRecord(self.generator, **single, models=models, raw=self.raw, warnings=warnings)


_SINGLE = tuple(f.name for f in fields(Draft) if f.name not in ("generator", "models", "raw", "warnings"))
