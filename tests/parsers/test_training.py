"""Training metadata: what trainers write, and what comes of broken or absurd values."""

import base64
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import CLAIM_NAMES, ClaimSet
from indexer.domain.vocabulary import kinds as kind_table
from indexer.domain.vocabulary import read_table
from indexer.parsers.training import TrainingFacts, parse_metadata, thumbnail_bytes
from indexer.parsers.training_table import kinds, rows, source_of, tools, words
from indexer.parsers.training_values import READERS
from tests.clocks import in_time

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SHARED = Path(__file__).resolve().parents[2] / "../shared/data/headers/training-metadata/lora_metadata.json"

KOHYA = {
    "ss_base_model_version": "sdxl_base_v1-0",
    "ss_sd_model_name": "C:\\Users\\someone\\models\\ponyThing_v6.safetensors",
    "ss_new_sd_model_hash": "AB" * 32,
    "ss_sd_model_hash": "e577480d",
    "ss_network_module": "lycoris.kohya",
    "ss_network_dim": "32",
    "ss_network_alpha": "16.0",
    "ss_network_args": '{"algo": "lokr", "conv_dim": 8, "conv_alpha": "4", "dora_wd": true, "preset": null}',
    "ss_num_train_images": "120",
    "ss_steps": "600",
    "ss_max_train_steps": "1000",
    "ss_epoch": "6",
    "ss_num_epochs": "10",
    "ss_learning_rate": "0.0001",
    "ss_unet_lr": "None",
    "ss_text_encoder_lr": "[1e-05, 2e-05]",
    "ss_optimizer": "prodigyopt.prodigy.Prodigy(decouple=True,betas=(0.9, 0.99))",
    "ss_resolution": "(1024, 768)",
    "ss_training_started_at": "1726066908.2484195",
    "ss_training_finished_at": "1726067863.29673",
    "ss_clip_skip": "2",
    "ss_seed": "-1",
    "ss_v2": "False",
    "ss_output_name": "ink_v2",
    "ss_training_comment": "None",
    "ss_dataset_dirs": '{"4_inkstyle": {"n_repeats": 4, "img_count": 30}}',
    "ss_tag_frequency": json.dumps({"4_inkstyle": {"inkdrawn": 30, "1girl": 29, "hat": 8, " tree": 3}}),
    "sshs_model_hash": "cd" * 32,
    "ss_something_new": "kept",
}

AI_TOOLKIT = {
    "software": '{"name": "ai-toolkit", "version": "0.3"}',
    "training_info": '{"step": 500, "epoch": 9}',
}
ONETRAINER = {
    "ot_branch": "master",
    "ot_config": json.dumps(
        {
            "lora_rank": 16,
            "lora_alpha": 1.0,
            "model_type": "FLUX_DEV_1",
            "optimizer": {"optimizer": "ADAMW"},
            "base_model_name": "org/base",
            "resolution": "768",
        }
    ),
}
DATASETS = {
    "ss_datasets": json.dumps(
        [
            {
                "tag_frequency": {"data": {"oil paint": 9, "x": 3}},
                "subsets": [
                    {"img_count": 9, "class_tokens": "vangogh"},
                    {"is_reg": True, "class_tokens": "man"},
                ],
            }
        ]
    )
}


def claims(sets: tuple[ClaimSet, ...], source: str) -> dict[str, Any]:
    """Claims of one source by name."""
    return {claim.name: claim.value for entry in sets if entry.source == source for claim in entry.claims}


def codes(metadata: dict[str, str]) -> set[str]:
    """Codes of all warnings."""
    return {warning.code for warning in parse_metadata(metadata)[0].warnings}


