"""What each signal means for one entry, as half a sentence; without the entry, what the value alone tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from indexer.domain.cards import card_of
from indexer.domain.compatibility import fit_score
from indexer.domain.norms import NO_NORMS, Norms
from indexer.domain.popularity import trusted
from indexer.domain.quality import quality_parts
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.domain.trigger_phrases import phrase_place
from indexer.domain.vocabulary import architectures
from search.signals import EPOCH, Wanted, age

__all__ = ["NOBODY", "PHRASES", "Asked"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: folded ``words`` and the ``wanted`` base; ``norms`` and ``today`` by which it was
    answered."""

    words: tuple[str, ...] = ()
    wanted: Wanted | None = None
    norms: Norms = NO_NORMS
    today: date | None = None


NOBODY = Asked()

_FIELDS: Mapping[str, Callable[[Document], Sequence[str]]] = {
    "its name matches": lambda d: (d.name,),
    "its trigger words match": lambda d: d.trigger_words,
    "its creator matches": lambda d: (d.creator or "",),
    "its tags match": lambda d: d.tags,
    "the name of its file matches": lambda d: d.file_names,
    "its version matches": lambda d: (d.version,),
    "its category matches": lambda d: (d.category or "",),
    "the tags of its training match": lambda d: d.training_tags,
    "prompts of its pictures match": lambda d: d.prompts,
    "its description matches": lambda d: (d.description,),
}
_TOLD_FIELDS = 2


def _text(value: float, document: Document | None, asked: Asked) -> str:
    if value <= 0.0:
        return "its words do not match"
    told = _told(document, asked.words) if document and asked.words else []
    return f"{' and '.join(told) or 'its words match'} ({value:.2f})"


def _told(document: Document, wanted: Sequence[str]) -> list[str]:
    """That they are one of its trigger phrases, which says more than where else they are; else the fields."""
    place = phrase_place(document.trigger_words, wanted)
    if place is None:
        return _matches(document, wanted)
    named = set(wanted) <= set(words(document.name))
    phrase = (
        f"'{' '.join(wanted)}' is {'one of its trigger phrases' if place else 'its first trigger phrase'}"
    )
    return [phrase, "in its name as well"] if named else [phrase]


def _matches(document: Document, wanted: Sequence[str]) -> list[str]:
    """The fields that have most of the words, each with those that no field before it had."""
    held = {title: set(words(" ".join(read(document)))) for title, read in _FIELDS.items()}
    left = list(dict.fromkeys(wanted))
    told: list[str] = []
    while left and len(told) < _TOLD_FIELDS:
        title = max(held, key=lambda name: len(held[name].intersection(left)))  # the first of equal ones
        found = [word for word in left if word in held[title]]
        if not found:
            break
        told.append(f"{title} '{' '.join(found)}'")
        left = [word for word in left if word not in found]
    return told or [f"its words are close to '{' '.join(wanted)}'"]


def _semantic(value: float, document: Document | None, asked: Asked) -> str:
    what = "what was described" if asked.words else "the same things"
    return f"its pictures show {what} ({value:.2f})" if value > 0.0 else f"no picture of it shows {what}"


def _style(value: float, document: Document | None, asked: Asked) -> str:
    return (
        f"its pictures are drawn alike ({value:.2f})" if value > 0.0 else "its pictures are drawn differently"
    )


def _weights(value: float, document: Document | None, asked: Asked) -> str:
    return f"it changes the model alike ({value:.2f})" if value > 0.0 else "it changes the model differently"


def _compatibility(value: float, document: Document | None, asked: Asked) -> str:
    base = _title(asked.wanted.architecture) if asked.wanted else "the wanted base"
    if value >= 1.0:
        return f"it loads on {base}"
    if document is not None and document.architecture is None:
        return f"nobody knows whether it loads on {base}"
    if value <= 0.0:
        own = f", being made for {_title(document.architecture)}" if document else ""
        return f"it does not load on {base}{own}"
    why = _why_in_part(document, asked.wanted) if document and asked.wanted else ""
    return f"it works on {base} in part ({value:.2f}{why})"


def _why_in_part(document: Document, wanted: Wanted) -> str:
    own = (document.kind, document.architecture, document.family)
    _, why = fit_score(*own, wanted.architecture, wanted.family)
    return f": {why[:1].lower()}{why[1:].rstrip('.')}" if why else ""


def _rating(value: float, document: Document | None, asked: Asked) -> str:
    if document is None:
        return f"rated at least {_stars(5 * value)}"
    if document.my_rating is not None:
        return f"you gave it {document.my_rating:g} of 5 stars"
    if document.rating is None:
        return "nobody has rated it"
    count = document.rating_count or 1
    return f"rated at least {_stars(document.rating)} by {count:,} {'person' if count == 1 else 'people'}"


def _stars(stars: float) -> str:
    """Rounded down, since it is a lower bound."""
    return f"{int(stars * 10 + 1e-6) / 10:.1f}"


def _popularity(value: float, document: Document | None, asked: Asked) -> str:
    if document is None:
        return f"downloaded more than {int(100 * value)}% of its like"
    if document.downloads is None:
        return "nobody counts its downloads"
    believed = trusted(document)
    doubt = f", of which votes and use bear out {believed:,.0f}" if believed < document.downloads else ""
    whom = _compared(document, asked)
    if whom is None or doubt:
        return f"downloaded {document.downloads:,} times{doubt}"
    return (
        f"downloaded more than {int(100 * value)}% of {whom}"
        if value >= 0.01
        else f"least downloaded of {whom}"
    )


def _compared(document: Document, asked: Asked) -> str | None:
    """Whom its downloads were compared with; None: nobody."""
    if asked.today is None:
        return None
    card = card_of(document)
    cell = asked.norms.cell(card.root, age(card, (asked.today - EPOCH).days))
    if cell is None:
        return None
    root, bucket = cell
    made = f"{_title(document.architecture_path[0])} models" if root > 0 else "models"
    return f"{made} its age" if bucket >= 0 else f"all {made}"


def _freshness(value: float, document: Document | None, asked: Asked) -> str:
    day = document.created if document else None
    if document is not None and not day:
        return "nobody knows when it was published"
    try:
        return f"published in {date.fromisoformat((day or '')[:10]):%B %Y}"
    except ValueError:
        return f"its freshness is {value:.2f}"


def _quality(value: float, document: Document | None, asked: Asked) -> str:
    if document is None:
        return f"its quality is {value:.2f}"
    lacking = sorted((p for p in quality_parts(document) if p.value < 0.5), key=lambda p: -p.weight)
    if not lacking:
        return "all that can be checked of it is in order"
    faults = " and ".join(part.lacks for part in lacking[:2])
    return f"it is sound, though {faults}" if value >= 0.5 else faults


def _title(architecture: str | None) -> str:
    row = architectures().get(architecture or "")
    return row.title if row else str(architecture)


PHRASES: Mapping[str, Callable[[float, Document | None, Asked], str]] = {
    "text": _text,
    "semantic": _semantic,
    "style": _style,
    "weights": _weights,
    "compatibility": _compatibility,
    "rating": _rating,
    "popularity": _popularity,
    "freshness": _freshness,
    "quality": _quality,
}
"""Signal -> what its value means for an entry (None: not at hand) and what was asked."""
