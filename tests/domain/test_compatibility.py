"""What loads on what and how well it looks, by ids alone; and the table behind it."""

import pytest

from indexer.domain.compatibility import fit_score, loads_on, prediction_caveat
from indexer.domain.vocabulary import architecture_path, architectures, families, kinds, read_table


def loads(kind: str, architecture: str) -> tuple[str, ...]:
    return loads_on(kind, architecture, architecture_path(architecture))


def score(adapter: str, base: str, kind: str = "lora") -> float:
    mine, _, family = adapter.partition("/")
    theirs, _, base_family = base.partition("/")
    return fit_score(kind, mine, family or None, theirs, base_family or None)[0]


def test_a_model_loads_on_its_own_branch() -> None:
    assert {"flux1", "flux1-dev", "flux1-kontext-dev"} <= set(loads("lora", "flux1-dev"))
    assert {"sdxl", "sdxl-inpainting"} <= set(loads("lora", "sdxl"))
    assert "sdxl" not in loads("lora", "sd1")


def test_twins_and_sisters() -> None:
    assert "wan2.2-t2v-a14b" in loads("lora", "wan2.1-t2v-14b")
    assert "wan2.2-ti2v-5b" not in loads("lora", "wan2.1-t2v-14b")
    assert "sdxl" in loads("textual_inversion", "sd1")


def test_parts_load_on_the_models_that_need_them() -> None:
    assert {"flux1-dev", "z-image", "chroma"} <= set(loads("vae", "flux1"))
    assert {"flux1-dev", "sd3.5-large"} <= set(loads("text_encoder", "t5-xxl"))
    assert "sdxl" not in loads("vae", "flux1")


def test_upscalers_load_everywhere_and_strangers_nowhere() -> None:
    denoisers = {key for key, row in architectures().items() if row.role == "denoiser"}
    assert set(loads_on("upscaler", None, ())) == denoisers
    assert loads_on("lora", None, ()) == ()


def test_what_loads_is_an_architecture() -> None:
    for kind in ("lora", "vae", "text_encoder", "textual_inversion"):
        for key in architectures():
            assert set(loads(kind, key)) <= architectures().keys()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("sdxl", "sdxl"), ("sdxl", "sdxl/pony")),
        (("sdxl/illustrious", "sdxl/noobai"), ("sdxl/pony", "sdxl/noobai")),
        (("sdxl/pony", "sdxl/pony"), ("sdxl/pony", "sdxl/illustrious")),
        (("sdxl/pony", "sdxl/illustrious"), ("sdxl", "sd1")),
        (("flux1-dev", "flux1-kontext-dev"), ("flux1-dev", "chroma")),
        (("flux1-dev", "chroma"), ("flux1-dev", "flux2-dev")),
        (("wan2.1-t2v-14b", "wan2.2-t2v-a14b"), ("wan2.1-t2v-14b", "wan2.2-ti2v-5b")),
        (("z-image", "z-image"), ("z-image", "z-image-turbo")),
        (("sd1", "sd1-inpainting"), ("sd1", "sdxl")),
    ],
)
def test_nearer_lineages_score_better(better: tuple[str, str], worse: tuple[str, str]) -> None:
    assert score(*better) > score(*worse)


def test_every_model_is_at_home_on_itself() -> None:
    for key, row in architectures().items():
        if row.role == "denoiser":
            assert score(key, key) == 1.0, key
    for family in families().values():
        assert score(f"{family.architecture}/{family.id}", f"{family.architecture}/{family.id}") == 1.0


def test_the_unknown_scores_nothing_and_says_so() -> None:
    value, why = fit_score("lora", None, None, "sdxl", None)
    assert value == 0.0
    assert "not known" in why
    assert fit_score("lora", "no-such-thing", None, "sdxl", None)[0] == 0.0


def test_scores_are_shares_and_below_one_have_a_reason() -> None:
    for kind in ("lora", "vae", "upscaler"):
        for mine in ("sd1", "sdxl", "flux1-dev", "wan2.1-t2v-14b"):
            for theirs in architectures():
                value, why = fit_score(kind, mine, None, theirs, None)
                assert 0.0 <= value <= 1.0
                assert why or value == 1.0


def test_predictions() -> None:
    caveat = prediction_caveat("epsilon", "v")
    assert caveat is not None
    assert 0 < caveat.factor < 1
    assert prediction_caveat("v", "v") is None
    assert prediction_caveat(None, "v") is None


def test_rows_are_sourced_and_of_known_words() -> None:
    table = read_table("compatibility.toml")
    for row in table["pair"]:
        assert row["why"]
        assert row["source"]
        assert 0 <= row["score"] <= 1
        assert set(row.get("kinds", ())) <= kinds().keys()
    seen = [(tuple(row.get("kinds", ())), row["adapter"], row["base"]) for row in table["pair"]]
    seen += [
        (k, b, a) for (k, a, b), row in zip(seen, table["pair"], strict=True) if row.get("both") and a != b
    ]
    assert len(seen) == len(set(seen))
