"""Documents as they are stored: the fast writer against the slow one, whatever a stranger wrote."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.columns import clean
from indexer.catalog.entries import document_text
from indexer.domain.records import Document, FileRef, SourceRef, from_json, to_json
from tests.strategies import documents

HOSTILE = st.text(st.characters(), max_size=20) | st.sampled_from(["\x00", "\ud800x", "é\udfff", "ünï"])


@given(documents())
def test_a_document_survives_its_text(document: Document) -> None:
    assert from_json(json.loads(document_text(document))) == document


@given(HOSTILE, HOSTILE, st.integers() | st.none())
def test_the_fast_text_says_what_the_slow_one_says(name: str, tag: str, size: int | None) -> None:
    document = replace(
        Document(1, 2, name),
        tags=(tag,),
        size=size,
        confidence=float("nan"),
        files=(FileRef(name, None, 3),),
        sources=(SourceRef("local", tag),),
    )
    text = document_text(document)
    text.encode()
    assert json.loads(text) == clean(to_json(document))
    assert "\\u0000" not in text
