"""What Civitai lists beside models: images become previews, creators and tags are counted, words compared."""

from typing import Any

import pytest
from sqlalchemy import select

from indexer.catalog.schema import GenerationRecord, HubWordRow, Preview, RefusedItem, ResourceUse, Version
from indexer.errors import UsageError
from indexer.hub_questions import civitai_question, read_asked
from indexer.hub_run import HubRun
from indexer.settings import Settings
from tests.hubs.crawling import crawl, documents, looking
from tests.hubs.fake_civitai import FakeCivitai, generated


def picture(number: int, *versions: int, **more: Any) -> dict[str, Any]:
    """An image of the gallery, made with these versions."""
    used = [{"type": "lora", "weight": 0.8, "modelVersionId": version} for version in versions]
    meta = {"prompt": f"tea no {number}", "seed": number, "steps": 20, "civitaiResources": used}
    base = {"id": number, "url": f"https://image.invalid/g{number}.jpeg", "type": "image", "hash": "U6D"}
    size = {"width": 832, "height": 1216, "nsfwLevel": "None", "browsingLevel": 1, "postId": 1}
    return base | size | {"meta": meta, "modelVersionIds": list(versions)} | more


def crawl_images(hub: FakeCivitai, settings: Settings, *asked: str, **how: Any) -> HubRun:
    question = civitai_question(what="images", asked=read_asked(asked))
    return crawl(hub, settings, question=question, what="images", **how)


def test_images_become_previews_of_the_version_asked_for(settings: Settings) -> None:
    with FakeCivitai(generated(3)) as hub:
        hub.gallery = {10: [picture(number, 10, 20) for number in range(250)]}
        crawl(hub, settings)
        run = crawl_images(hub, settings, "modelVersionId=10", "withMeta=true")
        assert (run.crawl.state, run.crawl.pages, run.crawl.taken.images) == ("done", 2, 251)
    with looking(settings) as session:
        rows = session.execute(
            select(Version.key, Preview.location, Preview.position, Preview.nsfw_level)
            .join(Version, Version.id == Preview.version_id)
            .where(Preview.source == "civitai:images")
        ).all()
        assert {(row[0], row[2], row[3]) for row in rows} == {("civitai:1@10", 1_000, 1)} and len(rows) == 250
        assert session.scalars(
            select(Preview).where(Preview.location == b"https://image.invalid/10.jpeg")
        ).one()
        assert len(session.scalars(select(GenerationRecord).where(GenerationRecord.steps == 20)).all()) == 250
        linked = session.scalars(select(ResourceUse.version_id).where(ResourceUse.hub_version == "20"))
        assert len(set(linked)) == 1 and None not in set(linked)
    assert any("tea no 7" in prompt for d in documents(settings) for prompt in d.prompts)


def test_images_of_all_go_to_every_version_they_were_made_with(settings: Settings) -> None:
    with FakeCivitai(generated(2)) as hub:
        hub.gallery = {10: [picture(1, 10, 20), picture(2, 999), picture(3, url="none")]}
        crawl(hub, settings)
        told = crawl_images(hub, settings, "withMeta=true").crawl.taken
        assert (told.images, told.refused) == (3, 2) and any(
            "crawl the models first" in r for r in told.reasons
        )
        assert crawl_images(hub, settings, "withMeta=true").crawl.taken.images == 3
    with looking(settings) as session:
        found = session.scalars(
            select(Preview.version_id).where(Preview.location == b"https://image.invalid/g1.jpeg")
        )
        assert len(set(found.all())) == 2
        assert sorted(session.scalars(select(RefusedItem.code))) == ["image", "unknown_version"]