def test_a_kohya_run_is_read_whole() -> None:
    facts, sets = parse_metadata(KOHYA)
    assert (facts.tool, facts.base_model_version, facts.network_module) == (
        "kohya",
        "sdxl_base_v1-0",
        "lycoris.kohya",
    )
    assert (facts.base_model_name, facts.base_model_hash) == ("ponyThing_v6.safetensors", "ab" * 32)
    assert (facts.dim, facts.alpha, facts.algo, facts.conv_dim, facts.conv_alpha) == (
        32,
        16.0,
        "lokr",
        8,
        4.0,
    )
    assert facts.network_args["dora_wd"] == "True"
    assert (facts.images, facts.repeats, facts.train_images) == (30, 4, 120)
    assert (facts.steps, facts.epochs, facts.planned_epochs) == (600, 6, 10)
    assert (facts.learning_rate, facts.unet_lr, facts.text_encoder_lr) == (1e-4, None, 1e-5)
    assert (facts.optimiser, facts.resolution, facts.clip_skip, facts.seed) == ("Prodigy", (1024, 768), 2, -1)
    assert (facts.started, facts.finished) == ("2024-09-11T15:01:48Z", "2024-09-11T15:17:43Z")
    assert (facts.v2, facts.comment, facts.output_name) == (False, None, "ink_v2")
    assert facts.tag_frequency == (("inkdrawn", 30), ("1girl", 29), ("hat", 8), ("tree", 3))
    assert facts.trigger_words == ("inkstyle", "inkdrawn")
    assert facts.claimed_hashes == {"sshs_model_hash": "cd" * 32}
    assert facts.unparsed == {"ss_something_new": "kept"}
    assert facts.warnings == ()
    assert claims(sets, "header:kohya") == {
        "name": "ink_v2",
        "base_label": "sdxl_base_v1-0",
        "trained_on": "ponyThing_v6.safetensors",
        "trained_on_hash": "ab" * 32,
        "trigger_words": ["inkstyle", "inkdrawn"],
        "training_tags": ["inkdrawn", "1girl", "hat", "tree"],
        "kind": "lora",
    }
    assert sets[0].raw == KOHYA
    assert sets[0].unparsed == {"ss_something_new": "kept"}


