"""One place that wires queries, indexes and catalog into answers; the command, the API and the page call it.

from search.service import Pinakes
p = Pinakes()
for hit in p.search("watercolour harbour type:lora").hits:
    print(hit.document.name, hit.explain())
"""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, replace
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
from indexer.catalog.history import version_history
from indexer.catalog.schedules import list_schedules
from indexer.catalog.usage import version_usage
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter
from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.indexes.text import ORDERS, TextIndex, TextQuery
from indexer.indexes.text_open import open_text_index
from indexer.parsers.training import parse_metadata, told_facts
from indexer.settings import Settings, read_settings
from indexer.thumbnails import thumbnail_path
from search.answering import Answering, Page
from search.answers import Answer
from search.bases import wanted_base
from search.described import described, described_picture, spoken
from search.duplicates import Duplicates, find_duplicates
from search.looking import by_looks, look, signals_of
from search.map import Maps, StyleMap
from search.marks import MarkKeeper
from search.meant import meant_by
from search.mislabelled import Mislabelled, labels_at_fault
from search.narrowing import Narrowed, Passing
from search.near_misses import near_misses
from search.overview import Overviews
from search.prompted import PromptFiles, prompted
from search.query import ParsedQuery, parse_query
from search.retrieval import (
    Candidates,
    Way,
    alike,
    is_everything,
    shuffled_candidates,
    text_candidates,
)
from search.safe import hidden_counts, kept_back, visible
from search.similar import Looks
from search.state import library_state

_T = TypeVar("_T")

__all__ = ["SORTS", "Pinakes"]

SORTS = ("relevance", *ORDERS)
MAX_LIMIT = 200
MAX_MATCHING = 1_000_000
_FACETS = tuple(field.name for field in FIELDS.values() if field.facet)


