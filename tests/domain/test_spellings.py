"""What people call architectures, labels, families and kinds."""

import pytest

from indexer.domain.spellings import Meaning, known_values, meaning_of, near_names, plain, unknown_note
from indexer.domain.vocabulary import architectures, base_labels, read_table
from search.query import parse_query


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("arch", "SD 1.5", ("sd1",)),
        ("arch", "sd15", ("sd1",)),
        ("arch", "Stable Diffusion XL", ("sdxl",)),
        ("arch", "flux", ("flux1",)),
        ("arch", "Flux.1 D", ("flux1-dev",)),
        ("arch", "klein 9b", ("flux2-klein-9b",)),
        ("arch", "sd 3.5", ("sd3.5-medium", "sd3.5-large")),
        ("fits", "Pony", ("sdxl",)),
        ("fits", "SDXL 1.0", ("sdxl",)),
        ("family", "PonyXL", ("pony",)),
        ("type", "LoCon", ("lora",)),
        ("type", "Embeddings", ("textual_inversion",)),
        ("category", "photo", ("photorealism",)),
        ("category", "buildings", ("architecture", "building")),
        ("adapter", "LoKr", ("lokr",)),
    ],
)
def test_a_spelling_means(field: str, text: str, values: tuple[str, ...]) -> None:
    found = meaning_of(field, text)
    assert found is not None
    assert found.values == values


@pytest.mark.parametrize("name", architectures())
def test_every_architecture_is_known_by_id_and_title(name: str) -> None:
    row = architectures()[name]
    for text in (name, row.title.upper()):
        found = meaning_of("arch", text)
        assert found is not None
        assert name in found.values


@pytest.mark.parametrize("name", base_labels())
def test_every_label_means_itself(name: str) -> None:
    found = meaning_of("base", name.swapcase())
    assert found is not None
    assert name in found.values
    assert all(alias in found.values for alias in base_labels()[name].aliases)


def test_an_exact_label_is_no_other_label() -> None:
    found = meaning_of("base", "SDXL 1.0")
    assert found is not None
    assert not {"Pony", "SDXL Turbo"} & set(found.values)


def test_an_architecture_or_a_family_is_all_its_labels() -> None:
    sdxl, flux, pony = (meaning_of("base", text) for text in ("sdxl", "flux1", "ponyxl"))
    assert sdxl and flux and pony
    assert {"SDXL 1.0", "Pony", "Illustrious", "SDXL Turbo"} <= set(sdxl.values)
    assert {"Flux.1 D", "Flux.1 S", "Flux.1 Kontext"} <= set(flux.values)
    assert "Flux.2 D" not in flux.values
    assert "Pony" in pony.values and "SDXL 1.0" not in pony.values


def test_a_family_asked_for_as_an_architecture_is_explained() -> None:
    note = "Illustrious is a family on sdxl; family:illustrious finds it alone."
    assert meaning_of("arch", "Illustrious") == Meaning(("sdxl",), note)
    assert parse_query("arch:illustrious").notes == (note,)


def test_the_unknown_stays_a_filter_and_names_what_comes_near() -> None:
    assert meaning_of("arch", "sdxxl") is None
    parsed = parse_query("arch:sdxxl")
    assert parsed.where.nodes[0].values == ("sdxxl",)  # type: ignore[attr-defined]
    assert parsed.notes == ("No architecture is known as 'sdxxl'. Did you mean sdxl or sd2?",)
    assert unknown_note("type", "zzzz") == "No type is known as 'zzzz'."
    assert unknown_note("tag", "zzzz") == ""
    assert parse_query("type:" + ",".join(f"zz{n}" for n in range(9))).notes[3:] == ()


def test_plain_spellings() -> None:
    assert plain("Flux.1 [dev]") == plain("flux1-DEV") == "flux1dev"
    assert plain("→") == "→"
    assert near_names("lroa", {"lora": "lora", "loras": "lora", "vae": "vae"}) == ["lora"]


def test_the_table_of_spellings_names_what_there_is() -> None:
    table = read_table("spellings.toml")
    for part, known in (("architectures", architectures()), ("bases", base_labels())):
        assert all(id_ in known for name, ids in table[part].items() if name != "why" for id_ in ids)
    assert "sdxl" in known_values("fits")
    assert known_values("tag") == ()
