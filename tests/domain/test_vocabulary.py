"""The tables hold together: every reference points to a row, every row says why."""

import pytest

from indexer.domain import vocabulary
from indexer.domain.layouts import layout_ids
from indexer.domain.vocabulary import (
    TableError,
    UnknownIdError,
    adapter_algorithms,
    architecture,
    architecture_path,
    architectures,
    base_label,
    base_labels,
    common_ancestor,
    families,
    is_under,
    key_formats,
    kinds,
    leaves,
    lookalikes,
    read_table,
    trained_architecture,
)

ROLES = {"denoiser", "vae", "text_encoder", "clip_vision", "upscaler"}


def test_the_tree_has_roots_and_no_strangers() -> None:
    for key, row in architectures().items():
        assert row.parent is None or row.parent in architectures(), key
        assert architecture_path(key)[-1] == key
        assert row.why and row.title, key
        assert row.role in ROLES, key
        assert row.media in ("image", "video"), key


def test_parents_stand_before_their_children() -> None:
    order = list(architectures())
    for key, row in architectures().items():
        assert row.parent is None or order.index(row.parent) < order.index(key)


def test_abstract_nodes_have_models_below() -> None:
    for key, row in architectures().items():
        if row.abstract:
            assert leaves(key) != (key,), key


def test_twins_point_to_an_original_of_the_same_kind() -> None:
    for key, row in architectures().items():
        if row.like:
            original = architecture(row.like)
            assert original.like is None, key
            assert original.role == row.role, key


def test_walking_the_tree() -> None:
    assert architecture_path("wan2.2-t2v-a14b") == ("wan", "wan-14b", "wan2.2-t2v-a14b")
    assert is_under("flux1-kontext-dev", "flux1")
    assert not is_under("flux1", "flux1-dev")
    assert leaves("flux2") == ("flux2-dev", "flux2-klein-4b", "flux2-klein-9b")
    assert lookalikes("z-image-turbo") == {"z-image", "z-image-turbo"}
    assert common_ancestor({"wan2.1-t2v-14b", "wan2.2-i2v-a14b"}) == "wan-14b"
    assert common_ancestor({"sd1", "sdxl"}) is None
    assert common_ancestor(set()) is None


def test_an_unknown_id_is_told() -> None:
    with pytest.raises(UnknownIdError, match="no architecture 'sd9'"):
        architecture_path("sd9")


def test_tables_are_checked_for_columns() -> None:
    with pytest.raises(TableError, match=r"x\.toml: row 'a' has unknown columns \['colour'\]"):
        vocabulary._rows("x.toml", {"a": {"title": "A", "colour": "red"}}, vocabulary.Kind)


def test_small_tables_are_whole() -> None:
    for kind in kinds().values():
        assert kind.title and kind.why
    for algorithm in adapter_algorithms().values():
        assert algorithm.title and algorithm.why
    for key_format in key_formats().values():
        assert key_format.title and key_format.why
    assert len({row.order for row in kinds().values()}) == len(kinds())
    for family in families().values():
        assert family.architecture in architectures()
        assert family.names and family.why


@pytest.mark.parametrize("label", base_labels().values(), ids=lambda label: label.id)
def test_base_labels_point_to_architectures_and_families(label: vocabulary.BaseLabel) -> None:
    assert label.architecture is None or label.architecture in architectures()
    if label.family:
        assert (
            architecture_path(families()[label.family].architecture)[0]
            == architecture_path(label.architecture or "")[0]
        )


@pytest.mark.parametrize(
    ("text", "architecture_id", "family"),
    [
        ("SDXL 1.0", "sdxl", None),
        ("sdxl  1.0", "sdxl", None),
        ("SD1.5", "sd1", None),
        ("pony", "sdxl", "pony"),
        ("Illustrious", "sdxl", "illustrious"),
        ("Flux.1 D", "flux1-dev", None),
        ("Flux.2 Klein 9B-base", "flux2-klein-9b", None),
        ("Wan Video 2.2 TI2V-5B", "wan2.2-ti2v-5b", None),
        ("ZImageTurbo", "z-image-turbo", None),
        ("Veo 3", None, None),
    ],
)
def test_labels_are_found_whatever_their_case(
    text: str, architecture_id: str | None, family: str | None
) -> None:
    label = base_label(text)
    assert label is not None
    assert (label.architecture, label.family) == (architecture_id, family)


def test_a_label_nobody_uses_is_none() -> None:
    assert base_label("Stable Confusion 7") is None


def test_no_spelling_means_two_labels() -> None:
    spellings = [text.lower() for label in base_labels().values() for text in (label.id, *label.aliases)]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("text", "architecture_id"),
    [
        ("sdxl_base_v1-0", "sdxl"),
        ("5-medium", "sd3.5-medium"),
        ("Flux.1-dev/lora", "flux1-dev"),
        ("flux_2_klein_4b", "flux2-klein-4b"),
        ("stable-diffusion-v2-768-v", "sd2"),
        ("wan", "wan"),
        ("nobody", None),
    ],
)
def test_trainers_spellings(text: str, architecture_id: str | None) -> None:
    assert trained_architecture(text) == architecture_id


def test_trainers_point_to_architectures_and_mean_one_thing() -> None:
    table = read_table("trainers.toml")
    assert set(table["spellings"]) <= set(architectures())
    assert set(table["modules"].values()) <= set(architectures())
    spellings = [text.lower() for texts in table["spellings"].values() for text in texts]
    assert len(spellings) == len(set(spellings))


def test_names_point_to_architectures() -> None:
    table = read_table("names.toml")
    assert set(table["patterns"]) <= set(architectures())
    assert {name for names in table["favours"].values() for name in names} <= set(architectures())


def test_adapter_tables_point_to_rows() -> None:
    table = read_table("adapters.toml")
    for row in table["prefixes"]:
        assert row["format"] in key_formats(), row
    for row in table["suffixes"]:
        assert not row["algorithm"] or row["algorithm"] in adapter_algorithms(), row
        assert row.get("format", "plain") in key_formats(), row
    for row in (*table["encoders"], *table["modules"]):
        assert row["layout"] in layout_ids(), row
        assert set(row["architectures"]) <= set(architectures()), row
        assert row["why"]
