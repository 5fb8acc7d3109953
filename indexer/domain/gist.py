"""The gist of a model: what it is called, what it is about, what is said of it. Pure.

Equivalents on other bases are found by it, so bases, releases and kinds are no part of a title here.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from indexer.domain.filters import keyword
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.domain.vocabulary import families, read_table

__all__ = ["about", "called", "reader", "same_title", "shared_tags", "spoken", "title_words"]

_ABOUT = 24
_PROMPTS = 2
_TRAINED = 8
_DESCRIBED = 600
"""Characters of a description, and of a prompt, that are compared."""
_SAYS = re.compile(
    r"v\d+\w*|\d+(?:\.\d+)*[a-z]?|ver(?:sion)?|final|beta|alpha|new|old|lora|locon|loha|lokr|dora|lycoris|adapter|"
    r"checkpoint|model|embedding|fp8|fp16|bf16|safetensors|for|the|of|and|by|with|base|style|vpred|eps"
)
"""Words that say nothing of what a model is, or only which release."""


@cache
def _bases() -> re.Pattern[str]:
    """Names of bases and families, as they stand in titles."""
    rows = read_table("names.toml")["patterns"].values()
    families_ = (re.escape(name.replace("_", " ")) for row in families().values() for name in row.names)
    extra = (
        "flux ?2",
        "klein",
        "z",
        "illu",
        "f1[ds]",
        "sd ?3 ?5 ?m",
        "wan",
        "qwen",
        "t2v",
        "i2v",
        "high",
        "low",
        "noise",
    )
    every = {*(p for row in rows for p in row), *families_, *extra}
    choices = sorted(every, key=lambda choice: (-len(choice), choice))
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)")


def reader() -> str:
    """By what rules gists are read; what was kept of other rules is of no use."""
    return f"{_SAYS.pattern}\n{_bases().pattern}\n{_ABOUT} {_PROMPTS} {_TRAINED} {_DESCRIBED}"


@lru_cache(maxsize=65_536)
def title_words(name: str) -> tuple[str, ...]:
    """The words of a title that are no base, no release and no kind; all of them where nothing is left.

    >>> title_words("Wet Paper Watercolour SDXL v2"), title_words("Pony XL")
    (('wet', 'paper', 'watercolour'), ('pony', 'xl'))
    """
    every = words(name[:500], glued=False)
    bare = _bases().sub(" ", " ".join(every)).split()
    kept = tuple(dict.fromkeys(word for word in bare if not _SAYS.fullmatch(word)))
    return kept or tuple(dict.fromkeys(every))


def same_title(one: Document, other: Document) -> bool:
    """Whether two titles are one but for base, release and kind."""
    mine, theirs = (sorted(title_words(document.name)) for document in (one, other))
    return bool(mine) and mine == theirs


def called(document: Document) -> frozenset[str]:
    """Words by which people know it: of its title and its trigger words."""
    triggers = (word for phrase in document.trigger_words for word in title_words(phrase))
    return frozenset((*title_words(document.name), *triggers))


def about(document: Document) -> tuple[str, ...]:
    """Words to look for an equivalent by, the surest first: title, trigger words, tags, training tags,
    prompts; at most 24."""
    return tuple(dict.fromkeys(_about(document)))[:_ABOUT]


def _about(document: Document) -> Iterator[str]:
    yield from title_words(document.name)
    for phrase in document.trigger_words:
        yield from title_words(phrase)
    for tag in (*document.tags, *document.training_tags[:_TRAINED]):
        yield from _plain(tag)
    for text in (*document.file_names[:1], *document.prompts[:_PROMPTS]):
        yield from title_words(text)


def _plain(text: str) -> Iterable[str]:
    return (word for word in words(text[:200], glued=False) if not _SAYS.fullmatch(word))


def shared_tags(document: Document) -> frozenset[str]:
    """Its tags, folded, without its category, which counts by itself."""
    return frozenset(map(keyword, document.tags)) - {keyword(document.category or "")}


def spoken(document: Document) -> frozenset[str]:
    """Words that are said of it anywhere; of long texts of their beginnings."""
    texts = (
        document.name,
        document.version,
        document.category or "",
        *document.trigger_words,
        *document.tags,
        *document.training_tags,
        *document.file_names[:2],
        *(prompt[:_DESCRIBED] for prompt in document.prompts[:3]),
        document.description[:_DESCRIBED],
    )
    return frozenset().union(*map(words, texts))  # one by one: texts in lower case are cut quicker
