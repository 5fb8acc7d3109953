"""The words of an entry's short fields, as engines keep them beside it: what matching reads of a candidate.

A hundred candidates are compared word by word with the query; their documents stay in the catalog.
"""

from collections.abc import Iterable
from typing import NamedTuple

from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.domain.trigger_phrases import trigger_phrases

__all__ = ["BRIEF_FIELDS", "Brief"]

_MAX_WORDS = 200


class Brief(NamedTuple):
    """Each part holds the words of one field: values apart by a tab, words by a blank, in order."""

    name: str = ""
    version: str = ""
    trigger_words: str = ""
    file_names: str = ""
    creator: str = ""
    tags: str = ""
    category: str = ""

    @classmethod
    def of(cls, document: Document) -> "Brief":
        """The brief of a document."""
        return cls(
            name=_words((document.name,)),
            version=_words((document.version,)),
            trigger_words=_words(trigger_phrases(document.trigger_words)),
            file_names=_words(document.file_names),
            creator=_words((document.creator or "",)),
            tags=_words(document.tags),
            category=_words((document.category or "",)),
        )

    def to_text(self) -> str:
        """One line a part."""
        return "\n".join(self)

    @classmethod
    def from_text(cls, text: str) -> "Brief":
        """The brief back. Raises ``ValueError`` for a text that has other parts."""
        parts = text.split("\n")
        if len(parts) != len(cls._fields):
            raise ValueError(f"A brief has {len(cls._fields)} lines, not {len(parts)}: fill the index again.")
        return cls(*parts)


BRIEF_FIELDS = Brief._fields
"""Names of the short fields: rows of ``ranking.toml``, attributes of ``Document``."""


def _words(values: Iterable[str]) -> str:
    """Words of values, at most ``_MAX_WORDS`` in all."""
    left, kept = _MAX_WORDS, []
    for value in values:
        found = words(value)[:left]
        left -= len(found)
        if found:
            kept.append(" ".join(found))
    return "\t".join(kept)
