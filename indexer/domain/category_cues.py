"""The cues in the words about a model: which groups of words (``data/category_words.toml``) stand where.

A cue is named ``place.group``, such as ``title.garment``, or ``shape.…`` for the form of a text. It has a
value 0..1 that grows with the number of the group's words, and the words themselves for the evidence. Every
text is cut to a fixed length first, so hostile ones cost no more than others.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from indexer.domain.vocabulary import read_table

__all__ = ["Cue", "cues_of", "cut", "groups", "plain"]

_MAX_HTML: Final = 6_000  # characters of a description that are read; what a model is stands at its beginning
_MAX_PLAIN: Final = 2_000  # characters of its text
_MAX_WORDS: Final = 250  # words of its text
_START: Final = 30  # words of its first sentence or two
_MAX_TEXT: Final = 500  # characters of any other text
_MAX_TEXTS: Final = 30  # tags or trigger words
_MAX_PROMPTS: Final = 6
_PROMPT: Final = 600  # characters
_SHARED: Final = 0.7  # share of the prompts that carry a word all previews have in common
_MARKUP: Final = re.compile(r"<[^<>]*>")
_CAMEL: Final = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_WORD: Final = re.compile(r"[^\W_]+")
_WIDE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_MARKS: Final = re.compile(r"[\u0300-\u036f\u20d0-\u20ff\u3099\u309a]+")  # accents, once taken apart
_HEAD_END: Final = re.compile(r"[(（\[【|/,~]| - | by | from | for ")
_ASIDE: Final = re.compile(r"[(（\[【]([^()（）\[\]【】]{2,40})[)）\]】]")
_TWO_NAMES: Final = re.compile(r"[A-Z][\w'.-]+ [A-Z][\w'.-]+")
_VERSION: Final = re.compile(r"v?\d+\w?")
_LONG_TRIGGER: Final = 8  # words

Words = Sequence[str]


class Cue(NamedTuple):
    """How strongly it stands there (0..1), and the words that make it up."""

    value: float
    words: tuple[str, ...] = ()


def plain(text: str) -> str:
    """HTML as text: markup dropped, entities read, at most ``_MAX_HTML`` characters of input. Linear time."""
    text = text[:_MAX_HTML]
    return html.unescape(_MARKUP.sub(" ", text)) if "<" in text or "&" in text else text


def cut(text: str, *, prose: bool = False) -> list[str]:
    """Folded words in order: camel case broken (except in prose), runs without blanks (Chinese,
    Japanese) as pairs.

    Much like ``domain.text.words``, but whole texts are folded at once, which is several times faster.
    """
    text = text if prose else _CAMEL.sub(" ", text)
    if text.isascii():
        return _WORD.findall(text.lower())
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return [word for run in _WORD.findall(folded) for word in _pieces(run)]


def _pieces(run: str) -> Iterator[str]:
    if run.isascii() or not _WIDE.search(run):
        yield run
        return
    for part in re.split(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)", run):
        if len(part) > 2 and _WIDE.fullmatch(part):
            yield from (part[i : i + 2] for i in range(len(part) - 1))
        elif part:
            yield part


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """The table: group -> its words and phrases, as written."""
    return {id_: tuple(row["words"]) for id_, row in read_table("category_words.toml")["groups"].items()}


@cache
def _phrases() -> Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]]:
    """First word -> (the words after it, the groups, the phrase as written), for a walk along a text."""
    found: dict[tuple[str, ...], tuple[str, list[str]]] = {}
    for group, texts in groups().items():
        for text in texts:
            found.setdefault(tuple(cut(text)), (text, []))[1].append(group)
    index: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], str]]] = {}
    for parts, (text, owners) in found.items():
        index.setdefault(parts[0], []).append((parts[1:], tuple(owners), text))
    return {first: tuple(rows) for first, rows in index.items()}


@cache
def _firsts() -> frozenset[str]:
    return frozenset(_phrases())


def _hits(texts: Iterable[Words]) -> dict[str, list[str]]:
    """Group -> its phrases that stand in the texts, each once."""
    phrases: dict[str, tuple[str, ...]] = {}
    index, firsts = _phrases(), _firsts()
    for text in texts:
        there = set(text)
        for word in firsts & there:
            for rest, owners, phrase in index[word]:
                if not rest or (there.issuperset(rest) and _follows(text, word, rest)):
                    phrases[phrase] = owners
    found: dict[str, list[str]] = {}
    for phrase, owners in phrases.items():
        for group in owners:
            found.setdefault(group, []).append(phrase)
    return found


def _follows(text: Words, word: str, rest: tuple[str, ...]) -> bool:
    """Whether ``rest`` stands right behind ``word`` somewhere."""
    place = -1
    for _ in range(text.count(word)):
        place = text.index(word, place + 1)
        if tuple(text[place + 1 : place + 1 + len(rest)]) == rest:
            return True
    return False


def cues_of(
    *,
    tags: Sequence[str],
    title: str,
    trigger_words: Sequence[str],
    description: str,
    training_tags: Sequence[str],
    file_name: str,
    prompts: Sequence[str],
) -> dict[str, Cue]:
    """All cues by name. The order of tags, trigger words and prompts does not matter, unless there are more
    of them than are read."""
    cues: dict[str, Cue] = {}
    tag_words = [cut(text[:_MAX_TEXT]) for text in sorted(tags)[:_MAX_TEXTS]]
    triggers = [cut(text[:_MAX_TEXT])[:40] for text in sorted(trigger_words)[:_MAX_TEXTS]]
    title = title[:_MAX_TEXT]
    title_words = cut(title)
    text = cut(plain(description)[:_MAX_PLAIN], prose=True)[:_MAX_WORDS]
    seen = [cut(prompt[:_PROMPT], prose=True)[:100] for prompt in prompts[:_MAX_PROMPTS]]
    captions = [cut(" , ".join(t[:_MAX_TEXT] for t in training_tags[:_MAX_TEXTS]))] if training_tags else []
    stem = file_name[-_MAX_TEXT:].rpartition(".")
    in_tags, in_title, in_triggers = _hits(tag_words), _hits([title_words]), _hits(triggers)
    _put(cues, "tag", in_tags, 1.5)
    _put(cues, "title", in_title, 1.5)
    _put(cues, "trigger", in_triggers, 2)
    _put(cues, "triggers", in_triggers, 8)
    for found in (in_tags, in_title, in_triggers):
        _put(cues, "any", found, 1)
    _put(cues, "start", _hits([text[:_START]]), 2)
    _put(cues, "text", _hits([text]), 6)
    _put(cues, "prompt", _hits([*seen, *captions]), 8)
    _put(cues, "shared", _hits(_common(seen, captions)), 2)
    _put(cues, "file", _hits([cut(stem[0] or stem[2])]), 1.5)
    if not in_title:
        cues["shape.strange_title"] = Cue(1.0)
    _title_cues(cues, title)
    _shape_cues(cues, tag_words, triggers, text)
    return cues


def _put(cues: dict[str, Cue], place: str, hits: Mapping[str, list[str]], full: float) -> None:
    """Add a place's cues; ``full`` words of a group make the value 1."""
    for group, found in hits.items():
        cues[f"{place}.{group}"] = Cue(min(1.0, len(found) / full), tuple(sorted(found)))


