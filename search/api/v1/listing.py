"""Pages of models: entries in an order, each model at the place of its best entry, on from a cursor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from indexer.catalog.norms import read_norms
from indexer.catalog.published import model_statements, published_models, siblings
from indexer.catalog.published_find import count_models, model_ids, owners
from indexer.catalog.published_parts import stored_entries, type_not_denied
from indexer.catalog.published_records import PublishedModel, StoredEntry
from indexer.indexes.text import TextQuery
from search.api.v1.asked import Asked
from search.api.v1.cursor import AFTER, AT, Cursor, read_cursor
from search.api.v1.naming import drop_in, is_own, model_number
from search.api.v1.orders import Place, phases_of, read_on, stands_first
from search.api.v1.shapes import kind_of
from search.ranking import load_weights, weigh
from search.retrieval import RANKED, Way, text_candidates
from search.service import Pinakes

__all__ = ["ModelPage", "counted_models", "models_page"]

_LOOKED_AT = 2_000
"""So many entries are looked at for one page; a page that is not full by then still has a cursor."""

_SPOKEN = 10_000
"""So far words are followed: beyond, matches are too weak to be meant."""

_COUNTED = 2_000
"""So many matches are counted model by model; of more the share is taken that these have."""


@dataclass(slots=True)
class ModelPage:
    """Models in order, and where to read on; no cursor after the last."""

    models: list[PublishedModel] = field(default_factory=list)
    cursor: Cursor | None = None


def models_page(pinakes: Pinakes, asked: Asked) -> ModelPage:
    """The page that is asked for. Raises ``HubError`` (400) for a cursor of another listing."""
    if asked.nothing:
        return ModelPage()
    sort = "ids" if asked.ids else asked.sort
    at = read_cursor(asked.cursor, sort) if asked.cursor else None
    if asked.ids:
        return _remade(pinakes, asked, iter(_by_numbers(pinakes, asked.ids)), at, sort)
    if asked.spoken:
        return _remade(pinakes, asked, _by_words(pinakes, asked), at, sort)
    return _walked(pinakes, asked, at)


def counted_models(pinakes: Pinakes, asked: Asked) -> int:
    """How many models match; an estimate where they are many."""
    if asked.nothing:
        return 0
    if asked.ids:
        return len(_by_numbers(pinakes, asked.ids))
    query = TextQuery(asked.parsed.terms, asked.parsed.phrases, asked.where, load_weights().fields)
    if asked.spoken:
        found = pinakes.text.search(query, _COUNTED)
        ids, total = list(found.ids), found.total
    else:
        ids = pinakes.text.matching(asked.where, _COUNTED)
        total = len(ids) if len(ids) < _COUNTED else pinakes.text.search(query, 1).total
    with pinakes.catalog.read() as session:
        models = count_models(session, ids)
    return models if total <= len(ids) else round(total * models / max(1, len(ids)))


def _by_numbers(pinakes: Pinakes, numbers: Sequence[int]) -> list[int]:
    """Ids of models by the hub's numbers or ours, in the order asked."""
    with pinakes.catalog.read() as session:
        known = model_ids(session, [f"civitai:{number}" for number in numbers])
        own = {number: id_ for number in numbers if (id_ := is_own(number)) is not None}
        models = published_models(session, own.values())
    ids = [
        known.get(f"civitai:{number}")
        or (id_ if (id_ := own.get(number)) in models and model_number(models[id_]) == number else None)
        for number in numbers
    ]
    return [id_ for id_ in dict.fromkeys(ids) if id_ is not None]


def _by_words(pinakes: Pinakes, asked: Asked) -> Iterator[int]:
    """Models that the words mean, best first, or in the order that is asked for."""
    with pinakes.catalog.read() as session:
        for ids in _hits(pinakes, asked):
            known = owners(session, ids)
            yield from (known[id_] for id_ in ids if id_ in known)


def _hits(pinakes: Pinakes, asked: Asked) -> Iterator[Sequence[int]]:
    order = drop_in()["sort"][asked.sort][0] if asked.named else None
    parsed, text = asked.parsed, pinakes.text
    query = TextQuery(parsed.terms, parsed.phrases, asked.where, load_weights().fields, order)
    if order == "oldest":
        query = TextQuery(parsed.terms, parsed.phrases, asked.where, query.weights, "newest")
        yield text.search(query, _SPOKEN).ids[::-1]
        return
    start = 0
    if order is None:
        yield _ranked(pinakes, asked)
        start = text.ranked
    while start < _SPOKEN and (ids := text.search(query, RANKED, offset=start).ids):
        yield ids
        start += RANKED


def _ranked(pinakes: Pinakes, asked: Asked) -> Sequence[int]:
    """The best matches by all signals, as search ranks them; each version for itself."""
    found = text_candidates(pinakes.text, asked.parsed, asked.where, Way(), ())
    with pinakes.catalog.read() as session:
        norms = read_norms(session)
    cards = [card._replace(fold=card.id) for card in found.cards]
    today = datetime.now(UTC).date()
    return [one.card.id for one in weigh(cards, found.signals, None, today, load_weights(), norms)]


