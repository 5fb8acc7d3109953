"""What would people type who know a model? Queries from names, trigger words and creators."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.evaluations.search_models import Model, letters, order_key, word_list

__all__ = ["Case", "known_item_cases", "typing_error"]

_LONG = 5
"""Letters of a word in which somebody mistypes."""

_FEW = 5
"""So many models may share a word that still tells them from the rest."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")
_COMMAS = re.compile(r"[,，、;]")
_NEIGHBOURS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class Case:
    """A query and the ids of the models that are wanted: one, or all of a topic. ``alike`` counts the models
    that the query describes just as well, the wanted one among them."""

    task: str
    half: str
    query: str
    wanted: frozenset[int]
    alike: int = 1

    @property
    def chance(self) -> float:
        """The reciprocal rank to be expected when those come first, in any order."""
        return sum(1 / place for place in range(1, self.alike + 1)) / self.alike


def known_item_cases(models: Sequence[Model]) -> Iterator[Case]:
    """Cases of the tasks name, dropped, mistyped, trigger and creator, in no order. The model it was made
    from is the one that is wanted, also where others would do."""
    yield from _name_cases(models)
    yield from _trigger_cases(models)
    yield from _creator_cases(models)


def _name_cases(models: Sequence[Model]) -> Iterator[Case]:
    names = {model.id: _name_words(model) for model in models}
    same = Counter(frozenset(words) for words in names.values())
    for model in models:
        words = names[model.id]
        if not any(len(word) > 1 for word in words):
            continue
        wanted, alike = frozenset((model.id,)), same[frozenset(words)]
        yield Case("name", model.half, " ".join(words), wanted, alike)
        chance = random.Random(order_key("name", model.id))
        if len(words) >= 3:
            yield Case("dropped", model.half, " ".join(_dropped(words, chance)), wanted, alike)
        if any(len(word) >= _LONG for word in words):
            yield Case("mistyped", model.half, " ".join(_mistyped(words, chance)), wanted, alike)


def _name_words(model: Model) -> list[str]:
    """What a person would read aloud: words without digits, camel case apart, kinds of files left out."""
    noise = word_list("kinds") | {"v"}
    whole = _WORD.sub(lambda found: " " if found[0].lower() in noise else found[0], model.name)
    return list(dict.fromkeys(word for word in letters(_CAMEL.sub(" ", whole)) if word not in noise))


def _dropped(words: Sequence[str], chance: random.Random) -> list[str]:
    left = list(words)
    del left[chance.randrange(len(left))]
    chance.shuffle(left)
    return left


def _mistyped(words: Sequence[str], chance: random.Random) -> list[str]:
    """One error in a long word; with three long words or more, in every other name a second in another."""
    long = [place for place, word in enumerate(words) if len(word) >= _LONG]
    count = 2 if len(long) >= 3 and chance.random() < 0.5 else 1
    errors = set(chance.sample(long, count))
    return [typing_error(word, chance) if i in errors else word for i, word in enumerate(words)]


def typing_error(word: str, chance: random.Random) -> str:
    """The word with two letters swapped, one left out, one doubled, or a neighbour on the keyboard hit; the
    first letter is right, as it mostly is. ``word`` has three letters or more."""
    place = chance.randrange(1, len(word) - 1)
    head, here, after = word[:place], word[place], word[place + 1 :]
    beside = _beside(here)
    error = chance.choice(("swap", "drop", "double", "neighbour"))
    if error == "swap" and here != after[0]:
        return head + after[0] + here + after[1:]
    if error == "drop":
        return head + after
    if error == "neighbour" and beside:
        return head + chance.choice(beside) + after
    return head + here + here + after


def _beside(letter: str) -> str:
    for row in _NEIGHBOURS:
        if letter in row:
            place = row.index(letter)
            return row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    return ""


def _trigger_cases(models: Sequence[Model]) -> Iterator[Case]:
    """The first trained phrase of at most three words that no more than one model in a hundred has as a
    trigger word or tag."""
    rare = max(_FEW, len(models) // 100)
    spread: Counter[str] = Counter()
    trained: Counter[str] = Counter()
    for model in models:
        trained.update(set(_phrases(model)))
        spread.update({*_phrases(model), *(" ".join(tag.lower().split()) for tag in model.tags)})
    for model in models:
        phrase = next(_phrases(model), None)
        if phrase and spread[phrase] <= rare:
            yield Case("trigger", model.half, phrase, frozenset((model.id,)), trained[phrase])


def _phrases(model: Model) -> Iterator[str]:
    for told in model.triggers:
        for part in _COMMAS.split(told):
            words = part.lower().split()
            if 1 <= len(words) <= 3 and "<" not in part and any(len(w) >= 3 and w.isalnum() for w in words):
                yield " ".join(words)


def _creator_cases(models: Sequence[Model]) -> Iterator[Case]:
    """The creator's name and some word of the model's name, else of its tags, that is in no more than one
    model in a hundred."""
    words = {model.id: _subjects(model) for model in models}
    counts = Counter(word for found in words.values() for word in set(found))
    of_creator = Counter((model.creator, word) for model in models for word in set(words[model.id]))
    rare = max(_FEW, len(models) // 100)
    for model in models:
        subjects = [word for word in words[model.id] if counts[word] <= rare]
        if subjects:
            subject = min(subjects, key=lambda word: order_key("creator", (model.id, word)))
            alike = of_creator[model.creator, subject]
            yield Case("creator", model.half, f"{model.creator} {subject}", frozenset((model.id,)), alike)


def _subjects(model: Model) -> list[str]:
    noise = word_list("kinds") | word_list("common") | {*letters(_CAMEL.sub(" ", model.creator))}
    named = [word for word in _name_words(model) if len(word) >= 3 and word not in noise]
    tagged = (word for tag in model.tags for word in letters(tag))
    return named or [word for word in tagged if len(word) >= 3 and word not in noise]
