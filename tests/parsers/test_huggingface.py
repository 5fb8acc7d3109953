"""Repositories of the Hub as records: which files are models, what is claimed, what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import CLAIM_NAMES
from indexer.domain.hubs import HubModel, HubVersion, Refused
from indexer.domain.vocabulary import base_labels, kinds, read_table
from indexer.parsers.huggingface import parse_repo, with_verdicts
from indexer.parsers.huggingface_files import MAX_FILES, RepoFile, file_kind
from tests.hubs.fake_huggingface import LORA_CARD, Repo, repo


def parsed(item: Repo, card: str | None = None) -> HubModel:
    model = parse_repo(item.whole(), card)
    assert isinstance(model, HubModel), model
    return model


def said(claims: Any) -> dict[str, Any]:
    return {claim.name: claim.value for claim in claims.claims}


def keys(item: Repo) -> list[str]:
    return [version.key.partition("@")[2] for version in parsed(item).versions]


def holding(*paths: str, **info: Any) -> Repo:
    return repo(files={path: path.encode() for path in paths}, **info)


def only(item: Repo) -> HubVersion:
    (version,) = parsed(item).versions
    return version


def test_a_lora_with_its_card() -> None:
    model = parsed(repo(), LORA_CARD)
    assert (model.key, model.creator, model.gone) == ("huggingface:ann/ink", "ann", None)
    claims = said(model.claims)
    assert claims["trigger_words"] == ["TOK", "ink wash"]
    assert claims["licence"] == "flux-1-dev-non-commercial-license"
    assert claims["tags"] == ["lora", "ink", "text-to-image"]
    assert claims["trained_on"] == "black-forest-labs/FLUX.1-dev"
    assert claims["description"].startswith("# Ink wash")
    assert claims["url"] == "https://huggingface.co/ann/ink"
    assert model.statistics is not None
    assert (model.statistics.downloads, model.statistics.favourites) == (1234, 5)
    version = model.versions[0]
    assert version.key == "huggingface:ann/ink@ink.safetensors"
    assert said(version.claims) == {"version": "ink", "kind": "lora", "base_label": "Flux.1 D"}
    file = version.files[0]
    assert (file.format, file.size, file.primary, len(file.hashes["sha256"])) == ("SafeTensor", 8, True, 64)
    assert file.url == "https://huggingface.co/ann/ink/resolve/main/ink.safetensors"
    first, thumbnail = version.images
    assert first.url == "https://huggingface.co/ann/ink/resolve/main/images/tea%20pot.png"
    assert first.meta == {"meta": {"prompt": "a teapot, ink wash", "negativePrompt": "photo"}}
    assert thumbnail.url == "https://h.example/thumb.webp"


def test_what_the_hub_read_of_the_card_is_believed_before_its_text() -> None:
    model = parsed(repo(cardData={"license": "mit", "base_model": ["stabilityai/sdxl-turbo"]}), LORA_CARD)
    assert said(model.claims)["licence"] == "mit"
    assert said(model.versions[0].claims)["base_label"] == "SDXL Turbo"


PIPELINE = (
    "model_index.json",
    "unet/diffusion_pytorch_model.safetensors",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.bin",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model-00001-of-00002.safetensors",
    "text_encoder/model-00002-of-00002.safetensors",
    "safety_checker/model.safetensors",
    "tokenizer/vocab.json",
)


def test_a_pipeline_is_one_version_and_its_network_stands_for_it() -> None:
    version = only(holding(*PIPELINE, tags=[], library_name="diffusers"))
    assert version.key.endswith("@.") and said(version.claims)["kind"] == "checkpoint"
    assert [file.key for file in version.files if file.primary] == [PIPELINE[1]]
    assert len(version.files) == 6
    assert {file.precision for file in version.files} == {None, "fp16"}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("a.safetensors", "b.safetensors", "README.md"), ["a.safetensors", "b.safetensors"]),
        ((*PIPELINE, "sd_xl.safetensors"), [".", "sd_xl.safetensors"]),
        (tuple(f"sub/{path}" for path in PIPELINE), ["sub"]),
        (("flux-Q4_K_S.gguf", "flux-Q8_0.gguf"), ["flux-Q4_K_S.gguf", "flux-Q8_0.gguf"]),
        (("m-00001-of-00002.gguf", "m-00002-of-00002.gguf"), ["m.gguf"]),
        (("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.bin", "config.json"), ["."]),
        (
            ("a.safetensors", "checkpoint-500/a.safetensors", "checkpoint-500/optimizer.bin"),
            ["a.safetensors"],
        ),
        (
            ("a.ckpt", "optimizer.pt", "random_states_0.pkl", "training_args.bin", "rng_state_0.pth"),
            ["a.ckpt"],
        ),
        (("a.pt", "onnx/model.bin", "logs/x.pt"), ["a.pt"]),
    ],
)
def test_files_are_told_apart(paths: tuple[str, ...], expected: list[str]) -> None:
    assert keys(holding(*paths)) == expected


@pytest.mark.parametrize(
    ("path", "tags", "kind"),
    [
        ("split_files/vae/wan_2.1_vae.safetensors", [], "vae"),
        ("split_files/text_encoders/t5.safetensors", [], "text_encoder"),
        ("split_files/diffusion_models/wan.safetensors", [], "diffusion_model"),
        ("ink_lora_v2.safetensors", [], "lora"),
        ("model_baked_vae.safetensors", [], None),
        ("explorations.safetensors", [], None),
        ("ae.safetensors", [], "vae"),
        ("ink.safetensors", ["base_model:adapter:a/b"], "lora"),
        ("ink.safetensors", ["controlnet"], "controlnet"),
        ("learned_embeds.bin", ["textual_inversion"], "textual_inversion"),
    ],
)
def test_kinds_are_claimed_by_places_names_and_tags(path: str, tags: list[str], kind: str | None) -> None:
    assert said(only(holding(path, tags=tags)).claims).get("kind") == kind


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("flux1-dev-Q4_K_S.gguf", "q4_k_s"),
        ("a-fp8_e4m3fn_scaled.safetensors", "fp8_e4m3fn_scaled"),
        ("a.fp16.safetensors", "fp16"),
        ("bf16nothing.ckpt", None),
    ],
)
def test_marks_of_precision(name: str, mark: str | None) -> None:
    assert RepoFile(name).precision == mark


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (
            {"pipeline_tag": "text-generation", "library_name": "transformers", "tags": ["llama"]},
            "other_field",
        ),
        ({"pipeline_tag": None, "library_name": "transformers", "tags": []}, "other_field"),
        ({"pipeline_tag": "automatic-speech-recognition", "library_name": None, "tags": []}, "other_field"),
        ({"pipeline_tag": None, "library_name": None, "tags": []}, None),
        ({"pipeline_tag": "text-to-image", "library_name": "transformers", "tags": []}, None),
        ({"pipeline_tag": None, "library_name": None, "tags": [], "id": "google/t5-v1_1-xxl"}, None),
        (
            {
                "pipeline_tag": "text-generation",
                "library_name": "transformers",
                "tags": [],
                "id": "o/clip-vit-l",
            },
            None,
        ),
        ({"id": 7}, "item"),
        ({"id": "../x/y"}, "item"),
        ({"siblings": [{"rfilename": "README.md"}]}, "no_weights"),
        ({"siblings": None}, "no_weights"),
    ],
)
def test_other_fields_are_left_out(info: dict[str, Any], code: str | None) -> None:
    outcome = parse_repo(holding("model.safetensors").whole() | {"cardData": {}} | info)
    assert (outcome.code if isinstance(outcome, Refused) else None) == code


def test_who_may_download_it_is_a_claim() -> None:
    assert said(parsed(repo(gated="auto")).claims)["access"] == "gated"
    assert said(parsed(repo(private=True)).claims)["access"] == "private"
    disabled = parsed(repo(disabled=True))
    assert (said(disabled.claims)["access"], disabled.gone) == ("disabled", "taken_down")
    assert said(parsed(repo(tags=["lora", "not-for-all-audiences"])).claims)["nsfw_level"] == 4


def test_hostile_names_are_left_out_and_lists_are_capped() -> None:
    bad = [
        "../a.safetensors",
        "a/../b.bin",
        "a\x00.bin",
        "/a.bin",
        "a\\b.bin",
        "a\n.bin",
        "x" * 2000 + ".bin",
        "a//b.bin",
    ]
    siblings: list[Any] = [{"rfilename": name} for name in [*bad, 'it\'s "ok" é.safetensors']]
    siblings += [None, 7, {"rfilename": None}]
    model = parse_repo(repo().whole() | {"siblings": siblings})
    assert isinstance(model, HubModel)
    (version,) = model.versions
    assert (
        version.files[0].url
        == "https://huggingface.co/ann/ink/resolve/main/it%27s%20%22ok%22%20%C3%A9.safetensors"
    )
    assert "file_name" in {warning.code for warning in model.warnings}
    many = parse_repo(repo().whole() | {"siblings": [{"rfilename": f"{n}.txt"} for n in range(100_000)]})
    assert isinstance(many, Refused)
    many = parse_repo(repo().whole() | {"siblings": [{"rfilename": f"{n}.bin"} for n in range(100_000)]})
    assert isinstance(many, HubModel) and len(many.versions) == MAX_FILES
    assert "capped" in {warning.code for warning in many.warnings}


def test_pictures_outside_the_repository_are_left_out() -> None:
    widget = [
        {"output": {"url": url}}
        for url in ("../../other/x.png", "file:///etc/passwd", "javascript:x", "ok.mp4", 7, None)
    ]
    model = parsed(repo(cardData={"widget": [*widget, None, {"output": 3}], "thumbnail": ["x"]}))
    assert [(image.url.rpartition("/")[2], image.media) for image in model.versions[0].images][-1] == (
        "ok.mp4",
        "video",
    )
    assert len([image for image in model.versions[0].images if "passwd" in image.url]) == 0


def test_findings_stand_at_their_files() -> None:
    model = with_verdicts(parsed(repo()), {"ink.safetensors": {"kind": "lora"}})
    assert model.versions[0].files[0].detail["verdict"] == {"kind": "lora"}


def test_the_table_names_what_exists() -> None:
    table = read_table("huggingface.toml")
    assert {label for name, label in table["bases"].items() if name != "why"} <= set(base_labels())
    assert all(name == name.lower() for name in table["bases"])
    assert {row["kind"] for row in table["file_kinds"]} <= set(kinds())
    assert set(table["kind_tags"]) - {"why"} <= set(kinds())
    assert file_kind("loras/x.safetensors") == "lora"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    *("author", "tags", "gated", "private", "disabled", "likes", "downloads", "pipeline_tag", "library_name"),
    *("cardData", "createdAt", "gguf", "siblings"),
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), JSON)
def test_any_answer_is_a_record_or_refused(odd: dict[str, Any], card: Any) -> None:
    keys = ("widget", "base_model", "tags", "license", "license_name", "instance_prompt", "thumbnail")
    data = {"cardData": dict.fromkeys(keys, card)} | odd
    outcome = parse_repo(repo().whole() | data, LORA_CARD)
    if isinstance(outcome, HubModel):
        for claims in (outcome.claims, *(version.claims for version in outcome.versions)):
            assert all(claim.name in CLAIM_NAMES and claim.value is not None for claim in claims.claims)
    assert isinstance(parse_repo(card), Refused)
