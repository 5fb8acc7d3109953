"""What does the model predict? Marker tensors, metadata, then names; ``indexer/data/prediction.toml``."""

import re
from collections.abc import Container, Iterable, Mapping
from functools import cache
from typing import Any

from indexer.domain.verdict import Evidence
from indexer.domain.vocabulary import read_table
from indexer.rules.hints import words_of

__all__ = ["read_prediction"]

_NAMED = ("ss_sd_model_name", "modelspec.title")


def _table() -> Mapping[str, Any]:
    return read_table("prediction.toml")


def read_prediction(
    tensors: Container[str], metadata: Mapping[str, str], root: str | None = None, file_name: str = ""
) -> tuple[str | None, tuple[Evidence, ...]]:
    """``epsilon``, ``v``, ``edm``, ``edm_v``, ``x0`` or the writer's own word, and who says so.

    ``root`` is the first id of the architecture's path: names are heard for UNets only. The evidence also
    tells of a zero-SNR schedule, and of metadata that a marker contradicts.
    """
    spoken = [*_marked(tensors), *_stated(metadata), *_named(metadata, root, file_name)]
    evidence = [Evidence("zero-snr", source) for source in _zero_snr(tensors, metadata)]
    if not spoken:
        return None, tuple(evidence)
    meaning, source = spoken[0]
    against = [f"{other} says {word}" for word, other in spoken[1:] if word != meaning]
    detail = f"{meaning}: {source}" + (f"; but {against[0]}" if against else "")
    return meaning, (Evidence("prediction", detail), *evidence)


def _marked(tensors: Container[str]) -> Iterable[tuple[str, str]]:
    for row in _table()["marker"]:
        if row["tensor"] in tensors:
            yield row["meaning"], f"tensor {row['tensor']}"


def _stated(metadata: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    keys = _table()["keys"]
    for key in keys["names"]:
        if stated := metadata.get(key, "").strip().lower()[:50]:
            yield keys["spellings"].get(stated, stated), key
    for row in _table()["implied"]:
        if metadata.get(row["key"], "")[:200].partition("/")[0].endswith(row["ending"]):
            yield row["meaning"], row["key"]


def _named(metadata: Mapping[str, str], root: str | None, file_name: str) -> Iterable[tuple[str, str]]:
    if root not in _table()["names"]["roots"]:
        return
    named = [(file_name, "file name"), *((metadata.get(key, ""), key) for key in _NAMED)]
    for name, source in named:
        words = words_of(name) if name else ""
        for meaning, pattern in _patterns():
            if pattern.search(words):
                yield meaning, f"{source} {name[:80]!r}"


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    names = _table()["names"]
    return tuple(
        (word, re.compile(rf"(?:^| )(?:{'|'.join(names[word])})(?= |$)")) for word in ("v", "epsilon")
    )


def _zero_snr(tensors: Container[str], metadata: Mapping[str, str]) -> Iterable[str]:
    row = _table()["zero_snr"]
    yield from (f"tensor {name}" for name in row["tensors"] if name in tensors)
    yield from (key for key in row["keys"] if metadata.get(key, "")[:10].lower() in ("true", "1"))
