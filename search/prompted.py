"""Pasted prompts: further candidates by who made the first ones, then all compared by their own prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from indexer.domain.cards import Card
from indexer.domain.evidence import Evidence, rarity
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter
from indexer.indexes.prompt_cuts import read_cuts
from indexer.indexes.text import TextIndex, TextQuery
from search.prompting import Asking, Entry, scored, summed
from search.query import ParsedQuery
from search.retrieval import Candidates

__all__ = ["MAKERS", "MORE", "prompted"]

MAKERS = 20
"""So many creators, those of the best of the first candidates, are asked for all that they have: who makes
models writes prompts alike, and one in three wanted models has few words of its own."""

MORE = 600
"""So many of those further entries are compared as well; of more, the best matches."""

_BEHIND = 0.02


def prompted(
    text: TextIndex,
    cuts: Path,
    parsed: ParsedQuery,
    where: Filter,
    kept_back: tuple[str, ...],
    found: Candidates,
) -> Candidates:
    """``found`` with the text signal of a pasted prompt, and with models of the creators it brought.

    Other queries stay as they are. Those that join are not counted where more match than are ranked; on
    pages behind these they are left out, since they were shown before. ``cuts`` is the file of
    ``prompt_cuts``.
    """
    query = TextQuery(parsed.terms, parsed.phrases, where, None, None, False, kept_back, parsed.listed)
    if not query.long or not found.cards:
        return found
    if not found.rankable:
        ahead = text.search(query, text.ranked)
        shown = _Compared(text, cuts, query, parsed, ahead.cards, ahead.evidence)
        joined = {card.id for card in shown.more}
        return replace(found, cards=[card for card in found.cards if card.id not in joined])
    compared = _Compared(text, cuts, query, parsed, found.cards, found.evidence)
    scores = compared.scores()
    if not scores:
        return found  # nothing was published to compare with
    cards = [*found.cards, *compared.more]
    engine = found.signals.get("text", {})
    told = {card.id: _BEHIND * engine.get(card.id, 0.0) for card in cards} | scores
    total = max(found.total, len(cards))
    return replace(found, cards=cards, total=total, signals={**found.signals, "text": told})


class _Compared:
    """Candidates of a pasted prompt, and ``more`` that the best creators among them have."""

    def __init__(
        self,
        text: TextIndex,
        file: Path,
        query: TextQuery,
        parsed: ParsedQuery,
        first: Sequence[Card],
        evidence: Evidence,
    ) -> None:
        self._file = file
        self._asking = Asking(_bare(parsed), _worths(parsed.terms, evidence))
        self._entries = self._read(first)
        known = {card.id for card in first}
        self.more = [card for card in _of_makers(text, query, self._makers()) if card.id not in known]

    def _read(self, cards: Sequence[Card]) -> dict[int, Entry]:
        folds = {card.id: card.fold for card in cards}
        cuts = read_cuts(self._file, list(folds))
        return {id_: Entry(folds[id_], cut.maker, cut.numbers) for id_, cut in cuts.items()}

    def _makers(self) -> list[str]:
        """The creators of the best candidates, best first."""
        sums = summed(self._asking.features(list(self._entries.values())))
        best = sorted(self._entries.values(), key=lambda entry: -sums[entry.fold])
        return list(dict.fromkeys(entry.maker for entry in best if entry.maker))[:MAKERS]

    def scores(self) -> dict[int, float]:
        """The text signal of all that were compared, by id."""
        entries = self._entries | self._read(self.more)
        found = scored(self._asking.features(list(entries.values())))
        return {id_: found[entry.fold] for id_, entry in entries.items()}


def _of_makers(text: TextIndex, query: TextQuery, makers: Sequence[str]) -> Sequence[Card]:
    """What some creators have that passes the filters, whether or not it has a word of the prompt."""
    if not makers:
        return ()
    where = And((query.shown, AnyOf(FIELDS["creator"], tuple(makers))))
    found = text.search(TextQuery((), where=where), MORE)
    if found.total > MORE:
        found = text.search(replace(query, where=where, kept_back=()), MORE)
    return found.cards


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
