"""Pasted prompts: the best candidates, and what creators have who write such words, compared by prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from indexer.domain.cards import Card
from indexer.domain.evidence import Evidence, rarity
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter
from indexer.indexes.prompt_cuts import read_cuts
from indexer.indexes.prompt_makers import read_makers
from indexer.indexes.text import TextIndex, TextQuery
from search.prompting import Asking, Entry, scored
from search.query import ParsedQuery
from search.query_prompts import is_sentence
from search.retrieval import PASTED, Candidates

__all__ = ["MAKERS", "MORE", "NAMED", "PromptFiles", "prompted"]

MAKERS = 60
"""So many creators, those of the whole catalog whose prompts make the words likeliest, are asked for all that
they have: who makes models writes prompts alike, and one in three wanted models has few words of its own."""

MORE = 600
"""So many of those further entries are compared as well; of more, the best matches."""

NAMED = 0.4
"""A sentence may be a name too: entries with such a signal by their own words keep it."""

_BEHIND = 0.02


class PromptFiles(NamedTuple):
    """Where publishing keeps what prompts are compared with: ``prompt_cuts`` and ``prompt_makers``."""

    cuts: Path
    makers: Path


def prompted(
    text: TextIndex,
    files: PromptFiles,
    parsed: ParsedQuery,
    where: Filter,
    kept_back: tuple[str, ...],
    found: Candidates,
) -> Candidates:
    """``found`` with the text signal of a pasted prompt, and with models of the creators it speaks for.

    Other queries stay as they are, as does everything where nothing was published to compare with. Those that
    join are not counted where more match than are ranked. A short sentence is read as a prompt too, but what
    it names stays what it was.
    """
    query = TextQuery(parsed.terms, parsed.phrases, where, None, None, False, kept_back, parsed.listed)
    sentence = not query.long and is_sentence(parsed.terms)
    if not (query.long or sentence) or not found.cards:
        return found
    asking = Asking(_bare(parsed), _worths(parsed.terms, found.evidence))
    first = _entries(files.cuts, found.cards[:PASTED])
    makers = read_makers(files.makers, asking.words, MAKERS, MORE, {entry.maker for entry in first.values()})
    if makers is None:
        return found
    theirs = _of_makers(text, query, makers.likeliest)
    known = set(found.ids)
    more = [card for card in theirs if card.id not in known]
    cards = [*found.cards, *more]
    further = _entries(files.cuts, [card for card in theirs if card.id not in first])
    by_model = scored(asking.features([*first.values(), *further.values()], makers))
    engine = found.signals.get("text", {})
    told = {c.id: by_model.get(c.fold, _BEHIND * engine.get(c.id, 0.0)) for c in cards}
    if sentence:
        told |= {id_: score for id_, score in engine.items() if score > max(NAMED, told[id_])}
    total = max(found.total, len(cards))
    return replace(found, cards=cards, total=total, signals={**found.signals, "text": told})


def _entries(cuts: Path, cards: Sequence[Card]) -> dict[int, Entry]:
    folds = {card.id: card.fold for card in cards}
    read = read_cuts(cuts, list(folds))
    return {id_: Entry(folds[id_], cut.maker, cut.numbers) for id_, cut in read.items()}


def _of_makers(text: TextIndex, query: TextQuery, makers: Sequence[str]) -> Sequence[Card]:
    """What some creators have that passes the filters, whether or not it has a word of the prompt."""
    if not makers:
        return ()
    where = And((query.shown, AnyOf(FIELDS["creator"], tuple(makers))))
    ids = text.matching(where, MORE + 1)
    if len(ids) <= MORE:
        return text.cards(ids)
    return text.search(replace(query, where=where, kept_back=()), MORE).cards


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
