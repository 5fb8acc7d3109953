"""The text signal from what an engine tells of its hits."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.brief import Brief
from indexer.domain.evidence import LONG, Evidence
from search.ranking import load_weights
from search.relevance import text_scores

FIELDS = load_weights().fields
PASTED = ("harbour", "boat", "sail", "wind", "wave", "gull", "rope", "rust", "dusk")


def evidence(*briefs: Brief, **more: object) -> Evidence:
    return Evidence(1_000, {"ink": 10, "wash": 20}, tuple(b.to_text() for b in briefs), **more)  # type: ignore[arg-type]


def test_without_evidence_the_engine_is_believed() -> None:
    assert text_scores(("ink",), (0.5, 0.2), Evidence(), FIELDS) == (0.5, 0.2)


def test_the_named_entry_comes_before_a_better_scored_one() -> None:
    told = evidence(Brief("boat", tags="ink\twash"), Brief("ink wash"))
    first, second = text_scores(("ink", "wash"), (0.9, 0.4), told, FIELDS)
    assert second > first
    assert second > 0.9


def test_models_with_a_trigger_phrase_by_its_place_their_other_phrases_and_their_names() -> None:
    told = evidence(
        Brief("ink wash boat", trigger_words="ink wash"),
        Brief("boat", trigger_words="ink wash"),
        Brief("boat", trigger_words="ink wash\tbold\tsoft"),
        Brief("boat", trigger_words="bold\tsoft\tink wash"),
        Brief("boat", trigger_words="ink wash bold", tags="ink wash", file_names="ink wash"),
    )
    scores = text_scores(("ink", "wash"), (0.2, 0.2, 0.2, 0.2, 0.2), told, FIELDS)
    assert list(scores) == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def test_scores_are_absolute() -> None:
    alone = text_scores(("ink", "wash"), (0.4,), evidence(Brief("zebra ink")), FIELDS)
    beside = text_scores(("ink", "wash"), (0.4, 0.9), evidence(Brief("zebra ink"), Brief("ink wash")), FIELDS)
    assert alone[0] == beside[0] < 0.5


def test_hits_beyond_those_compared_stand_behind() -> None:
    scores = text_scores(("ink", "wash"), (0.5, 0.5), evidence(Brief("ink wash")), FIELDS)
    assert scores[0] > scores[1] > 0


def test_of_a_pasted_text_the_engine_is_believed() -> None:
    assert len(PASTED) >= LONG
    scores = (0.5, 0.7, 0.2)
    assert text_scores(PASTED, scores, evidence(Brief("boat"), Brief("a"), Brief("b")), FIELDS) == scores


@given(
    st.lists(st.sampled_from(("ink", "wash", "zebra", "inks", *PASTED)), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(("ink wash", "zebra", "", "wahs"))), max_size=5),
)
def test_signals_are_between_none_and_all(terms: list[str], hits: list[tuple[float, str]]) -> None:
    told = evidence(*(Brief(name, tags=name) for _, name in hits))
    scores = text_scores(tuple(terms), tuple(score for score, _ in hits), told, FIELDS)
    assert len(scores) == len(hits)
    assert all(0 <= score <= 1 for score in scores)