def test_modelspec_makes_claims_of_its_own() -> None:
    facts, sets = parse_metadata(
        {
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.title": " Ink ",
            "modelspec.author": "someone",
            "modelspec.license": "CC0-1.0",
            "modelspec.architecture": "Flux.2-dev/LoRA",
            "modelspec.tags": "ink, drawing,, Ink",
            "modelspec.trigger_phrase": "ink drawing of",
            "modelspec.merged_from": "a, b",
            "modelspec.prediction_type": "v_prediction",
            "modelspec.date": "2024-09-11T17:17:43+02:00",
            "modelspec.hash_sha256": "0x" + "EF" * 32,
            "modelspec.lora_default_weight": "0.8",
        }
    )
    assert (facts.title, facts.prediction_type, facts.date) == ("Ink", "v", "2024-09-11T15:17:43Z")
    assert (facts.merged_from, facts.preferred_weight) == (("a", "b"), 0.8)
    assert facts.claimed_hashes == {"modelspec.hash_sha256": "ef" * 32}
    assert claims(sets, "header:modelspec") == {
        "name": "Ink",
        "creator": "someone",
        "licence": "CC0-1.0",
        "base_label": "Flux.2-dev/LoRA",
        "tags": ["ink", "drawing"],
        "trigger_words": ["ink drawing of"],
        "preferred_weight": 0.8,
        "kind": "lora",
        "merged_from": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("metadata", "tool", "fact"),
    [
        (AI_TOOLKIT, "ai-toolkit", {"tool_version": "0.3", "steps": 500, "epochs": 9}),
        (
            ONETRAINER,
            "onetrainer",
            {
                "dim": 16,
                "alpha": 1.0,
                "base_model_version": "FLUX_DEV_1",
                "optimiser": "ADAMW",
                "base_model_name": "org/base",
                "resolution": (768, 768),
            },
        ),
        (
            {"lora_adapter_metadata": '{"transformer.r": 32, "transformer.lora_alpha": 64}', "format": "pt"},
            "peft",
            {"dim": 32, "alpha": 64.0},
        ),
        ({"ss_network_module": "networks.lora_wan", "ss_base_model_version": "wan"}, "musubi", {}),
        ({"ss_base_model_version": "qwen_image_edit"}, "musubi", {}),
        ({"modelspec.implementation_version": "sd-scripts/abc", "ss_v2": "True"}, "kohya", {"v2": True}),
        ({"unet:0:rank": "4", "unet": "[]"}, "cloneofsimo", {}),
        ({"prompt": '{"3": {"class_type": "KSampler"}}'}, "comfyui", {}),
        ({"prompt": "a cat"}, None, {}),
        ({"modelspec.sai_model_spec": "1.0"}, "modelspec", {}),
        ({"modelspec.sai_model_spec": "1.0", "modelspec.preview_image": "None"}, "swarmui", {}),
        ({"format": "pt"}, None, {}),
        ({}, None, {}),
    ],
)
def test_each_tool_is_known_by_its_keys(
    metadata: dict[str, str], tool: str | None, fact: dict[str, Any]
) -> None:
    facts, _ = parse_metadata(metadata)
    assert facts.tool == tool
    assert {name: getattr(facts, name) for name in fact} == fact
    assert facts.warnings == ()


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"ss_tag_frequency": '{"1": {"lighthouse": 12}}'}, ("lighthouse",)),
        ({"ss_tag_frequency": '{"1_sks dog": {"sks dog": 1}}'}, ("sks dog",)),
        (
            {
                "ss_tag_frequency": '{"img": {"1girl": 96, "solo": 96, "hat": 9}}',
                "ss_dataset_dirs": '{"img": {"img_count": 96}}',
            },
            (),
        ),
        (
            {"ss_dataset_dirs": '{"1_threestar": {"img_count": 2}, "4_sixstar": {"img_count": 5}}'},
            ("sixstar", "threestar"),
        ),
        (DATASETS, ("vangogh", "oil paint")),
        (
            {"modelspec.trigger_phrase": "Sunny, moon", "ss_tag_frequency": '{"3_sunny": {"sunny": 2}}'},
            ("Sunny", "moon"),
        ),
        ({"trigger_word": "p3r5on"}, ("p3r5on",)),
        ({"ss_tag_frequency": json.dumps({"ink": {"a whole sentence of a caption " * 3: 5}})}, ("ink",)),
        ({"ss_dataset_dirs": '{"10_dataset": {}, "meta_lat.json": {}, "5_": {}, "512x512": {}}'}, ()),
    ],
)
def test_trigger_words_are_guessed_from_the_training_set(
    metadata: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert parse_metadata(metadata)[0].trigger_words == expected


def test_tags_of_all_folders_are_summed_and_bounded() -> None:
    frequency = {
        "1_a": {f"t{number}": number for number in range(5000)},
        "1_b": {"t4999": 5, "bad": "x", "-": -3},
    }
    told = {"ss_tag_frequency": json.dumps(frequency), "ss_datasets": json.dumps([frequency])}
    facts, _ = in_time(1, lambda: parse_metadata(told))
    assert len(facts.tag_frequency) == 200
    assert facts.tag_frequency[0] == ("t4999", 5004)


def test_datasets_do_not_count_pictures_twice() -> None:
    metadata = {
        "ss_dataset_dirs": '{"meta.json": {"n_repeats": 1, "img_count": 50}}',
        "ss_datasets": '[{"resolution": [640, 512], "subsets": [{"img_count": 50, "image_dir": "other"}]}]',
    }
    facts, _ = parse_metadata(metadata)
    assert (facts.images, facts.resolution) == (50, (640, 512))


@pytest.mark.parametrize("text", ['{"a":', "[" * 100_000, "{'a': 1}", "[1,]", '{"a": 1e400', "nope"])
@pytest.mark.parametrize("key", ["ss_tag_frequency", "ss_bucket_info", "ss_datasets", "ss_network_args"])
def test_broken_json_is_told_and_kept(key: str, text: str) -> None:
    facts, sets = parse_metadata({key: text, "ss_network_dim": "8"})
    assert {warning.code for warning in facts.warnings} == {"kohya_json"}
    assert sets[0].raw[key] == text
    assert facts.dim == 8


def test_nan_as_python_writes_it_is_no_fault() -> None:
    assert codes({"ss_bucket_info": '{"buckets": {}, "mean_img_ar_error": NaN}'}) == set()


@pytest.mark.parametrize(
    "value", ["[]", "{}", "3", '"x"', "null", "[1]", '[{"subsets": 4, "tag_frequency": [1]}]']
)
def test_json_of_the_wrong_shape_tells_nothing(value: str) -> None:
    metadata = dict.fromkeys(("ss_tag_frequency", "ss_dataset_dirs", "ss_datasets", "ss_network_args"), value)
    facts, _ = parse_metadata(
        {**metadata, "software": value, "ot_config": value, "lora_adapter_metadata": value}
    )
    assert (facts.tag_frequency, facts.trigger_words, facts.images, facts.dim) == ((), (), None, None)


@pytest.mark.parametrize(
    "metadata",
    [
        {"modelspec.date": "999999-99-99T99:99:99"},
        {"modelspec.date": "0001-01-01"},
        {"ss_training_started_at": "1e400"},
        {"ss_training_finished_at": "nan"},
        {"ss_training_finished_at": "-5"},
        {"ss_num_epochs": "-9" * 50},
        {"ss_network_dim": "9" * 5000},
        {"ss_network_alpha": "1e300"},
        {"ss_resolution": "0x0"},
        {"ss_resolution": "1,2,3"},
        {"ss_new_sd_model_hash": "xyz"},
        {"ss_v2": "perhaps"},
    ],
)
def test_absurd_values_are_left_out_and_told(metadata: dict[str, str]) -> None:
    facts, _ = parse_metadata(metadata)
    assert [warning.code for warning in facts.warnings] == ["value_range"]
    assert TrainingFacts(warnings=facts.warnings, tool=facts.tool, v2=None) == facts


def test_a_hash_of_nothing_is_no_identity() -> None:
    placeholder = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    facts, _ = parse_metadata({"sshs_model_hash": placeholder, "sshs_legacy_hash": "e3b0c442"})
    assert facts.claimed_hashes == {}
    assert [warning.code for warning in facts.warnings] == ["hash_placeholder"]


def data_uri(media: str, data: bytes) -> str:
    """A data: URI."""
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("text", "media"),
    [
        (data_uri("image/png", PNG), "image/png"),
        (data_uri("image/jpeg", b"\xff\xd8\xff\xe0abc"), "image/jpeg"),
        (data_uri("image/JPG", b"\xff\xd8\xff\xe0abc"), "image/jpeg"),
        (data_uri("image/webp", b"RIFF\0\0\0\0WEBPVP8 "), "image/webp"),
        (data_uri("image/svg+xml", b"<svg onload=alert(1)>"), None),
        (data_uri("image/png", b"<svg onload=alert(1)>"), None),
        (data_uri("text/html", b"<b>"), None),
        ("data:image/png;base64,####", None),
        (data_uri("image/png", PNG)[:-3], None),
        ("http://169.254.169.254/latest/meta-data/", None),
        ("file:///etc/passwd", None),
    ],
)
def test_only_pictures_inside_the_file_are_thumbnails(text: str, media: str | None) -> None:
    metadata = {"modelspec.thumbnail": text}
    facts, _ = parse_metadata(metadata)
    assert facts.thumbnail == media
    assert [warning.code for warning in facts.warnings] == ([] if media else ["thumbnail"])
    found = thumbnail_bytes(metadata)
    assert (found and found[0]) == media


