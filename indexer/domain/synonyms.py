"""Other forms of a word of a query: singular and plural, British and American spelling, synonyms by table.

They serve ranking: a form counts less than the word itself. Filters stay exact.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from indexer.domain.vocabulary import read_table

__all__ = ["PLURAL", "SPELLING", "SYNONYM", "forms", "singular"]

PLURAL, SPELLING, SYNONYM = 0.95, 0.9, 0.7
"""What a match by another form is worth beside the word itself."""

_LEAST = 4
_KEPT = ("ss", "us", "is", "as", "os")
_TABLE = "synonyms.toml"


@lru_cache(maxsize=20_000)
def singular(word: str) -> str:
    """The singular of an English plural by a few rules and a table; other words as they are.

    >>> singular("witches"), singular("knights"), singular("cities"), singular("dress")
    ('witch', 'knight', 'city', 'dress')
    """
    irregular: Mapping[str, str] = read_table(_TABLE)["plurals"]
    if word in irregular:
        return irregular[word]
    if len(word) < _LEAST or not word.endswith("s") or not word.isascii() or word.endswith(_KEPT):
        return word
    if word.endswith("ies") and len(word) > _LEAST:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=20_000)
def forms(word: str) -> Mapping[str, float]:
    """Other forms of a word with what each is worth; some are no words, since rules made them.

    >>> forms("armours")["armour"], forms("armour")["armor"]
    (0.95, 0.9)
    """
    found: dict[str, float] = {}
    for form in _numbers(word):
        found.setdefault(form, PLURAL)
    for form in _spellings(word):
        found.setdefault(form, SPELLING)
    for form in (word, singular(word)):
        for other in _synonyms().get(form, ()):
            found.setdefault(other, SYNONYM)
    found.pop(word, None)
    return found


def _numbers(word: str) -> Iterator[str]:
    """Singular and plurals."""
    one = singular(word)
    yield one
    yield from _plurals().get(one, ())
    if len(one) >= _LEAST - 1 and one.isascii() and one.isalpha():
        yield one + "s"
        if one.endswith(("s", "sh", "ch", "x", "z")):
            yield one + "es"
        if one.endswith("y"):
            yield one[:-1] + "ies"


def _spellings(word: str) -> Iterator[str]:
    for pair in read_table(_TABLE)["endings"]["pairs"]:
        for ending, other in (pair, reversed(pair)):
            if word.endswith(ending) and len(word) > len(ending) + 2:
                yield word[: -len(ending)] + other


@cache
def _plurals() -> Mapping[str, tuple[str, ...]]:
    by_one: dict[str, tuple[str, ...]] = {}
    for many, one in read_table(_TABLE)["plurals"].items():
        if many != "why":
            by_one[one] = (*by_one.get(one, ()), many)
    return by_one


@cache
def _synonyms() -> Mapping[str, tuple[str, ...]]:
    others: dict[str, dict[str, None]] = {}
    for row in read_table(_TABLE)["words"]:
        for word in row["same"]:
            others.setdefault(word, {}).update(dict.fromkeys(w for w in row["same"] if w != word))
    return {word: tuple(found) for word, found in others.items()}
