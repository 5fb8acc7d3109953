"""What is shown of an answer: facets, chips and cards as flat records, so that templates hold no logic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from indexer.domain import vocabulary
from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.records import Document
from search.answers import Answer, Hit
from search.web.parameters import Clause, Wanted
from search.web.ranges import range_told
from search.web.values import Value
from search.web.words import SIGNALS, kind_title, title_of, value_title

__all__ = [
    "SORT_TITLES",
    "Card",
    "Chip",
    "Facet",
    "Reason",
    "Value",
    "blurred",
    "cards",
    "chips",
    "cover",
    "facets",
    "short_kind",
    "widened_fields",
    "yours",
]

_SHOWN = 8
"""So many values of a facet are seen before *more* is asked for."""

_REST = 32
"""So many more are behind it; rarer values are found by typing their name."""

_ORDER = (
    *("type", "arch", "family", "category", "tag", "mytag", "creator", "base", "adapter", "has", "is"),
    "licence",
)
YOURS: Mapping[str, str] = {
    "unseen": "Not seen yet",
    "favourite": "Favourites",
    "rated": "Rated by you",
}
"""Values of ``is`` that stand above the other filters."""

_OPEN = ("type", "arch", "category", "tag")

_ADULT = 4 | 8 | 16 | 32

SORT_TITLES: Mapping[str, str] = {
    "relevance": "Best match",
    "newest": "Newest",
    "updated": "Last changed",
    "random": "Surprise me",
    "rating": "Best rated",
    "downloads": "Most downloaded",
    "size": "Largest",
    "name": "Name",
}


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of the filter panel; ``rest`` are the values behind *more*."""

    name: str
    title: str
    help: str
    open: bool
    values: Sequence[Value]
    rest: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter and the link that takes it away."""

    field: str
    title: str
    negated: bool
    remove: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal of a score: its value 0..1, and its share of the score in percent."""

    title: str
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class Card:
    """One entry in the gallery; see ``cover``. ``also``: how many other versions it stands for. Why it is
    here is worked out when it is asked for: few are."""

    hit: Hit
    kind: str
    architecture: str
    cover: str
    alert: str
    also: int = 0

    @property
    def document(self) -> Document:
        """What it shows."""
        return self.hit.document

    @property
    def score(self) -> float:
        """How well it answers, 0..1."""
        return self.hit.score.value

    @property
    def scored(self) -> bool:
        """Whether there is anything to say of its score."""
        return any(value > 0 for value, _ in self.hit.score.signals.values())

    @property
    def told(self) -> str:
        """Its score as a sentence."""
        return self.hit.explain()

    @property
    def reasons(self) -> Sequence[Reason]:
        """What its score is made of, the largest share first."""
        return _reasons(self.hit)


def cards(hits: Sequence[Hit]) -> list[Card]:
    """The hits of an answer as cards."""
    return [_card(hit) for hit in hits]


def _card(hit: Hit) -> Card:
    document = hit.document
    return Card(
        hit=hit,
        kind=short_kind(document),
        architecture=title_of(document.architecture) if document.architecture else "",
        cover=cover(document),
        alert=_alert(document),
        also=len(hit.also),
    )


def short_kind(document: Document) -> str:
    """Kind for a small label: an adapter's algorithm says more than its kind."""
    if document.kind == "lora":
        row = vocabulary.adapter_algorithms().get(document.adapter or "lora")
        return row.title if row else "LoRA"
    return kind_title(document.kind)


def cover(document: Document) -> str:
    """How a preview is shown: previews that nobody rated, and adult ones, are blurred until asked for."""
    if document.hidden or (document.nsfw_level or 0) & _ADULT:
        return "adult"
    return "clear" if document.nsfw_level else "unrated"


def _alert(document: Document) -> str:
    if "missing" in document.flags:
        return "file missing"
    return "mislabelled" if "mislabelled" in document.flags else ""


def _reasons(hit: Hit) -> list[Reason]:
    signals = hit.score.signals
    total = sum(weight for _, weight in signals.values()) or 1.0
    told = [Reason(SIGNALS.get(n, n), v, 100 * v * w / total) for n, (v, w) in signals.items()]
    return sorted((reason for reason in told if reason.value > 0), key=lambda reason: -reason.share)


