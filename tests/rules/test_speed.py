"""What is remembered or done in bulk says the same as the plain way, and hostile headers cost no more."""

import tempfile
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import reading
from indexer.domain.header import Header, TensorEntry
from indexer.parsers.safetensors import parse_header
from indexer.rules import identify
from indexer.rules.modules import Module, modules_of, roles_of
from indexer.rules.profile import Profile, Recall, recall_templates, templates_of
from indexer.rules.proof import prove, prove_anew
from scripts.benchmarks import inspect
from tests.clocks import in_time
from tests.parsers.headers import compact, entry
from tests.rules.builders import Shape, header, kohya, lokr, peft, weights

BUILDERS = (kohya, peft, lokr)
MODULES = {name: shape for name, shape in weights("sd1.diffusers").items() if prod(shape[:2]) % 64 == 0}
NAMES = st.text(st.sampled_from("ab01._\n#é"), max_size=12)
STEMS = ("lora_unet_a_1", "lora_te2_b", "unet.x.2.y", "text_encoder_2.c.3", "double_blocks.1.processor")
ENDS = ("lora_down.weight", "lora_up.weight", "lora_mid.weight", "alpha", "lora_A.weight", "lora_B.weight")
SHAPES = st.lists(st.integers(1, 9), max_size=4)


def read(shapes: dict[str, Shape], dtype: str = "F16") -> Header:
    """The header of a real file with these tensors."""
    tensors, at = {}, 0
    for name, shape in shapes.items():
        size = prod(shape) * {"F16": 2, "F32": 4}[dtype]
        tensors[name] = entry(dtype, list(shape), at, at + size)
        at += size
    raw = compact(tensors)
    return parse_header(len(raw).to_bytes(8, "little") + raw, 8 + len(raw) + at)


@given(st.lists(st.lists(NAMES, max_size=20, unique=True), max_size=4))
def test_recalled_templates_are_the_templates(files: list[list[str]]) -> None:
    for names in files:
        assert recall_templates(names) == templates_of(names)


@given(st.lists(st.lists(NAMES, max_size=9), max_size=9))
def test_what_is_recalled_is_what_the_function_says(files: list[list[str]]) -> None:
    recall: Recall[tuple[str]] = Recall(lambda names: [(name,) for name in names])
    assert [recall(names) for names in files] == [[(name,) for name in names] for names in files]


@settings(deadline=None)  # the first example loads the tables
@given(
    build=st.sampled_from(BUILDERS),
    rank=st.sampled_from((4, 8)),
    chosen=st.sets(st.sampled_from(sorted(MODULES)), min_size=1, max_size=30),
    dtype=st.sampled_from(("F16", "F32")),
    dora=st.booleans(),
)
def test_a_remembered_answer_is_the_answer(
    build: type, rank: int, chosen: set[str], dtype: str, dora: bool
) -> None:
    shapes: dict[str, Shape] = build({name: MODULES[name] for name in chosen}, rank)
    if dora:
        shapes[f"{next(iter(shapes)).rpartition('.')[0]}.dora_scale"] = (8, 1)
    told = read(shapes, dtype)
    assert told.listing
    assert prove(told) == prove_anew(told)
    again = read(shapes, dtype)
    assert prove(again) is prove(told)
    assert identify(again) == identify(replace(again, listing=b""))


def test_equal_names_with_other_shapes_or_types_are_another_file() -> None:
    modules = weights("sd1.diffusers", "attn2.to_k")
    first, second, third = read(kohya(modules, 8)), read(kohya(modules, 4)), read(kohya(modules, 8), "F32")
    assert len({first.listing, second.listing, third.listing}) == 3
    assert [identify(h).rank.mode for h in (first, second, third)] == [8, 4, 8]  # type: ignore[union-attr]


def test_metadata_that_change_the_algorithm_are_no_part_of_the_memory() -> None:
    plain = read(kohya(weights("sd1.diffusers", "attn2.to_k")))
    stated = replace(plain, metadata={"ss_network_module": "networks.dylora"})
    assert [identify(h).adapter for h in (plain, stated, plain)] == ["lora", "dylora", "lora"]


def test_names_with_line_breaks_are_not_remembered() -> None:
    assert read({"a\nb": (1,), "c": (1,)}).listing == b""
    assert read({}).listing == b""


def _slow_pairs(tensors: dict[str, list[int]]) -> list[Module]:
    """LoRA modules one by one, as the format says."""
    found = []
    for name, down in tensors.items():
        stem, _, end = name.rpartition(".lora_")
        if end not in ("down.weight", "A.weight"):
            continue
        up = tensors.get(f"{stem}.lora_{end.replace('down', 'up').replace('A', 'B')}")
        role = roles_of(Profile(header({name: (1,)})))
        part, module = next((r.part, stem[r.cut :]) for r in role.values())
        if "#" in next(iter(role.values())).prefix:
            module = stem.partition("_2.")[2] if "_2." in stem else stem.partition("te2_")[2]
        size: tuple[int | None, int | None, int | None] = (None, None, None)
        if up is not None and min(len(up), len(down)) > 1:
            middle = tensors.get(f"{stem}.lora_mid.weight", [])
            size = (up[0], prod(down[1:]) * prod(middle[2:]), down[0])
        found.append(Module(part, module.replace(".", "_"), *size))
    return found


@settings(deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from(STEMS[:4]), st.sampled_from(ENDS)), SHAPES, max_size=20))
def test_modules_in_bulk_are_modules_one_by_one(tensors: dict[tuple[str, str], list[int]]) -> None:
    shapes = {f"{stem}.{end}": shape for (stem, end), shape in tensors.items()}
    profile = Profile(header({name: tuple(shape) for name, shape in shapes.items()}))
    assert modules_of(profile, roles_of(profile)) == _slow_pairs(shapes)


def _word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


HOSTILE = {
    "templates": [f"{_word(n)}.weight" for n in range(100_000)],
    "text encoders": [f"text_encoders.{_word(n)}.x.weight" for n in range(40_000)],
    "adapters": [f"lora_unet_{_word(n)}.lora_down.weight" for n in range(100_000)],
    "numbers": [f"{n}{'.1' * 100_000}.lora_down.weight" for n in range(110)],
    "long names": [f"blocks.{n}.{'attn.to_q.' * 100_000}weight" for n in range(21)],
    "one prefix": [f"model.diffusion_model.{'a1_' * 3300}{n}.weight" for n in range(2_100)],
}


@pytest.mark.no_cover
@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_take_no_time(names: list[str]) -> None:
    one: TensorEntry = {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}
    hostile = Header("safetensors", dict.fromkeys(names, one), {}, 0, 0)
    verdict = in_time(3.0, lambda: identify(hostile), once=True)  # under a second on an idle machine
    assert verdict.tensors == len(names)
    assert sum(len(item.detail) for item in verdict.evidence) < 10_000


def test_the_benchmark_prints_both_mixes_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    identified = vars(reading)["identify"]
    assert inspect.main(["--files", "4"]) == 0
    printed = capsys.readouterr().out
    assert "mixed: 4 files" in printed and "cold: 4 files" in printed
    assert printed.count("inspect, in all") == 2
    assert list(tmp_path.iterdir()) == []
    assert vars(reading)["identify"] is identified
