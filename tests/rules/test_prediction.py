"""Prediction type: marker tensors before metadata before names."""

import pytest

from indexer.domain.vocabulary import read_table
from indexer.rules.prediction import read_prediction


@pytest.mark.parametrize(
    ("tensors", "metadata", "name", "wanted"),
    [
        ((), {}, "", None),
        ((), {"modelspec.prediction_type": "Epsilon"}, "", "epsilon"),
        ((), {"modelspec.predict_key": "v_prediction"}, "", "v"),
        ((), {"modelspec.predict_key": "edm_vpred"}, "", "edm_v"),
        ((), {"ss_base_model_version": "sd_v2_v"}, "", "v"),
        ((), {"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, "", "v"),
        (("v_pred",), {"modelspec.prediction_type": "epsilon"}, "", "v"),
        (("edm_mean", "edm_std"), {}, "", "edm"),
        (("__x0__",), {}, "", "x0"),
        ((), {}, "noobaiXL_vPred10.safetensors", "v"),
        ((), {}, "noobaiXLNAIXL_epsilonPred11Version", "epsilon"),
        ((), {"ss_sd_model_name": "some-v-pred.safetensors"}, "", "v"),
        ((), {"modelspec.prediction_type": "epsilon"}, "thing_vpred", "epsilon"),
        ((), {}, "steps and epsom", None),
    ],
)
def test_the_strongest_word_counts(
    tensors: tuple[str, ...], metadata: dict[str, str], name: str, wanted: str | None
) -> None:
    assert read_prediction(tensors, metadata, "sdxl", name)[0] == wanted


def test_names_are_heard_for_unets_only() -> None:
    assert read_prediction((), {}, "flux1", "thing_vpred")[0] is None
    assert read_prediction((), {}, None, "thing_vpred")[0] is None


def test_the_evidence_names_the_source_and_who_disagrees() -> None:
    _, evidence = read_prediction(("v_pred", "ztsnr"), {"modelspec.prediction_type": "epsilon"}, "sdxl")
    assert [(item.rule, item.detail) for item in evidence] == [
        ("prediction", "v: tensor v_pred; but modelspec.prediction_type says epsilon"),
        ("zero-snr", "tensor ztsnr"),
    ]
    assert read_prediction((), {"ss_zero_terminal_snr": "True"})[1][0].rule == "zero-snr"
    assert read_prediction((), {"ss_zero_terminal_snr": "False"})[1] == ()


def test_every_row_tells_why() -> None:
    table = read_table("prediction.toml")
    for group in ("marker", "implied"):
        assert all(row["why"] for row in table[group])
