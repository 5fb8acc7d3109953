"""What Civitai may be asked, in its own spelling, checked before anything is sent.

The hub ignores parameters that it does not know in silence: a misspelled one would read all there is. The
table is ``indexer/data/civitai_listing.toml``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from indexer.domain.vocabulary import base_label, read_table
from indexer.errors import UsageError

__all__ = ["LISTINGS", "civitai_question", "read_asked"]

LISTINGS = ("models", "images", "creators", "tags", "enums")
"""What can be read from Civitai."""


def civitai_question(
    *,
    what: str = "models",
    query: str | None = None,
    tag: str | None = None,
    username: str | None = None,
    types: Sequence[str] = (),
    base_models: Sequence[str] = (),
    sort: str | None = None,
    period: str | None = None,
    nsfw: bool | None = None,
    favorites: bool = False,
    asked: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Parameters of one of Civitai's ``LISTINGS``, in its own spelling. Base models may be spelled as
    elsewhere; ``asked`` are further ones by the hub's names.

    Raises ``UsageError`` (``question``) for a name or a word that the listing does not know, with those it
    knows.
    """
    if what not in LISTINGS:
        raise UsageError("question", f"Civitai lists no {what!r}. Choose: {', '.join(LISTINGS)}.")
    single = {"query": query, "tag": tag, "username": username, "sort": sort, "period": period}
    given = [(name, value) for name, value in single.items() if value]
    given += [("types", value) for value in types] + [("baseModels", value) for value in base_models]
    given += [] if nsfw is None else [("nsfw", str(nsfw).lower())]
    given += [("favorites", "true")] if favorites else []
    found = _read(what, [*given, *asked])
    if what in ("models", "images") and not found.keys() & {"sort", "query"}:
        # The newest first stays in order while new ones arrive; a query has an order of its own.
        found["sort"] = "Newest"
    return found


def read_asked(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of ``NAME=VALUE``. Raises ``UsageError`` (``question``)."""
    pairs = [word.partition("=") for word in words]
    for name, given, value in pairs:
        if not (name and given and value):
            raise UsageError("question", f"{name!r} lacks its value: write NAME=VALUE, such as modelId=4384.")
    return [(name, value) for name, _, value in pairs]


def _read(what: str, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    rows = {
        name: row for name, row in read_table("civitai_listing.toml")["ask"][what].items() if name != "why"
    }
    folded = {name.lower(): name for name in rows}
    found: dict[str, Any] = {}
    for word, value in given:
        name = folded.get(word.lower())
        if name is None:
            known = f"It takes: {', '.join(rows)}." if rows else "It takes nothing."
            raise UsageError("question", f"Civitai's listing of {what} takes no {word!r}. {known}")
        row = rows[name]
        read = _READERS[row.get("read", "text")](name, value, row)
        if row.get("many"):
            found.setdefault(name, []).append(read)
        elif name in found:
            raise UsageError("question", f"{name} is given twice; Civitai takes one.")
        else:
            found[name] = read
    return found


def _word(name: str, value: str, row: Mapping[str, Any]) -> str:
    known: Sequence[str] = read_table("civitai_listing.toml")[row["of"]]
    folded = {word.lower().replace(" ", ""): word for word in known}
    found = folded.get(value.lower().replace(" ", ""))
    if found is None:
        raise UsageError("question", f"Civitai knows no {name} {value!r}. Choose: {', '.join(known)}.")
    return found


def _flag(name: str, value: str, row: Mapping[str, Any]) -> str:
    if value.lower() not in ("true", "false"):
        raise UsageError("question", f"{name} is true or false, not {value!r}.")
    return value.lower()


def _numbers(name: str, value: str, row: Mapping[str, Any]) -> str:
    parts = value.split(",") if row["read"] == "numbers" else [value]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise UsageError("question", f"{name} is a whole number such as 4384, not {value!r}.")
    return value


def _base(name: str, value: str, row: Mapping[str, Any]) -> str:
    label = base_label(value)
    return label.id if label else value


_READERS: Mapping[str, Callable[[str, str, Mapping[str, Any]], str]] = {
    "text": lambda name, value, row: value,
    "word": _word,
    "flag": _flag,
    "number": _numbers,
    "numbers": _numbers,
    "base": _base,
}
