"""Pages of models: entries in an order, each model at the place of its best entry, on from a cursor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from indexer.catalog.norms import read_norms
from indexer.catalog.published import published_models, siblings
from indexer.catalog.published_find import count_models, model_ids, owners
from indexer.catalog.published_records import PublishedModel
from indexer.domain.records import Document
from indexer.indexes.text import TextQuery
from search.api.v1.asked import Asked
from search.api.v1.cursor import AFTER, AT, Cursor, read_cursor
from search.api.v1.naming import drop_in, is_own, model_number
from search.api.v1.orders import Place, first_of, phases_of, read_on
from search.ranking import load_weights, weigh
from search.retrieval import RANKED, Span, text_candidates
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
        start = RANKED
    while start < _SPOKEN and (ids := text.search(query, RANKED, offset=start).ids):
        yield ids
        start += RANKED


def _ranked(pinakes: Pinakes, asked: Asked) -> Sequence[int]:
    """The best matches by all signals, as search ranks them; each version for itself."""
    found = text_candidates(pinakes.text, asked.parsed, asked.where, Span(RANKED), ())
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
            return page
        looked += len(chunk)
        passed += len(chunk)
        page.models += _checked(pinakes, asked, chunk)
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


def _checked(
    pinakes: Pinakes, asked: Asked, ids: Sequence[int], known: Mapping[int, Document] | None = None
) -> list[PublishedModel]:
    """Models by id, in order, less those that a check refuses."""
    with pinakes.catalog.read() as session:
        if asked.checks:
            told = published_models(session, ids, known, whole=False)
            ids = [id_ for id_ in ids if id_ in told and all(check(told[id_]) for check in asked.checks)]
        models = published_models(session, ids, known)
    return [models[id_] for id_ in ids if id_ in models]


def _walked(pinakes: Pinakes, asked: Asked, at: Cursor | None) -> ModelPage:
    """A page of an order that goes on by value and id. Pages by number are walked from the start, which is
    not far: they end at 1,000 models."""
    walk = _Walk(pinakes, asked)
    place = Place(at.phase, at.value, at.id, at.skip) if at is not None and at.kind == AFTER else Place()
    before = ((asked.page or 1) - 1) * asked.limit if at is None else 0
    budget = _LOOKED_AT + 2 * before
    page = ModelPage()
    for firsts in walk.firsts(place):
        skipped = firsts[:before] if not asked.checks else []
        firsts, before = firsts[len(skipped) :], before - len(skipped)
        if not asked.checks:
            firsts = firsts[: asked.limit - len(page.models)]
        known = {m.id: m for m in _checked(pinakes, asked, [id_ for id_, _ in firsts], walk.documents)}
        for id_, after in firsts:
            place = after
            if id_ not in known:
                continue
            if before > 0:
                before -= 1
                continue
            page.models.append(known[id_])
            if len(page.models) == asked.limit:
                break
        if len(page.models) == asked.limit or walk.looked > budget:
            page.cursor = Cursor(AFTER, asked.sort, place.phase, place.value, place.id, place.skip)
            return page
    return page


class _Walk:
    """Entries on from a place, some at a time, less those whose model has a better one."""

    def __init__(self, pinakes: Pinakes, asked: Asked) -> None:
        self._pinakes = pinakes
        self._size = max(20, asked.limit)
        self._phases = phases_of(drop_in()["sort"][asked.sort], asked.where)
        self._models: dict[int, int] = {}
        self._documents: dict[int, dict[int, Document]] = {}
        self._firsts: dict[int, int | None] = {}
        self.looked = 0

    @property
    def documents(self) -> Mapping[int, Document]:
        """All documents that were read, by version."""
        return {id_: document for found in self._documents.values() for id_, document in found.items()}

    def firsts(self, place: Place) -> Iterator[list[tuple[int, Place]]]:
        """Models with the place after them, a few hundred at a time, to the end."""
        found: list[tuple[int, Place]] = []
        hits = read_on(self._pinakes.text, self._phases, place, self._size, self._read)
        for count, (id_, after) in enumerate(hits, 1):
            model = self._models[id_]
            if self._first(model) == id_:
                found.append((model, after))
            if count % self._size == 0:
                self.looked = count
                yield found
                found = []
        if found:
            yield found

    def _first(self, model: int) -> int | None:
        """The best entry of a model."""
        if model not in self._firsts:
            known = self._documents[model]
            self._firsts[model] = next(iter(known)) if len(known) == 1 else first_of(self._phases, known)
        return self._firsts[model]

    def _read(self, ids: Sequence[int]) -> Mapping[int, Document]:
        wanted = [id_ for id_ in ids if id_ not in self._models]
        with self._pinakes.catalog.read() as session:
            read = siblings(session, wanted) if wanted else {}
        self._documents |= read
        self._models |= {id_: model for model, found in read.items() for id_ in found}
        return {id_: self._documents[self._models[id_]][id_] for id_ in ids if id_ in self._models}
