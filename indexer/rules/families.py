"""Which lineage of weights? Tensors never tell; names, labels and markers do, and only as a graded guess."""

from collections.abc import Sequence

from indexer.domain.verdict import Evidence
from indexer.domain.vocabulary import architecture_path, families
from indexer.rules.hints import Hint

__all__ = ["guess_family"]

_TRUST = {"base_label": 0.8, "training base": 0.75, "ss_sd_model_name": 0.75, "title": 0.5, "file name": 0.5}
_DEFAULT = 0.5


def guess_family(root: str | None, hints: Sequence[Hint]) -> tuple[str | None, tuple[Evidence, ...]]:
    """The likeliest family below ``root`` (first id of an architecture path) and why; ``None`` when nothing
    hints.

    Independent hints add up like chances: two of 0.5 make 0.75.
    """
    doubts: dict[str, float] = {}
    reasons: dict[str, list[str]] = {}
    heard: set[tuple[str, str]] = set()
    for hint in hints:
        family = hint.family
        if family is None or architecture_path(families()[family].architecture)[0] != root:
            continue
        if (family, hint.source) in heard:
            continue
        heard.add((family, hint.source))
        trust = _TRUST["base_label"] if hint.strong else _TRUST.get(hint.source, _DEFAULT)
        doubts[family] = doubts.get(family, 1.0) * (1.0 - trust)
        reasons.setdefault(family, []).append(f"{hint.source} {hint.text[:80]!r}")
    if not doubts:
        return None, ()
    best = min(doubts, key=lambda family: (doubts[family], family))
    detail = f"{best} ({1 - doubts[best]:.2f}): {'; '.join(reasons[best][:3])}"
    return best, (Evidence("family", detail),)
