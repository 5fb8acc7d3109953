"""The text index at a Meilisearch server, for libraries that many people search. Disposable, as tantivy's is.

The server gets words that ``domain.text.words`` has cut, in documents that hold what is searched, filtered,
counted and ranked and no more; what is shown comes from the catalog. What a user typed never reaches it as
syntax: only folded words and quoted values do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from indexer.domain.cards import Card
from indexer.domain.filters import Filter
from indexer.indexes.text import RefusedDocument, TextHits, TextQuery
from indexer.indexes.text_meilisearch_filters import FilterBuilder, one_of
from indexer.indexes.text_meilisearch_phrases import Phrases
from indexer.indexes.text_meilisearch_place import Place
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_search import Search
from indexer.indexes.text_meilisearch_server import Server
from indexer.indexes.text_meilisearch_settings import both
from indexer.indexes.text_meilisearch_writer import MeilisearchWriter

__all__ = ["MeilisearchIndex"]


class MeilisearchIndex:
    """An index called ``name`` at a server. Nothing is asked of the server before it is needed.

    ``ledger`` is the file of ``text_ledger``, if any. All methods raise ``CatalogError`` that says what is
    wrong with the server and what to do.
    """

    def __init__(self, url: str, key: str | None, name: str = "pinakes", ledger: Path | None = None) -> None:
        self.server = Server(url, key)
        self.name = name
        self.refused: list[RefusedDocument] = []
        self._place = Place(self.server, name)
        self._reader = Reader(self.server, name, ledger)

    @property
    def generation(self) -> str:
        """See ``TextIndex.generation``; the index that is written, which is made when there is none."""
        return self._place.generation

    @property
    def stamp(self) -> str:
        """See ``TextIndex.stamp``."""
        self._reader.forget()
        return self._reader.stamp()

    def start_anew(self) -> None:
        """Begin an empty index aside; the one that is searched stays until ``complete``."""
        self._place.start_anew()

    def complete(self) -> None:
        """See ``TextIndex.complete``: an index built aside is swapped with the one that is searched."""
        self._place.complete()

    def found(self) -> tuple[str | None, bool]:
        """When the index that is searched was made, None where there is none; and whether it is set up as it
        should be. Nothing is made."""
        return self._place.found()

    def drop(self) -> None:
        """Take the index, and one under construction, off the server."""
        self._place.drop()

    @property
    def ranked(self) -> int:
        """See ``TextIndex.ranked``; more changed nothing on measured queries, and each is a
        document that the server reads, from disk where the index is larger than memory."""
        return 120

    def count(self) -> int:
        """See ``TextIndex.count``."""
        return self._reader.count()

    @contextmanager
    def writing(self) -> Iterator[MeilisearchWriter]:
        """See ``TextIndex.writing``. What was sent before a failure stays; put again, it replaces itself."""
        writer = MeilisearchWriter(self.server, self._place.written, self.refused)
        yield writer
        writer.finish()
        self._reader.forget()

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """See ``TextIndex.search``."""
        return Search(self._reader, query, limit, facets, offset).answer()

    def matching(self, where: Filter, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """See ``TextIndex.matching``."""
        expression = FilterBuilder(Phrases(self._reader).look_up).build(where)
        if among is not None:
            expression = both(expression, one_of(among))
        return self._reader.ids(expression, limit)

    def ids_of(self, query: TextQuery, limit: int, among: Sequence[int] | None = None) -> list[int]:
        """See ``TextIndex.ids_of``."""
        ids = self.search(query, limit).ids
        kept = None if among is None else set(among)
        return [id_ for id_ in ids if kept is None or id_ in kept]

    def sampled(self, where: Filter, samples: Sequence[int], limit: int) -> list[Card]:
        """See ``TextIndex.sampled``."""
        expression = FilterBuilder(Phrases(self._reader).look_up).build(where)
        some = both(expression, f"sample IN [{', '.join(map(str, samples))}]")
        if self._reader.knows_values():
            return self._reader.cards(self._reader.ids(some, limit))
        return [Card.from_row(row["card"]) for row in self._reader.rows(some, ["card"], limit)]

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """See ``TextIndex.cards``."""
        return self._reader.cards(ids)
