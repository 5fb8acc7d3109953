"""What may be done with a model: every statement counts, the strictest wins, the unknown permits nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.licences import (
    base_licences,
    civitai_permits,
    licence_named,
    licences,
    permission_titles,
    permitted,
    strictest,
    together,
)
from indexer.domain.vocabulary import architectures, base_labels, read_table

ALL = tuple(permission_titles())
FREE = {"commercial": ["Image", "Rent", "RentCivit", "Sell"], "derivatives": True, "credit": False}


@pytest.mark.parametrize(
    ("spelled", "id_"),
    [
        ("apache-2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("MIT License", "mit"),
        ("CC BY-NC-SA 4.0", "cc-by-nc-sa-4.0"),
        ("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        ("creativeml-openrail-m", "creativeml-openrail-m"),
        ("CreativeML Open RAIL++-M License", "openrail++"),
        ("openrail++", "openrail++"),
        ("flux-1-dev-non-commercial-license", "flux-1-dev-non-commercial"),
        ("SAI NC RC", "stability-non-commercial"),
        ("free for personal use, ask me otherwise", "non-commercial"),
    ],
)
def test_licences_are_known_in_many_spellings(spelled: str, id_: str) -> None:
    found = licence_named(spelled)
    assert found is not None and found.id == id_


@pytest.mark.parametrize("text", ["", None, "my own rules", "do what feels right"])
def test_what_nobody_knows_is_no_licence(text: str | None) -> None:
    assert licence_named(text) is None


def test_every_licence_of_our_tables_is_known_or_a_services() -> None:
    services = set(read_table("licences.toml")["services"]["names"])
    stated = {row.licence for row in architectures().values() if row.licence}
    stated |= {row.licence for row in base_labels().values() if row.licence}
    assert {text for text in stated - services if licence_named(text) is None} == set()
    assert not {text for text in services if licence_named(text) is not None}


def test_no_spelling_means_two_licences() -> None:
    for row in licences().values():
        for name in (row.id, row.title, *row.names):
            assert licence_named(name) is row, name
        assert row.why
        assert not row.non_commercial or not row.permits & {"sell-images", "run-as-service", "sell-model"}


@pytest.mark.parametrize(
    ("said", "permits", "forbidden"),
    [
        ({"commercial": ["Image"], "credit": True, "derivatives": False, "share_alike": True}, ("sell-images",), False),
        ({"commercial": ["RentCivit"]}, (), True),
        ({"commercial": [], "derivatives": True}, ("merge",), True),
        ({"credit": False}, ("no-credit",), False),
        (FREE | {"share_alike": False}, ALL, False),
    ],
)  # fmt: skip
def test_permissions_of_civitai(said: Any, permits: tuple[str, ...], forbidden: bool) -> None:
    found = civitai_permits(said)
    assert found is not None
    assert (found.permits, found.forbidden) == (permits, forbidden)


@pytest.mark.parametrize(
    ("stated", "said", "base", "ids"),
    [
        ("apache-2.0", None, "sdxl", ("commercial", *ALL)),
        (None, {"commercial": ["Image"]}, "sdxl", ("commercial", "sell-images")),
        (None, FREE, "flux1-dev", ("non-commercial", "merge", "no-credit")),
        (None, None, "flux1-dev", ("non-commercial",)),
        (None, None, "sdxl", ()),
        ("my own rules", FREE, "sdxl", ()),
        ("other", {"commercial": ["Image"]}, None, ("commercial", "sell-images")),
        ("cc-by-nc-4.0", FREE, "sdxl", ("non-commercial", "merge")),
    ],
)
def test_the_strictest_of_creator_licence_and_base_wins(
    stated: str | None, said: Any, base: str | None, ids: tuple[str, ...]
) -> None:
    assert permitted(stated, said, base_licences(base)).ids() == ids


def test_the_base_is_what_tensors_label_and_family_say_together() -> None:
    assert base_licences("flux1-schnell") == ("Apache 2.0",)
    # Which of them it is cannot be told from tensors: the strictest, unless the label says it.
    assert base_licences("flux1") == ("FLUX.1 [dev] Non-Commercial License",)
    assert base_licences("flux1", "Flux.1 S") == ("Apache 2.0",)
    # A label that contradicts the tensors says nothing of the base.
    assert base_licences("sdxl", "Flux.1 D") == ("CreativeML Open RAIL++-M",)
    assert "NoobAI License" in base_licences("sdxl", "SDXL 1.0", "noobai")
    assert base_licences(None, "Flux.1 D") == ("FLUX.1 [dev] Non-Commercial License",)
    assert base_licences(None) == base_licences("esrgan") == ()


def test_a_stack_may_do_what_all_its_parts_may() -> None:
    found = strictest(["mit", "CreativeML Open RAIL++-M"])
    assert found.ids() == ("commercial", *(p for p in ALL if p != "different-licence"))
    found = strictest(["mit", "FLUX.1 [dev] Non-Commercial License"])
    assert (found.ids(), found.strict) == (
        ("non-commercial", "merge"),
        ("FLUX.1 [dev] Non-Commercial License",),
    )
    assert strictest(["mit", None]).ids() == strictest([]).ids() == ()


PARTS = st.lists(st.lists(st.sampled_from([*ALL, "commercial", "non-commercial"]), unique=True), max_size=4)


@given(PARTS, st.lists(st.sampled_from(ALL), unique=True))
def test_one_more_part_never_permits_more(parts: list[list[str]], more: list[str]) -> None:
    before, after = set(together(parts)), set(together([*parts, more]))
    assert not parts or (after - before) <= {"non-commercial"}
    assert not {"commercial", "non-commercial"} <= after


@given(st.text(max_size=400))
def test_any_text_is_taken(text: str) -> None:
    licence_named(text)
