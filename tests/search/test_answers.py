"""What answers say of themselves."""

import pytest

from indexer.domain.records import Document
from search.answers import Answer, Hit, hidden_told
from search.ranking import Score


@pytest.mark.parametrize(
    ("hidden", "by", "expected"),
    [
        (0, {}, ""),
        (
            12,
            {"adult": 9, "real_person": 3},
            "12 hidden (9 adult, 3 of real persons; add is:adult,real_person to see them)",
        ),
        (1, {"minor": 1, "adult": 0}, "1 hidden (1 flagged as showing minors; add is:minor to see them)"),
        (5, {}, "5 hidden (add is:adult,real_person to see them)"),
    ],
)
def test_what_is_hidden_is_told_with_the_way_to_see_it(
    hidden: int, by: dict[str, int], expected: str
) -> None:
    assert hidden_told(hidden, by) == expected


def test_hits_and_answers_carry_what_stands_behind_them() -> None:
    hit = Hit(Document(1, 1, "x"), Score(0.5, {"text": (0.5, 1.0)}), also=(4, 2))
    answer = Answer({}, 1, 3, 0.1, (hit,), hidden_by={"adult": 2, "minor": 1}).to_json()
    assert answer["hits"][0]["also"] == [4, 2]
    assert answer["hits"][0]["signals"] == {"text": {"value": 0.5, "weight": 1.0}}
    assert (answer["hidden"], answer["hidden_by"]) == (3, {"adult": 2, "minor": 1})
    assert hit.explain() == hit.score.explain(hit.document)
    assert [part.signal for part in hit.parts()] == ["text"]
