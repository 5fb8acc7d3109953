"""``from search import Pinakes``: light, typed, documented; docs/python.md does what it says."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.settings import Settings
from search import Pinakes
from search.service import Pinakes as Service
from tests.test_layers import HEAVY

DOCS = Path(__file__).resolve().parents[1] / "docs" / "python.md"


def test_every_example_of_the_docs_runs(
    demo_home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PINAKES_HOME", str(demo_home.home))
    examples = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    assert len(examples) > 6
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, str(DOCS), "exec"), names)
    printed = capsys.readouterr().out
    for words in (
        "kept back",
        "^^^",
        "lora sdxl",
        "loras",
        "incompatible",
        "retrain",
        "base_path:",
        " models",
    ):
        assert words in printed, words


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        f"import sys; from search import Pinakes; Pinakes; print(sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["search", "similar", "find", "duplicates", "mislabelled", "map", "stats"])
def test_methods_take_what_the_service_takes(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(owner, name)).parameters for owner in (Pinakes, Service))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def test_it_is_typed_and_documented() -> None:
    assert (Path(inspect.getfile(Pinakes)).parent / "py.typed").is_file()
    for name, method in vars(Pinakes).items():
        if not name.startswith("_"):
            assert inspect.getdoc(method), name
            assert f"{name}(" in DOCS.read_text("utf-8") or name in ("service", "close"), name


def test_it_can_be_opened_again(demo_home: Settings) -> None:
    library = Pinakes(home=str(demo_home.home))
    total = library.search(limit=1).total
    library.close()
    assert library.search(limit=1).total == total
    library.close()


def test_no_other_name_is_there() -> None:
    import search

    with pytest.raises(AttributeError, match="nothing_else"):
        _ = search.nothing_else
