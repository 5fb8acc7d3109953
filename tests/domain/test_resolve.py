"""From what is known of a version to the document that search sees."""

from typing import Any

from indexer.domain.records import from_json, to_json
from indexer.domain.resolve import FileFacts, VersionFacts, resolve

VERDICT = {"kind": "lora", "architecture": "sdxl", "architecture_path": ["sdxl"], "confidence": 0.9}


def file(*claims: tuple[str, dict[str, Any]], **more: Any) -> FileFacts:
    known: dict[str, Any] = {
        "size": 10,
        "sha256": None,
        "fingerprint": "f1",
        "verdict": VERDICT,
        "claims": claims,
        "paths": ["/models/ink_v1.safetensors"],
        "missing": False,
        "overrides": {},
        "mtime_ns": 1_700_000_000 * 10**9,
        "copies": 1,
    }
    return FileFacts(**known | more)


def document(*files: FileFacts, **more: Any) -> Any:
    return resolve(VersionFacts(id=1, model_id=2, key="file:f1", files=files, **more))


def test_a_file_alone_is_named_after_its_path() -> None:
    found = document(file())
    assert (found.name, found.kind, found.architecture, found.created) == (
        "ink_v1",
        "lora",
        "sdxl",
        "2023-11-14",
    )


def test_nearer_sources_are_believed_first_and_claims_never_replace_findings() -> None:
    found = document(
        file(
            ("header:kohya", {"name": "from header", "kind": "checkpoint"}),
            ("sidecar:civitai.info", {"name": "from sidecar"}),
        )
    )
    assert found.name == "from sidecar"
    assert found.kind == "lora"


def test_lists_are_joined_best_first_each_once() -> None:
    found = document(
        file(("header:kohya", {"tags": ["b", "a"]}), ("sidecar:civitai.info", {"tags": ["a", " c ", ""]}))
    )
    assert found.tags == ("a", "c", "b")


def test_overrides_win() -> None:
    decided = file(overrides={"architecture": "flux1-dev", "kind": "vae", "name": "Mine"})
    found = document(decided, architecture_paths={"flux1-dev": ("flux1", "flux1-dev")})
    assert (found.name, found.kind) == ("Mine", "vae")
    assert found.architecture_path == ("flux1", "flux1-dev")


def test_adult_people_and_minors_are_marked_hidden() -> None:
    found = document(file(("sidecar:civitai.info", {"nsfw_level": 8, "real_person": True, "minor": False})))
    assert found.hidden == ("adult", "real_person")
    assert {"adult", "real_person"} <= set(found.flags)
    assert document(file(("sidecar:civitai.info", {"nsfw_level": 3}))).hidden == ()


def test_flags() -> None:
    assert "missing" in document(file(missing=True)).flags
    assert "duplicate" in document(file(copies=2)).flags
    assert "mislabelled" in document(file(verdict=VERDICT | {"conflicts": [{}]})).flags
    assert "unidentified" in document(file(verdict={})).flags


def test_nothing_behind_it_is_no_document() -> None:
    assert document() is None


def test_a_version_known_only_at_a_hub_is_a_document() -> None:
    found = document(
        claims=[("civitai", {"name": "Far away", "civitai_model_id": 5, "civitai_version_id": 6})]
    )
    assert found.name == "Far away"
    assert [(s.source, s.id) for s in found.sources] == [("civitai", "6")]


def test_ratings_of_both_shapes() -> None:
    stars = document(file(("sidecar:civitai.info", {"rating": 4.9, "rating_count": 500})))
    thumbs = document(file(("sidecar:civitai.info", {"thumbs_up": 90, "thumbs_down": 10})))
    assert 4.5 < stars.rating < 4.9
    assert 4.0 < thumbs.rating < 4.5
    assert (stars.rating_count, thumbs.rating_count) == (500, 100)


def test_a_document_survives_json() -> None:
    found = document(file(("sidecar:civitai.info", {"tags": ["a"], "civitai_version_id": 6})))
    assert from_json(to_json(found)) == found


def test_a_category_is_told_judged_or_decided_and_says_why() -> None:
    told = document(file(("sidecar:civitai.info", {"tags": ["concept"]})))
    judged = document(file(("sidecar:json", {"name": "Winter Kimono", "tags": ["dress", "kimono"]})))
    decided = document(file(("sidecar:json", {"tags": ["concept"]}), overrides={"category": "style"}))
    assert (told.category, told.category_why) == ("concept", "told 0.95: tag 'concept'")
    assert judged.category == "clothing"
    assert judged.category_why.startswith("judged 0.")
    assert decided.category == "style"


def test_a_real_person_is_hidden_by_a_tag_beside_another_category() -> None:
    tags = {"tags": ["character", "real person"]}
    assert document(file(("sidecar:json", tags))).hidden == ("real_person",)
    assert document(file(("sidecar:json", tags), overrides={"category": "character"})).hidden == ()


def test_a_real_person_judged_by_words_is_hidden() -> None:
    words = {"name": "Ada Example", "tags": ["woman", "singer"], "description": "She is an American actress."}
    found = document(file(("sidecar:json", words)))
    assert (found.category, found.hidden) == ("celebrity", ("real_person",))


def test_descriptions_of_version_and_model_are_joined_as_text() -> None:
    found = document(
        file(("sidecar:civitai.info", {"description": "copied"})),
        claims=[("civitai", {"description": "<p>New in v2</p>"}), ("civitai", {"description": "<p>Ink</p>"})],
        plain=lambda text: text.replace("<p>", "").replace("</p>", ""),
    )
    assert found.description == "Ink\nNew in v2"


def test_what_hubs_and_headers_tell_beside() -> None:
    found = document(
        file(("header:kohya", {"training_tags": ["ink", "1girl"]})),
        claims=[("civitai", {"updated_at": "2026-02-03T10:00:00Z", "tips": 30})],
        uses=7,
        fold=1,
    )
    assert (found.training_tags, found.updated, found.tips, found.uses) == (
        ("ink", "1girl"),
        "2026-02-03",
        30,
        7,
    )
    assert (found.fold, document(file(), fold=2).fold) == (1, 0)


def test_a_licence_is_found_by_its_title_its_id_and_what_it_permits() -> None:
    sdxl = document(file(), claims=[("huggingface", {"licence": "apache-2.0"})])
    assert sdxl.licence == "Apache 2.0"
    assert {"Apache 2.0", "apache-2.0", "commercial", "sell-images", "merge"} <= set(sdxl.licences)
    assert document(file(), claims=[("huggingface", {"licence": "my own"})]).licences == ("my own",)
    assert document(file()).licences == ()


def test_an_adapter_permits_no_more_than_its_base() -> None:
    flux = VERDICT | {"architecture": "flux1-dev", "architecture_path": ["flux1", "flux1-dev"]}
    said = [("civitai", {"permissions": {"commercial": ["Image", "Sell"], "derivatives": True}})]
    assert document(file(), claims=said).permissions == ("commercial", "sell-images", "sell-model", "merge")
    assert document(file(verdict=flux), claims=said).permissions == ("non-commercial", "merge")
    noob = document(file(), claims=[*said, ("civitai", {"base_label": "NoobAI"})])
    assert noob.permissions == ("non-commercial", "merge")