def test_no_thumbnail() -> None:
    assert thumbnail_bytes({}) is None
    assert thumbnail_bytes({"modelspec.thumbnail": ""}) is None


@pytest.mark.no_cover
def test_50_000_keys_take_no_time() -> None:
    facts, sets = in_time(2, lambda: parse_metadata({f"key{number}": "x" for number in range(50_000)}))
    assert len(facts.unparsed) == len(sets[0].unparsed) == 50_000


@given(
    st.dictionaries(
        st.sampled_from(sorted({row.key for row in rows()})) | st.text(max_size=5),
        st.text(max_size=20)
        | st.sampled_from(["None", "{}", '{"a":{"b":1}}', "1e999", '[{"subsets":[{}]}]', "NaN"]),
        max_size=12,
    )
)
def test_no_metadata_stops_the_reader(metadata: dict[str, str]) -> None:
    facts, sets = parse_metadata(metadata)
    assert {key: text for entry in sets for key, text in entry.raw.items()} == metadata
    for entry in sets:
        assert all(claim.name in CLAIM_NAMES and claim.value is not None for claim in entry.claims)
    json.dumps([facts.tag_frequency, facts.trigger_words, facts.network_args], allow_nan=False)


def test_the_table_is_sound() -> None:
    known = {entry.name for entry in fields(TrainingFacts)}
    inner = {"stated_triggers", "dataset_dirs", "datasets", "bucket_info", "reg_dataset_dirs", "concepts"}
    inner |= {"merge_recipe", "merge_models", "mecha_recipe", "graph", "editor_graph"}
    for row in rows():
        assert row.field in known | inner, row
        assert row.type in READERS or row.type in ("json", "graph"), row
        assert row.claim is None or row.claim in CLAIM_NAMES, row
    assert set(kinds().values()) <= set(kind_table())
    assert source_of("ss_x") == "kohya"
    assert source_of("named") == source_of("prompts") == "other"
    assert all(word == word.lower() for word in words().nothing | words().tags)
    assert len({tool.name for tool in tools()}) == 13


