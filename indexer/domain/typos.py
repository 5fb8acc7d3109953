"""How many typing errors lie between two words, and which words may have been meant."""

from collections.abc import Iterator

__all__ = ["distance", "edits", "tolerance"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_ONE, _TWO = 3, 7


def tolerance(word: str) -> int:
    """How many errors are forgiven: none in two letters, one in up to six, two in longer words."""
    if len(word) < _ONE or word.isdigit():
        return 0
    return 1 if len(word) < _TWO else 2


def distance(one: str, other: str, most: int) -> int:
    """Letters left out, added, exchanged or swapped with a neighbour (optimal string alignment); ``most + 1``
    when there are more than ``most``."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    one, other = _apart(one, other)
    if not one or not other:
        return min(len(one) + len(other), most + 1)
    return _aligned(one, other, most)


def _apart(one: str, other: str) -> tuple[str, str]:
    """Both without what they begin and end with in common."""
    start, most = 0, min(len(one), len(other))
    while start < most and one[start] == other[start]:
        start += 1
    end = 0
    while end < most - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _aligned(one: str, other: str, most: int) -> int:
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def edits(word: str, length: int) -> Iterator[str]:
    """Words from which ``word`` comes by one typing error in its first ``length`` letters; about 70 a letter,
    some twice."""
    for place in range(min(length, len(word))):
        left, here, right = word[:place], word[place], word[place + 1 :]
        yield left + right  # a letter too many
        if right:
            yield left + right[0] + here + right[1:]  # two swapped
        for letter in _LETTERS:
            if letter != here:
                yield left + letter + right  # another letter
            yield left + letter + here + right  # a letter left out
