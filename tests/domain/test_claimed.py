"""Models known by claims alone: the label is mapped, and believed only half."""

from indexer.domain.claimed import CLAIMED, claimed_verdict


def test_a_base_label_names_architecture_and_family() -> None:
    said = claimed_verdict({"kind": "lora", "base_label": "illustrious"})
    assert said == {
        "kind": "lora",
        "architecture": "sdxl",
        "architecture_path": ("sdxl",),
        "family": "illustrious",
        "confidence": CLAIMED,
    }


def test_unknown_labels_leave_it_open() -> None:
    said = claimed_verdict({"kind": "teapot", "base_label": "Base of Tomorrow", "architecture": "nonsense"})
    assert (said["kind"], said["architecture"], said["family"], said["confidence"]) == (
        "unknown",
        None,
        None,
        0.0,
    )


def test_an_architecture_in_our_words_counts_before_the_label() -> None:
    assert (
        claimed_verdict({"architecture": "flux1-dev", "base_label": "SDXL 1.0"})["architecture"]
        == "flux1-dev"
    )