def test_every_row_tells_why() -> None:
    table = read_table("training_metadata.toml")
    for group in ("source", "tool", "key"):
        assert all(row["why"] for row in table[group])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="development cases are not here")
def test_real_trainings_are_understood() -> None:
    cases = json.loads(SHARED.read_text())
    tools_found = []
    for case in cases:
        metadata = {
            key: text if isinstance(text, str) else json.dumps(text) for key, text in case["metadata"].items()
        }
        facts, _ = parse_metadata(metadata)
        tools_found.append(facts.tool)
        assert not {warning.code for warning in facts.warnings} - {"hash_placeholder", "value_range"}
        if "ss_network_dim" in metadata:
            assert facts.dim == int(metadata["ss_network_dim"])
    assert tools_found.count("kohya") >= 5
    assert {"ai-toolkit", "cloneofsimo"} <= set(tools_found)


@pytest.mark.parametrize(
    ("metadata", "wanted"),
    [
        (
            {
                "ss_network_module": "networks.lora_wan",
                "ss_timestep_sampling": "shift",
                "ss_discrete_flow_shift": "3.0",
                "ss_gradient_accumulation_steps": "4",
                "ss_lr_warmup_steps": "100",
                "ss_steps": "2000",
            },
            {"tool": "musubi", "flow_shift": 3.0, "accumulation": 4, "warmup": 100.0, "steps": 2000},
        ),
        (
            {
                **AI_TOOLKIT,
                "name": "ink_v1",
                "ss_base_model_version": "flux",
                "ss_base_model": "org/base",
                "trigger_word": "inkk",
            },
            {
                "tool": "ai-toolkit",
                "title": "ink_v1",
                "steps": 500,
                "epochs": 9,
                "base_model_name": "org/base",
                "trigger_words": ("inkk",),
            },
        ),
        (
            {
                "ot_config": json.dumps(
                    {
                        "training_method": "LORA",
                        "peft_type": "LOHA",
                        "learning_rate_scheduler": "COSINE",
                        "learning_rate_warmup_steps": 200.0,
                        "gradient_accumulation_steps": 2,
                        "unet": {"learning_rate": 1e-4},
                        "text_encoder": {"learning_rate": None},
                        "output_model_destination": "C:\\models\\ink_v3.safetensors",
                        "concepts": [
                            {"name": "inkstyle", "enabled": True},
                            {"name": "old words", "enabled": False},
                            {"name": "concept 1"},
                            {"name": 5},
                        ],
                    }
                )
            },
            {
                "tool": "onetrainer",
                "method": "LORA",
                "algo": "LOHA",
                "scheduler": "COSINE",
                "warmup": 200.0,
                "accumulation": 2,
                "unet_lr": 1e-4,
                "text_encoder_lr": None,
                "output_name": "ink_v3.safetensors",
                "trigger_words": ("inkstyle",),
            },
        ),
        (
            {"lycoris_config": '{"algo": "lokr", "linear_dim": 10000, "linear_alpha": 1}'},
            {"tool": "simpletuner", "algo": "lokr", "dim": 10000, "alpha": 1.0},
        ),
        (
            {"lora_adapter_metadata": '{"transformer.r": 16, "transformer.lora_alpha": 8}', "format": "pt"},
            {"tool": "peft", "dim": 16, "alpha": 8.0, "unparsed": {"format": "pt"}},
        ),
        ({"unet:0:rank": "4", "unet:1:rank": "4"}, {"tool": "cloneofsimo", "dim": 4}),
        (
            {"modelspec.lora_default_weight": "0.8", "modelspec.usage_hint": "low cfg"},
            {"tool": "swarmui", "preferred_weight": 0.8, "usage_hint": "low cfg"},
        ),
        (
            {"modelspec.is_negative_embedding": "true", "modelspec.title": "bad hands"},
            {"negative": True, "title": "bad hands"},
        ),
    ],
)
def test_every_trainers_recipe_is_read(metadata: dict[str, str], wanted: dict[str, Any]) -> None:
    facts, _ = parse_metadata(metadata)
    assert {name: getattr(facts, name) for name in wanted} == wanted
    assert facts.warnings == ()