def _remade(pinakes: Pinakes, asked: Asked, ids: Iterator[int], at: Cursor | None, sort: str) -> ModelPage:
    """A page of an answer that is made anew each time: on behind the last model, wherever it stands now."""
    page = ModelPage()
    ordered = dict.fromkeys(ids) if at is not None else None
    walk: Iterator[int] = iter(_behind(list(ordered), at)) if ordered is not None and at else _unique(ids)
    passed = at.skip if at is not None else (((asked.page or 1) - 1) * asked.limit)
    if at is None:
        for _ in range(passed):
            next(walk, None)
    looked = 0
    while len(page.models) < asked.limit and looked < _LOOKED_AT:
        chunk = [id_ for _, id_ in zip(range(asked.limit - len(page.models)), walk, strict=False)]
        if not chunk:
            page.cursor = None
            return page
        looked += len(chunk)
        passed += len(chunk)
        page.models += _whole(pinakes, _passing(pinakes, asked, chunk))
        page.cursor = Cursor(AT, sort, 0, 0.0, chunk[-1], passed)
    if next(walk, None) is None:
        page.cursor = None
    return page


def _unique(ids: Iterator[int]) -> Iterator[int]:
    seen: set[int] = set()
    for id_ in ids:
        if id_ not in seen:
            seen.add(id_)
            yield id_


def _behind(ids: list[int], at: Cursor) -> list[int]:
    return ids[ids.index(at.id) + 1 if at.id in ids else at.skip :]


def _passing(pinakes: Pinakes, asked: Asked, ids: Sequence[int]) -> Sequence[int]:
    """Models by id, in order, less those that a check refuses."""
    if not asked.types and not asked.checks:
        return ids
    with pinakes.catalog.read() as session:
        # What another type is said of falls out by one look at the statement's text: types may be rare.
        ids = type_not_denied(session, ids, asked.types) if asked.types else ids
        told = model_statements(session, ids)
    return [
        id_
        for id_ in ids
        if id_ in told
        and (not asked.types or kind_of(told[id_]) in asked.types)
        and all(check(told[id_]) for check in asked.checks)
    ]


def _whole(pinakes: Pinakes, ids: Sequence[int]) -> list[PublishedModel]:
    with pinakes.catalog.read() as session:
        models = published_models(session, ids)
    return [models[id_] for id_ in ids if id_ in models]


def _walked(pinakes: Pinakes, asked: Asked, at: Cursor | None) -> ModelPage:
    """A page of an order that goes on by value and id. Pages by number are walked from the start, which is
    not far: they end at 1,000 models."""
    walk = _Walk(pinakes, asked)
    place = Place(at.phase, at.value, at.id, at.skip) if at is not None and at.kind == AFTER else Place()
    before = ((asked.page or 1) - 1) * asked.limit if at is None else 0
    wanted = before + asked.limit
    budget = _LOOKED_AT + 2 * before
    found: list[int] = []
    for firsts in walk.firsts(place):
        for model, after in firsts:
            if model is not None and len(found) == wanted:
                break  # one more than is told: there is another page
            place = after if len(found) < wanted else place
            if model is not None:
                found.append(model)
        else:
            if walk.looked <= budget:
                continue
        cursor = Cursor(AFTER, asked.sort, place.phase, place.value, place.id, place.skip)
        return ModelPage(_whole(pinakes, found[before:]), cursor)
    return ModelPage(_whole(pinakes, found[before:]))


class _Walk:
    """Entries on from a place, some at a time: each model once, at its best entry."""

    def __init__(self, pinakes: Pinakes, asked: Asked) -> None:
        self._pinakes = pinakes
        self._asked = asked
        self._size = max(20, asked.limit)
        self._phases = phases_of(drop_in()["sort"][asked.sort], asked.where)
        self._entries: dict[int, StoredEntry] = {}
        self._owners: dict[int, int] = {}
        self._seen: set[int] = set()
        self.looked = 0

    def firsts(self, place: Place) -> Iterator[list[tuple[int | None, Place]]]:
        """Models with the place after them, a hundred entries at a time, to the end. None stands for one that
        has a better entry, or that a check refuses."""
        hits = read_on(self._pinakes.text, self._phases, place, self._size, self._read)
        while batch := [hit for _, hit in zip(range(self._size), hits, strict=False)]:
            self.looked += len(batch)
            fresh = {self._owners[id_]: after for id_, after in reversed(batch)}
            fresh = {model: after for model, after in fresh.items() if model not in self._seen}
            self._seen |= fresh.keys()
            passing = set(_passing(self._pinakes, self._asked, list(fresh)))
            if place.begun or place.phase:
                passing -= self._behind({model: fresh[model] for model in passing})
            firsts = {after: model for model, after in fresh.items() if model in passing}
            yield [(firsts.get(after), after) for _, after in batch]

    def _behind(self, places: Mapping[int, Place]) -> set[int]:
        """Models that have an entry before the one at their place: it was told on an earlier page."""
        with self._pinakes.catalog.read() as session:
            entries = siblings(session, places)
        return {
            model
            for model, place in places.items()
            if not stands_first(self._phases, place, entries.get(model, ()))
        }

    def _read(self, ids: Sequence[int]) -> Mapping[int, StoredEntry]:
        wanted = [id_ for id_ in ids if id_ not in self._entries]
        if wanted:
            with self._pinakes.catalog.read() as session:
                self._entries |= stored_entries(session, wanted)
                self._owners |= owners(session, wanted)
        return {id_: self._entries[id_] for id_ in ids if id_ in self._owners and id_ in self._entries}
