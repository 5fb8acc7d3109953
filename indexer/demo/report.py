"""The truth about the demo library: what other parts' tests compare their findings with."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DemoModel", "DemoReport"]


@dataclass(frozen=True, slots=True)
class DemoModel:
    """The truth about one file. ``path``, ``previews`` and ``equivalent_of`` are relative to the demo folder.

    ``style`` is the one style of its previews (None for motifs, shown in several, and where there are none);
    ``pictures`` is ``(path, style, subject)`` of each. ``bad`` is ``truncated``, ``mislabelled``,
    ``duplicate`` or ``not_a_model``. ``size`` is in bytes as the file system tells it.
    """

    path: str
    name: str
    kind: str
    architecture: str | None
    family: str | None
    adapter: str | None
    key_format: str | None
    rank: int | None
    base_label: str | None
    category: str | None
    style: str | None
    subjects: tuple[str, ...]
    pictures: tuple[tuple[str, str, str], ...]
    sidecars: tuple[str, ...]
    trigger_words: tuple[str, ...]
    creator: str | None
    model_id: int | None
    version_id: int | None
    equivalent_of: str | None
    hidden: bool
    bad: str | None
    size: int
    note: str

    @property
    def previews(self) -> tuple[str, ...]:
        return tuple(path for path, _, _ in self.pictures)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was written. ``logical_bytes`` is what the files claim, ``disk_bytes`` what they take."""

    folder: Path
    models: tuple[DemoModel, ...]
    pictures: int
    sidecars: int
    logical_bytes: int
    disk_bytes: int
    left_out: tuple[str, ...] = field(default=())

    def by_style(self) -> dict[str, list[DemoModel]]:
        """Models by the style of their previews: what 'similar' should bring together."""
        found: dict[str, list[DemoModel]] = defaultdict(list)
        for model in self.models:
            if model.style:
                found[model.style].append(model)
        return dict(found)
