"""What a training set tells: its pictures, its caption tags, and the words that were taught by them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from indexer.parsers.fields import MAX_WORD, unique_words
from indexer.parsers.training_table import words

__all__ = [
    "TOP_TAGS",
    "Folder",
    "concept_names",
    "folders",
    "images",
    "resolution",
    "top_tags",
    "trigger_words",
]

TOP_TAGS: Final = 200
_MAX_TRIGGERS: Final = 32
_NEARLY_ALL: Final = 0.9  # share of a folder's pictures whose captions carry the word that was taught
_TAGS_PER_FOLDER: Final = 3
_LONGEST_TAG: Final = 60  # a longer "tag" is a sentence of a caption
_REPEATS: Final = re.compile(r"[0-9]{1,6}_+(.+)", re.DOTALL)


class Folder(NamedTuple):
    """One folder of a training set: its name without the repeats, pictures, repeats, tags with counts."""

    name: str
    images: int | None
    repeats: int | None
    tags: dict[str, int]


def folders(frequency: Any, sizes: Any, datasets: Any) -> list[Folder]:
    """Folders from the decoded ``ss_tag_frequency``, ``ss_dataset_dirs`` and ``ss_datasets``."""
    tags: dict[str, dict[str, int]] = {}
    pictures: dict[str, tuple[int | None, int | None]] = {}
    _add_tags(tags, frequency)
    _add_sizes(pictures, sizes)
    tags_told, sizes_told = (
        bool(tags),
        bool(pictures),
    )  # the datasets repeat both tables, under other names at times
    for dataset in datasets if isinstance(datasets, list) else ():
        if isinstance(dataset, dict):
            if not tags_told:
                _add_tags(tags, dataset.get("tag_frequency"))
            if not sizes_told:
                _add_subsets(pictures, dataset.get("subsets"))
    return [
        Folder(_taught(name), *pictures.get(name, (None, None)), tags.get(name, {}))
        for name in {**pictures, **tags}
    ]


def _taught(name: str) -> str:
    """``sks dog`` of ``10_sks dog``: sd-scripts reads the number as repeats, the rest as the caption."""
    match = _REPEATS.fullmatch(name)
    return (match[1] if match else name)[:MAX_WORD].strip()


def _add_tags(tags: dict[str, dict[str, int]], frequency: Any) -> None:
    for name, counts in frequency.items() if isinstance(frequency, dict) else ():
        if not isinstance(counts, dict):
            continue
        merged = tags.setdefault(name, {})
        for tag, count in counts.items():
            if type(count) is int and 0 < count < 10**9:
                merged[tag.strip()] = merged.get(tag.strip(), 0) + count


def _add_sizes(pictures: dict[str, tuple[int | None, int | None]], sizes: Any) -> None:
    for name, row in sizes.items() if isinstance(sizes, dict) else ():
        if isinstance(row, dict):
            pictures.setdefault(name, (_count(row.get("img_count")), _count(row.get("n_repeats"))))


def _add_subsets(pictures: dict[str, tuple[int | None, int | None]], subsets: Any) -> None:
    for subset in subsets if isinstance(subsets, list) else ():
        if isinstance(subset, dict) and not subset.get("is_reg"):
            name = subset.get("class_tokens") or subset.get("image_dir")
            if isinstance(name, str):
                size = _count(subset.get("img_count")), _count(subset.get("num_repeats"))
                pictures.setdefault(re.split(r"[\\/]", name)[-1], size)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 10**9 else None


def resolution(datasets: Any) -> tuple[int, int] | None:
    """(width, height) in pixels of the first dataset, where ``ss_datasets`` tells it."""
    first = datasets[0] if isinstance(datasets, list) and datasets else None
    pair = first.get("resolution") if isinstance(first, dict) else None
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    width, height = map(_count, pair)
    return (width, height) if width and height and max(width, height) <= 65_536 else None


def images(found: Iterable[Folder]) -> int | None:
    """Pictures of all folders, each counted once; None where no folder tells."""
    return sum(folder.images or 0 for folder in found) or None


def top_tags(found: Iterable[Folder]) -> tuple[tuple[str, int], ...]:
    """The most frequent tags over all folders, most frequent first."""
    total: Counter[str] = Counter()
    for folder in found:
        total.update(folder.tags)
    return tuple((tag, count) for tag, count in total.most_common(TOP_TAGS) if tag and len(tag) <= MAX_WORD)


def trigger_words(found: Sequence[Folder]) -> list[str]:
    """Likely trigger words, best first.

    First what a folder is called and its captions say too, then what folders are called, then what all
    captions share; the folders seen most often in training first.
    """
    ordered = sorted(found, key=lambda folder: (-_seen(folder), folder.name))
    named = [folder.name for folder in ordered if not words().folders.fullmatch(folder.name)]
    shared = [tag for folder in ordered for tag in _shared_tags(folder)]
    spoken = {name.casefold() for name in named}
    both = [tag for tag in shared if tag.casefold() in spoken]
    return unique_words([*both, *named, *shared])[:_MAX_TRIGGERS]


def _seen(folder: Folder) -> int:
    """How many pictures of it an epoch shows."""
    return (folder.images or max(folder.tags.values(), default=1)) * (folder.repeats or 1)


def concept_names(concepts: Any) -> list[str]:
    """Names of OneTrainer's concepts that are trained, without those that say nothing."""
    rows = (
        [row for row in concepts[:_MAX_TRIGGERS] if isinstance(row, dict)]
        if isinstance(concepts, list)
        else []
    )
    named = [
        row["name"].strip()
        for row in rows
        if isinstance(row.get("name"), str)
        and row.get("enabled", True)
        and row.get("type") != "PRIOR_PREDICTION"
    ]
    return unique_words(
        name for name in named if len(name) <= MAX_WORD and not words().folders.fullmatch(name)
    )


def _shared_tags(folder: Folder) -> list[str]:
    """Tags of nearly all captions of a folder, those of every model left out."""
    if not folder.tags:
        return []
    enough = _NEARLY_ALL * max(folder.images or 0, max(folder.tags.values()))
    shared = [
        (count, tag)
        for tag, count in folder.tags.items()
        if count >= enough and len(tag) <= _LONGEST_TAG and tag.casefold() not in words().tags
    ]
    shared.sort(key=lambda item: (-item[0], item[1]))
    return [tag for _, tag in shared[:_TAGS_PER_FOLDER]]
