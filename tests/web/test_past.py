"""Events, ratings and numbers over time, told for people."""

from typing import Any

from search.web.past import events_of, ratings_of, trends_of


def event(what: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "at": "2026-01-02T03:04:05+00:00",
        "what": what,
        "source": None,
        "path": None,
        "changes": [],
    }
    return {**row, **more}


def numbers(at: str, downloads: int | None, source: str = "civitai") -> dict[str, Any]:
    empty = dict.fromkeys(("rating", "rating_count", "thumbs_up", "thumbs_down"))
    return {**empty, "at": at, "source": source, "downloads": downloads}


def test_events_read_as_sentences() -> None:
    change = {"name": "trigger_words", "before": None, "after": "inkwash"}
    rows = [
        event("added"),
        event("heard", source="sidecar:civitai.info"),
        event("changed", source="civitai", changes=[change]),
        event("decided", changes=[change]),
        event("missing", path="/models/a.safetensors"),
        event("gone", source="taken_down"),
    ]
    told = events_of(rows)
    assert [one.told for one in told] == [
        "It came into the catalog",
        "A civitai.info file beside it spoke of it for the first time",
        "Civitai says something else",
        "You decided",
        "/models/a.safetensors was not at its place",
        "Its hub took it down (taken down)",
    ]
    assert told[2].changes == [("trigger words", None, "inkwash")]
    assert told[0].day == "2 January 2026"


def test_ratings_keep_their_counts() -> None:
    claims = [
        {"source": "sidecar:json", "claims": {"name": "x"}},
        {
            "source": "civitai",
            "claims": {"thumbs_up": 12_000, "thumbs_down": 3, "rating": 4.8, "rating_count": 9},
        },
        {"source": "huggingface", "claims": {"downloads": 5, "rating": 5.0, "rating_count": 0}},
    ]
    assert ratings_of(claims, []) == [
        ("Civitai", "12\u202f000 thumbs up, 3 down, 4.8 of 5 from 9"),
        ("Hugging Face", "5 downloads"),
    ]
    newer = [{"source": "huggingface", "downloads": 7}]
    assert ratings_of(claims, newer)[1] == ("Hugging Face", "7 downloads")


def test_numbers_that_changed_are_drawn() -> None:
    rows = [numbers("2026-01-01", 10), numbers("2026-02-01", 30), numbers("2026-03-01", 20)]
    (trend,) = trends_of(
        [*rows, numbers("2026-01-01", 5, "huggingface"), numbers("2026-02-01", 5, "huggingface")]
    )
    assert (trend.title, trend.first, trend.last, trend.since) == ("Downloads", "10", "20", "1 January 2026")
    assert trend.points == "0.0,22.0 50.0,2.0 100.0,12.0"
    assert trends_of([numbers("2026-01-01", None)]) == []
