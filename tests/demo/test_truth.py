"""The truth the demo tells of itself is what the program finds, reading the files."""

from pathlib import Path

from indexer.demo import DemoReport
from indexer.inspecting import inspect_paths


def test_reading_finds_what_the_generator_knows(demo_library: tuple[Path, DemoReport]) -> None:
    folder, report = demo_library
    truth = {str(folder / model.path): model for model in report.models}
    for told in inspect_paths([folder]):
        model = truth.pop(told["path"])
        if model.bad in ("truncated", "not_a_model"):
            assert told["status"] == "quarantined", model.path
            assert model.bad in told["reason"]["code"]
            continue
        assert told["container"] == ("gguf" if model.path.endswith(".gguf") else "safetensors")
        assert (told["kind"], told["adapter"], told["key_format"]) == (
            model.kind,
            model.adapter,
            model.key_format,
        ), model.path
        assert model.architecture in told["architecture_path"], model.path
        assert told["family"] == model.family, model.path
        assert model.rank is None or told["rank"]["mode"] == model.rank, model.path
    assert not truth, "every file of the demo is found"
