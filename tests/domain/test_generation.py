"""Models named several times are one model, and different ones stay apart."""

from indexer.domain.generation import GenerationRecord, UsedModel, merge_models, model_stem


def test_stems() -> None:
    names = ["SDXL\\Ink Wash.v1.safetensors", "sub/Ink Wash.v1", "ink wash.v1.CKPT"]
    assert {model_stem(name) for name in names} == {"ink wash.v1"}


def test_mentions_of_one_model_are_joined() -> None:
    mentions = [
        UsedModel("lora", "ink", None, None, 0.5),
        UsedModel("unknown", "Ink.safetensors", "0123456789"),
        UsedModel("lora", None, "0123456789", "12"),
    ]
    assert merge_models(mentions) == (UsedModel("lora", "ink", "0123456789", "12", 0.5),)


def test_a_checkpoint_and_a_bare_model_are_one_but_not_a_vae() -> None:
    mentions = [UsedModel("checkpoint", "a"), UsedModel("diffusion_model", "a.gguf"), UsedModel("vae", "a")]
    assert merge_models(mentions) == (UsedModel("checkpoint", "a"), UsedModel("vae", "a"))


def test_models_without_any_name_stay_apart() -> None:
    mentions = [UsedModel("lora", None, None, "1"), UsedModel("lora", None, None, "2")]
    assert merge_models(mentions) == tuple(mentions)


def test_the_contracts_object() -> None:
    made = GenerationRecord("a1111", models=(UsedModel("lora", "ink"),), raw={"a": 1})
    told = made.told()
    assert list(told) == [
        "generator",
        "version",
        "prompt",
        "negative_prompt",
        "seed",
        "steps",
        "sampler",
        "scheduler",
        "cfg",
        "width",
        "height",
        "models",
        "raw",
    ]
    assert told["models"] == [
        {"kind": "lora", "name": "ink", "hash": None, "version_id": None, "weight": None}
    ]
