"""A pasted prompt is a query too: its weights, brackets and ``<lora:…>`` tags become words or blanks.

Prompt syntax of A1111, Forge and ComfyUI: ``(word:1.2)``, ``((word))``, ``[a:b:0.5]``, ``[a|b]``,
``<lora:NAME:0.8>``, ``embedding:NAME``, ``\\(`` for a bracket that is meant, ``BREAK``.
"""

import re
from collections.abc import Sequence

from indexer.domain.fields import field_named
from search.query_tokens import outside_quotes

__all__ = ["is_sentence", "prompt_words"]

_TAG = re.compile(
    r"<(?:lora|lyco|lycoris|hypernet|embedding):([^<>:]{1,300})(?::[^<>]{0,100})?>", re.IGNORECASE
)
_ESCAPED = re.compile(r"\\[()\[\]{}]")
_WEIGHT = re.compile(r":\s*-?(?:\d+(?:\.\d*)?|\.\d+)\s*(?=[)\]])")
_STEPS = re.compile(r"\[[^\[\]:|]{1,300}[:|][^\[\]]{0,300}\]")
_EMBEDDING = re.compile(r"\bembedding:(?=\w)", re.IGNORECASE)
_LOUD = re.compile(r"\b(?:AND|OR|NOT|BREAK)\b")
_MINUS = re.compile(r"(?<![^\s,(])-(?!\w+:)")
_NAME = re.compile(r"(?<!\w)[^\W\d]\w*:")
_LAST_WORD = re.compile(r"\w{1,64}\Z")
_QUOTED = re.compile(r'"[^"]*"')
_INFOTEXT = re.compile(r"\bnegative prompt:|\bsteps\b[^\n]{0,100}?\bsampler:", re.IGNORECASE)
_LISTED = 2
_LONG = 8
_OPERATORS = re.compile(r"\b(?:AND|OR|NOT)\b")
_SAID = frozenset(("a", "an", "at", "in", "on", "with"))
_SENTENCE = 5


def prompt_words(query: str, *, refused: bool = False) -> str | None:
    """The query with prompt syntax blanked, as long as before; None where nothing speaks for a prompt.

    Commas or many words speak for one only where the query was ``refused`` as it stands. What is quoted is
    kept. Of the whole text that A1111 writes of a picture, what is not wanted and the settings are blanked as
    well.
    """
    if settings := _INFOTEXT.search(query):
        query = query[: settings.start()] + " " * (len(query) - settings.start())
    bare = _QUOTED.sub(_blank, query)
    if not settings and not _is_prompt(bare) and not (refused and _is_prose(bare)):
        return None
    return _balanced(outside_quotes(query, _plain))


def is_sentence(words: Sequence[str]) -> bool:
    """Whether folded words tell what is in a picture, as short prompts do: a woman in a red kimono."""
    return len(set(words)) >= _SENTENCE and not _SAID.isdisjoint(words)


def _plain(text: str) -> str:
    text = _TAG.sub(_kept_name, text).replace('"', " ")
    for pattern in (_ESCAPED, _EMBEDDING, _LOUD, _MINUS):
        text = pattern.sub(_blank, text)
    text = _WEIGHT.sub(lambda found: _blank(found) if _is_weight(found) else found.group(), text)
    return _NAME.sub(lambda m: m[0] if field_named(m[0][:-1]) else m[0][:-1] + " ", text)


def _is_prompt(text: str) -> bool:
    if any(pattern.search(text) for pattern in (_TAG, _ESCAPED, _STEPS, _EMBEDDING)):
        return True
    return any(map(_is_weight, _WEIGHT.finditer(text))) or "BREAK" in text.split()


def _is_prose(text: str) -> bool:
    """Whether a text that is no query was never meant as one: a list or a sentence, without a known field."""
    if any(field_named(found.group()[:-1]) for found in _NAME.finditer(text)):
        return False
    return text.count(",") >= _LISTED or (len(text.split()) >= _LONG and not _OPERATORS.search(text))


def _is_weight(found: re.Match[str]) -> bool:
    """Whether a number before a bracket is no filter's: ``(rank:8)`` is one."""
    place = found.start()
    name = _LAST_WORD.search(found.string[max(0, place - 64) : place])
    field = field_named(name.group()) if name else None
    return field is None or not field.type.ranged


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _kept_name(found: re.Match[str]) -> str:
    before, after = found.start(1) - found.start(), found.end() - found.end(1)
    return " " * before + found[1] + " " * after


def _balanced(text: str) -> str:
    """Without the brackets that have no partner; phrases keep theirs."""
    signs, opened, quoted = list(text), [], False
    for place, sign in enumerate(text):
        quoted ^= sign == '"'
        if quoted:
            continue
        if sign == "(":
            opened.append(place)
        elif sign == ")":
            if opened:
                opened.pop()
            else:
                signs[place] = " "
    for place in opened:
        signs[place] = " "
    return "".join(signs)
