"""The one table of searchable fields. It drives queries, filters, engine settings, facets and help.

Adding a field is adding a row here and a value in ``Document``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["ALIASES", "EXCLUSIVE", "FIELDS", "Choice", "Field", "FieldType", "field_named"]


class FieldType(Enum):
    """What a field's values are, and hence which operators it takes."""

    TEXT = "text"  # words; field:word finds entries that have all the words
    KEYWORD = "keyword"  # whole values compared folded; field:a,b means either
    TREE = "tree"  # values are paths, root first; field:node finds the node and all below it
    NUMBER = "number"  # field:4, field:>4, field:8..32
    SIZE = "size"  # bytes; field:<200MB
    DATE = "date"  # field:>2025-01-01, field:2025, field:2024-01..2024-06, field:<30d
    FLAG = "flag"  # is:favourite, has:preview; the value is the flag's name

    @property
    def ranged(self) -> bool:
        """Whether values have an order, so that ``>``, ``<`` and ``..`` make sense."""
        return self in (FieldType.NUMBER, FieldType.SIZE, FieldType.DATE)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a field is known to take; ``aliases`` are other spellings that people type."""

    name: str
    help: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One row: ``name`` is what a user types, ``attribute`` the attribute of ``Document`` it reads.

    ``weight`` names the row of ``search/data/ranking.toml`` under which plain words search this field; None
    when they don't. ``facet`` fields are counted in answers. ``many``: an entry may have several values, so
    that two wanted values do not contradict each other. ``about``: a number alone means all that rounds to it
    (``size:2.1GB``). ``aliases`` are other names of the field.
    ``choices`` are all values of a FLAG field.
    """

    name: str
    type: FieldType
    attribute: str
    title: str
    help: str
    example: str
    facet: bool = False
    weight: str | None = None
    many: bool = False
    about: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()


_STATES = (
    Choice("favourite", "marked by you", ("favorite", "starred")),
    Choice("unseen", "you have not opened it yet", ("new",)),
    Choice("seen", "you have opened it"),
    Choice("rated", "you have rated it"),
    Choice("local", "a file of it lies in the library", ("installed",)),
    Choice("remote", "known from a hub only"),
    Choice("missing", "its files were there and are not now"),
    Choice("gone", "its hub no longer offers it", ("deleted", "archived")),
    Choice("mislabelled", "claims contradict its tensors", ("mislabeled", "mislabled")),
    Choice("duplicate", "its bytes lie in several places", ("duplicated",)),
    Choice("nonfunctional", "its weights cannot work", ("broken", "non-functional")),
    Choice("unidentified", "nobody knows what it is", ("unknown",)),
    Choice("overridden", "you decided what it is", ("override",)),
    Choice("adult", "not for everybody; hidden unless asked for", ("nsfw", "mature")),
    Choice("real_person", "shows a living person; hidden unless asked for", ("poi", "real-person")),
    Choice("minor", "flagged as showing a minor; hidden unless asked for"),
)

_KNOWN = (
    Choice("preview", "a picture", ("previews", "image")),
    Choice("prompt", "a picture with its prompt", ("prompts",)),
    Choice("trigger", "trigger words", ("triggers", "trigger_words")),
    Choice("description", "a description"),
    Choice("rating", "ratings"),
    Choice("sidecar", "a file of another tool beside it"),
    Choice("metadata", "training metadata in its header"),
    Choice("sha256", "a full hash", ("hash",)),
)