class Pinakes:
    """An open library to ask. Only ``marks`` writes; many threads may share it."""

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

    def state(self) -> Hashable:
        """Another value once any answer may be another; see ``search.state``."""
        return library_state(self.catalog, self.settings)

    @property
    def text(self) -> TextIndex:
        """The text index."""
        return self._once("text", lambda: open_text_index(self.settings))

    @property
    def _answering(self) -> Answering:
        return self._once("answering", lambda: Answering(self.catalog))

    @property
    def looks(self) -> Looks:
        """The vector indexes."""
        return self._once("looks", lambda: Looks(self.settings, self.catalog))

    @property
    def marks(self) -> MarkKeeper:
        """The user's own layer: what is noted here is kept in the catalog, and search sees it at once."""
        return self._once("marks", lambda: MarkKeeper(self.catalog, self.settings))

    @property
    def maps(self) -> Maps:
        """Maps of the library's styles."""
        return self._once("maps", lambda: Maps(self.settings, self.catalog))

    @property
    def overviews(self) -> Overviews:
        """The library as a whole: creators, trends, hubs asked, newer versions, what is being done."""
        return self._once("overviews", lambda: Overviews(self.catalog, self.settings))

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
        seed: int = 0,
        typing: bool = False,
        versions: bool = False,
        facets: bool = True,
    ) -> Answer:
        """Find entries by words and filters, and by what is in a picture when ``image`` is given.

        ``base`` is an architecture or a family, as people call it; entries that do not fit it fall back.
        ``seed`` makes another ``random`` order. ``typing``: the last word may be unfinished. Versions and
        near-duplicates of a model make one hit, unless ``versions``. Without ``facets`` nothing is counted by
        field, which is quicker. Raises ``QueryError`` with a caret for a query that cannot be understood,
        ``UsageError`` for other arguments.
        """
        started = time.perf_counter()
        _check_page(sort, limit, offset)
        parsed = parse_query(query)
        page = Page(limit, offset, wanted_base(base), image is None, versions)
        if image is not None:
            found = self._by_picture(parsed, image)
            return self._answer(parsed, found, page, started)
        way = Way(None if sort == "relevance" else sort, seed, typing)
        found = self._by_words(parsed, way, _FACETS if facets else ())
        if not (found.total or typing or any(found.hidden or ())):
            told = near_misses(self.catalog, self.text, parsed, kept_back(self.settings, parsed))
            parsed = replace(parsed, notes=(*parsed.notes, *told))
        return self._answer(parsed, found, page, started, sort=sort)

    def _by_words(self, parsed: ParsedQuery, way: Way, facets: Sequence[str]) -> Candidates:
        flags = kept_back(self.settings, parsed)
        if way.order == "random":
            return shuffled_candidates(self.text, parsed, parsed.where, way, facets, flags)
        found = text_candidates(self.text, parsed, parsed.where, way, facets, flags)
        if way.order is None and not way.typing:
            files = PromptFiles(self.settings.prompt_cuts_file, self.settings.prompt_makers_file)
            found = prompted(self.text, files, parsed, parsed.where, flags, found)
        if way.order is None and self.settings.clip_pretrained is not None:
            where = visible(self.settings, parsed)
            return described(self.looks, self.catalog, self.text, parsed, where, found)
        return found

    def _by_picture(self, parsed: ParsedQuery, image: bytes | Path) -> Candidates:
        """What is most like the picture first. With CLIP words count beside it; else they narrow."""
        where = visible(self.settings, parsed)
        narrowed = text_candidates(self.text, parsed, where, Way(), _FACETS)
        both = described_picture(self.looks, self.catalog, self.text, parsed, where, narrowed, image)
        if both is not None:
            return both
        looked = self.looks.of_image(image, "content", self._allowed(parsed, where))
        return replace(by_looks(self.text, {"semantic": looked}, looked), facets=narrowed.facets)

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
        versions: bool = False,
    ) -> Answer:
        """Find entries whose previews look like a picture (path or bytes) or like an entry (id or name).

        ``by`` is ``style`` (how it is drawn), ``content`` (what is in it), ``mix`` (both, weighed as
        ``ranking.toml`` says) or ``weights`` (how it changes the model: adapters of one architecture only).
        Scores by style and content say how rare so near a picture is: 0.25 is one in ten, 0.5 one in a
        hundred. What scores below ``min_score`` is not called similar; None: the measured cut-off. An
        adapter without a preview is compared by its weights when asked by style. ``base`` keeps what is made
        for that architecture. By weights every twin is a hit. Raises ``UsageError`` when ``what`` names
        nothing, or the entry has no preview.
        """
        started = time.perf_counter()
        _check_page("relevance", limit, offset)
        _check_score(min_score)
        parsed = parse_query(query)
        where = visible(self.settings, parsed)
        wanted = wanted_base(base)
        if wanted is not None:
            where = And((where, AnyOf(FIELDS["fits"], (wanted.architecture,))))
        looked, like = look(self.looks, self.find, what, by, self._allowed(parsed, where))
        cut_offs = {way: self.looks.cut_off(way) for way in looked}
        by = by if len(looked) > 1 else next(iter(looked))
        return self._answer(
            parsed,
            by_looks(self.text, signals_of(looked), alike(looked, cut_offs, min_score)),
            Page(limit, offset, wanted, versions=versions or by == "weights"),
            started,
            by=by,
            like={"id": like.id, "name": like.name} if like else "picture",
        )

    def duplicates(self, *, limit: int | None = None, offset: int = 0) -> Duplicates:
        """What lies several times in the library, most bytes first: copies, the same tensors under other
        metadata, adapters with the same weights. ``limit`` counts groups; None: all. Nothing is deleted.
        """
        _check_page("relevance", MAX_LIMIT if limit is None else limit, offset)
        hidden = self._hidden()
        return find_duplicates(self.catalog, hidden, MAX_MATCHING if limit is None else limit, offset)

    def map(self, query: str = "") -> StyleMap:
        """The styles of what matches the query, laid out in the plane with named neighbourhoods.

        Kept until the library changes; empty where no picture was indexed. Raises ``QueryError``.
        """
        parsed = parse_query(query)
        where = visible(self.settings, parsed)
        return self.maps.draw(query, where, lambda: self._matching(parsed, where))

    def find(self, what: int | str) -> Document:
        """The entry that an id, a name, a path or a hash means. Raises ``UsageError`` (``unknown_model``)."""
        return meant_by(self.catalog, self.text, self.entry, what)

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
            hidden = self._hidden()
            usage = version_usage(session, details.document, details.claims, hidden)
        return replace(details, training=told_facts(parse_metadata(metadata)[0]), usage=usage)

    def history(self, entry_id: int) -> list[dict[str, Any]]:
        """What became of one entry in this catalog, newest first; see ``catalog.history``."""
        with self.catalog.read() as session:
            return version_history(session, entry_id)

    def mislabelled(self, query: str = "", *, limit: int | None = None, offset: int = 0) -> Mislabelled:
        """Models whose claims the tensors contradict, of those that match the query, newest first.

        ``limit`` counts models; None: all of them. Items are read as they are asked for, so a long report
        begins at once. Raises ``QueryError`` and ``UsageError`` as ``search`` does.
        """
        count = MAX_MATCHING if limit is None else limit
        _check_page("relevance", min(count, MAX_LIMIT), offset)
        parsed = parse_query(query)
        where = And((visible(self.settings, parsed), AnyOf(FIELDS["is"], ("mislabelled",))))
        order = None if parsed.terms or parsed.phrases else "newest"
        found = self.text.search(
            TextQuery(parsed.terms, parsed.phrases, where, order=order), count, (), offset
        )
        told = replace(parsed, where=And((parsed.where, AnyOf(FIELDS["is"], ("mislabelled",)))))
        items = labels_at_fault(self.catalog, found.ids)
        return Mislabelled(
            found.total, hidden_counts(self.text, told, kept_back(self.settings, told))[0], offset, items
        )

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

    def _hidden(self) -> frozenset[str]:
        return frozenset(kept_back(self.settings, parse_query("")))

    def stats(self) -> dict[str, Any]:
        """Counts over the library: entries by kind and architecture, files, quarantine by reason, roots."""
        with self.catalog.read() as session:
            return library_counts(session)

    def _allowed(self, parsed: ParsedQuery, where: Filter) -> Narrowed | None:
        """Entries to look among; None where all pass."""
        if spoken(parsed):
            return Passing(self.text, where, TextQuery(parsed.terms, parsed.phrases))
        return None if is_everything(where) else Passing(self.text, where)

    def _matching(self, parsed: ParsedQuery, where: Filter) -> Sequence[int]:
        """Ids that pass the words and the filter, for a vector search."""
        if not spoken(parsed):
            return self.text.matching(where, MAX_MATCHING)
        return self.text.ids_of(TextQuery(parsed.terms, parsed.phrases, where), MAX_MATCHING)

    def _answer(
        self, parsed: ParsedQuery, found: Candidates, page: Page, started: float, **query: Any
    ) -> Answer:
        hidden = found.hidden or hidden_counts(self.text, parsed, kept_back(self.settings, parsed))
        return self._answering.answer(parsed, found, page, hidden, started, **query)


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
