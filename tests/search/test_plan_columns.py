"""Candidates compared in columns, against the judge that looks at one document at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.gist import spoken
from indexer.domain.records import Document
from indexer.indexes.gist import GistIndex, build_segment
from search.plan_columns import Columns
from search.plan_fit import Target
from search.plan_signals import Judge, Rarities, features_of
from tests.search.planning import model

KLEIN = Target("flux2-klein-9b")
PONY = Target("sdxl", "pony")

some = st.lists(st.sampled_from(["ink", "neon", "knight", "harbour", "oak"]), max_size=4).map(tuple)


@st.composite
def models(draw: st.DrawFn, id_: int) -> Document:
    """A LoRA for some base."""
    return model(
        id_,
        " ".join(draw(some)) or "x",
        draw(st.sampled_from(["sdxl", "flux2-klein-9b"])),
        tags=draw(some),
        trigger_words=draw(some),
        category=draw(st.sampled_from([None, "style", "character"])),
        rating=draw(st.none() | st.floats(0, 5).map(lambda value: round(value, 2))),
        creator=draw(st.sampled_from([None, "Ann"])),
        family=draw(st.sampled_from([None, "pony"])),
        flags=draw(st.sampled_from([("local",), ("remote",)])),
    )


libraries = st.integers(2, 6).flatmap(lambda n: st.tuples(*(models(id_) for id_ in range(1, n + 1))))


@given(libraries, st.sampled_from([KLEIN, PONY]))
def test_columns_judge_as_one_document_at_a_time_is_judged(
    library: tuple[Document, ...], target: Target
) -> None:
    index = GistIndex([build_segment((one.id, one) for one in part) for part in (library[:2], library[2:])])
    columns, old = Columns(index, target, ()), library[0]
    spoken_by = [spoken(document) for document in library]
    every = frozenset().union(*spoken_by)
    frequencies = {word: sum(word in said for said in spoken_by) for word in every}
    judge = Judge(old, target, Rarities(len(library), frequencies))
    asked = columns.asked(old)
    judged = columns.judged(asked, np.arange(len(index)))
    near, score = columns.nearness(old, judged)
    for row, id_ in enumerate(index.ids.tolist()):
        other = library[id_ - 1]
        slow = judge.candidate(other, features_of(other), None)
        assert {name: column[row] for name, column in judged.signals.items()} == pytest.approx(
            slow.signals, abs=1e-4
        )
        assert (near[row], score[row]) == pytest.approx((slow.nearness, slow.score), abs=1e-4)


@given(libraries)
def test_what_is_found_works_on_the_target_and_is_another(library: tuple[Document, ...]) -> None:
    index = GistIndex([build_segment((one.id, one) for one in library)])
    columns = Columns(index, KLEIN, ())
    found = index.ids[columns.found(columns.asked(library[0]))].tolist()
    fitting = [one.id for one in library[1:] if one.architecture == "flux2-klein-9b"]
    assert found == sorted(found)
    assert set(found) <= set(fitting)
    alike = {one.id for one in library[1:] if set(spoken(one)) & set(spoken(library[0]))}
    assert alike & set(fitting) <= set(found)


def test_what_is_hidden_or_gone_is_not_offered() -> None:
    flags = [("local",), ("remote", "adult"), ("gone",), ("gone", "local"), ("remote",)]
    library = [model(id_, architecture="flux2-klein-9b", flags=one) for id_, one in enumerate(flags, 1)]
    index = GistIndex([build_segment((one.id, one) for one in library)])
    columns = Columns(index, KLEIN, ("adult",))
    assert index.ids[columns.allowed(("lora",))].tolist() == [1, 4, 5]
    assert not columns.allowed(("vae",)).any()


def test_the_same_title_makes_the_same_model_only_with_its_maker() -> None:
    old = model(1, "Ink Harbour XL", creator="Ann")
    others = [
        model(2, "Ink Harbour (Flux.2)", "flux2-klein-9b", creator="ann"),
        model(3, "Ink Harbour", "flux2-klein-9b", creator="Bo"),
        model(4, "Harbour Ink", "flux2-klein-9b"),
        model(5, "Ink", "flux2-klein-9b", creator="Ann"),
    ]
    index = GistIndex([build_segment((one.id, one) for one in (old, *others))])
    columns = Columns(index, KLEIN, ())
    made, titled = columns.same(columns.asked(old), np.arange(5))
    assert index.ids[made].tolist() == [1, 2]
    assert index.ids[titled].tolist() == [4]
