"""What making a model anew for another base takes: pictures, looks at them, GPU hours, money. Pure.

GPU hours = looks x (overhead + passes x TFLOP of a forward pass / (peak x efficiency)) / 3600, all constants
with their reasons in ``search/data/plan.toml``. Looks come from what the old file's metadata tells, else from
the table. The answer is a range, as wide as trainers and their settings differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.domain.vocabulary import architecture_path, architectures
from search.plan_fit import Target
from search.plan_table import Card, TrainedBase, Training, load_plan_table

__all__ = ["Price", "Retraining", "retraining"]

_CAPTIONS = 20
_MOST = 10**7
"""Looks at pictures, and pictures, beyond which a file's word is not believed."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of the card costs; None: what the table says for the card that is needed."""

    per_hour: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Retraining:
    """What training takes; ``sort`` is a row of ``[training]``.

    ``images`` and ``told_steps`` are what the old file tells, None where it does not. ``steps`` are looks at
    pictures, lowest and highest; ``gpu_hours`` and ``cost`` likewise, None where nothing is known of the
    base. ``captions`` are the commonest tags of the old training set.
    """

    sort: str
    images: int | None
    images_wanted: tuple[int, int]
    told_steps: int | None
    steps: tuple[int, int]
    rank: int | None
    resolution: int | None
    gpu_hours: tuple[float, float] | None
    cost: tuple[float, float] | None
    currency: str
    price_per_hour: float | None
    card: str | None
    captions: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        cost = None
        if self.gpu_hours is not None and self.cost is not None:
            cost = {
                "gpu_hours": list(self.gpu_hours),
                "money": list(self.cost),
                "currency": self.currency,
                "price_per_hour": self.price_per_hour,
                "card": self.card,
            }
        return {
            "sort": self.sort,
            "images": self.images,
            "images_wanted": list(self.images_wanted),
            "steps": list(self.steps),
            "told_steps": self.told_steps,
            "rank": self.rank,
            "resolution": self.resolution,
            "cost_range": cost,
            "captions": list(self.captions),
            "notes": list(self.notes),
        }


def retraining(
    kind: str, facts: Mapping[str, Any], target: Target, price: Price, captions: Sequence[str] = ()
) -> Retraining | None:
    """What making a model of this kind anew takes; None for kinds that nobody trains at home.

    ``facts`` are those that ``told_facts`` gives of the old file: ``images``, ``steps``, ``batch_size`` …
    """
    table = load_plan_table()
    kind_row = table.kinds.get(kind)
    if kind_row is None or kind_row.trains is None:
        return None
    row, base = table.training[kind_row.trains], _base_of(target)
    told = _looks(facts)
    low, high = _span(told, row)
    hours, card = _hours(low, high, base)
    per_hour = price.per_hour if price.per_hour is not None else (card.price if card else None)
    return Retraining(
        sort=kind_row.trains,
        images=_number(facts.get("images")),
        images_wanted=row.images,
        told_steps=_number(facts.get("steps")),
        steps=(low, high),
        rank=_rank(facts, row),
        resolution=base.pixels if base else None,
        gpu_hours=hours,
        cost=None
        if hours is None or per_hour is None
        else (_cents(hours[0], per_hour), _cents(hours[1], per_hour)),
        currency=price.currency or table.currency,
        price_per_hour=per_hour,
        card=card.title if card else None,
        captions=tuple(captions[:_CAPTIONS]),
        notes=tuple(_notes(facts, told, target, base)),
    )


def _base_of(target: Target) -> TrainedBase | None:
    rows = load_plan_table().bases
    path = architecture_path(target.architecture) if target.architecture in architectures() else ()
    return next((rows[node] for node in reversed(path) if node in rows), None)


def _number(value: Any) -> int | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST
    return int(value) if usable else None


def _looks(facts: Mapping[str, Any]) -> int | None:
    """How many looks at pictures the old training took: steps of a batch, or epochs of pictures."""
    numbers = {
        name: _number(facts.get(name))
        for name in ("steps", "batch_size", "accumulation", "train_images", "epochs", "planned_epochs")
    }
    steps = numbers["steps"]
    if steps is not None:
        found = steps * (numbers["batch_size"] or 1) * (numbers["accumulation"] or 1)
    else:
        found = (numbers["train_images"] or 0) * (numbers["epochs"] or numbers["planned_epochs"] or 0)
    return found if 0 < found <= _MOST else None


def _span(told: int | None, row: Training) -> tuple[int, int]:
    low, high = row.samples if told is None else (told * row.factor[0], told * row.factor[1])
    return tuple(_round(min(row.most, max(row.least, value))) for value in (low, high))  # type: ignore[return-value]  # two in, two out


def _round(value: float) -> int:
    """To two figures: more would promise too much."""
    digits = max(0, len(str(int(value))) - 2)
    return round(int(value), -digits)


def _hours(low: int, high: int, base: TrainedBase | None) -> tuple[tuple[float, float] | None, Card | None]:
    if base is None:
        return None, None
    table = load_plan_table()
    card = next(card for card in table.cards if base.parameters <= card.most)
    compute = table.compute
    slow, fast = (
        compute.overhead + compute.passes * base.tflop / (card.peak * share) for share in compute.efficiency
    )
    return (round(low * fast / 3600, 2), round(high * slow / 3600, 2)), card


def _cents(hours: float, per_hour: float) -> float:
    return round(hours * per_hour, 2)


def _rank(facts: Mapping[str, Any], row: Training) -> int | None:
    """The old rank, as far as it makes sense on a larger base."""
    if not row.rank:
        return None
    return min(row.rank_most, _number(facts.get("dim")) or row.rank)


def _notes(facts: Mapping[str, Any], told: int | None, target: Target, base: TrainedBase | None) -> list[str]:
    notes = []
    if told is None:
        notes.append("Its file does not tell how long it was trained; the range is what trainers advise.")
    resolution = facts.get("resolution")
    side = max(resolution) if isinstance(resolution, Sequence) and resolution else None
    if base is not None and isinstance(side, int) and side < base.pixels:
        notes.append(
            f"It was trained at {side} pixels and {target.title} works at {base.pixels}: "
            "look for the larger originals."
        )
    if base is None:
        notes.append(f"What training on {target.title} costs is not in the table (search/data/plan.toml).")
    return notes
