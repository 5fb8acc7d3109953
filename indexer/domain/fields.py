"""The one table of searchable fields. It drives queries, filters, engine settings, facets and help.

Adding a field is adding a row here and a value in ``Document``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["ALIASES", "FIELDS", "Field", "FieldType", "field_named"]


class FieldType(Enum):
    """What a field's values are, and hence which operators it takes."""

    TEXT = "text"  # words; field:word finds entries that have all the words
    KEYWORD = "keyword"  # whole values compared folded; field:a,b means either
    TREE = "tree"  # values are paths, root first; field:node finds the node and all below it
    NUMBER = "number"  # field:4, field:>4, field:8..32
    SIZE = "size"  # bytes; field:<200MB
    DATE = "date"  # field:>2025-01-01, field:2025, field:2024-01..2024-06
    FLAG = "flag"  # is:favourite, has:preview; the value is the flag's name


@dataclass(frozen=True, slots=True)
class Field:
    """One row: ``name`` is what a user types, ``attribute`` the attribute of ``Document`` it reads.

    ``weight`` names the row of ``search/data/ranking.toml`` under which plain words search this field; None
    when they don't. ``facet`` fields are counted in answers.
    """

    name: str
    type: FieldType
    attribute: str
    title: str
    help: str
    example: str
    facet: bool = False
    weight: str | None = None


_ROWS = (
    Field("name", FieldType.TEXT, "name", "Name", "title of the model", "name:watercolour", weight="name"),
    Field(
        "version",
        FieldType.TEXT,
        "version",
        "Version",
        "title of the release",
        "version:v2",
        weight="version",
    ),
    Field("type", FieldType.KEYWORD, "kind", "Type", "what sort of model", "type:lora", facet=True),
    Field(
        "adapter", FieldType.KEYWORD, "adapter", "Adapter", "algorithm of a LoRA", "adapter:lokr", facet=True
    ),
    Field(
        "arch",
        FieldType.TREE,
        "architecture_path",
        "Architecture",
        "what loads it, from its tensors",
        "arch:sdxl",
        facet=True,
    ),
    Field(
        "fits",
        FieldType.KEYWORD,
        "fits",
        "Fits",
        "loads on this architecture or family",
        "fits:sdxl",
    ),
    Field(
        "base",
        FieldType.KEYWORD,
        "base_label",
        "Base label",
        "base model as the source claims it",
        'base:"SDXL 1.0"',
        facet=True,
    ),
    Field(
        "family", FieldType.KEYWORD, "family", "Family", "lineage of the weights", "family:pony", facet=True
    ),
    Field(
        "category",
        FieldType.KEYWORD,
        "category",
        "Category",
        "what it is for",
        "category:style",
        facet=True,
        weight="category",
    ),
    Field(
        "tag",
        FieldType.KEYWORD,
        "tags",
        "Tag",
        "tags given by people",
        "tag:anime",
        facet=True,
        weight="tags",
    ),
    Field(
        "creator",
        FieldType.KEYWORD,
        "creator",
        "Creator",
        "who made it",
        "creator:mira",
        facet=True,
        weight="creator",
    ),
    Field(
        "trigger",
        FieldType.TEXT,
        "trigger_words",
        "Trigger words",
        "words that call it up",
        "trigger:inkwash",
        weight="trigger_words",
    ),
    Field(
        "licence",
        FieldType.KEYWORD,
        "licences",
        "Licence",
        "licence as stated, or what it permits",
        "licence:commercial",
        facet=True,
    ),
    Field(
        "file",
        FieldType.TEXT,
        "file_names",
        "File name",
        "name of a file",
        "file:inkwash",
        weight="file_names",
    ),
    Field(
        "description",
        FieldType.TEXT,
        "description",
        "Description",
        "words of its description",
        'description:"soft light"',
        weight="description",
    ),
    Field(
        "prompt",
        FieldType.TEXT,
        "prompts",
        "Prompt",
        "prompts of its previews",
        "prompt:harbour",
        weight="prompts",
    ),
    Field(
        "training",
        FieldType.TEXT,
        "training_tags",
        "Training tags",
        "tags of the pictures it was trained on",
        "training:harbour",
        weight="training_tags",
    ),
    Field("rank", FieldType.NUMBER, "rank", "Rank", "most frequent rank of an adapter", "rank:8..32"),
    Field("size", FieldType.SIZE, "size", "Size", "size of its files", "size:<200MB"),
    Field(
        "rating", FieldType.NUMBER, "rating", "Rating", "lower bound of its ratings, 0..5 stars", "rating:>4"
    ),
    Field("downloads", FieldType.NUMBER, "downloads", "Downloads", "downloads at its hub", "downloads:>1000"),
    Field(
        "created",
        FieldType.DATE,
        "created",
        "Created",
        "when it was published, or else its file's date",
        "created:>2025-01-01",
    ),
    Field(
        "updated",
        FieldType.DATE,
        "updated",
        "Updated",
        "when it was last changed at its hub",
        "updated:>2025-01-01",
    ),
    Field("mine", FieldType.NUMBER, "my_rating", "My rating", "your own rating, 0..5", "mine:>=4"),
    Field("mytag", FieldType.KEYWORD, "my_tags", "My tags", "your own tags", "mytag:comic", facet=True),
    Field("note", FieldType.TEXT, "notes", "Notes", "words of your own notes", "note:harbour"),
    Field(
        "nsfw",
        FieldType.NUMBER,
        "nsfw_level",
        "NSFW level",
        "rating bits of the hub; 1 general, 4 and up adult",
        "nsfw:<4",
    ),
    Field("hash", FieldType.KEYWORD, "hashes", "Hash", "hash of a file", "hash:2fd8a3c9e1"),
    Field("has", FieldType.FLAG, "has", "Has", "what is known about it", "has:preview", facet=True),
    Field(
        "is",
        FieldType.FLAG,
        "flags",
        "Is",
        "its state: local, remote (only at a hub), gone …",
        "is:mislabelled",
        facet=True,
    ),
)

FIELDS: Mapping[str, Field] = {row.name: row for row in _ROWS}

ALIASES: Mapping[str, str] = {
    "kind": "type",
    "architecture": "arch",
    "license": "licence",
    "tags": "tag",
    "author": "creator",
    "user": "creator",
    "triggers": "trigger",
    "filename": "file",
    "date": "created",
}


def field_named(name: str) -> Field | None:
    """The field a user means by ``name`` (case does not matter, aliases are known), or None."""
    lowered = name.lower()
    return FIELDS.get(ALIASES.get(lowered, lowered))
