"""Signature tables: sound rows, and each condition does what the grammar says."""

import pytest

from indexer.domain.layouts import load_layout
from indexer.domain.vocabulary import TableError, architectures, is_under, kinds
from indexer.rules import signatures as module
from indexer.rules.fitting import layout_architecture
from indexer.rules.profile import Profile
from indexer.rules.signatures import Match, match_all, signatures
from tests.rules.builders import denoiser_layouts, header, nf4, prefixed


def matches(profile: Profile) -> list[Match]:
    return match_all(profile, profile.views)


def evaluate(row: dict[str, object], shapes: dict[str, tuple[int, ...]]) -> Match | None:
    profile = Profile(header(shapes))
    signature = module._parse({"id": "x", "kind": "vae", "why": "test", **row})
    return module._evaluate(signature, profile, profile.root, True)


def test_rows_name_kinds_architectures_and_rows_that_exist() -> None:
    ids = [row.id for row in signatures()]
    assert len(ids) == len(set(ids))
    for row in signatures():
        assert row.kind in kinds(), row.id
        assert set(row.architectures) <= set(architectures()), row.id
        assert row.of <= set(ids), row.id
        assert row.overrides <= set(ids), row.id
        assert row.why, row.id
        assert row.has or row.any or row.of or row.prefix or row.only, f"{row.id} asks for nothing"


def test_every_denoiser_has_a_row() -> None:
    named = {name for row in signatures() for name in row.architectures}
    for key, row in architectures().items():
        if row.role == "denoiser" and row.like is None and not row.abstract:
            assert key in named, key


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_each_layout_matches_rows_of_one_line_only(layout: str) -> None:
    """The rows that hold name the layout's architecture or a node above it, be it among alternatives."""
    wanted = layout_architecture(layout)
    assert wanted is not None
    if layout == "krea-2":
        return  # holds only the weights that adapters address
    told = [
        match.signature
        for match in matches(Profile(header(load_layout(layout))))
        if match.signature.architectures
    ]
    assert any(wanted in row.architectures for row in told)
    assert all(any(is_under(wanted, name) for name in row.architectures) for row in told), told


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "net.", "diffusion_model.", "transformer."])
@pytest.mark.parametrize("layout", ["sdxl", "flux1-dev", "z-image", "wan2.1-t2v-14b", "anima"])
def test_prefixes_change_nothing(layout: str, prefix: str) -> None:
    bare, wrapped = (
        {match.signature.id for match in matches(Profile(header(shapes))) if match.signature.architectures}
        for shapes in (load_layout(layout), prefixed(prefix, load_layout(layout)))
    )
    assert bare == wrapped


def test_has_wants_all_and_takes_either() -> None:
    assert evaluate({"has": ["a.weight|b.weight", "c.#.bias"]}, {"b.weight": (1,), "c.4.bias": (1,)})
    assert not evaluate({"has": ["a.weight|b.weight", "c.#.bias"]}, {"b.weight": (1,)})


def test_any_wants_one_and_lacks_none() -> None:
    assert evaluate({"any": ["a", "b"]}, {"b": (1,)})
    assert not evaluate({"any": ["a", "b"]}, {"c": (1,)})
    assert not evaluate({"has": ["a"], "lacks": ["b"]}, {"a": (1,), "b": (1,)})


def test_prefix_count_and_only() -> None:
    assert evaluate({"prefix": ["lllite_"]}, {"lllite_unet_x.down.0.weight": (4, 4)})
    assert not evaluate({"prefix": ["lllite_"]}, {"unet.lllite_x": (4, 4)})
    assert evaluate({"has": ["a.#"], "count": {"a.#": 2}}, {"a.0": (1,), "a.1": (1,)})
    assert not evaluate({"has": ["a.#"], "count": {"a.#": 2}}, {"a.0": (1,)})
    assert not evaluate({"has": ["a"], "only": 1}, {"a": (1,), "b": (1,)})


@pytest.mark.parametrize(
    ("wanted", "shape", "fits"),
    [
        ([320, 4, 3, 3], (320, 4, 3, 3), True),
        ([320, 4, 3, 3], (320, 9, 3, 3), False),
        (["*", "16|32"], (512, 32), True),
        (["*", "16|32"], (512, 48), False),
        (["*", 16, "..."], (384, 16, 3, 3, 3), True),
        (["...", 768], (768,), True),
        (["...", 768], (5, 768), True),
        (["...", 768], (5, 1024), False),
        ([64, 64], (64,), False),
    ],
)
def test_shapes(wanted: list[object], shape: tuple[int, ...], fits: bool) -> None:
    assert bool(evaluate({"has": ["a"], "shape": {"a": wanted}}, {"a": shape})) is fits


def test_the_star_means_every_tensor() -> None:
    row = {"only": 4, "shape": {"*": ["...", 768]}}
    assert evaluate(row, {"<cat>": (768,), "<dog>": (2, 768)})
    assert not evaluate(row, {"<cat>": (768,), "<dog>": (2, 1280)})


def test_a_hidden_shape_leaves_a_row_unproven() -> None:
    packed, types = nf4(load_layout("flux1-dev"))
    found = {match.signature.id: match for match in matches(Profile(header(packed, dtypes=types)))}
    assert not found["flux1-dev"].proven
    whole = {match.signature.id: match for match in matches(Profile(header(load_layout("flux1-dev"))))}
    assert whole["flux1-dev"].proven
    assert "guidance embedding" in whole["flux1-dev"].detail


def test_the_more_telling_row_overrides() -> None:
    names = ["conv_first.weight", "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"]
    plain = {match.signature.id for match in matches(Profile(header(names)))}
    more = [*names, "layers.0.residual_group.blocks.0.conv_block.cab.0.weight", "relative_position_index_OCA"]
    hat = {match.signature.id for match in matches(Profile(header(more)))}
    assert "swinir" in plain
    assert "hat" in hat and "swinir" not in hat


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(TableError, match="signature 'x': unknown or missing columns"):
        module._parse({"id": "x", "kind": "vae", "why": "y", "colour": "red"})