EXCLUSIVE = (frozenset(("local", "remote", "missing")), frozenset(("seen", "unseen")))
"""Flags of ``is`` of which an entry has one at most."""


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
    Field(
        "type",
        FieldType.KEYWORD,
        "kind",
        "Type",
        "what sort of model",
        "type:lora",
        facet=True,
        aliases=("kind",),
    ),
    Field(
        "adapter", FieldType.KEYWORD, "adapter", "Adapter", "algorithm of a LoRA", "adapter:lokr", facet=True
    ),
    Field(
        "arch",
        FieldType.TREE,
        "architecture_path",
        "Architecture",
        "what loads it, by its tensors; finds variants too",
        "arch:flux1",
        facet=True,
        aliases=("architecture",),
    ),
    Field(
        "fits",
        FieldType.KEYWORD,
        "fits",
        "Fits",
        "loads on this architecture or family",
        "fits:sdxl",
        many=True,
    ),
    Field(
        "base",
        FieldType.KEYWORD,
        "base_label",
        "Base label",
        "base model as its source claims it; an architecture means all its labels",
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
        many=True,
        aliases=("tags",),
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
        aliases=("author", "user", "artist"),
    ),
    Field(
        "trigger",
        FieldType.TEXT,
        "trigger_words",
        "Trigger words",
        "words that call it up",
        "trigger:inkwash",
        weight="trigger_words",
        many=True,
        aliases=("triggers",),
    ),
    Field(
        "licence",
        FieldType.KEYWORD,
        "licences",
        "Licence",
        "licence as stated, or what it permits",
        "licence:commercial",
        facet=True,
        many=True,
        aliases=("license",),
    ),
    Field(
        "file",
        FieldType.TEXT,
        "file_names",
        "File name",
        "name of a file",
        "file:inkwash",
        weight="file_names",
        many=True,
        aliases=("filename",),
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
        many=True,
        aliases=("prompts",),
    ),
    Field(
        "training",
        FieldType.TEXT,
        "training_tags",
        "Training tags",
        "tags of the pictures it was trained on",
        "training:harbour",
        weight="training_tags",
        many=True,
    ),
    Field("rank", FieldType.NUMBER, "rank", "Rank", "most frequent rank of an adapter", "rank:8..32"),
    Field("size", FieldType.SIZE, "size", "Size", "size of its files", "size:<200MB", about=True),
    Field(
        "rating",
        FieldType.NUMBER,
        "rating",
        "Rating",
        "lower bound of its ratings, 0..5 stars",
        "rating:>4",
        about=True,
    ),
    Field("downloads", FieldType.NUMBER, "downloads", "Downloads", "downloads at its hub", "downloads:>1000"),
    Field(
        "created",
        FieldType.DATE,
        "created",
        "Created",
        "when it was published, or else its file's date",
        "created:>2025-01-01",
        aliases=("date", "published"),
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
    Field(
        "mytag",
        FieldType.KEYWORD,
        "my_tags",
        "My tags",
        "your own tags",
        "mytag:comic",
        facet=True,
        many=True,
        aliases=("mytags",),
    ),
    Field(
        "note",
        FieldType.TEXT,
        "notes",
        "Notes",
        "words of your own notes",
        "note:harbour",
        many=True,
        aliases=("notes",),
    ),
    Field(
        "nsfw",
        FieldType.NUMBER,
        "nsfw_level",
        "NSFW level",
        "rating bits of the hub; 1 general, 4 and up adult",
        "nsfw:<4",
    ),
    Field(
        "hash",
        FieldType.KEYWORD,
        "hashes",
        "Hash",
        "hash of a file, of any kind, or how it begins",
        "hash:2fd8a3c9e1",
        many=True,
        aliases=("sha256", "blake3", "crc32", "autov1", "autov2", "autov3"),
    ),
    Field(
        "source",
        FieldType.KEYWORD,
        "source_ids",
        "Source",
        "where it is known, or a hub's id of it",
        "source:civitai:101055",
        many=True,
    ),
    Field(
        "has",
        FieldType.FLAG,
        "has",
        "Has",
        "what is known about it",
        "has:preview",
        facet=True,
        many=True,
        choices=_KNOWN,
    ),
    Field(
        "is",
        FieldType.FLAG,
        "flags",
        "Is",
        "its state: local, remote (only at a hub), gone …",
        "is:mislabelled",
        facet=True,
        many=True,
        choices=_STATES,
    ),
)

FIELDS: Mapping[str, Field] = {row.name: row for row in _ROWS}

ALIASES: Mapping[str, str] = {alias: row.name for row in _ROWS for alias in row.aliases}


def field_named(name: str) -> Field | None:
    """The field a user means by ``name`` (case does not matter, aliases are known), or None."""
    lowered = name.lower()
    return FIELDS.get(ALIASES.get(lowered, lowered))