def test_pictures_past_the_limit_are_left_out() -> None:
    picture = "data:image/png;base64," + base64.b64encode(PNG + bytes(1 << 20)).decode()
    assert thumbnail_bytes({"modelspec.thumbnail": picture}) is None
    assert codes({"modelspec.thumbnail": picture}) == {"thumbnail"}


@pytest.mark.parametrize(
    "name", ["1", "10_1", "5_img", "img2", "concept 3", "new concept", "12_dataset 2", "2_meta.json"]
)
def test_folders_that_say_nothing_teach_nothing(name: str) -> None:
    sizes = json.dumps({name: {"n_repeats": 1, "img_count": 5}})
    assert parse_metadata({"ss_dataset_dirs": sizes})[0].trigger_words == ()


@given(
    st.dictionaries(
        st.sampled_from(["1_ink", "5_oil paint", "img", "3_sks dog"]),
        st.dictionaries(
            st.sampled_from(["ink", "glow", "sks dog", "1girl", "hat"]), st.integers(1, 20), max_size=5
        ),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_trigger_words_is_the_trainings(
    frequency: dict[str, dict[str, int]], order: Any
) -> None:
    def words_for(folders: dict[str, dict[str, int]], **more: str) -> tuple[str, ...]:
        return parse_metadata({"ss_tag_frequency": json.dumps(folders), **more})[0].trigger_words

    found = words_for(frequency)
    shuffled = order.sample(sorted(frequency), len(frequency))
    assert words_for({name: frequency[name] for name in shuffled}) == found
    assert words_for(frequency, **{"modelspec.trigger_phrase": "zzz"}) == ("zzz", *found)
    named = {name.partition("_")[2] for name in frequency}
    both = [word for word in found if word in named and any(word in tags for tags in frequency.values())]
    assert set(found) <= named | {"ink", "glow", "sks dog", "hat"}
    for word in both:
        if any(tags.get(word) == max(tags.values()) for tags in frequency.values() if tags):
            assert found.index(word) < len(both) + 1
