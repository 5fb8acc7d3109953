"""How previews were made, for the page."""

from typing import Any

from search.web.shots import record_view, shots_of

EMPTY = dict.fromkeys(("steps", "sampler", "scheduler", "cfg", "seed", "width", "height", "negative_prompt"))


def model(**more: Any) -> dict[str, Any]:
    row = {"kind": "lora", "name": "ink.safetensors", "hash": "abc", "version_id": None, "weight": 0.8}
    return {**row, "id": 7, "title": "Ink", "here": True, "sure": True, "hidden": [], **more}


def record(**more: Any) -> dict[str, Any]:
    return {**EMPTY, "generator": "forge", "prompt": "a boat", "models": [], **more}


def test_a_record_can_be_copied_whole() -> None:
    told = record_view(
        record(negative_prompt="blur", steps=20, cfg=6.0, seed="18446744073709551616", width=1, height=2)
    )
    assert told["whole"] == (
        "a boat\nNegative prompt: blur\nSteps: 20, CFG scale: 6, Seed: 18446744073709551616, Size: 1x2"
    )
    assert told["generator"] == "Forge"
    assert record_view(record(generator="unknown", prompt="\u202ex"))["whole"] == "x"


def test_models_are_named_and_linked() -> None:
    rows = [
        model(),
        model(id=None, title=None, here=False),
        model(id=None, title=None, here=False, name=None, version_id="12"),
        model(hidden=["adult"]),
    ]
    told = record_view(record(models=rows), ("adult",))["models"]
    assert [(one["title"], one["id"]) for one in told] == [
        *(("Ink", 7), ("ink.safetensors", None), ("Civitai version 12", None), ("ink.safetensors", None))
    ]


def test_broken_previews_are_no_shots() -> None:
    rows = [
        {"id": 1, "status": "broken", "generation": record()},
        {"id": 2, "status": "ok", "generation": None},
    ]
    (shot,) = shots_of(rows, ())
    assert (shot.row["id"], shot.record) == (2, None)
