"""How strongly an adapter's factors count, where only a configuration says so.

PEFT multiplies ``B @ A`` by ``lora_alpha / r``, with ``use_rslora`` by ``lora_alpha / sqrt(r)``, and
``alpha_pattern`` gives single modules another alpha (https://github.com/huggingface/peft,
``src/peft/tuners/lora``). No tensor of the file tells any of it: it stands in ``adapter_config.json`` beside
the file, or, as diffusers saves it, in the header under ``lora_adapter_metadata``, each key after the name of
its component (``transformer.lora_alpha``). Ranks need no statement, ``rank_pattern`` neither: factors have
them.

sd-scripts and LyCORIS keep an alpha beside the factors, which always counts as alpha / rank: LyCORIS
multiplies the root into it when it saves (``rs_lora``; https://github.com/KohakuBlueleaf/LyCORIS,
``modules/locon.py``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.domain.factors import StatedScale

__all__ = ["StatedScales", "stated_scales"]

_KEY = "lora_adapter_metadata"
_WRAPPERS = ("base_model.model.", "diffusion_model.")
_ALPHAS = ("lora_alpha", "alpha")
_MOST_TEXT = 8 << 20
_MOST_GLOBS = 16
_LONGEST = 400
_MOST_PARTS = 16
_START, _ANY = "^", ".*"
_SYNTAX = frozenset("*+?()[]{}|^$\\")


@dataclass(frozen=True, slots=True)
class _Component:
    """What is stated for one part of a pipeline. ``names`` maps whole names, or their last parts, to (place
    in the configuration, alpha); ``globs`` are patterns with ``.*``, cut there: (place, pieces, alpha)."""

    alpha: float | None
    stabilised: bool
    names: Mapping[str, tuple[int, float]]
    globs: tuple[tuple[int, tuple[str, ...], float], ...]

    def of(self, module: str) -> StatedScale | None:
        """The scale of a module by its name with dots: of several patterns that fit, the first counts."""
        fitting = [self.names[ending] for ending in _endings(module) if ending in self.names]
        fitting += [(place, alpha) for place, pieces, alpha in self.globs if _fits(pieces, module)]
        alpha = min(fitting)[1] if fitting else self.alpha
        return None if alpha is None else StatedScale(alpha, self.stabilised)


class StatedScales:
    """What a configuration states for an adapter's modules; empty where there is none."""

    def __init__(self, components: Mapping[str, _Component]) -> None:
        self._components = components

    def __bool__(self) -> bool:
        return bool(self._components)

    def of(self, stem: str) -> StatedScale | None:
        """The scale of the module whose tensors are called ``stem`` and a factor's suffix."""
        component, module = self._place(stem[:_LONGEST])
        return None if component is None else component.of(module)

    def _place(self, stem: str) -> tuple[_Component | None, str]:
        for wrapper in _WRAPPERS:
            stem = stem.removeprefix(wrapper)
        first, _, rest = stem.partition(".")
        if first in self._components:
            return self._components[first], rest
        alone = next(iter(self._components.values())) if len(self._components) == 1 else None
        return self._components.get("", alone), stem


def stated_scales(metadata: Mapping[str, str], configuration: Mapping[str, Any] | None) -> StatedScales:
    """What the header's ``metadata``, or else the ``configuration`` beside the file, state."""
    told = _parsed(metadata.get(_KEY, "")) or configuration or {}
    parts: dict[str, dict[str, Any]] = {}
    for key, value in told.items():
        component, _, name = str(key).rpartition(".")
        parts.setdefault(component, {})[name] = value
    found = {name: _component(values) for name, values in parts.items()}
    return StatedScales(
        {name: one for name, one in found.items() if one.alpha is not None or one.names or one.globs}
    )


def _parsed(text: str) -> dict[str, Any] | None:
    if not text or len(text) > _MOST_TEXT:
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _component(values: Mapping[str, Any]) -> _Component:
    told = (_number(values.get(name)) for name in _ALPHAS)
    alpha = next((number for number in told if number is not None), None)
    patterns = values.get("alpha_pattern")
    names: dict[str, tuple[int, float]] = {}
    globs: list[tuple[int, tuple[str, ...], float]] = []
    for place, (pattern, value) in enumerate(patterns.items() if isinstance(patterns, dict) else ()):
        number, name = _number(value), _name(str(pattern)[:_LONGEST])
        if number is None or name is None:
            continue
        if _ANY not in name:
            names.setdefault(name, (place, number))
        elif len(globs) < _MOST_GLOBS:
            globs.append((place, tuple(name.split(_ANY)), number))
    return _Component(alpha, values.get("use_rslora") is True, names, tuple(globs))


def _name(pattern: str) -> str | None:
    """A pattern as a name with ``.*`` for anything; None for other regular expressions. They are a stranger's
    and might run for ever, so none is ever compiled."""
    name = pattern.removesuffix("$").replace("\\.", ".")
    plain = name.removeprefix(_START).replace(_ANY, "")
    return None if _SYNTAX & set(plain) else name


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e9 else None


def _endings(module: str) -> list[str]:
    """The name with a mark of its start, the name, and what is left of it without its first parts: PEFT
    matches ``(.*\\.)?PATTERN$``."""
    parts = module.split(".")[-_MOST_PARTS:]
    return [_START + module, module, *(".".join(parts[first:]) for first in range(1, len(parts)))]


def _fits(pieces: tuple[str, ...], module: str) -> bool:
    """Whether the pieces follow one another in the name, the first at the start of a part, the last at its
    end; each is looked for once, from the left."""
    first, *middle, last = pieces
    for ending in _endings(module):
        place = len(first) if ending.startswith(first) else -1
        for piece in middle:
            place = -1 if place < 0 else ending.find(piece, place)
            place = place if place < 0 else place + len(piece)
        if place >= 0 and ending.endswith(last) and len(ending) - len(last) >= place:
            return True
    return False
