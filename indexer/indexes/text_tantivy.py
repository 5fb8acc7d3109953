"""The text index: tantivy, embedded. Disposable; every column follows from ``FIELDS`` and ``Card``.

Text is cut into words by ``domain.text.words`` before it gets here, so the engine only splits at blanks: what
a query means does not depend on the engine. Tantivy is chosen for its speed (about 1 ms a query at a million
documents) and small index.
"""

import json
import shutil
import threading
import uuid
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from indexer.domain.cards import Card
from indexer.domain.filters import Filter
from indexer.domain.records import Document
from indexer.errors import CatalogError
from indexer.indexes.text import TextHits, TextQuery
from indexer.indexes.text_filters import FilterBuilder, Parts, all_of
from indexer.indexes.text_lookups import cards_of, largest_id, these
from indexer.indexes.text_schema import FORMAT, SAMPLE, build_schema, format_of, read_format, row_of
from indexer.indexes.text_tantivy_search import Kept, Search

__all__ = ["FORMAT", "TantivyIndex", "TantivyWriter"]

_HEAP = 256_000_000
"""Bytes of words that are gathered before a part is written; fewer and larger parts are merged less often."""

_MUST = tantivy.Occur.Must


class TantivyIndex:
    """A tantivy index in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = build_schema()
        self._filters = FilterBuilder(self.schema)
        self._kept = Kept(self.schema)
        self._index = self._open()
        self._seen: tuple[int, int, int] | None = None
        self._reloading = threading.Lock()

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
    def stamp(self) -> str:
        """See ``TextIndex.stamp``; tantivy is asked itself."""
        return ""

    @property
    def refused(self) -> tuple[()]:
        """See ``TextIndex.refused``; tantivy takes everything."""
        return ()

    @property
    def ranked(self) -> int:
        """See ``TextIndex.ranked``."""
        return 500

    def count(self) -> int:
        """How many documents the index holds."""
        return int(self._searcher().num_docs)

    def _searcher(self) -> Any:
        return self._state()[0]

    def _state(self) -> tuple[Any, Hashable]:
        """The index as it is now, and what tells that from how it was before. Reloading looks at every part,
        so it is done after a commit only."""
        try:
            found = (self.folder / "meta.json").stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        except OSError:  # being started anew
            seen = None
        with self._reloading:
            if seen is None or seen != self._seen:
                self._index.reload()
                self._seen = seen
            return self._index.searcher(), seen

    @contextmanager
    def writing(self) -> Iterator["TantivyWriter"]:
        """See ``TextIndex.writing``."""
        try:
            writer = self._index.writer(heap_size=_HEAP, num_threads=1)
            # A killed run leaves files that no meta.json names, and tantivy never writes over a file: the
            # same deletions again would be refused under the same name.
            writer.garbage_collect_files()
        except ValueError as error:
            raise CatalogError(
                "text_index", f"The text index in {self.folder} cannot be written: {error}."
            ) from error
        try:
            yield TantivyWriter(writer, largest_id(self._searcher()))
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:
            raise CatalogError(
                "text_index",
                f"Writing the text index in {self.folder} failed ({error}). Is the disk full? "
                "Nothing is lost: the next run writes it again.",
            ) from error

    def complete(self) -> None:
        """See ``TextIndex.complete``; a folder is searched as it is filled."""

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """See ``TextIndex.search``. How many of the words an entry must have is told by ``least_words``."""
        searcher, state = self._state()
        return Search(self.schema, searcher, state, query, self._kept).answer(max(1, limit), offset, facets)

    def matching(self, where: Filter, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """See ``TextIndex.matching``."""
        return self._ids(self._searcher(), self._filters.parts(where), limit, among)

    def ids_of(self, query: TextQuery, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """See ``TextIndex.ids_of``."""
        searcher, state = self._state()
        parts = Search(self.schema, searcher, state, query, self._kept).conditions()
        return self._ids(searcher, parts, limit, among)

    def _ids(self, searcher: Any, parts: Parts, limit: int, among: Sequence[int] | None) -> list[int]:
        if among is not None:
            parts = [(_MUST, these(self.schema, among)), *parts]
        found = searcher.search(all_of(parts), limit=max(1, limit), count=False)
        return [int(id_) for id_ in searcher.fast_field_values("id", [address for _, address in found.hits])]

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """See ``TextIndex.cards``."""
        searcher = self._searcher()
        found = searcher.search(these(self.schema, ids), limit=max(1, len(ids)), count=False)
        return cards_of(searcher, [address for _, address in found.hits])

    def sampled(self, where: Filter, samples: Sequence[int], limit: int) -> list[Card]:
        """See ``TextIndex.sampled``."""
        searcher = self._searcher()
        some = tantivy.Query.term_set_query(self.schema, SAMPLE, list(samples))
        query = tantivy.Query.boolean_query([(_MUST, some), *self._filters.parts(where)])
        found = searcher.search(query, limit=max(1, limit), count=False)
        return cards_of(searcher, [address for _, address in found.hits])


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


def _blank() -> Any:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
