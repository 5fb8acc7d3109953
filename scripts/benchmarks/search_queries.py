"""What the benchmark asks: words of every frequency, filters, sorted pages, half-typed words, nonsense."""

import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.domain.records import Document
from indexer.domain.text import words
from scripts.benchmarks.search_library import Batch
from scripts.evaluations.search_tasks import typing_error

__all__ = ["Ask", "hostile_queries", "kinds_of_queries", "typed_letter_by_letter"]

_FILTERS = (
    "type:lora arch:sdxl",
    "arch:sd1 rank:8..32",
    "base:pony category:style",
    "licence:sell-images downloads:>1000",
    "created:>2025-01-01 -type:lora",
    "size:<200MB rating:>4 type:lora",
    "fits:sdxl type:lora",
    "(category:style OR category:character) arch:flux1",
)
_SORTS = ("newest", "updated", "rating", "downloads", "size", "name", "random")
_ARCHIVE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "hostile.tar.xz"
_STRANGE = (
    *("AND", "OR", "NOT", "NOT NOT NOT", "a AND", "OR b", "()", "(((", ")))", '"', '""', '"a', 'a"b"c'),
    *("name:", ":", "::", "nofield:x", "a:b:c", "-", "--", "-a", "- a", "+a", "a*", "*", "?", "a~2", "a^3"),
    *(
        "[1 TO 5]",
        "{a TO b}",
        "/.*/",
        "/(a+)+$/",
        "NEAR(a b, 5)",
        "a NEAR b",
        "^name",
        "name : a",
        "{a b}: c",
    ),
    *("_geoRadius(1,2,3)", "name = 'x' OR 1=1", "_vectors EXISTS", "a IN [b, c]", "'; DROP TABLE entry; --"),
    *("type:lora type:vae", "rank:>5 rank:<3", "-a a", "rank:99999999999999999999", "size:1e400", "rank:nan"),
    *(
        "created:>9999-99-99",
        "hash:zz",
        "is:nothing",
        "\x00",
        "a\x00b",
        "\ud800",
        "\u202e",
        "\ufeff",
        "ﷺ" * 50,
    ),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of ``Pinakes.search``."""

    query: str
    more: dict[str, Any] = field(default_factory=dict)


def kinds_of_queries(count: int, each: int) -> dict[str, list[Ask]]:
    """``each`` queries of every kind for a hub of ``count`` versions, made from its own documents."""
    chance = random.Random(11)
    known = [_some(chance, count) for _ in range(each * 3)]
    names = [found for document in known if (found := words(document.name, glued=False))][:each]
    told = [words(document.description) for document in known if len(words(document.description)) > 20][:each]
    rare = [max(found, key=len) for found in names]
    long = [word for word in rare if len(word) >= 5]
    common = _common(known)
    plain = {
        "common word": common[:each],
        "two common words": [" ".join(chance.sample(common, 2)) for _ in range(each)],
        "middling word": [chance.choice(found) for found in told],
        "rare word": rare,
        "name": [" ".join(found) for found in names],
        "name mistyped": [typing_error(chance.choice(long), chance) for _ in range(each)],
        "beginning of a word": [word[: max(3, len(word) // 2)] for word in rare],
        "phrase": [f'"{" ".join(found[:2])}"' for found in told],
        "prompt": [", ".join(document.prompts[0].split(", ")[:20]) for document in known if document.prompts][
            :each
        ],
        "words and filters": [f"{word} {chance.choice(_FILTERS)}" for word in common[:each]],
        "filters alone": [f"{chance.choice(_FILTERS)} downloads:>{place}" for place in range(each)],
        "negation": [f"{word} -{chance.choice(common)}" for word in common[:each]],
        "creator and word": [f"{d.creator} {w}" for d, w in zip(known, rare, strict=False)],
        "everything": [""] * 5,
    }
    kinds = {name: [Ask(query) for query in queries] for name, queries in plain.items()}
    kinds["half typed"] = [Ask(word[:3], {"typing": True}) for word in rare]
    kinds["sorted"] = [
        Ask(chance.choice(("", chance.choice(_FILTERS))), {"sort": _SORTS[i % len(_SORTS)]})
        for i in range(each)
    ]
    kinds["words, sorted"] = [Ask(word, {"sort": _SORTS[i % 6]}) for i, word in enumerate(common[:each])]
    kinds["tenth page"] = [Ask(word, {"offset": 216}) for word in common[:each]]
    kinds["for a base"] = [Ask(word, {"base": "sdxl"}) for word in common[:each]]
    kinds["nothing matches"] = [
        Ask(f"{word} {chance.choice(_FILTERS)} rating:>5.{place}") for place, word in enumerate(common[:each])
    ]
    return kinds


def typed_letter_by_letter(count: int, names: int) -> list[Ask]:
    """Every state of the box, from two letters on, while names are typed."""
    chance = random.Random(13)
    typed = [" ".join(words(_some(chance, count).name, glued=False)[:3]) for _ in range(names)]
    return [
        Ask(text[:end], {"typing": True, "limit": 10, "facets": False})
        for text in typed
        for end in range(2, len(text) + 1)
    ]


def hostile_queries() -> Iterator[str]:
    """Engine operators, unbalanced syntax, sheer length; and collected nonsense where it lies at hand."""
    yield from _STRANGE
    yield from ("a" * 10_000, "a " * 5_000, "ab" * 5_000, "木" * 10_000, "DetailTweaker" * 800)
    yield " ".join(f"word{i}" for i in range(1_000))
    yield " OR ".join(f"word{i}" for i in range(1_000))
    yield " ".join(f"-word{i}" for i in range(1_000))
    yield "name:" + ",".join(f"word{i}" for i in range(1_000))
    yield "tag:" + ",".join(f"tag{i}" for i in range(1_000))
    for depth in (10, 100, 1_000, 5_000):
        yield "(" * depth + "a" + ")" * depth
        yield "NOT (" * depth + "a" + ")" * depth
    yield '"' + "a b " * 2_000 + '"'
    if _ARCHIVE.is_file():
        yield from _collected()


def _collected() -> Iterator[str]:
    with tarfile.open(_ARCHIVE) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            read = archive.extractfile(member) if member.isfile() else None
            if read is None:
                continue
            if name == "big-list-of-naughty-strings/blns.json":
                yield from json.loads(read.read())
            elif name in ("lists/fts5_queries.txt", "lists/meili_filters.txt", "lists/sql_params.txt"):
                yield from read.read().decode("utf-8", "replace").splitlines()


def _some(chance: random.Random, count: int) -> Document:
    """Some version of the hub, from one of forty batches."""
    batches = max(1, count // 2_000)
    number = chance.randrange(min(40, batches)) * batches // min(40, batches)
    return _batch(number).documents[chance.randrange(min(count, 2_000))]


_kept: dict[int, Batch] = {}


def _batch(number: int) -> Batch:
    return _kept.setdefault(number, Batch(number))


def _common(known: Sequence[Document]) -> list[str]:
    counts: dict[str, int] = {}
    for document in known:
        for word in set(words(document.description)):
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))[:200]
