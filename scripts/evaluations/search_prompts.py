"""From a picture's prompt to the model that drew it, with that picture and its twins out of the index."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from scripts.evaluations.search_models import Image, Model, letters, order_key, word_list
from scripts.evaluations.search_tasks import Case

__all__ = ["ALIKE", "PromptCase", "bare_prompt", "prompt_cases", "twins"]

ALIKE = 0.8
"""Prompts whose sets of words have a Jaccard index from here up are nearly the same."""

LEAST = 5
"""Words that must be left of a prompt."""

_TAG = re.compile(r"<[^>]{0,2000}>")
_SYNTAX = re.compile(r"[()\[\]{}\\|]|:\s*-?[0-9.]+|\b(?:BREAK|AND)\b")
_BLANKS = re.compile(r"\s+")
Place = tuple[int, int, int]
"""Model id, number of the version, number of the picture."""


@dataclass(frozen=True, slots=True)
class PromptCase:
    """A case and the picture that it was made from."""

    case: Case
    place: Place


def bare_prompt(prompt: str, model: Model) -> str:
    """What the prompt asks for: without ``<…>``, weights, the model's trigger words and file names, and
    phrases of quality."""
    plain = _BLANKS.sub(" ", _SYNTAX.sub(" ", _TAG.sub(" , ", prompt))).lower()
    stems = [name.rsplit(".", 1)[0] for name in model.file_names]
    triggers = [part.strip() for told in model.triggers for part in told.split(",")]
    for phrase in sorted({*stems, *triggers}, key=len, reverse=True):
        if phrase.strip():
            plain = re.sub(rf"(?<!\w){re.escape(phrase.strip().lower())}(?!\w)", " ", plain)
    boilerplate = word_list("boilerplate")
    parts = (" ".join(part.split()) for part in plain.split(","))
    return ", ".join(part for part in parts if part and part not in boilerplate)


def prompt_cases(models: Sequence[Model]) -> Iterator[PromptCase]:
    """One case a model: the first picture, in an order that looks like chance, of which enough is left.

    The model it used is the page's. A checkpoint's page also shows what others drew: there a picture counts
    only when the hash in its record is one of the page's own files.
    """
    for model in models:
        for image in sorted(model.images, key=lambda image: order_key("image", (model.id, image.place))):
            if model.kind == "Checkpoint" and image.base not in model.hashes:
                continue
            query = bare_prompt(image.prompt, model)
            if len(set(letters(query))) >= LEAST:
                case = Case("prompt", model.half, query, frozenset((model.id,)))
                yield PromptCase(case, (model.id, *image.place))
                break


def twins(models: Sequence[Model], cases: Sequence[PromptCase]) -> set[Place]:
    """Pictures anywhere in the dump with a prompt nearly that of one of the cases, those included."""
    prompts: dict[frozenset[str], list[Place]] = {}
    for model in models:
        for image in model.images:
            prompts.setdefault(_words(image), []).append((model.id, *image.place))
    counts = Counter(word for words in prompts for word in words)
    by_word: dict[str, list[frozenset[str]]] = {}
    for words in prompts:
        for word in words:
            by_word.setdefault(word, []).append(words)
    at = {place: words for words, places in prompts.items() for place in places}
    alike: set[frozenset[str]] = set()
    for case in cases:
        alike.update(_alike(at[case.place], by_word, counts))
    return {place for words in alike for place in prompts[words]}


def _alike(
    words: frozenset[str], by_word: Mapping[str, Sequence[frozenset[str]]], counts: Mapping[str, int]
) -> Iterator[frozenset[str]]:
    """Sets that share so much must share one of the rarest few words: only those are compared."""
    yield words
    few = len(words) - ceil(ALIKE * len(words)) + 1
    for word in sorted(words, key=lambda word: (counts[word], word))[:few]:
        for other in by_word.get(word, ()):
            if len(words & other) >= ALIKE * len(words | other):
                yield other


def _words(image: Image) -> frozenset[str]:
    return frozenset(letters(image.prompt))
