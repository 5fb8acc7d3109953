"""What strangers wrote, made safe to show: their HTML through nh3, their text without control characters.

A template never marks anything safe by itself; ``cleaned`` is the only maker of ``Markup`` from outside text.
"""

import re

import nh3
from markupsafe import Markup, escape

from indexer.domain.markup import UNREADABLE_ELEMENTS

__all__ = ["cleaned", "plain", "web_address"]

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p"),
    *("pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_MAX_HTML = 200_000
_TAG = re.compile(r"<[a-zA-Z/!]")
_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\"'<>\\]{1,2000}", re.IGNORECASE)
# C0 and C1 controls except tab and newline, and the marks that reorder or hide text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def _only_addresses(_tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or web_address(value) else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=set(UNREADABLE_ELEMENTS),
    attributes={"a": {"href"}, "*": set()},
    attribute_filter=_only_addresses,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https"},
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def cleaned(text: str) -> Markup:
    """A description as HTML: text, lists, tables and absolute http(s) links stay; all else goes.

    Text without tags keeps its paragraphs. Longer ones are cut after 200,000 characters.
    """
    text = _CONTROLS.sub("", text[:_MAX_HTML])
    if _TAG.search(text):
        return Markup(_CLEANER.clean(text))  # the cleaner's output is the one HTML we trust
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    lines = (Markup("<br>").join(escape(line) for line in part.strip().splitlines()) for part in parts)
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)


def plain(text: object) -> str:
    """Text for a copy button or a title: without control and reordering characters."""
    return _CONTROLS.sub("", str(text))


def web_address(value: object) -> str | None:
    """The address when it is an absolute http(s) one, else None."""
    return str(value) if _ADDRESS.fullmatch(str(value)) else None
