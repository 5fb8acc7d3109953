"""``check`` over the indexed demo library: names, files, architectures, missing parts, weights read side by side."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.domain.vocabulary import architecture_path
from indexer.errors import UsageError
from indexer.settings import Settings
from search.checking import MOST_ADDONS, check_stack
from search.checking_bulk import fit_all
from search.checking_found import found_base, ready_base
from search.checking_names import Named
from search.service import Pinakes
from tests.adapters import Pair, kohya, save, trained, unet_sizes


@pytest.fixture(scope="module")
def library(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as pinakes:
        yield pinakes


def test_a_stack_that_fits(library: Pinakes) -> None:
    stack = check_stack(library, "Atlas XL", ["Gouge Linocut:0.8", "Riceworks Ink"])
    assert (stack.verdict, stack.base.architecture) == ("compatible", "sdxl")
    assert stack.addons[0].weight.value == 0.8
    (pair,) = stack.pairs
    assert pair.overlap == 1.0 and pair.shared > 600
    assert not stack.needed  # the checkpoint holds its encoders and its VAE


def test_of_models_of_one_name_the_one_for_the_base_is_meant(library: Pinakes) -> None:
    for base in ("sdxl", "flux1-dev"):
        stack = check_stack(library, base, ["Gouge Linocut"])
        assert stack.verdict == "compatible"
    with pytest.raises(UsageError) as error:
        check_stack(library, "sd2", ["Gouge Linocut"])
    assert error.value.code == "ambiguous"


def test_an_adapter_of_another_model(library: Pinakes) -> None:
    stack = check_stack(library, "sdxl", ["Gouge Linocut", "Three Drum Riso"])
    assert [addon.verdict.verdict for addon in stack.addons] == ["compatible", "incompatible"]
    assert not stack.loads and not stack.pairs
    assert "Leave out Three Drum Riso" in stack.advice[0]


def test_what_a_base_needs_is_looked_for_in_the_library(library: Pinakes) -> None:
    needed = {one.need.options[0]: one for one in check_stack(library, "Quicksilver Dev", []).needed}
    assert {id_: one.spares[0].name for id_, one in needed.items()} == {
        "clip-l": "clip_l",
        "t5-xxl": "t5xxl_fp8_e4m3fn",
        "flux1": "quicksilver_ae",
    }
    given = check_stack(library, "Quicksilver Dev", ["quicksilver_ae"]).needed
    assert [one.given for one in given if one.need.part == "vae"] == ["quicksilver_ae"]
    lacking = [one for one in check_stack(library, "qwen-image", []).needed if not one.spares]
    assert any(one.need.part == "text_encoder" for one in lacking)


def test_the_weight_that_pictures_use(library: Pinakes) -> None:
    weights = [a.weight for a in check_stack(library, "sdxl", ["Gouge Linocut"]).addons]
    assert (weights[0].source, weights[0].value) == ("pictures", 0.8)


@pytest.mark.parametrize("base", ["sdxl", "SDXL 1.0", "Pony"])
def test_a_base_may_be_an_architecture_or_a_family(library: Pinakes, base: str) -> None:
    assert check_stack(library, base, []).base.architecture == "sdxl"


def test_an_entry_by_id_and_by_path(library: Pinakes) -> None:
    entry = library.find("Riceworks Ink")
    for what in (str(entry.id), entry.files[0].path):
        stack = check_stack(library, "sdxl", [f"{what}:0.5"])
        assert (stack.addons[0].member.id, stack.addons[0].weight.value) == (entry.id, 0.5)


@pytest.mark.parametrize(
    ("base", "addons", "code"),
    [
        ("nothing of that name", [], "unknown_model"),
        ("sdxl", ["nothing of that name:0.8"], "unknown_model"),
        ("Riceworks Ink qwen", [], "not_a_base"),
        ("Three Drum Riso", [], "not_a_base"),
        ("sdxl", ["sdxl"] * (MOST_ADDONS + 1), "addons"),
    ],
)
def test_what_cannot_be_asked(library: Pinakes, base: str, addons: list[str], code: str) -> None:
    with pytest.raises(UsageError) as error:
        check_stack(library, base, addons)
    assert error.value.code == code
    with pytest.raises(UsageError, match="precision"):
        check_stack(library, "sdxl", [], precision="fp4")


# ---------------------------------------------------------------- files on disk


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two trainings, one of them at half strength, and one against it."""
    folder = tmp_path_factory.mktemp("adapters")
    one, other = trained(1, unet_sizes()), trained(2, unet_sizes())
    against = {name: Pair(-pair.up, pair.down) for name, pair in one.items()}
    mixed = {n: Pair(one[n].up + np.float32(0), one[n].down) for n in one}
    tensors = {"one": one, "other": other, "against": against, "like": mixed}
    return {name: save(folder / f"{name}.safetensors", kohya(made), "F16") for name, made in tensors.items()}


def test_weights_read_side_by_side(library: Pinakes, trainings: dict[str, Path]) -> None:
    stack = check_stack(library, "sdxl", [str(path) for path in trainings.values()], deep=True)
    pulls = {(p.first.member.name[:-12], p.second.member.name[:-12]): p for p in stack.pairs}
    assert {names: pair.pull for names, pair in pulls.items()} == {
        ("one", "other"): "independent",
        ("one", "against"): "conflicting",
        ("one", "like"): "reinforcing",
        ("other", "against"): "independent",
        ("other", "like"): "independent",
        ("against", "like"): "conflicting",
    }
    found = pulls["one", "like"].alignment
    assert found is not None and found.cosine == pytest.approx(1.0, abs=1e-3)
    assert {block.name for block in found.blocks} == {
        "down_blocks_1_attentions_0",
        "mid_block_attentions_0",
        "up_blocks_1_attentions_2",
    }
    assert sum(block.share for block in found.blocks) == pytest.approx(1.0)


def test_a_weight_below_nothing_turns_it_round(library: Pinakes, trainings: dict[str, Path]) -> None:
    names = [f"{trainings['one']}:1", f"{trainings['like']}:-0.5"]
    assert check_stack(library, "sdxl", names, deep=True).pairs[0].pull == "conflicting"


def test_askers_from_elsewhere_reach_no_file_of_the_disk(
    library: Pinakes, trainings: dict[str, Path]
) -> None:
    with pytest.raises(UsageError):
        check_stack(library, "sdxl", [str(trainings["one"])], on_disk=False)


# ---------------------------------------------------------------- many


def test_many_at_once_say_what_one_at_a_time_says(library: Pinakes) -> None:
    bases = [ready_base(found_base(Named(id_, architecture=id_), {})) for id_ in ("sdxl", "flux1-dev")]
    found = list(fit_all(library.catalog, bases, ["lora"]))
    assert len(found) > 40
    for fitted in found:
        own = fitted.row.verdict["architecture"]
        loads = [verdict.verdict in ("compatible", "partial") for verdict in fitted.verdicts]
        assert loads == [architecture_path(own)[0] == "sdxl", architecture_path(own)[0] == "flux1"]
    ids = [fitted.row.file_id for fitted in found if fitted.row.file_id is not None]
    assert len(ids) == len(found)
    assert ids == sorted(ids)
    middle = ids[len(ids) // 2]
    parts = [
        fitted.row.file_id
        for after, until in ((0, middle), (middle, None))
        for fitted in fit_all(library.catalog, bases[:1], ["lora"], after=after, until=until)
    ]
    assert parts == ids
