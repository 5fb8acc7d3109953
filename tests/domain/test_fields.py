"""The table of fields, and what it tells people."""

from dataclasses import replace

import pytest

from indexer.domain.field_help import field_help
from indexer.domain.fields import ALIASES, EXCLUSIVE, FIELDS, FieldType, field_named
from indexer.domain.filters import values_of
from indexer.domain.records import Document
from indexer.domain.resolve import FileFacts, VersionFacts, resolve
from search.query import parse_query

FLAGS = {choice.name for choice in FIELDS["is"].choices}


def test_names_and_aliases_are_one_namespace() -> None:
    names = [*FIELDS, *(alias for field in FIELDS.values() for alias in field.aliases)]
    assert len(names) == len(set(names)) == len(FIELDS) + len(ALIASES)
    assert field_named("Kind") is FIELDS["type"]
    assert field_named("colour") is None


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_reads_a_document_and_its_example_is_a_query(name: str) -> None:
    field = FIELDS[name]
    assert isinstance(values_of(Document(1, 1, "x"), field), tuple)
    parsed = parse_query(field.example)
    assert parsed.fields == {name}
    assert parsed.notes == ()


@pytest.mark.parametrize(
    "field", [f for f in FIELDS.values() if f.type is FieldType.FLAG], ids=lambda f: f.name
)
def test_a_field_of_flags_lists_them(field: object) -> None:
    assert getattr(field, "choices")  # noqa: B009  # a parameter has no type of its own here


def test_exclusive_flags_are_flags() -> None:
    assert all(flags <= FLAGS for flags in EXCLUSIVE)


def test_flags_and_knowledge_of_documents_are_listed() -> None:
    known = FileFacts(
        size=1, sha256="ab" * 32, fingerprint="f", verdict={"kind": "unknown"}, copies=2, mtime_ns=0,
        claims=[("sidecar:json", {"favourite": True, "trigger_words": ["x"], "description": "x", "minor": True,
                                  "nsfw_level": 8, "real_person": True, "thumbs_up": 3}),
                ("header:kohya", {"name": "x"})],
        paths=["/m/x.ckpt"], missing=False, overrides={"name": "x"}, container="safetensors", fault="zeros",
    )  # fmt: skip
    facts = VersionFacts(
        id=1, model_id=1, key="file:f", files=[known], previews=1, prompts=["x"], gone="deleted"
    )
    away = replace(facts, files=[replace(known, missing=True)])
    afar = VersionFacts(id=1, model_id=1, key="civitai:1@1", files=[], claims=[("civitai", {"name": "x"})])
    found = [document for document in map(resolve, (facts, away, afar)) if document]
    assert {flag for document in found for flag in document.flags} <= FLAGS
    assert {had for document in found for had in document.has} <= {c.name for c in FIELDS["has"].choices}


def test_help_says_what_each_field_takes() -> None:
    rows = {row.name: row for row in field_help()}
    assert list(rows) == list(FIELDS)
    assert ":>" in rows["rank"].operators and ":>" not in rows["type"].operators
    assert "younger" in rows["created"].takes
    assert rows["is"].values["unseen"]
    assert "lora" in rows["type"].values and "sdxl" in rows["arch"].values
    assert rows["type"].aliases == ("kind",)