def chips(wanted: Wanted) -> list[Chip]:
    """The active filters, in the order given."""
    found = []
    for clause in wanted.clauses:
        for value in clause.values:
            told = clause.field.type.ranged
            title = range_told(clause.field, value) if told else value_title(clause.field.name, value)
            found.append(
                Chip(clause.field.title, title, clause.negated, wanted.without(clause.field, value).url())
            )
    return found


def facets(wanted: Wanted, counted: Mapping[str, Mapping[str, int]]) -> list[Facet]:
    """The filter panel; ``counted`` is field -> value -> entries. Facets without a choice are left out."""
    found = []
    for name in sorted(counted, key=lambda n: _ORDER.index(n) if n in _ORDER else len(_ORDER)):
        field = FIELDS[name]
        values = _values(wanted, field, counted[name])
        if not values:
            continue
        touched = any(value.state for value in values)
        found.append(
            Facet(
                name,
                field.title,
                field.help,
                touched or name in _OPEN,
                values[:_SHOWN],
                values[_SHOWN:],
            )
        )
    return found


def yours(wanted: Wanted, counted: Mapping[str, Mapping[str, int]]) -> list[Value]:
    """The user's own states, always at hand; none for an empty library."""
    here, field = wanted.url(), FIELDS["is"]
    if field.name not in counted:
        return []
    values = [_value(wanted, here, field, name, counted["is"].get(name, 0)) for name in YOURS]
    return [replace(value, title=YOURS[name]) for name, value in zip(YOURS, values, strict=True)]


def _values(wanted: Wanted, field: Field, counts: Mapping[str, int]) -> list[Value]:
    chosen = {v: None for clause in wanted.clauses if clause.field is field for v in clause.values}
    if field.type is FieldType.TREE:
        names = _as_tree([*counts, *(value for value in chosen if value not in counts)], counts)
    else:
        names = [*chosen, *(name for name in counts if name not in chosen)]
    # The query language cannot say a value that holds a quote.
    names = [name for name in names if name and '"' not in name and not _own(field, name)][: _SHOWN + _REST]
    here = wanted.url()
    return [_value(wanted, here, field, name, counts.get(name)) for name in names]


def _own(field: Field, name: str) -> bool:
    return field.name == "is" and (name in YOURS or name == "seen")


def _value(wanted: Wanted, here: str, field: Field, name: str, count: int | None) -> Value:
    path = vocabulary.architecture_path(name) if field.type is FieldType.TREE and _known(name) else (name,)
    state = wanted.state(field, name)
    include, exclude = (_toggle(wanted, here, state, Clause(field, (name,), no)) for no in (False, True))
    return Value(value_title(field.name, name), count, state, include, exclude, min(3, len(path) - 1))


def _toggle(wanted: Wanted, here: str, state: str, clause: Clause) -> str:
    """Link that adds a clause; most values are not chosen, and then it only grows the link to ``here``."""
    if state:
        return wanted.toggled(clause.field, clause.values[0], negated=clause.negated).url()
    return f"{here}{'&' if '?' in here else '?'}{urlencode([clause.parameter])}"


def _known(architecture: str) -> bool:
    return architecture in vocabulary.architectures()


def _as_tree(names: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """Roots by their count, each followed by what stands below it; a child that adds nothing is left out."""

    def path(name: str) -> tuple[str, ...]:
        return vocabulary.architecture_path(name) if _known(name) else (name,)

    def place(name: str) -> list[tuple[int, str]]:
        return [(-counts.get(step, 0), step) for step in path(name)]

    return sorted(names, key=place)


def widened_fields(wanted: Wanted) -> list[Field]:
    """Fields in which another value may be chosen beside those asked for.

    An answer counts only what it holds, so their facets need a query without them.
    """
    found = {c.field.name: c.field for c in wanted.clauses if c.field.facet and c.widens and not c.negated}
    return list(found.values())


def blurred(answer: Answer) -> int:
    """How many previews of an answer are blurred because nobody rated them."""
    documents = (hit.document for hit in answer.hits)
    return sum(d.preview_id is not None and cover(d) == "unrated" for d in documents)
