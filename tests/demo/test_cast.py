"""The cast's tables are sound: every word used is defined, every row says why, nothing is told twice."""

import re
from pathlib import Path

import pytest

from indexer.demo.cast import Part, load_cast
from indexer.demo.sidecars import version_id
from indexer.demo.styles import STYLES, SUBJECTS
from indexer.domain.layouts import layout_ids

CAST = load_cast()


@pytest.fixture(params=CAST.parts, ids=lambda part: part.path)
def part(request: pytest.FixtureRequest) -> Part:
    found: Part = request.param
    return found


def test_each_row_uses_defined_words(part: Part) -> None:
    assert part.note, "every row says why it is here"
    assert part.base is None or part.base in CAST.bases
    assert part.naming in CAST.naming
    assert all(style in CAST.styles and subject in CAST.subjects for style, subject in part.drawn)
    assert part.form != "adapter" or (part.target in CAST.targets and part.rank > 0)
    assert part.form not in ("recipe", "gguf") or part.recipe in CAST.recipes


def test_references_point_at_parts_of_another_base(part: Part) -> None:
    by_path = {other.path: other for other in CAST.parts}
    if part.equivalent_of:
        original = by_path[part.equivalent_of]
        assert original.equivalent_of is None, "an equivalent names the first of its kind, not another copy"
        assert original.base != part.base
        assert original.category == part.category
        assert part.style in (original.style, None)
    if part.copy_of:
        assert part.copy_of in by_path


def test_paths_and_ids_are_unique() -> None:
    assert len({part.path.lower() for part in CAST.parts}) == len(CAST.parts)
    assert len({version_id(part) for part in CAST.parts}) == len(CAST.parts)


def test_tables_and_code_know_the_same_styles_and_subjects() -> None:
    assert set(CAST.styles) == set(STYLES)
    assert set(CAST.subjects) == set(SUBJECTS)


def test_layouts_exist_and_patterns_compile() -> None:
    used = {layout for recipe in CAST.recipes.values() for _, layout in recipe["parts"]}
    for target in CAST.targets.values():
        used |= {target["layout"], *(layout for _, layout in target.get("text", ()))}
        re.compile(target["keep"])
    assert used <= set(layout_ids())


def test_every_word_is_used() -> None:
    assert {part.target for part in CAST.parts if part.target} == set(CAST.targets)
    assert {part.naming for part in CAST.parts if part.subjects} == set(CAST.naming)
    assert {part.base for part in CAST.parts if part.base} == set(CAST.bases)


def test_most_styles_stand_on_two_bases() -> None:
    bases: dict[str, set[str]] = {}
    for part in CAST.parts:
        if part.kind == "lora" and part.style and part.base and not part.bad:
            bases.setdefault(part.style, set()).add(part.base)
    assert len(bases) >= 15
    assert sum(len(found) > 1 for found in bases.values()) >= 8


def test_names_stay_inside_the_library() -> None:
    for part in CAST.parts:
        path = Path(part.path)
        assert not path.is_absolute()
        assert ".." not in path.parts