def test_what_a_version_shows_is_not_doubled_and_later_silence_costs_nothing(settings: Settings) -> None:
    with FakeCivitai(generated(1)) as hub:
        (shown,) = hub.items[1]["modelVersions"][0]["images"]
        shown["meta"] = None
        crawl(hub, settings)
        hub.gallery = {10: [shown | {"id": 5, "modelVersionIds": [10], "meta": {"prompt": "late word"}}]}
        crawl_images(hub, settings, "withMeta=true")
        crawl_images(hub, settings, "modelVersionId=10")
        crawl(hub, settings, afresh=True)
    with looking(settings) as session:
        row = session.scalars(select(Preview)).one()
        assert (row.position, row.source, row.status) == (0, "civitai", "new")
        assert session.scalars(select(GenerationRecord.prompt)).one() == "late word"


def test_a_crawl_of_images_goes_on_where_it_stopped(settings: Settings) -> None:
    with FakeCivitai(generated(1)) as hub:
        hub.gallery = {10: [picture(number, 10) for number in range(599)]}
        crawl(hub, settings)
        assert crawl_images(hub, settings, limit=200).crawl.state == "done"
        hub.outage = 503
        assert crawl_images(hub, settings).crawl.state == "waiting"
        hub.outage = None
        before = len(hub.asked("/api/v1/images"))
        assert crawl_images(hub, settings).crawl.taken.images == 600
        assert len(hub.asked("/api/v1/images")) == before + 3


@pytest.mark.parametrize("countless", [False, True])
def test_creators_and_tags_with_their_counts(settings: Settings, countless: bool) -> None:
    with FakeCivitai(generated(700)) as hub:
        hub.countless = countless
        for number, one in hub.items.items():
            one["tags"] = ["ink", f"tag{number}"]
        run = crawl(hub, settings, what="tags")
        assert (run.crawl.state, run.crawl.taken.words) == ("done", 701)
        assert crawl(hub, settings, what="creators", question={"query": "user3"}).crawl.taken.words == 1
    with looking(settings) as session:
        words = dict(session.execute(select(HubWordRow.name, HubWordRow.models)).all())
        assert (words["ink"], words["tag7"], words["user3"], len(words)) == (700, 1, 140, 702)


def test_words_that_no_table_has_are_told(settings: Settings) -> None:
    with FakeCivitai() as hub:
        hub.enums = {
            "ModelType": ["LORA", "Checkpoint", "Hologram"],
            "BaseModel": ["SDXL 1.0", "Flux.9 Q"],
            "BaseModelType": ["Standard", "Sketching"],
            "Mood": ["Blue"],
            "odd": 5,
        }
        taken = crawl(hub, settings, what="enums").crawl.taken
    assert taken.words == 8
    assert taken.unknown_words == {
        "ModelType": ["Hologram"],
        "BaseModel": ["Flux.9 Q"],
        "BaseModelType": ["Sketching"],
        "Mood": ["Blue"],
    }


def test_every_parameter_of_the_hub_is_taken_and_no_other() -> None:
    asked = read_asked(["checkpointType=merge", "supportsgeneration=true", "allowCommercialUse=Sell"])
    assert civitai_question(asked=asked) == {
        "checkpointType": "Merge",
        "supportsGeneration": "true",
        "allowCommercialUse": ["Sell"],
        "sort": "Newest",
    }
    images = read_asked(["tags=1,2", "browsingLevel=3", "type=video", "sort=most reactions"])
    assert civitai_question(what="images", base_models=["sdxl 1.0"], asked=images) == {
        "baseModels": ["SDXL 1.0"],
        "tags": ["1,2"],
        "browsingLevel": "3",
        "type": "video",
        "sort": "Most Reactions",
    }
    assert civitai_question(what="tags", query="ink") == {"query": "ink"}


@pytest.mark.parametrize(
    ("what", "asked", "told"),
    [
        ("images", "tagName=ink", "takes no 'tagName'. It takes: postId"),
        ("tags", "sort=Newest", "takes no 'sort'. It takes: query"),
        ("enums", "query=x", "It takes nothing"),
        ("models", "nsfw=maybe", "true or false"),
        ("images", "modelId=abc", "whole number"),
        ("images", "modelId", "lacks its value"),
        ("posts", "a=b", "lists no 'posts'"),
    ],
)
def test_wrong_questions(what: str, asked: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        civitai_question(what=what, asked=read_asked([asked]))
