"""Safe by default: what must hold whatever is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.records import Document
from indexer.indexes.text import TextIndex
from indexer.settings import Settings
from search.query import parse_query
from search.safe import HIDDEN, hidden_counts, kept_back, visible

PLAIN = Settings(show_adult=False, show_people=False)
HASH = "ab" * 32
QUERIES = (
    "",
    "ink",
    "type:lora",
    "-type:vae",
    "ink OR wash",
    "NOT (tag:ink)",
    "created:>2020",
    f"-hash:{HASH}",
)
reasons = st.lists(st.sampled_from(HIDDEN), unique=True).map(tuple)


def entry(id_: int = 1, hidden: tuple[str, ...] = (), level: int | None = None) -> Document:
    return Document(
        id_,
        id_,
        "Ink Wash",
        kind="lora",
        tags=("sea",),
        flags=("local", *hidden),
        hidden=hidden,
        nsfw_level=level,
        hashes=(HASH,),
        created="2024-01-01",
    )


def shown(query: str, document: Document, settings: Settings = PLAIN) -> bool:
    return visible(settings, parse_query(query)).match(document)


@given(st.sampled_from(QUERIES), reasons.filter(bool))
def test_nothing_hidden_is_shown_to_who_does_not_ask(query: str, hidden: tuple[str, ...]) -> None:
    assert not shown(query, entry(hidden=hidden))


@given(st.sampled_from(QUERIES), reasons)
def test_what_is_shown_without_being_asked_for_has_no_reason(query: str, hidden: tuple[str, ...]) -> None:
    assert shown(query, entry(hidden=hidden)) == (not hidden and parse_query(query).where.match(entry()))


@given(st.sampled_from(HIDDEN), reasons)
def test_asking_for_one_reason_shows_no_other(asked: str, hidden: tuple[str, ...]) -> None:
    assert shown(f"is:{asked}", entry(hidden=hidden)) == (hidden == (asked,))


@given(reasons)
def test_one_reason_spoken_of_leaves_the_others_hidden(hidden: tuple[str, ...]) -> None:
    assert shown("-is:adult", entry(hidden=hidden)) == (not hidden)
    assert shown("nsfw:>=4", entry(hidden=hidden, level=16)) == (set(hidden) <= {"adult"})


def test_settings_ask_for_every_query() -> None:
    adults, everyone = Settings(show_adult=True), Settings(show_adult=True, show_people=True)
    assert shown("ink", entry(hidden=("adult",)), adults)
    assert not shown("ink", entry(hidden=("adult", "real_person")), adults)
    assert not shown("ink", entry(hidden=("minor",)), adults)
    assert shown("ink", entry(hidden=HIDDEN), everyone)
    assert kept_back(everyone, parse_query("")) == ()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (f"hash:{HASH}", True),
        (f"type:lora hash:{HASH}", True),
        (f"-hash:{HASH}", False),
        (f"type:vae OR hash:{HASH}", False),
    ],
)
def test_who_names_a_model_by_its_hash_sees_it(query: str, named: bool) -> None:
    assert shown(query, entry(hidden=("adult",))) == named


def test_what_is_hidden_is_counted_by_reason(text_engine: TextIndex) -> None:
    kinds = [("adult",), ("adult",), ("real_person",), ("adult", "minor"), (), ()]
    with text_engine.writing() as writer:
        writer.put(entry(id_, hidden) for id_, hidden in enumerate(kinds, 1))
    parsed = parse_query("ink")
    total, by = hidden_counts(text_engine, parsed, kept_back(PLAIN, parsed))
    assert (total, dict(by)) == (4, {"adult": 3, "real_person": 1, "minor": 1})
    asked = parse_query("ink is:adult")
    assert hidden_counts(text_engine, asked, kept_back(PLAIN, asked)) == (1, {"minor": 1})
    assert hidden_counts(text_engine, parsed, ()) == (0, {})
