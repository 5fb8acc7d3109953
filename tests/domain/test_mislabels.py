"""Claims against findings."""

import pytest

from indexer.domain.mislabels import extension_conflicts, file_conflicts

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("container", "path", "wrong"),
    [
        ("safetensors", "/m/a.safetensors", False),
        ("safetensors", "/m/a.CKPT", True),
        ("zip", "/m/a.ckpt", False),
        ("pickle", "C:\\models\\a.pt", False),
        ("pickle", "/m/a.safetensors", True),
        ("gguf", "/m/a.sft", True),
        ("safetensors", "/m/a.bin", False),
        ("safetensors", "/m/no ending", False),
        ("unknown", "/m/a.ckpt", False),
    ],
)
def test_an_ending_that_lies(container: str, path: str, wrong: bool) -> None:
    found = extension_conflicts(container, [path])
    assert bool(found) is wrong
    assert all(row["found"] == container and row["source"] == "file name" for row in found)


def test_a_stated_hash_is_held_against_the_measured_one() -> None:
    claims = [("civitai", {"sha256": A.upper()}), ("sidecar:x", {"sha256": B}), ("y", {"sha256": "short"})]
    assert file_conflicts({}, claims, "safetensors", (), None) == []
    assert file_conflicts({}, claims, "safetensors", (), A) == [
        {"claim": f"sha256:{B}", "source": "sidecar:x", "found": f"sha256:{A}"}
    ]


def test_the_verdicts_own_conflicts_come_first() -> None:
    own = {"claim": "SD 1.5", "source": "sidecar:x", "found": "sdxl"}
    found = file_conflicts({"conflicts": [own]}, (), "safetensors", ["a.ckpt", "b.ckpt"], None)
    assert found == [own, {"claim": ".ckpt", "source": "file name", "found": "safetensors"}]
