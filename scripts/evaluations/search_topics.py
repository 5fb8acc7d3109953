"""Topics: two tags together, asked of an index that does not know the tags."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from scripts.evaluations.search_models import Model, letters, order_key, word_list
from scripts.evaluations.search_tasks import Case

__all__ = ["topic_cases"]

_FEWEST, _MOST = 5, 60
_TIMES = 3
_WIDE = 0.12


def topic_cases(models: Sequence[Model]) -> Iterator[Case]:
    """Pairs of tags that 5 to 60 models of three creators or more have both; those are right.

    Tags that more than one model in eight has say nothing, and no tag is in more than three topics.
    A topic's half is told by its words.
    """
    counts = Counter(tag for model in models for tag in _tags(model))
    wide = max(_MOST, int(_WIDE * len(models)))
    having: dict[tuple[str, str], list[Model]] = {}
    for model in models:
        tags = sorted(tag for tag in _tags(model) if _FEWEST <= counts[tag] <= wide)
        for pair in combinations(tags, 2):
            having.setdefault(pair, []).append(model)
    used: Counter[str] = Counter()
    for pair in sorted(having, key=lambda pair: order_key("topic", pair)):
        found = having[pair]
        if not _FEWEST <= len(found) <= _MOST or len({model.creator for model in found}) < 3:
            continue
        if _overlap(*pair) or max(used[tag] for tag in pair) >= _TIMES:
            continue
        used.update(pair)
        half = "held-out" if int(order_key("half", pair), 16) & 1 else "tune"
        yield Case("topic", half, " ".join(pair), frozenset(model.id for model in found))


def _tags(model: Model) -> set[str]:
    noise = word_list("kinds")
    found = (letters(tag) for tag in model.tags)
    return {" ".join(words) for words in found if 1 <= len(words) <= 2 and noise.isdisjoint(words)}


def _overlap(one: str, other: str) -> bool:
    """Whether the tags are nearly one word: ``girl`` and ``girls``, ``final`` and ``final fantasy``."""
    return any(a.startswith(b[:4]) for a in one.split() for b in other.split())
