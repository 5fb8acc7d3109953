"""What records tell of a model: partners, weights, settings, words."""

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from indexer.catalog import entries, generations, hubs, resources, usage
from indexer.catalog.database import Catalog
from indexer.catalog.schema import Preview, Version
from indexer.domain.generation import GenerationRecord, UsedModel
from indexer.domain.hubs import HubModel
from tests.catalog.hub_records import offered, published, release
from tests.catalog.shelf import tree

PICTURES = tuple(f"https://hub.example/{n}.png" for n in range(12))


def store(catalog: Catalog, *models: HubModel) -> None:
    with catalog.write() as session:
        touched = hubs.store_hub_models(session, models).versions
        entries.refresh_entries(session, touched, tree)
        page = resources.changed_versions(session, 0, 1_000)
        resources.learn_names(session, {id_: kind for _, id_, kind in page})


def tell(catalog: Catalog, *records: GenerationRecord) -> None:
    with catalog.write() as session:
        ids = session.scalars(select(Preview.id).order_by(Preview.id)).all()
        generations.store_records(session, list(zip(ids, records, strict=False)))


def asked(catalog: Catalog, key: str, *kept_back: str) -> dict[str, Any]:
    with catalog.read() as session:
        id_ = session.scalars(select(Version.id).where(Version.key == key)).one()
        document = entries.documents(session, [id_])[id_]
        return usage.version_usage(
            session, document, [{"claims": {"preferred_weight": 0.5}}], frozenset(kept_back)
        )


def lora(weight: float | None = None, number: str = "7") -> UsedModel:
    return UsedModel("lora", "ink", None, number, weight)


BASE = UsedModel("checkpoint", "base", "aa" * 5)


@pytest.fixture
def shelf(catalog: Catalog) -> Catalog:
    words = {"trigger_words": ["ink wash", "nobody says this", "art"]}
    ink = published(release(7, 3, offered(autov2="bb" * 5), images=PICTURES, claims=words), number=3)
    base = published(
        release(8, 4, offered("2", sha256="aa" * 32)),
        number=4,
        claims={"kind": "checkpoint", "name": "Base", "real_person": True},
    )
    store(catalog, ink, base)
    return catalog


def test_partners_weights_settings_and_words(shelf: Catalog) -> None:
    weights = (0.2, 0.6, 0.7, 0.8, 1.0)
    prompts = ("Ink Wash, tea", "an ink washing", "smart", "ink wash", "")
    tell(
        shelf,
        *(
            GenerationRecord(
                "a1111",
                prompt=prompt,
                steps=30 if place else 20,
                sampler="Euler a",
                cfg=7.0,
                width=832,
                height=1216,
                models=(lora(weight), BASE),
            )
            for place, (weight, prompt) in enumerate(zip(weights, prompts, strict=True))
        ),
        GenerationRecord("a1111", models=(BASE, UsedModel("vae", "odd.vae"))),
    )
    told = asked(shelf, "civitai:3@7")
    low, high = np.quantile(weights, (0.1, 0.9))
    weight = {"median": 0.7, "low": round(low, 3), "high": round(high, 3), "records": 5}
    assert (told["records"], told["weight"], told["claimed_weight"]) == (5, weight, 0.5)
    assert told["settings"] == {
        "sampler": {"value": "Euler a", "share": 1.0},
        "steps": {"value": 30, "share": 0.8},
        "cfg": {"value": 7.0, "share": 1.0},
        "size": {"value": "832 × 1216", "share": 1.0},
    }
    shares = {row["word"]: row["share"] for row in told["trigger_words"]}
    assert shares == {"ink wash": 0.5, "nobody says this": 0.0, "art": 0.0}
    (base,) = told["together"]
    assert (base["name"], base["records"], base["share"]) == ("Base", 5, 1.0)
    assert (base["weight"], base["beside"]) == (None, weight)
    assert asked(shelf, "civitai:3@7", "real_person")["together"] == []
    others = asked(shelf, "civitai:4@8")["together"]
    assert [(row["name"], row["kind"], row["records"]) for row in others] == [
        ("Model 3", "lora", 5),
        ("odd.vae", "vae", 1),
    ]


def test_few_records_recommend_no_weight_and_none_tell_nothing(shelf: Catalog) -> None:
    assert asked(shelf, "civitai:3@7") == {}
    tell(shelf, GenerationRecord("a1111", models=(lora(0.8),)), GenerationRecord("a1111", models=(lora(),)))
    assert asked(shelf, "civitai:3@7")["weight"] is None


def test_only_the_newest_records_count(shelf: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST_RECORDS", 3)
    tell(shelf, *(GenerationRecord("a1111", models=(lora(float(n)),)) for n in range(8)))
    told = asked(shelf, "civitai:3@7")
    assert (told["records"], told["bounded"]) == (3, True)
    assert told["weight"] == {"median": 6.0, "low": 5.2, "high": 6.8, "records": 3}


def test_hidden_again_or_deleted_models_are_unlinked_not_lost(shelf: Catalog) -> None:
    tell(shelf, GenerationRecord("a1111", models=(lora(0.8), BASE)))
    with shelf.write() as session:
        id_ = session.scalars(select(Version.id).where(Version.key == "civitai:4@8")).one()
        session.delete(session.get_one(Version, id_))
    (base,) = asked(shelf, "civitai:3@7")["together"]
    assert (base["id"], base["name"]) == (None, "base")


@pytest.mark.parametrize(
    ("kind", "stem", "hash_", "number", "confidence"),
    [
        ("lora", None, "bb" * 5, None, 1.0),
        ("unknown", "what", None, "7", 1.0),
        ("checkpoint", None, "aa" * 5, None, 1.0),
        ("lora", "1", None, None, 0.5),
        ("checkpoint", "1", None, None, 0.0),
        ("lora", "ink", "cc" * 5, "70", 0.0),
    ],
)
def test_what_a_name_means(
    shelf: Catalog, kind: str, stem: str | None, hash_: str | None, number: str | None, confidence: float
) -> None:
    named = resources.Named(kind, stem, hash_, number)
    with shelf.read() as session:
        found = resources.link(session, [named])
    assert found.get(named, resources.UNKNOWN).confidence == confidence


def test_models_that_arrive_later_are_linked_by_any_of_their_marks(catalog: Catalog) -> None:
    ink = published(release(7, 3, offered(), images=PICTURES), number=3)
    store(catalog, ink)
    late = (
        UsedModel("checkpoint", None, "CC" * 6),
        UsedModel("checkpoint", "late.safetensors"),
        UsedModel("checkpoint", "other", None, "9"),
    )
    tell(catalog, *(GenerationRecord("a1111", models=(lora(0.8), model)) for model in late))
    assert all(row["id"] is None for row in asked(catalog, "civitai:3@7")["together"])
    file = offered("late", sha256="cc" * 32)
    store(catalog, published(release(9, 5, file), number=5, claims={"kind": "checkpoint"}))
    (row,) = asked(catalog, "civitai:3@7")["together"]
    assert (row["name"], row["records"]) == ("Model 5", 3)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=30))
def test_spreads_are_those_of_numpy(weights: list[float]) -> None:
    told = usage._spread(weights)
    assert told is not None
    assert told["median"] == pytest.approx(statistics.median(weights), abs=0.001)
    assert told["low"] == pytest.approx(np.quantile(weights, 0.1), abs=0.001)
    assert told["high"] == pytest.approx(np.quantile(weights, 0.9), abs=0.001)
