"""Pasted prompts: further candidates by who made the first ones, then all compared by their own prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.domain.evidence import Evidence, rarity
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, keyword
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex, TextQuery
from search.prompting import Asking, scored
from search.query import ParsedQuery
from search.retrieval import Candidates

__all__ = ["COMPARED", "MAKERS", "MORE", "prompted"]

COMPARED = 200
"""So many of the first candidates are compared by their prompts."""

MAKERS = 40
"""So many creators of theirs are asked for further models: who makes models writes prompts alike."""

MORE = 250
"""So many of those further entries are compared as well."""

_BEHIND = 0.02


def prompted(
    text: TextIndex,
    catalog: Catalog,
    parsed: ParsedQuery,
    where: Filter,
    kept_back: tuple[str, ...],
    found: Candidates,
) -> Candidates:
    """``found`` with the text signal of a pasted prompt, and with models of the creators it brought.

    Other queries stay as they are. Those that join match the query too, so the total stays.
    """
    query = TextQuery(parsed.terms, parsed.phrases, where, None, None, False, kept_back, parsed.listed)
    if not query.long or not found.rankable or not found.cards:
        return found
    first = found.ids[:COMPARED]
    with catalog.read() as session:
        documents = entries.documents(session, first)
    more = _of_makers(text, query, [documents[id_] for id_ in first if id_ in documents])
    known = set(found.ids)
    cards = [*found.cards, *(card for card in more.cards if card.id not in known)]
    with catalog.read() as session:
        documents |= entries.documents(session, [id_ for id_ in more.ids if id_ not in documents])
    asking = Asking(_bare(parsed), _worths(parsed.terms, found.evidence))
    scores = scored(asking.features(documents.values()))
    engine = found.signals.get("text", {})
    told = {card.id: _BEHIND * engine.get(card.id, 0.0) for card in cards}
    told |= {id_: scores[one.fold or one.model_id] for id_, one in documents.items()}
    total = max(found.total, len(cards))
    return replace(found, cards=cards, total=total, signals={**found.signals, "text": told})


def _of_makers(text: TextIndex, query: TextQuery, documents: Sequence[Document]) -> Candidates:
    """What the creators of the documents have beside, the best matches first."""
    makers = dict.fromkeys(keyword(document.creator) for document in documents if document.creator)
    if not makers:
        return Candidates((), 0)
    by_them = AnyOf(FIELDS["creator"], tuple(list(makers)[:MAKERS]))
    hits = text.search(replace(query, where=And((query.where, by_them))), MORE)
    return Candidates(hits.cards, hits.total)


def _bare(parsed: ParsedQuery) -> str:
    """The prompt without its filters."""
    text = parsed.text
    for clause in parsed.filters:
        text = text.replace(clause, " ")
    return text


def _worths(terms: Sequence[str], evidence: Evidence) -> Mapping[str, float]:
    """How rare each word is. Engines look for the rarest ones; the others are no rarer."""
    known = {t: rarity(n, evidence.documents) for t, n in evidence.frequencies.items() if n}
    least = min(known.values(), default=1.0)
    return {term: known.get(term, least) for term in terms if evidence.frequencies.get(term, 1)}
