"""Words that pictures answer: CLIP's text tower beside the text index."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.domain.filters import Filter
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex
from search.narrowing import Narrowed, Passing
from search.query import ParsedQuery
from search.ranking import load_weights
from search.retrieval import RANKED, Candidates, is_everything, joined
from search.similar import Looks

__all__ = ["described", "described_picture", "fitting_documents", "spoken"]


def spoken(parsed: ParsedQuery) -> str:
    """The words of a query without its filters, as the text tower is to read them."""
    return " ".join([*parsed.terms, *(word for phrase in parsed.phrases for word in phrase)])


def described(
    looks: Looks, catalog: Catalog, text: TextIndex, parsed: ParsedQuery, where: Filter, found: Candidates
) -> Candidates:
    """``found`` by words, with what pictures say of it (``semantic``), and entries whose pictures alone fit.

    Entries join while words found no more than are ranked, so that nothing is counted twice; they must pass
    ``where`` and the cut-off ``seen_alone``. Without CLIP in use nothing changes.
    """
    words = spoken(parsed)
    if not words or not found.rankable or not looks.speaks():
        return found
    told = looks.of_words_at(words, found.ids) if found.cards else {}
    if found.total > len(found.cards):
        return replace(found, signals={**found.signals, "semantic": told})
    least, known = load_weights().numbers["seen_alone"], set(found.ids)
    nearest = looks.of_words(words, _narrowed(text, where))
    alone = {id_: score for id_, score in nearest.items() if score >= least and id_ not in known}
    fitting = fitting_documents(catalog, alone, where)[: max(0, RANKED - found.total)]
    told = {**told, **{d.id: alone[d.id] for d in fitting}}
    return replace(joined(found, fitting), signals={**found.signals, "semantic": told})


def described_picture(
    looks: Looks,
    catalog: Catalog,
    text: TextIndex,
    parsed: ParsedQuery,
    where: Filter,
    narrowed: Candidates,
    image: bytes | Path,
) -> Candidates | None:
    """Entries near a picture and near words at once, by the mean of both; None without words or CLIP.

    ``narrowed`` is what the words find by themselves: it keeps its text scores, and excludes nobody.
    """
    words = spoken(parsed)
    if not words or not looks.speaks():
        return None
    seen = looks.of_image(image, "content", _narrowed(text, where))
    documents = fitting_documents(catalog, seen, where)
    told = looks.of_words_at(words, [d.id for d in documents]) if documents else {}
    both = {d.id: (seen[d.id] + told.get(d.id, 0.0)) / 2 for d in documents}
    empty = Candidates((), 0, facets={name: {} for name in narrowed.facets})
    return replace(joined(empty, documents), signals={**narrowed.signals, "semantic": both})


def _narrowed(text: TextIndex, where: Filter) -> Narrowed | None:
    return None if is_everything(where) else Passing(text, where)


def fitting_documents(catalog: Catalog, scores: Mapping[int, float], where: Filter) -> list[Document]:
    """The documents of ``scores`` that pass a filter, best first, ties by id."""
    with catalog.read() as session:
        documents = entries.documents(session, list(scores))
    fitting = [document for document in documents.values() if where.match(document)]
    return sorted(fitting, key=lambda document: (-scores[document.id], document.id))
