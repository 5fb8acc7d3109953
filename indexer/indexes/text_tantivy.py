"""The text index: tantivy, embedded. Disposable; every column follows from ``FIELDS`` and ``Card``.

Text is cut into words by ``domain.text.words`` before it gets here, so the engine only splits at blanks: what
a query means does not depend on the engine. Tantivy is chosen for its speed (about 1 ms a query at a million
documents) and small index.
"""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from indexer.domain.cards import CARD_FIELDS, Card
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.filters import Filter
from indexer.domain.records import Document
from indexer.errors import CatalogError, UsageError
from indexer.indexes.text import COMPARED, TextHits, TextQuery
from indexer.indexes.text_facets import count_facets
from indexer.indexes.text_filters import FilterBuilder
from indexer.indexes.text_queries import WordQuery, least_steps, plan
from indexer.indexes.text_schema import (
    FORMAT,
    MAKER,
    ORDER_COLUMNS,
    STORED,
    build_schema,
    card_column,
    format_of,
    read_format,
    row_of,
)
from indexer.indexes.text_vocabulary import Vocabulary

__all__ = ["FORMAT", "TantivyIndex", "TantivyWriter"]

_HEAP = 128_000_000
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


class TantivyIndex:
    """A tantivy index in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = build_schema()
        self._filters = FilterBuilder(self.schema)
        self._index = self._open()

    def _open(self) -> Any:
        """Open the index, or start an empty one when it is absent, damaged or of another format."""
        marker = self.folder / "format.json"
        if not format_of().items() <= read_format(marker).items():
            shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            index = tantivy.Index(self.schema, path=str(self.folder))
        except (OSError, ValueError) as error:
            raise CatalogError(
                "text_index",
                f"The text index in {self.folder} cannot be opened ({error}). "
                "Free some space if the disk is full; else run: pinakes rebuild",
            ) from error
        if not marker.is_file():
            marker.write_text(json.dumps(format_of() | {"generation": uuid.uuid4().hex}), "utf-8")
        index.register_tokenizer("blank", _blank())
        return index

    @property
    def generation(self) -> str:
        """See ``TextIndex.generation``."""
        return str(read_format(self.folder / "format.json").get("generation", ""))

    @property
    def refused(self) -> tuple[()]:
        """See ``TextIndex.refused``; tantivy takes everything."""
        return ()

    def count(self) -> int:
        """How many documents the index holds."""
        return int(self._searcher().num_docs)

    def _searcher(self) -> Any:
        self._index.reload()
        return self._index.searcher()

    @contextmanager
    def writing(self) -> Iterator["TantivyWriter"]:
        """See ``TextIndex.writing``."""
        try:
            writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        except ValueError as error:
            raise CatalogError(
                "text_index", f"The text index in {self.folder} cannot be written: {error}."
            ) from error
        try:
            yield TantivyWriter(writer, _largest_id(self._searcher()))
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:
            raise CatalogError(
                "text_index",
                f"Writing the text index in {self.folder} failed ({error}). Is the disk full? "
                "The index is rebuilt at the next run.",
            ) from error

    def complete(self) -> None:
        """See ``TextIndex.complete``; a folder is searched as it is filled."""

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """See ``TextIndex.search``. How many of the words an entry must have is told by ``least_words``."""
        searcher = self._searcher()
        asked = _Asked(self.schema, searcher, query)
        scored = query.order is None and asked.has_words
        ordering = {} if scored else _ordering(query.order or "newest")
        parsed, found = asked.search(max(1, limit), offset, ordering)
        total = int(found.count or 0)
        addresses = [address for _, address in found.hits]
        scores = [min(1.0, float(score) / asked.bound) if scored else 0.0 for score, _ in found.hits]
        cards = _cards(searcher, addresses)
        if scored:
            places = sorted(range(len(cards)), key=lambda place: (-scores[place], cards[place].id))
            addresses = [addresses[place] for place in places]
            scores, cards = [scores[place] for place in places], [cards[place] for place in places]
        counts, estimated = count_facets(self.schema, searcher, parsed, facets, total)
        return TextHits(
            tuple(card.id for card in cards),
            tuple(scores),
            total,
            counts,
            tuple(cards),
            estimated,
            asked.evidence(addresses, [card.id for card in cards]) if scored else NO_EVIDENCE,
        )

    def matching(self, where: Filter, limit: int) -> list[int]:
        """See ``TextIndex.matching``."""
        searcher = self._searcher()
        found = searcher.search(self._filters.build(where), limit=max(1, limit), count=False)
        return [int(id_) for id_ in searcher.fast_field_values("id", [address for _, address in found.hits])]


class _Asked:
    """One query at one state of the index."""

    def __init__(self, schema: Any, searcher: Any, query: TextQuery) -> None:
        vocabulary = Vocabulary(searcher)
        self._schema, self._searcher, self._query = schema, searcher, query
        self._filters = FilterBuilder(schema)
        self._documents = vocabulary.documents
        self._phrases = query.phrases
        self._wanted = plan(query, vocabulary)
        self._words = WordQuery(schema, vocabulary)
        self.has_words = bool(query.terms or query.phrases)
        self.bound = self._words.bound(self._wanted, self._phrases)

    def search(self, limit: int, offset: int, ordering: Mapping[str, Any]) -> tuple[Any, Any]:
        """The query that finds something while asking for the most words, and what it finds."""
        if not self.has_words:
            everything = self._filters.build(self._query.where)
            return everything, self._searcher.search(everything, limit=limit, offset=offset, **ordering)
        where = self._filters.parts(self._query.where)
        for least in least_steps(self._wanted):
            words = self._words.parts(self._wanted, self._phrases, least)
            parsed = tantivy.Query.boolean_query([*words, *where])
            found = self._searcher.search(parsed, limit=limit, offset=offset, **ordering)
            if found.count:
                break
        return parsed, found

    def evidence(self, addresses: Sequence[Any], ids: Sequence[int]) -> Evidence:
        """See ``Evidence``."""
        first = addresses[:COMPARED]
        return Evidence(
            documents=self._documents,
            frequencies={wanted.term: wanted.frequency for wanted in self._wanted},
            briefs=tuple(bytes(self._searcher.doc(address)[STORED][0]).decode() for address in first),
            terms=tuple(wanted.term for wanted in self._wanted),
            present=self._present(ids[:COMPARED]),
            makers=tuple(int(n or 0) for n in self._searcher.fast_field_values(MAKER, addresses)),
        )

    def _present(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Which of the words each entry has."""
        if not ids or not self._wanted:
            return ()
        among = tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._schema, "id", list(ids)), 0.0
        )
        parsed = tantivy.Query.boolean_query([(_MUST, among), (_SHOULD, self._words.bits(self._wanted))])
        hits = self._searcher.search(parsed, limit=len(ids), count=False).hits
        found = self._searcher.fast_field_values("id", [address for _, address in hits])
        bits = {int(id_): int(score) for id_, (score, _) in zip(found, hits, strict=True)}
        return tuple(bits.get(id_, 0) for id_ in ids)