def _common(seen: Sequence[Words], captions: Sequence[Words]) -> list[Words]:
    """Words that most prompts share, each by itself: what is there in every picture is the subject."""
    if len(seen) < 3:
        return list(captions)
    counts = Counter(word for prompt in seen for word in set(prompt))
    return [*([word] for word, count in counts.items() if count >= _SHARED * len(seen)), *captions]


def _title_cues(cues: dict[str, Cue], title: str) -> None:
    """The last word of a title's head names the thing: ``Red Kimono (from a film) v2`` is a kimono."""
    head = _HEAD_END.split(title, maxsplit=1)[0]
    kept = [word for word in cut(head) if word not in _fillers() and not _VERSION.fullmatch(word)]
    _put(cues, "head", _hits([kept[-1:], kept[-2:]]), 1)
    for aside in _ASIDE.findall(title)[:1]:
        _put(cues, "aside", _hits([cut(aside)]), 1)
    known = bool(_hits([kept]))
    shapes = {
        "aside": "(" in title or "（" in title,
        "from": " from " in title or " of " in title,
        "dash": " - " in title,
        "bar": "|" in title or "/" in title,
        "two_names": not known and bool(_TWO_NAMES.fullmatch(head.strip())),
        "one_strange_word": not known and len(kept) == 1,
        "wide": bool(_WIDE.search(title)),
    }
    cues.update({f"shape.{name}": Cue(1.0) for name, holds in shapes.items() if holds})


@cache
def _fillers() -> frozenset[str]:
    return frozenset(read_table("category_words.toml")["fillers"])


def _shape_cues(cues: dict[str, Cue], tags: Sequence[Words], triggers: Sequence[Words], text: Words) -> None:
    cues[f"shape.tags_{min(len(tags), 6)}"] = Cue(1.0)
    cues[f"shape.triggers_{min(len(triggers), 3)}"] = Cue(1.0)
    if max(map(len, triggers), default=0) > _LONG_TRIGGER:
        cues["shape.long_trigger"] = Cue(1.0)
    if not text:
        cues["shape.no_description"] = Cue(1.0)
