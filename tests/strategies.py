"""Random documents and filters, small enough to collide: both draw from the same pools of values."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words, keyword
from indexer.domain.records import Document, FileRef, SourceRef
from indexer.domain.text import words

WORDS = ("ink", "Ink", "soft light", "SDXL", "DetailTweaker", "水彩画", "naïve", "v1.2", "a|b", "ﬁne", "")
PATHS = ((), ("sd1",), ("sdxl",), ("flux1", "flux1-dev"), ("flux1", "flux1-dev", "flux1-kontext-dev"))
DAYS = (None, "2023-12-31", "2024-01-01", "2024-06-15", "2025-02-28")
FILES = (
    (),
    (FileRef("/m/ink_v1.safetensors", None, 1),),
    (FileRef("C:\\m\\Soft Light.ckpt", "ab" * 32, 9), FileRef("水彩画.gguf", None, 2)),
)
SOURCES = (
    (),
    (SourceRef("local", "1"),),
    (SourceRef("local", "1"), SourceRef("civitai", "70", "https://civitai.com/models/7?modelVersionId=70")),
    (SourceRef("huggingface", "Ink/Wash@a/b.safetensors", "https://huggingface.co/Ink/Wash"),),
)

SINGLE: Mapping[str, tuple[Any, ...]] = {
    "name": WORDS,
    "version": WORDS,
    "kind": ("lora", "checkpoint", "vae"),
    "adapter": (None, "lora", "lokr"),
    "family": (None, "pony"),
    "base_label": (None, "SDXL 1.0", "Flux.1 D"),
    "category": (None, "style", "character"),
    "creator": (None, *WORDS),
    "description": WORDS,
    "licence": (None, "apache-2.0", *WORDS[:3]),
    "rank": (None, 8, 32),
    "size": (None, 1, 10**9),
    "rating": (None, 0, 1, 4, 4.25),
    "downloads": (None, 0, 4, 10**9),
    "nsfw_level": (None, 1, 4),
    "created": DAYS,
    "updated": DAYS,
    "my_rating": (None, 0, 4, 4.5),
}
"""Attributes of ``Document`` with one value -> values to draw from."""

LISTS: Mapping[str, tuple[str, ...]] = {
    "tags": WORDS,
    "trigger_words": WORDS,
    "prompts": WORDS,
    "training_tags": WORDS,
    "my_tags": WORDS,
    "notes": WORDS,
    "permissions": ("sell_images", "credit"),
    "hashes": ("ab12" * 16, "cd34" * 16, "ab99" * 16, "0d4a1185"),
    "has": ("preview", "trigger", "rating"),
    "flags": ("local", "mislabelled", "unseen", "adult"),
}
"""Attributes with several values -> values to draw from."""

MADE: Mapping[str, tuple[Any, ...]] = {
    "architecture_path": ("sd1", "sdxl", "flux1", "flux1-dev", "flux1-kontext-dev"),
    "fits": ("sd1", "sdxl", "flux1", "flux1-dev"),
    "licences": ("apache-2.0", "ink", "soft light", "sell_images"),
    "file_names": ("ink_v1", "soft light", "safetensors", "水彩画"),
    "source_ids": ("civitai:7", "civitai:7@70", "civitai:@70", "huggingface:ink/wash"),
    "hashes": ("ab12", "ab", "cd34" * 16, "0d4a1185"),
}
"""Attributes that follow from others, or that are asked for by a beginning -> values that filters ask for."""


@st.composite
def documents(draw: st.DrawFn, id_: int = 1) -> Document:
    """A document with any mixture of known and unknown values."""
    path = draw(st.sampled_from(PATHS))
    single = {name: draw(st.sampled_from(pool)) for name, pool in SINGLE.items()}
    several: dict[str, Any] = {
        name: tuple(draw(st.lists(st.sampled_from(pool), max_size=3, unique=name in ("has", "flags"))))
        for name, pool in LISTS.items()
    }
    return Document(
        id=id_,
        model_id=id_,
        architecture=path[-1] if path else None,
        architecture_path=path,
        files=draw(st.sampled_from(FILES)),
        sources=draw(st.sampled_from(SOURCES)),
        **single,
        **several,
    )


def asked(field: Field) -> tuple[Any, ...]:
    """Values that a filter of this field may ask for: those that documents have, and one that none has."""
    pool = MADE.get(field.attribute) or SINGLE.get(field.attribute) or LISTS[field.attribute]
    return tuple(value for value in pool if value is not None)


def any_of(field: Field) -> st.SearchStrategy[Filter]:
    """One or two whole values of a KEYWORD, TREE or FLAG field."""
    values = st.sampled_from([*asked(field), "zebra"]).map(lambda value: keyword(str(value)))
    return st.lists(values, min_size=1, max_size=2).map(lambda found: AnyOf(field, tuple(found)))


def has_words(field: Field) -> st.SearchStrategy[Filter]:
    """Words, or a phrase, in a TEXT field."""
    texts = [text for text in (*asked(field), "ink light", "zebra") if text]
    return st.builds(
        lambda text, phrase: Words(field, tuple(words(text, glued=False)), phrase),
        st.sampled_from(texts),
        st.booleans(),
    )


def ranges(field: Field) -> st.SearchStrategy[Filter]:
    """Bounds of a NUMBER, SIZE or DATE field, closed or open, also none, also the wrong way round."""
    more = () if field.type is FieldType.DATE else (2.5, 10**9)
    bounds = st.sampled_from((None, *asked(field), *more))
    return st.builds(lambda *args: Range(field, *args), bounds, bounds, st.booleans(), st.booleans())


def leaf(field: Field) -> st.SearchStrategy[Filter]:
    """A filter of one field, as its type takes it."""
    if field.type.ranged:
        return ranges(field)
    return has_words(field) if field.type is FieldType.TEXT else any_of(field)


def filters(max_leaves: int = 6) -> st.SearchStrategy[Filter]:
    """Trees of filters over all fields of the table."""
    return st.recursive(
        st.sampled_from(tuple(FIELDS.values())).flatmap(leaf),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda nodes: And(tuple(nodes))),
            st.lists(inner, max_size=3).map(lambda nodes: Or(tuple(nodes))),
            inner.map(Not),
        ),
        max_leaves=max_leaves,
    )