class TantivyWriter:
    """Puts documents into the index; the same id again replaces."""

    def __init__(self, writer: Any, largest: int) -> None:
        self._writer = writer
        self._largest = largest

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents."""
        for document in documents:
            # An id above all others was never put, so there is nothing to replace.
            if document.id <= self._largest:
                self.delete([document.id])
            self._largest = max(self._largest, document.id)
            self._writer.add_document(row_of(document))

    def delete(self, ids: Iterable[int]) -> None:
        """Take documents out; unknown ids are no fault."""
        for id_ in ids:
            self._writer.delete_documents_by_term("id", id_)


def _largest_id(searcher: Any) -> int:
    found = searcher.search(tantivy.Query.all_query(), limit=1, count=False, order_by_field="id").hits
    return int(found[0][0]) if found else -1


def _cards(searcher: Any, addresses: Sequence[Any]) -> list[Card]:
    """The cards of hits, read column by column."""
    columns = ["id", *(card_column(name) for name in CARD_FIELDS[1:])]
    rows = zip(*(searcher.fast_field_values(column, addresses) for column in columns), strict=True)
    return list(map(Card._make, rows))  # the columns have the card's own types


def _ordering(order: str) -> dict[str, Any]:
    if order not in ORDER_COLUMNS:
        known = ", ".join(ORDER_COLUMNS)
        raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
    rising = {"order": tantivy.Order.Asc} if order == "name" else {}
    return {"order_by_field": ORDER_COLUMNS[order], **rising}


def _blank() -> Any:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
