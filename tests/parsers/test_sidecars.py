"""Sidecars of other tools, right, wrong and hostile."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import CLAIM_NAMES, ClaimSet
from indexer.domain.vocabulary import kinds, read_table
from indexer.parsers.sidecar_values import READERS
from indexer.parsers.sidecars import SIDECAR_SUFFIXES, WARNING_CODES, parse_sidecar
from tests.clocks import in_time

CIVITAI = ".civitai.info"
SHA = "AB" * 32
VERSION = {
    "id": 20,
    "modelId": 10,
    "name": "v2",
    "baseModel": "SDXL 1.0",
    "trainedWords": ["ink drawing", "inkstyle"],
    "publishedAt": "2024-01-02T03:04:05.678Z",
    "description": "<p>better <b>lines</b></p>",
    "nsfwLevel": 3,
    "model": {"name": "Ink", "type": "LoCon", "nsfw": False, "poi": False, "tags": ["style", "ink"]},
    "creator": {"username": "someone"},
    "stats": {"downloadCount": 7, "ratingCount": 2, "rating": 4.5, "thumbsUpCount": 3},
    "files": [
        {"name": "ink.safetensors", "primary": True, "hashes": {"SHA256": SHA}},
        {"name": "ink.ckpt", "hashes": {"SHA256": "CD" * 32}},
    ],
    "images": [{"url": "https://image.civitai.com/x.jpeg", "meta": None}],
}


def claims(found: ClaimSet) -> dict[str, Any]:
    """Claims by name."""
    assert len({claim.name for claim in found.claims}) == len(found.claims)
    return {claim.name: claim.value for claim in found.claims}


def read(suffix: str, content: Any) -> ClaimSet:
    """A sidecar with this content."""
    return parse_sidecar(suffix, json.dumps(content).encode())


def codes(found: ClaimSet) -> list[str]:
    """Codes of the warnings, each of which is documented and told in words."""
    assert all(warning.code in WARNING_CODES and warning.detail for warning in found.warnings)
    return [warning.code for warning in found.warnings]


def test_civitai_version() -> None:
    found = read(CIVITAI, VERSION)
    assert claims(found) == {
        "name": "Ink",
        "version": "v2",
        "kind": "lora",
        "base_label": "SDXL 1.0",
        "creator": "someone",
        "tags": ["style", "ink"],
        "trigger_words": ["ink drawing", "inkstyle"],
        "description": "<p>better <b>lines</b></p>",
        "rating": 4.5,
        "rating_count": 2,
        "thumbs_up": 3,
        "downloads": 7,
        "nsfw_level": 3,
        "real_person": False,
        "civitai_model_id": 10,
        "civitai_version_id": 20,
        "sha256": SHA.lower(),
        "published_at": "2024-01-02T03:04:05Z",
    }
    assert (found.source, found.warnings, found.raw) == ("sidecar:civitai.info", (), VERSION)
    assert set(found.unparsed) == {"images"}


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (CIVITAI, VERSION | {"allowCommercialUse": ["Image"], "allowNoCredit": True}),
        (CIVITAI, VERSION | {"model": {"name": "Ink", "allowCommercialUse": "Image", "allowNoCredit": True}}),
        (
            ".metadata.json",
            {"file_name": "a", "sha256": SHA, "civitai": {"model": {"allowCommercialUse": "{Image}", "allowNoCredit": True}}},
        ),
    ],
)  # fmt: skip
def test_what_the_creator_allows_is_read_wherever_a_tool_kept_it(suffix: str, content: Any) -> None:
    assert claims(read(suffix, content))["permissions"] == {"credit": False, "commercial": ["Image"]}


def test_civitai_model_reads_the_version_only_where_there_is_one() -> None:
    model = {
        "id": 10,
        "name": "Ink",
        "type": "TextualInversion",
        "nsfw": True,
        "minor": False,
        "modelVersions": [VERSION],
    }
    alone = claims(read(".api_info.json", model))
    assert (alone["civitai_version_id"], alone["base_label"], alone["kind"]) == (
        20,
        "SDXL 1.0",
        "textual_inversion",
    )
    assert (alone["nsfw_level"], alone["minor"]) == (8, False)
    two = claims(read(".api_info.json", {**model, "modelVersions": [VERSION, VERSION]}))
    assert "civitai_version_id" not in two
    assert two["civitai_model_id"] == 10


def test_a1111_user_metadata() -> None:
    content = {
        "description": "ink",
        "sd version": "SDXL",
        "activation text": "ink drawing, inkstyle, ",
        "preferred weight": 0.7,
        "negative text": "photo",
        "notes": "good with watercolour",
        "sha256": SHA,
        "modelId": 10,
        "extension": {"x": 1},
    }
    found = read(".json", content)
    assert claims(found) == {
        "base_label": "SDXL",
        "trigger_words": ["ink drawing", "inkstyle"],
        "description": "ink",
        "notes": "good with watercolour",
        "negative_prompt": "photo",
        "preferred_weight": 0.7,
        "sha256": SHA.lower(),
        "civitai_model_id": 10,
    }
    assert found.unparsed == {"extension": {"x": 1}}
    off = {"sd version": "Unknown", "activation text": "", "preferred weight": 0, "notes": ""}
    assert read(".json", off).claims == read(".json", {}).claims == ()


def test_lora_manager() -> None:
    content = {
        "file_name": "ink",
        "model_name": "Ink, renamed",
        "sha256": SHA.lower(),
        "base_model": "Flux.1 D",
        "notes": "mine",
        "favorite": True,
        "tags": ["style"],
        "modelDescription": "<p>x</p>",
        "usage_tips": '{"strength": 0.8, "clip_skip": 2}',
        "civitai": VERSION,
        "from_civitai": True,
        "hash_status": "completed",
    }
    found = read(".metadata.json", content)
    told = claims(found)
    assert (told["name"], told["version"], told["base_label"]) == ("Ink, renamed", "v2", "Flux.1 D")
    assert (told["favourite"], told["notes"], told["preferred_weight"]) == (True, "mine", 0.8)
    assert (told["civitai_model_id"], told["trigger_words"]) == (10, ["ink drawing", "inkstyle"])
    assert {"hash_status", "from_civitai", "file_name"} <= set(found.unparsed)
    assert found.warnings == ()


def test_stability_matrix() -> None:
    content = {
        "ModelId": 10,
        "ModelName": "Ink",
        "ModelDescription": "<p>x</p>",
        "Nsfw": False,
        "Tags": ["style"],
        "ModelType": "LORA",
        "VersionId": 20,
        "VersionName": "v2",
        "BaseModel": "Pony",
        "AuthorUsername": "someone",
        "Hashes": {"SHA256": SHA, "BLAKE3": "x"},
        "TrainedWords": None,
        "UserTitle": "my ink",
        "SourceUrl": "https://example.org/models/10",
        "Source": "Civitai",
    }
    told = claims(read(".cm-info.json", content))
    assert told == {
        "name": "Ink",
        "version": "v2",
        "kind": "lora",
        "base_label": "Pony",
        "creator": "someone",
        "tags": ["style"],
        "description": "<p>x</p>",
        "notes": "my ink",
        "civitai_model_id": 10,
        "civitai_version_id": 20,
        "sha256": SHA.lower(),
        "url": "https://example.org/models/10",
    }


def test_swarmui() -> None:
    content = {"modelspec.title": "Ink", "modelspec.tags": "a, b", "modelspec.trigger_phrase": "ink", "x": 1}
    assert claims(read(".swarm.json", content)) == {
        "name": "Ink",
        "tags": ["a", "b"],
        "trigger_words": ["ink"],
    }
    assert claims(read(".swarm.json", {"title": "Ink", "lora_default_weight": 0.5})) == {
        "name": "Ink",
        "preferred_weight": 0.5,
    }


def test_keys_decide_where_the_name_is_shared() -> None:
    assert claims(read(".json", VERSION))["civitai_version_id"] == 20
    assert claims(read(".json", {"ModelId": 3, "ModelName": "x"}))["civitai_model_id"] == 3
    workflow = {"nodes": [], "links": [], "version": 0.4}
    found = read(".json", workflow)
    assert (found.claims, found.warnings, found.unparsed) == ((), (), workflow)


def test_longer_suffixes_come_first() -> None:
    suffixes = list(SIDECAR_SUFFIXES)
    for place, suffix in enumerate(suffixes):
        assert not any(later.endswith(suffix) for later in suffixes[place + 1 :])
    assert set(SIDECAR_SUFFIXES.values()) == {f"sidecar:{suffix[1:]}" for suffix in suffixes}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n",
        bytes(512),
        b'{"id": 1, "mod',
        b"null",
        b"[]",
        b'"x"',
        b"3",
        b"{'id': 1}",
        b"\xff\xfe",
        b"PK\3\4",
    ],
)
def test_unreadable_sidecars_say_so_and_claim_nothing(data: bytes) -> None:
    found = parse_sidecar(CIVITAI, data)
    assert found.claims == ()
    assert "sidecar" in codes(found)


@pytest.mark.parametrize("data", [b"[" * 500_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_deep_nesting_is_refused_at_once(data: bytes) -> None:
    assert codes(in_time(1, lambda: parse_sidecar(".json", data))) == ["json_depth"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_other_encodings_are_read_and_told(encoding: str) -> None:
    found = parse_sidecar(CIVITAI, '{"model": {"name": "Café"}}'.encode(encoding))
    assert (claims(found), codes(found)) == ({"name": "Café"}, ["encoding"])


def test_trailing_nuls_of_a_crashed_writer_are_ignored() -> None:
    assert claims(parse_sidecar(CIVITAI, json.dumps(VERSION).encode() + bytes(100))) == claims(
        read(CIVITAI, VERSION)
    )


@pytest.mark.parametrize(
    ("change", "code", "lost"),
    [
        ({"id": 1.5}, "value_type", "civitai_version_id"),
        ({"id": True}, "value_type", "civitai_version_id"),
        ({"id": -3}, "value_range", "civitai_version_id"),
        ({"name": {"x": 1}}, "value_type", "version"),
        ({"model": "Ink"}, "value_type", "name"),
        ({"model": {**VERSION["model"], "name": 5}}, "value_type", "name"),  # type: ignore[dict-item]
        ({"files": {"a": 1}}, "value_type", "sha256"),
        ({"files": ["x"]}, "value_type", "sha256"),
        ({"files": [{"hashes": {"SHA256": "xyz"}}]}, "value_range", "sha256"),
        ({"files": [{"hashes": {"SHA256": 12}}]}, "value_type", "sha256"),
        ({"images": "none"}, "value_type", None),
        ({"images": [{"meta": "steps: 20"}]}, "value_type", None),
        ({"trainedWords": 5}, "value_type", "trigger_words"),
        ({"trainedWords": ["ink drawing", 5, "inkstyle"]}, "value_type", None),
        ({"publishedAt": "yesterday"}, "value_range", "published_at"),
        ({"publishedAt": 170000}, "value_type", "published_at"),
        ({"nsfwLevel": 1000}, "value_range", "nsfw_level"),
        ({"nsfwLevel": "3"}, "value_type", None),
        ({"nsfwLevel": []}, "value_type", "nsfw_level"),
        ({"stats": {**VERSION["stats"], "rating": 50}}, "value_range", "rating"),  # type: ignore[dict-item]
        ({"stats": {**VERSION["stats"], "rating": "4"}}, "value_type", "rating"),  # type: ignore[dict-item]
        ({"files": [{"name": "../../etc/cron.d/x"}]}, "file_name", "sha256"),
        ({"images": [{"url": "http://169.254.169.254/"}]}, "private_url", None),
        ({"images": [{"url": "file:///etc/passwd"}]}, "private_url", None),
        ({"images": [{"url": "http://[::1"}]}, "private_url", None),
        ({"images": [{"url": "http://0x7f000001/"}]}, "private_url", None),
    ],
)
def test_one_wrong_field_costs_no_other(change: dict[str, Any], code: str, lost: str | None) -> None:
    found = read(CIVITAI, {**VERSION, **change})
    assert code in codes(found)
    gone = {"kind", "tags", "real_person"} if change.get("model") == "Ink" else set()
    assert set(claims(read(CIVITAI, VERSION))) - set(claims(found)) <= {lost} | gone
    assert lost not in claims(found)


@pytest.mark.parametrize(
    ("value", "level"),
    [(0, 0), (31, 31), ("Soft", 2), ("None", 1), ("X", 8), (True, 8), (False, None)],
)
def test_all_spellings_of_the_rating_level(value: Any, level: int | None) -> None:
    assert claims(read(CIVITAI, {"modelId": 1, "nsfw": value})).get("nsfw_level") == level


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"modelId": 1, "id": %s}' % ("9" * 5000), "number_range"),
        ('{"modelId": 1, "id": 9223372036854775808}', "number_range"),
        ('{"modelId": 1, "stats": {"rating": NaN}}', "number_range"),
        ('{"modelId": 1, "stats": {"rating": 1e400}}', "number_range"),
        ('{"modelId": 1, "modelId": 1}', "duplicate_key"),
        ('{"modelId": 1, "name": "a\\u0000"}', "nul"),
        ('{"modelId": 1, "name": "\\ud800"}', "surrogate"),
    ],
)
def test_odd_json_is_told_and_stays_storable(text: str, code: str) -> None:
    found = parse_sidecar(CIVITAI, text.encode())
    assert code in codes(found)
    assert claims(found)["civitai_model_id"] == 1
    json.dumps(found.raw, allow_nan=False, ensure_ascii=False).encode()


def test_long_lists_and_texts_are_cut() -> None:
    content = {
        **VERSION,
        "tags": [f"t{number}" for number in range(100_000)],
        "images": [{"url": "https://example.org/x"}] * 50_000,
        "description": "A" * 20_000_000,
    }
    found = read(CIVITAI, content)
    assert {"capped", "value_truncated"} <= set(codes(found))
    assert len(claims(found)["tags"]) == 1000
    assert len(claims(found)["description"]) == 1 << 20
    assert len(found.raw["images"]) == 1000


def test_huge_files_are_not_parsed() -> None:
    assert codes(parse_sidecar(".json", b" " * ((64 << 20) + 1))) == ["sidecar"]


def test_strange_text_is_plain_data() -> None:
    content = {**VERSION, "trainedWords": ["(x+x+)+y", "\u202egnp", "=cmd|x"], "__proto__": {"admin": True}}
    found = read(CIVITAI, content)
    assert claims(found)["trigger_words"] == ["(x+x+)+y", "\u202egnp", "=cmd|x"]
    assert found.unparsed["__proto__"] == {"admin": True}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2024-01-01"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*VERSION, "username", "SHA256"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(list(SIDECAR_SUFFIXES)),
    st.dictionaries(st.sampled_from([*VERSION, "civitai", "ModelId"]), anything),
)
def test_no_content_stops_the_reader(suffix: str, content: dict[str, Any]) -> None:
    found = read(suffix, content)
    codes(found)
    for name, value in claims(found).items():
        assert name in CLAIM_NAMES
        json.dumps(value, allow_nan=False)


@given(st.binary(max_size=60))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    codes(parse_sidecar(".json", data))


def test_the_table_is_sound() -> None:
    table = read_table("sidecars.toml")
    shapes = table["fields"]
    for row in table["suffix"]:
        assert row["shape"] in shapes
        assert row["why"]
    assert {row["name"] for row in table["shape"]} == set(shapes)
    for name, fields in shapes.items():
        assert fields["why"], name
        for claim, row in fields.items():
            assert claim == "why" or (claim in CLAIM_NAMES and row["type"] in READERS and row["paths"]), (
                name,
                claim,
            )
    assert {kind for word, kind in table["kinds"].items() if word != "why"} <= set(kinds())
