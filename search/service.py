"""One place that wires queries, indexes and catalog into answers; the command, the API and the page call it.

from search.service import Pinakes
p = Pinakes()
for hit in p.search("watercolour harbour type:lora").hits:
    print(hit.document.name, hit.score.explain())
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from indexer.catalog import entries
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.details import (
    VersionDetails,
    header_metadata,
    library_counts,
    preview_thumbnail,
    quarantined,
    version_details,
)
from indexer.catalog.schedules import list_schedules
from indexer.catalog.usage import version_usage
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Not
from indexer.domain.hubs import hash_values
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.domain.vocabulary import architectures
from indexer.errors import UsageError
from indexer.finding import found_exactly
from indexer.indexes.text import ORDERS, TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.parsers.training import parse_metadata, told_facts
from indexer.settings import Settings, read_settings
from indexer.thumbnails import thumbnail_path
from search.answers import Answer, Hit
from search.described import described, described_picture
from search.duplicates import Duplicates, find_duplicates
from search.map import Maps, StyleMap
from search.mislabelled import Mislabelled, labels_at_fault
from search.query import ParsedQuery, parse_query
from search.ranking import document_signals, fuse, load_weights
from search.retrieval import (
    RANKED,
    Candidates,
    alike,
    flags_asked,
    hidden_total,
    is_everything,
    text_candidates,
)
from search.similar import Looks

_T = TypeVar("_T")

__all__ = ["SORTS", "Pinakes"]

SORTS = ("relevance", *ORDERS)
_BY = ("style", "content", "mix", "weights")
_BY_SIGNALS = {"style": "style", "content": "semantic", "weights": "weights"}
MAX_LIMIT = 200
MAX_MATCHING = 1_000_000
_HIDDEN = ("adult", "real_person", "minor")
_FACETS = tuple(field.name for field in FIELDS.values() if field.facet)


class Pinakes:
    """An open library to ask. Reading only; many threads may share it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        self._opening = threading.RLock()
        self._opened: dict[str, Any] = {}

    def _once(self, name: str, make: Callable[[], _T]) -> _T:
        """The part called ``name``, made at first use by whichever thread comes first."""
        with self._opening:
            if name not in self._opened:
                self._opened[name] = make()
            part: _T = self._opened[name]
            return part

    @property
    def catalog(self) -> Catalog:
        """The catalog. Raises ``CatalogError`` when it cannot be opened."""
        return self._once("catalog", lambda: open_catalog(self.settings))

    @property
    def text(self) -> TantivyIndex:
        """The text index."""
        return self._once("text", lambda: TantivyIndex(self.settings.text_folder))

    @property
    def looks(self) -> Looks:
        """The vector indexes."""
        return self._once("looks", lambda: Looks(self.settings, self.catalog))

    @property
    def maps(self) -> Maps:
        """Maps of the library's styles."""
        return self._once("maps", lambda: Maps(self.settings, self.catalog))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections and worker processes back."""
        for name in ("looks", "catalog"):
            if name in self._opened:
                self._opened[name].close()

    def search(
        self,
        query: str = "",
        *,
        image: bytes | Path | None = None,
        base: str | None = None,
        sort: str = "relevance",
        limit: int = 24,
        offset: int = 0,
    ) -> Answer:
        """Find entries by words and filters, and by what is in a picture when ``image`` is given.

        ``base`` is an architecture id; entries that do not fit it fall back. Raises ``QueryError`` with a
        caret for a query that cannot be understood, ``UsageError`` for other arguments.
        """
        started = time.perf_counter()
        _check_page(sort, limit, offset)
        parsed = parse_query(query)
        where = self._visible(parsed)
        base = self._architecture(base)
        if image is not None:
            return self._by_picture(parsed, where, image, base, limit, offset, started)
        order = None if sort == "relevance" else sort
        found = text_candidates(self.text, parsed, where, order, limit, offset, _FACETS)
        looked: Mapping[int, float] = {}
        if order is None and self.settings.clip_pretrained is not None:
            found, looked = described(self.looks, self.catalog, self.text, parsed, where, found)
        hits = self._rank(found, base, {"semantic": looked} if looked else None, described=True)
        return self._answer(parsed, found, hits, started, limit=limit, offset=offset, base=base, sort=sort)

    def _by_picture(
        self,
        parsed: ParsedQuery,
        where: Filter,
        image: bytes | Path,
        base: str | None,
        limit: int,
        offset: int,
        started: float,
    ) -> Answer:
        """What is most like the picture first. With CLIP words count beside it; else they narrow."""
        narrowed = text_candidates(self.text, parsed, where, None, RANKED, 0, _FACETS)
        both = described_picture(self.looks, self.catalog, self.text, parsed, where, narrowed, image)
        if both is None:
            looked: Mapping[int, float] = self.looks.of_image(image, "content", narrowed.ids)
            found = replace(Candidates.from_scores(looked), facets=narrowed.facets)
        else:
            found, looked = both
        hits = self._rank(found, base, {"semantic": looked})
        return self._answer(
            parsed,
            found,
            hits,
            started,
            limit=limit,
            offset=offset,
            base=base,
        )

    def similar(
        self,
        what: int | str | Path | bytes,
        *,
        by: str = "style",
        base: str | None = None,
        query: str = "",
        limit: int = 24,
        offset: int = 0,
        min_score: float | None = None,
    ) -> Answer:
        """Find entries whose previews look like a picture (path or bytes) or like an entry (id or name).

        ``by`` is ``style`` (how it is drawn), ``content`` (what is in it), ``mix`` (both, weighed as
        ``ranking.toml`` says) or ``weights`` (how it changes the model: adapters of one architecture only).
        Scores by style and content say how rare so near a picture is: 0.25 is one in ten, 0.5 one in a
        hundred. What scores below ``min_score`` is not called similar; None: the measured cut-off. An
        adapter without a preview is compared by its weights when asked by style. ``base`` keeps what is made
        for that architecture. Raises ``UsageError`` when ``what`` names nothing, or the entry has no preview.
        """
        started = time.perf_counter()
        _check_page("relevance", limit, offset)
        _check_score(min_score)
        if by not in _BY:
            raise UsageError("by", f"similar by {by!r} is unknown. Choose style, content, mix or weights.")
        parsed = parse_query(query)
        where = self._visible(parsed)
        base = self._architecture(base)
        if base is not None:
            where = And((where, AnyOf(FIELDS["arch"], (base,))))
        allowed = None if is_everything(where) else self._matching(parsed, where)
        if isinstance(what, bytes | Path):
            if by == "weights":
                raise UsageError("by", "A picture has no weights. Choose style or content, or name a model.")
            looked, like = {way: self.looks.of_image(what, way, allowed) for way in _ways(by)}, None
        else:
            like = self.find(what)
            looks = [self._like_entry(like, way, allowed) for way in _ways(by)]
            looked = {way: scores for scores, way in looks}
        cut_offs = {way: self.looks.cut_off(way) for way in looked}
        found = Candidates.from_scores(alike(looked, cut_offs, min_score))
        hits = self._rank(found, base, {_BY_SIGNALS[way]: scores for way, scores in looked.items()})
        return self._answer(
            parsed,
            found,
            hits,
            started,
            limit=limit,
            offset=offset,
            by=by if len(looked) > 1 else next(iter(looked)),
            base=base,
            like={"id": like.id, "name": like.name} if like else "picture",
        )

    def _like_entry(
        self, entry: Document, by: str, allowed: Sequence[int] | None
    ) -> tuple[dict[int, float], str]:
        """Scores, and by what they were made: weights where a style is asked for that nobody has seen."""
        if by == "weights":
            return self.looks.of_weights(entry, allowed), by
        try:
            return self.looks.of_entry(entry, by, allowed), by
        except UsageError as error:
            if by != "style" or error.code not in ("no_preview", "no_vectors"):
                raise
            try:
                return self.looks.of_weights(entry, allowed), "weights"
            except UsageError:
                raise error from None

    def duplicates(self, *, limit: int | None = None, offset: int = 0) -> Duplicates:
        """What lies several times in the library, most bytes first: copies, the same tensors under other
        metadata, adapters with the same weights. ``limit`` counts groups; None: all. Nothing is deleted.
        """
        _check_page("relevance", MAX_LIMIT if limit is None else limit, offset)
        kept_back = frozenset(self._kept_back(parse_query("")))
        return find_duplicates(self.catalog, kept_back, MAX_MATCHING if limit is None else limit, offset)

    def map(self, query: str = "") -> StyleMap:
        """The styles of what matches the query, laid out in the plane with named neighbourhoods.

        Kept until the library changes; empty where no picture was indexed. Raises ``QueryError``.
        """
        parsed = parse_query(query)
        where = self._visible(parsed)
        return self.maps.draw(query, where, lambda: self._matching(parsed, where))

    def find(self, what: int | str) -> Document:
        """The entry that an id, a name, a path or a hash means. Raises ``UsageError`` (``unknown_model``)."""
        text = str(what).strip()
        meant = found_exactly(self.catalog, text)
        if meant is not None:
            return meant.document
        if text.isascii() and text.isdigit() and len(text) <= 18:
            entry = self.entry(int(text))
            if entry is not None:
                return entry
        terms = tuple(words(text.replace("\\", "/").rsplit("/", 1)[-1], glued=False))
        exact = AnyOf(FIELDS["hash"], hash_values(text))
        for query in (TextQuery((), where=exact), TextQuery((), (terms,)), TextQuery(terms)):
            found = self.text.search(query, 1).ids if terms else ()
            if found and (entry := self.entry(found[0])) is not None:
                return entry
        raise UsageError(
            "unknown_model",
            f"No model is known as {text!r}. Give its id, name or file name as search shows it.",
        )

    def entry(self, entry_id: int) -> Document | None:
        """The entry with this id, or None."""
        with self.catalog.read() as session:
            return entries.documents(session, [entry_id]).get(entry_id)

    def show(self, entry_id: int) -> VersionDetails | None:
        """Everything known of one entry: files with verdicts and evidence, claims by source, previews, and
        how pictures use it."""
        with self.catalog.read() as session:
            details = version_details(session, entry_id)
            if details is None:
                return None
            metadata = header_metadata(session, [file["id"] for file in details.files])
            kept_back = frozenset(self._kept_back(parse_query("")))
            usage = version_usage(session, details.document, details.claims, kept_back)
        return replace(details, training=told_facts(parse_metadata(metadata)[0]), usage=usage)

    def mislabelled(self, query: str = "", *, limit: int | None = None, offset: int = 0) -> Mislabelled:
        """Models whose claims the tensors contradict, of those that match the query, newest first.

        ``limit`` counts models; None: all of them. Items are read as they are asked for, so a long report
        begins at once. Raises ``QueryError`` and ``UsageError`` as ``search`` does.
        """
        count = MAX_MATCHING if limit is None else limit
        _check_page("relevance", min(count, MAX_LIMIT), offset)
        parsed = parse_query(query)
        where = And((self._visible(parsed), AnyOf(FIELDS["is"], ("mislabelled",))))
        order = None if parsed.terms or parsed.phrases else "newest"
        found = self.text.search(
            TextQuery(parsed.terms, parsed.phrases, where, order=order), count, (), offset
        )
        told = replace(parsed, where=And((parsed.where, AnyOf(FIELDS["is"], ("mislabelled",)))))
        items = labels_at_fault(self.catalog, found.ids)
        return Mislabelled(found.total, self._hidden_count(told), offset, items)

    def thumbnail(self, preview_id: int) -> Path | None:
        """The re-encoded picture (WebP) of a preview, or None."""
        with self.catalog.read() as session:
            name = preview_thumbnail(session, preview_id)
        return None if name is None else thumbnail_path(self.settings.thumbnail_folder, name)

    def quarantined(self) -> list[dict[str, Any]]:
        """Files that could not be read: path, reason code, sentence, whether it is tried again."""
        with self.catalog.read() as session:
            return quarantined(session)

    def schedules(self) -> list[dict[str, Any]]:
        """Jobs on a schedule by name: what the last run said, when the next is due."""
        with self.catalog.read() as session:
            return [asdict(state) for state in list_schedules(session)]

    def stats(self) -> dict[str, Any]:
        """Counts over the library: entries by kind and architecture, files, quarantine by reason, roots."""
        with self.catalog.read() as session:
            return library_counts(session)

    def _visible(self, parsed: ParsedQuery) -> Filter:
        """The query's filter, less what is hidden by default and was not asked for."""
        kept_back = tuple(self._kept_back(parsed))
        hide = () if not kept_back else (Not(AnyOf(FIELDS["is"], kept_back)),)
        return And((parsed.where, *hide))

    def _kept_back(self, parsed: ParsedQuery) -> Iterator[str]:
        asked = flags_asked(parsed.where)
        for name in _HIDDEN:
            shown = self.settings.show_adult if name == "adult" else self.settings.show_people
            wanted = name in asked or (name == "adult" and "nsfw" in parsed.fields)
            if not shown and not wanted and "hash" not in parsed.fields:
                yield name

    def _architecture(self, base: str | None) -> str | None:
        if base is None or base == "":
            return None
        folded = base.strip().lower()
        if folded not in architectures():
            known = ", ".join(sorted(architectures()))
            raise UsageError("architecture", f"No architecture is called {base!r}. Known are: {known}.")
        return folded

    def _matching(self, parsed: ParsedQuery, where: Filter) -> Sequence[int]:
        """Ids that pass the words and the filter, for a vector search."""
        return self.text.search(TextQuery(parsed.terms, parsed.phrases, where), MAX_MATCHING).ids

    def _rank(
        self,
        found: Candidates,
        base: str | None,
        looked: Mapping[str, Mapping[int, float]] | None = None,
        *,
        described: bool = False,
    ) -> list[Hit]:
        weights = load_weights()
        weighing = weights.signals | ({"semantic": weights.numbers["described"]} if described else {})
        with self.catalog.read() as session:
            documents = entries.documents(session, found.ids)
        today = _today()
        hits = []
        for place, id_ in enumerate(found.ids):
            document = documents.get(id_)
            if document is None:
                continue  # the index is a moment behind the catalog
            signals = document_signals(document, base, today, weights)
            if found.scored:
                signals["text"] = found.text_score(place)
            signals.update((name, scores.get(id_, 0.0)) for name, scores in (looked or {}).items())
            hits.append(Hit(document, fuse(signals, weighing)))
        if found.rankable:
            hits.sort(key=lambda hit: (-hit.score.value, hit.document.id))
        return hits

    def _answer(
        self,
        parsed: ParsedQuery,
        found: Candidates,
        hits: Sequence[Hit],
        started: float,
        *,
        limit: int,
        offset: int,
        **query: Any,
    ) -> Answer:
        page = hits[offset - found.offset :][:limit]
        told = {"text": parsed.text, "filters": list(parsed.filters), "limit": limit, "offset": offset}
        return Answer(
            query=told | {name: value for name, value in query.items() if value is not None},
            total=found.total,
            hidden=self._hidden_count(parsed),
            took_ms=round((time.perf_counter() - started) * 1000, 2),
            hits=tuple(page),
            facets=found.facets,
        )

    def _hidden_count(self, parsed: ParsedQuery) -> int:
        return hidden_total(self.text, parsed, tuple(self._kept_back(parsed)))


def _check_page(sort: str, limit: int, offset: int) -> None:
    if sort not in SORTS:
        raise UsageError("sort", f"Sorting by {sort!r} is unknown. Choose one of: {', '.join(SORTS)}.")
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError("limit", f"The limit is {limit}; it must be between 1 and {MAX_LIMIT}.")
    if not 0 <= offset <= MAX_MATCHING:
        raise UsageError("offset", f"The offset is {offset}; it must be between 0 and {MAX_MATCHING}.")


def _check_score(score: float | None) -> None:
    if score is not None and not 0.0 <= score <= 1.0:
        raise UsageError("min_score", f"The least score is {score}; it must be between 0 and 1.")


def _ways(by: str) -> tuple[str, ...]:
    return ("style", "content") if by == "mix" else (by,)


def _today() -> date:
    return datetime.now(UTC).date()
