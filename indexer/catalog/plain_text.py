"""Descriptions as plain text for search: HTML of strangers through nh3, tags dropped, entities decoded."""

import html
import re
from functools import lru_cache

import nh3

from indexer.domain.markup import UNREADABLE_ELEMENTS

__all__ = ["plain_text"]

_LONGEST = 20_000
_READ = 200_000
"""So much HTML is looked at; the rest of a longer text would be cut anyway."""
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[#a-zA-Z]")
# At a tag of these a word ends; others may stand within a word.
_BLOCK = re.compile(
    r"<(?=/?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|h[1-6]|table|tr|td|th|pre|blockquote|img|iframe)\b)",
    re.IGNORECASE,
)
_CLEANER = nh3.Cleaner(
    tags=set(),
    clean_content_tags=set(UNREADABLE_ELEMENTS),
    attributes={},
    link_rel=None,
)


@lru_cache(maxsize=256)
def plain_text(text: str) -> str:
    """The words of a description, whether it is HTML or text: at most 20,000 characters, a line a block.

    The versions of a model share its description, so the last ones are remembered.
    """
    text = text[:_READ]
    if _MARKUP.search(text):
        text = html.unescape(_CLEANER.clean(_BLOCK.sub("\n<", text)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))[:_LONGEST].rstrip()
